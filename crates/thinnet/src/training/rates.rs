//! The length of a run, and what changes during it.

use super::{RunStep, Sampling, TrainingConfig};
use crate::error::{Error, Result};
use crate::layers::{Dropout, HiddenDropout};
use crate::optim::{MomentumRamp, Schedule};

/// What may change at every step.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// The learning rate.
    pub learning_rate: f64,
    /// The momentum, for an optimiser that has one; `None` leaves it unchanged.
    pub momentum: Option<f64>,
    /// Strength of the L2 term.
    pub l2: f64,
    /// Dropout of the hidden layers.
    pub dropout: HiddenDropout,
    /// Dropout of the inputs.
    pub input_dropout: Option<Dropout>,
}

/// The steps of a run, and the rates of each.
#[derive(Debug, Clone)]
pub(super) struct StepPlan {
    /// Steps per epoch.
    pub(super) steps_per_epoch: u64,
    /// Steps of the run.
    pub(super) steps: u64,
    /// The number of samples in an epoch's batches together.
    pub(super) samples_per_epoch: usize,
    epochs: usize,
    schedule: Schedule,
    ramp: Option<MomentumRamp>,
}

impl StepPlan {
    /// The plan for this many training samples.
    pub(super) fn new(config: &TrainingConfig, samples: usize) -> Result<Self> {
        let (epochs, size) = (config.train.epochs, config.train.batch_size.max(1));
        let (batches, samples_per_epoch) = match config.train.sampling {
            Sampling::Shuffled | Sampling::Stream => (samples.div_ceil(size), samples),
            Sampling::Replacement => {
                let batches = (samples / size).max(1);
                (batches, batches.saturating_mul(size))
            }
        };
        let (steps_per_epoch, runs) = (batches.max(1) as u64, epochs as u64);
        let steps = steps_per_epoch
            .checked_mul(runs)
            .ok_or_else(|| Error::configuration(format!("train.epochs = {epochs} is too large")))?;
        let (schedule, ramp) = (config.schedule(), config.momentum_ramp());
        Ok(Self { steps_per_epoch, steps, samples_per_epoch, epochs, schedule, ramp })
    }

    /// The rates of step `step`, counted from 0, according to the settings.
    pub(super) fn rates(&self, config: &TrainingConfig, step: u64) -> Result<Rates> {
        let at = Some(RunStep { step, steps: self.steps });
        Ok(Rates {
            learning_rate: self.schedule.at(step, self.steps_per_epoch, self.epochs),
            momentum: self.ramp.map(|ramp| ramp.at(step, self.steps_per_epoch)),
            l2: config.optim.l2,
            dropout: config.hidden_dropout(at)?,
            input_dropout: config.input_dropout(at)?,
        })
    }
}
