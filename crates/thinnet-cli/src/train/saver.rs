//! What a run writes is written beside the training, not within it: a thread makes bytes of a state, waits for the disk, and
//! then adds the epoch's lines.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use thinnet::float::Float;
use thinnet::report::RunRecord;
use thinnet::training::{Epoch, RunFolder, TrainerState, TrainingConfig};

use crate::failure::Failure;

/// A state, if it is to be written, and the epoch that was ended, if one was.
type Saved<F> = (Option<TrainerState<F>>, Option<Epoch>);

/// Writes states, one after the other.
pub(crate) struct Saver<'scope, F: Float> {
    states: SyncSender<Saved<F>>,
    failures: Receiver<Failure>,
    thread: ScopedJoinHandle<'scope, ()>,
}

impl<'scope, F: Float> Saver<'scope, F> {
    /// Starts the thread, which keeps the last `keep` checkpoints.
    pub(crate) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        folder: &'env RunFolder,
        config: &'env TrainingConfig,
        mut record: RunRecord,
        keep: usize,
    ) -> Result<Self, Failure> {
        // A state waits while another is written; for a third one, training waits.
        let (states, waiting) = sync_channel::<Saved<F>>(1);
        let (failed, failures): (Sender<Failure>, _) = channel();
        let work = move || {
            for (state, epoch) in waiting {
                let written = match &state {
                    Some(state) => folder.save(state, config, keep).map(drop),
                    None => Ok(()),
                };
                let saved = written.and_then(|()| match epoch {
                    Some(epoch) => record.epoch(&epoch, state.as_ref().map(TrainerState::parameters)),
                    None => Ok(()),
                });
                if let Err(error) = saved
                    && failed.send(error.into()).is_err()
                {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .spawn_scoped(scope, work)
            .map_err(|reason| Failure::Refused(format!("cannot start a thread: {reason}")))?;
        Ok(Self { states, failures, thread })
    }

    /// Hands over what is to be written; says if something before it could not be.
    pub(crate) fn save(&self, state: Option<TrainerState<F>>, epoch: Option<Epoch>) -> Result<(), Failure> {
        let gone = || Failure::Refused("the thread that writes checkpoints has ended".to_owned());
        match self.failures.try_recv() {
            Ok(failure) => Err(failure),
            Err(_) => self.states.send((state, epoch)).map_err(|_| gone()),
        }
    }

    /// Waits until all is written.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Self { states, failures, thread } = self;
        drop(states);
        thread
            .join()
            .map_err(|_| Failure::Refused("the thread that writes checkpoints failed".to_owned()))?;
        failures.try_recv().map_or(Ok(()), Err)
    }
}
