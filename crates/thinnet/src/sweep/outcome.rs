//! The outcome of a run.

use serde::{Deserialize, Serialize};

use crate::training::{RunHistory, Score, Task, TrainingConfig};

/// The figure by which runs are compared, on validation samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Classification: the share of samples that are classified correctly.
    Accuracy,
    /// Regression: the explained share of the targets' variance (R squared).
    R2,
}

impl Measure {
    /// The measure for the settings' task.
    pub fn of(config: &TrainingConfig) -> Self {
        match config.model.task {
            Task::Classification => Self::Accuracy,
            Task::Regression => Self::R2,
        }
    }

    /// Its name in a column or a file: `accuracy`, `r2`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::R2 => "r2",
        }
    }

    fn get(self, score: &Score) -> Option<f64> {
        let value = match self {
            Self::Accuracy => score.accuracy,
            Self::R2 => score.r2,
        };
        value.and_then(finite)
    }
}

/// A run's figures. Scores are accuracies or R squared, depending on the task; a value that is not finite is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFigures {
    /// Validation score of the best epoch, which the run's monitor chose.
    pub best_val_score: Option<f64>,
    /// Validation loss of the same epoch.
    pub best_val_loss: Option<f64>,
    /// The best epoch, from 1.
    pub best_epoch: Option<usize>,
    /// Validation score of the last epoch.
    pub final_val_score: Option<f64>,
    /// Validation loss of the last epoch.
    pub final_val_loss: Option<f64>,
    /// Training score of the last epoch.
    pub train_score: Option<f64>,
    /// Training loss of the last epoch.
    pub train_loss: Option<f64>,
    /// Epochs that were trained.
    pub epochs: usize,
    /// Seconds for all steps, without checks.
    pub seconds: f64,
}

impl RunFigures {
    /// The figures of a history.
    pub fn of(history: &RunHistory, measure: Measure) -> Self {
        let (best, last) = (history.best_epoch(), history.epochs.last());
        Self {
            best_val_score: best.and_then(|epoch| measure.get(&epoch.val)),
            best_val_loss: best.and_then(|epoch| finite(epoch.val.loss)),
            best_epoch: best.map(|epoch| epoch.epoch),
            final_val_score: last.and_then(|epoch| measure.get(&epoch.val)),
            final_val_loss: last.and_then(|epoch| finite(epoch.val.loss)),
            train_score: last.and_then(|epoch| measure.get(&epoch.train)),
            train_loss: last.and_then(|epoch| finite(epoch.train.loss)),
            epochs: last.map_or(0, |epoch| epoch.epoch),
            seconds: history.epochs.iter().filter_map(|epoch| finite(epoch.seconds)).sum(),
        }
    }

    /// Training minus validation score of the last epoch: the measure of overfitting.
    pub fn gap(&self) -> Option<f64> {
        Some(self.train_score? - self.final_val_score?)
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was trained to its end.
    Finished(RunFigures),
    /// It failed.
    Failed {
        /// The reason, in a sentence.
        reason: String,
        /// Whether its loss diverged, which would happen again; other failures may be temporary.
        diverged: bool,
    },
}

impl Outcome {
    /// The outcome of training that failed with this error.
    pub fn failed(error: &crate::Error) -> Self {
        Self::Failed { reason: error.to_string(), diverged: matches!(error, crate::Error::Diverged { .. }) }
    }

    /// Whether the run need not be trained again.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Finished(_) | Self::Failed { diverged: true, .. })
    }

    /// Whether both are the same, apart from how long it took.
    pub fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Finished(one), Self::Finished(other)) => {
                *one == RunFigures { seconds: one.seconds, ..*other }
            }
            (one, other) => one == other,
        }
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Epoch;

    fn epoch(number: usize, train: f64, val: f64) -> Epoch {
        let score = |accuracy| Score {
            loss: 1.0 - accuracy,
            accuracy: Some(accuracy),
            top5: None,
            r2: Some(-accuracy),
        };
        Epoch {
            epoch: number,
            step: 0,
            learning_rate: 1e-3,
            loss: 1.0,
            train: score(train),
            val: score(val),
            seconds: 0.5,
            samples_per_second: 1.0,
        }
    }

    #[test]
    fn figures_are_those_of_the_best_and_the_last_epoch() {
        let epochs = vec![epoch(1, 0.5, 0.25), epoch(2, 0.75, 0.5), epoch(3, 1.0, 0.375)];
        let history = RunHistory { loss: vec![], epochs, best: Some(1) };
        let figures = RunFigures::of(&history, Measure::Accuracy);
        let expected = RunFigures {
            best_val_score: Some(0.5),
            best_val_loss: Some(0.5),
            best_epoch: Some(2),
            final_val_score: Some(0.375),
            final_val_loss: Some(0.625),
            train_score: Some(1.0),
            train_loss: Some(0.0),
            epochs: 3,
            seconds: 1.5,
        };
        assert_eq!(figures, expected);
        assert_eq!(figures.gap(), Some(0.625));
        assert_eq!(RunFigures::of(&history, Measure::R2).best_val_score, Some(-0.5));
    }

    #[test]
    fn what_is_not_finite_or_not_there_is_none() {
        let history =
            RunHistory { loss: vec![], epochs: vec![epoch(1, f64::NAN, f64::INFINITY)], best: Some(7) };
        let figures = RunFigures::of(&history, Measure::Accuracy);
        assert_eq!(figures, RunFigures { epochs: 1, seconds: 0.5, ..RunFigures::default() });
        assert_eq!(RunFigures::of(&RunHistory::default(), Measure::R2), RunFigures::default());
    }

    #[test]
    fn outcomes_agree_apart_from_their_time() {
        let finished =
            |epochs, seconds| Outcome::Finished(RunFigures { epochs, seconds, ..RunFigures::default() });
        let failed = |reason: &str| Outcome::Failed { reason: reason.to_owned(), diverged: true };
        assert!(finished(3, 0.5).agrees(&finished(3, 0.25)) && failed("NaN").agrees(&failed("NaN")));
        assert!(!finished(3, 0.5).agrees(&finished(4, 0.5)) && !finished(3, 0.5).agrees(&failed("NaN")));
    }

    #[test]
    fn only_a_failure_that_would_come_again_is_settled() {
        let diverged =
            Outcome::failed(&crate::Error::Diverged { what: "the loss is NaN".to_owned(), step: 3 });
        assert!(diverged.is_settled() && Outcome::Finished(RunFigures::default()).is_settled());
        assert!(!Outcome::failed(&crate::Error::data("the file is gone")).is_settled());
    }
}
