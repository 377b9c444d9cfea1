//! Finished runs that have diverged: their results are finite, but useless.

use std::fmt;

use serde::Serialize;

use super::RunHistory;
use crate::layers::Loss;

/// A run has diverged if its final loss is more than this many times that of an untrained network.
const FACTOR: f64 = 10.0;

/// How a run has diverged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Divergence {
    /// Its last epoch, from 1.
    pub epoch: usize,
    /// The training loss of that epoch.
    pub loss: f64,
    /// The loss of an untrained network.
    pub start: f64,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "training has diverged: in epoch {} the training loss is {:.3e}, and a network that knows nothing has {:.3e}; try a \
             smaller learning rate, or bound the gradients",
            self.epoch, self.loss, self.start
        )
    }
}

impl RunHistory {
    /// Whether the run has diverged although it finished. It has if the training loss of its last epoch, both in test
    /// mode and as the mean of its steps, is not finite, or is more than 10 times the loss of an untrained network.
    /// That loss is the max of the first step's loss and the loss of the same answer for all samples: `ln(C)` for C
    /// classes, the targets' variance for the squared error, nothing for other losses.
    ///
    /// - `loss`: the loss used in training
    /// - `num_outputs`: C, for classes
    ///
    /// ```
    /// use thinnet::layers::Loss;
    /// use thinnet::training::RunHistory;
    /// assert!(RunHistory::default().divergence(Loss::Softmax, 10).is_none());
    /// ```
    pub fn divergence(&self, loss: Loss, num_outputs: usize) -> Option<Divergence> {
        let last = self.epochs.last()?;
        let first = self.loss.first().copied().unwrap_or(f64::NAN);
        let of_one_answer = match (loss, last.train.r2) {
            (Loss::Softmax, _) => (num_outputs.max(2) as f64).ln(),
            // R squared is 1 minus the ratio of the two.
            (Loss::SquaredError, Some(r2)) => last.train.loss / (1.0 - r2),
            _ => f64::NAN,
        };
        let start = first.max(of_one_answer); // `max` ignores a NaN
        let is_bad = |loss: f64| !loss.is_finite() || loss > FACTOR * start;
        let diverged = is_bad(last.train.loss) && is_bad(last.loss);
        diverged.then_some(Divergence { epoch: last.epoch, loss: last.train.loss, start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::{Epoch, Score};

    fn history(first: f64, train: f64, steps: f64, r2: Option<f64>) -> RunHistory {
        let score = Score { loss: train, r2, ..Score::default() };
        let epoch = Epoch {
            epoch: 3,
            step: 3,
            learning_rate: 1.0,
            loss: steps,
            train: score,
            val: score,
            seconds: 0.0,
            samples_per_second: 0.0,
        };
        RunHistory { loss: vec![first, steps], epochs: vec![epoch], best: Some(0) }
    }

    #[test]
    fn a_loss_far_above_that_of_no_knowledge_is_divergence() {
        let of = |first, train, steps| history(first, train, steps, None).divergence(Loss::Softmax, 10);
        let found = of(2.3, 2e22, 3e22).unwrap();
        assert_eq!((found.epoch, found.loss), (3, 2e22));
        assert!((found.start - 10f64.ln()).abs() < 0.01, "{found}");
        assert!(found.to_string().contains("2.000e22"), "{found}");
        assert!(of(2.3, 20.0, 20.0).is_none() && of(2.3, 24.0, 24.0).is_some());
        assert!(of(0.01, 20.0, 20.0).is_none(), "a lucky first batch is no measure");
        assert!(of(17.0, 100.0, 100.0).is_none(), "it started high");
        assert!(of(2.3, 100.0, 2.0).is_none(), "statistics that are not yet settled are no divergence");
        assert!(of(2.3, f64::NAN, f64::INFINITY).is_some());
    }

    #[test]
    fn numbers_are_measured_by_their_own_variance() {
        let of = |first, train: f64, r2| history(first, train, train, r2).divergence(Loss::SquaredError, 1);
        assert!(of(1e-6, 50.0, Some(-0.5)).is_none());
        assert!(of(1e-6, 50.0, Some(-99.0)).is_some());
        assert!(of(1e9, 50.0, Some(-99.0)).is_none());
        assert!(of(1.0, 50.0, None).is_some());
    }
}
