//! The state of a run: everything that it needs to continue, except its settings and rows.

use serde::{Deserialize, Serialize};

use super::rates::StepPlan;
#[cfg(feature = "report")]
use super::{Checks, TrainingConfig};
use super::{RunHistory, Sampling};
use crate::engine::EngineState;
use crate::error::{Error, Result, same_shape};
use crate::float::Float;
use crate::layers::RunningStatistics;
use crate::net::Parameters;
use crate::random;

/// The position of a run in its steps and epochs. A checkpoint stores long arrays separately.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Position {
    /// Steps done.
    pub(super) step: u64,
    /// The order of the epoch's samples, if they are shuffled.
    #[serde(skip)]
    pub(super) order: Vec<u32>,
    /// The sum of the epoch's losses so far.
    pub(super) epoch_loss: f64,
    /// Seconds that the epoch's steps took so far.
    pub(super) epoch_seconds: f64,
    /// Epochs since the last one that counted as better.
    pub(super) stale: usize,
    /// The monitored value of that epoch.
    pub(super) mark: Option<f64>,
    /// Losses and epochs.
    #[serde(skip)]
    pub(super) history: RunHistory,
}

/// The best epoch's network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Best<F> {
    pub(super) parameters: Parameters<F>,
    pub(super) running: Vec<RunningStatistics<F>>,
}

/// Everything that a run needs to continue, except its settings and rows. [`TrainerState::to_bytes`] makes a
/// checkpoint of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerState<F> {
    pub(super) engine: EngineState<F>,
    pub(super) random: random::State,
    pub(super) position: Position,
    pub(super) best: Option<Best<F>>,
}

impl<F: Float> TrainerState<F> {
    /// The same state with another network, as at the start of a run that trains it further. The optimiser's state stays.
    ///
    /// # Errors
    /// [`Error::Shape`] for a network of other layers.
    pub fn with_network(
        &self,
        parameters: Parameters<F>,
        running: Vec<RunningStatistics<F>>,
    ) -> Result<Self> {
        self.engine.parameters.check_like("the network that a run begins with", &parameters)?;
        let sizes = |all: &[RunningStatistics<F>]| {
            all.iter().map(|own| (own.mean.len(), own.variance.len())).collect::<Vec<_>>()
        };
        same_shape(
            "running statistics of the network that a run begins with",
            &sizes(&self.engine.running),
            &sizes(&running),
        )?;
        let mut state = self.clone();
        (state.engine.parameters, state.engine.running) = (parameters, running);
        Ok(state)
    }
}

impl<F> TrainerState<F> {
    /// Refuses a state from which a run with these settings and this many training samples cannot continue, judging
    /// by steps and epochs.
    #[cfg(feature = "report")]
    pub(crate) fn check(&self, config: &TrainingConfig, samples: usize) -> Result<()> {
        let plan = StepPlan::new(config, samples)?;
        self.position.check(&plan, config.train.sampling, Checks::of(config).first_step, samples)
    }
}

impl Position {
    /// Refuses a position that is impossible in a run with these steps and this many samples.
    pub(super) fn check(
        &self,
        plan: &StepPlan,
        sampling: Sampling,
        first_step: bool,
        samples: usize,
    ) -> Result<()> {
        if self.step > plan.steps && self.history.loss.len() as u64 == self.step {
            let done = self.step.div_ceil(plan.steps_per_epoch);
            let part = if self.step.is_multiple_of(plan.steps_per_epoch) { "" } else { ", the last in part" };
            let epochs = plan.steps / plan.steps_per_epoch;
            return Err(Error::setting(
                "train.epochs",
                format!(
                    "is {epochs}, but {done} epochs of this run are done{part}; it must be at least {done}"
                ),
            ));
        }
        let in_epoch = !self.step.is_multiple_of(plan.steps_per_epoch);
        let extra = u64::from(first_step && self.step > 0 && plan.steps_per_epoch > 1);
        let fits = self.step <= plan.steps
            && self.history.loss.len() as u64 == self.step
            && self.history.epochs.len() as u64 == self.step / plan.steps_per_epoch + extra
            && (!(sampling != Sampling::Replacement && in_epoch) || self.order.len() == samples)
            && self.order.iter().all(|&index| (index as usize) < samples);
        if fits {
            return Ok(());
        }
        Err(Error::configuration(format!(
            "a state after {} steps and {} epochs does not belong to this run, which has {} steps per epoch on {samples} samples",
            self.step,
            self.history.epochs.len(),
            plan.steps_per_epoch
        )))
    }
}
