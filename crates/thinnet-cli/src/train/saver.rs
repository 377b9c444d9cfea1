//! Checkpoints are written beside the training, not within it: a thread makes bytes of a state and waits for the disk.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use thinnet::float::Float;
use thinnet::training::{RunFolder, TrainerState, TrainingConfig};

use crate::failure::Failure;

/// Writes states, one after the other.
pub(crate) struct Saver<'scope, F: Float> {
    states: SyncSender<TrainerState<F>>,
    failures: Receiver<Failure>,
    thread: ScopedJoinHandle<'scope, ()>,
}

impl<'scope, F: Float> Saver<'scope, F> {
    /// Starts the thread, which keeps the last `keep` checkpoints.
    pub(crate) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        folder: &'env RunFolder,
        config: &'env TrainingConfig,
        keep: usize,
    ) -> Result<Self, Failure> {
        // A state waits while another is written; for a third one, training waits.
        let (states, waiting) = sync_channel::<TrainerState<F>>(1);
        let (failed, failures): (Sender<Failure>, _) = channel();
        let work = move || {
            for state in waiting {
                if let Err(error) = folder.save(&state, config, keep)
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

    /// Hands a state over; says if an earlier one could not be written.
    pub(crate) fn save(&self, state: TrainerState<F>) -> Result<(), Failure> {
        let gone = || Failure::Refused("the thread that writes checkpoints has ended".to_owned());
        match self.failures.try_recv() {
            Ok(failure) => Err(failure),
            Err(_) => self.states.send(state).map_err(|_| gone()),
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
