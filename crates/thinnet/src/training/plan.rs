//! How long a run is, and what changes on its way.

use super::{Sampling, TrainingConfig};
use crate::error::{Error, Result};
use crate::optim::{MomentumRamp, Schedule};

/// The steps of a run, and the rates of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Steps of an epoch.
    pub(super) steps_per_epoch: u64,
    /// Steps of the run.
    pub(super) steps: u64,
    /// Samples that an epoch's batches have together.
    pub(super) samples_per_epoch: usize,
    epochs: usize,
    schedule: Schedule,
    ramp: Option<MomentumRamp>,
}

impl Plan {
    /// The plan for so many training samples.
    pub(super) fn new(config: &TrainingConfig, samples: usize) -> Result<Self> {
        let (epochs, size) = (config.train.epochs, config.train.batch_size.max(1));
        let (batches, samples_per_epoch) = match config.train.sampling {
            Sampling::Shuffled => (samples.div_ceil(size), samples),
            Sampling::Replacement => {
                let batches = (samples / size).max(1);
                (batches, batches.saturating_mul(size))
            }
        };
        let (steps_per_epoch, runs) = (batches.max(1) as u64, epochs as u64);
        let steps = steps_per_epoch
            .checked_mul(runs)
            .ok_or_else(|| Error::configuration(format!("train.epochs = {epochs} are too many")))?;
        Ok(Self {
            steps_per_epoch,
            steps,
            samples_per_epoch,
            epochs,
            schedule: config.schedule(),
            ramp: config.momentum_ramp(),
        })
    }

    /// The learning rate of step `step`, counted from 0.
    pub(super) fn learning_rate(&self, step: u64) -> f64 {
        self.schedule.at(step, self.steps_per_epoch, self.epochs)
    }

    /// Its momentum, where that changes.
    pub(super) fn momentum(&self, step: u64) -> Option<f64> {
        Some(self.ramp?.at(step, self.steps_per_epoch))
    }
}
