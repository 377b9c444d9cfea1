//! Writes a run's files in parallel with training: a thread serialises a state, waits for the disk, and then adds the
//! epoch's lines.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use super::RunFolder;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::report::RunRecord;
use crate::training::{Epoch, TrainerState, TrainingConfig};

/// A state, if it should be written, and the epoch, if one just ended.
type Saved<F> = (Option<TrainerState<F>>, Option<Epoch>);

/// Writes states, one after another.
pub(super) struct Saver<'scope, F: Float> {
    states: SyncSender<Saved<F>>,
    failures: Receiver<Error>,
    thread: ScopedJoinHandle<'scope, ()>,
}

impl<'scope, F: Float> Saver<'scope, F> {
    /// Starts the thread, which keeps the last `keep` checkpoints.
    pub(super) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        folder: &'env RunFolder,
        config: &'env TrainingConfig,
        mut record: RunRecord,
        keep: usize,
    ) -> Result<Self> {
        // One state waits while another is written; for a third one, training waits.
        let (states, waiting) = sync_channel::<Saved<F>>(1);
        let (failed, failures): (Sender<Error>, _) = channel();
        let work = move || {
            for (state, epoch) in waiting {
                let save = |state: &TrainerState<F>| folder.save(state, config, keep).map(drop);
                let mut add = |epoch| record.epoch(&epoch, state.as_ref().map(TrainerState::parameters));
                let saved = state.as_ref().map_or(Ok(()), save).and_then(|()| epoch.map_or(Ok(()), &mut add));
                if let Err(error) = saved
                    && failed.send(error).is_err()
                {
                    return;
                }
            }
        };
        let thread = Builder::new()
            .spawn_scoped(scope, work)
            .map_err(|reason| Error::configuration(format!("cannot start a thread: {reason}")))?;
        Ok(Self { states, failures, thread })
    }

    /// Passes on what to write; returns an error if something could not be written before.
    pub(super) fn save(&self, state: Option<TrainerState<F>>, epoch: Option<Epoch>) -> Result<()> {
        let gone = || Error::configuration("the thread that writes checkpoints has ended");
        match self.failures.try_recv() {
            Ok(failure) => Err(failure),
            Err(_) => self.states.send((state, epoch)).map_err(|_| gone()),
        }
    }

    /// Waits until everything is written.
    pub(super) fn finish(self) -> Result<()> {
        let Self { states, failures, thread } = self;
        drop(states);
        thread.join().map_err(|_| Error::configuration("the thread that writes checkpoints failed"))?;
        failures.try_recv().map_or(Ok(()), Err)
    }
}
