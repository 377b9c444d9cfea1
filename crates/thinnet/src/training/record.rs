//! The results of a training run, epoch by epoch.

use serde::{Deserialize, Serialize};

use super::Monitor;

/// How a network does on some samples, in test mode.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Score {
    /// The mean loss, without penalties and label smoothing.
    pub loss: f64,
    /// Classification: the share of samples with the true class as the highest score, 0..=1.
    pub accuracy: Option<f64>,
    /// Classification with more than five classes: the share of samples with the true class among the five highest
    /// scores, 0..=1.
    pub top5: Option<f64>,
    /// Regression: the explained share of the targets' variance (R squared, of all outputs together), at most 1.
    pub r2: Option<f64>,
}

/// What one network of an ensemble reached by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Its seed.
    pub seed: u32,
    /// The epoch that was kept.
    pub epoch: usize,
    /// Its score on the validation rows.
    pub val: Score,
    /// Its score on the test rows, if there are any.
    pub test: Option<Score>,
}

impl Monitor {
    /// What is watched of a validation score; higher is better.
    pub(crate) fn of(self, val: &Score) -> f64 {
        match self {
            Self::Accuracy => val.accuracy.unwrap_or(f64::NEG_INFINITY),
            Self::Loss => -val.loss,
        }
    }
}

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Steps done at its end, from the start of the run.
    pub step: u64,
    /// The learning rate of its last step.
    pub learning_rate: f64,
    /// The mean of its steps' training losses, with masks and penalties.
    pub loss: f64,
    /// On training samples.
    pub train: Score,
    /// On all validation samples.
    pub val: Score,
    /// Seconds for its steps, without checks.
    pub seconds: f64,
    /// Training samples per second.
    pub samples_per_second: f64,
}

/// All results of a run so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunHistory {
    /// The loss of every step, penalties included.
    pub loss: Vec<f64>,
    /// Every epoch that was completed.
    pub epochs: Vec<Epoch>,
    /// The index of the best epoch in `epochs`.
    pub best: Option<usize>,
}

impl RunHistory {
    /// A history of these epochs, without the losses of steps. Its best epoch is the first of those that `monitor` finds best.
    pub fn of_epochs(epochs: Vec<Epoch>, monitor: Monitor) -> Self {
        let best = |best: Option<usize>, place: usize| match best {
            Some(best) if monitor.of(&epochs[place].val) <= monitor.of(&epochs[best].val) => Some(best),
            _ => Some(place),
        };
        let known = (0..epochs.len()).filter(|&place| !monitor.of(&epochs[place].val).is_nan());
        let best = known.fold(None, best);
        Self { loss: Vec::new(), epochs, best }
    }

    /// The best epoch.
    pub fn best_epoch(&self) -> Option<&Epoch> {
        self.epochs.get(self.best?)
    }
}
