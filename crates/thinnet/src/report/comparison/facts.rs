//! A run that is compared with others: what is known of it.

use std::path::{Path, PathBuf};

use crate::report::figures::{epoch, labels};
use crate::sweep::{Measure, RunFigures};
use crate::training::experiment::{NetworkRun, Outcome};
use crate::training::{DataConfig, Epoch, RunHistory, Score, TrainingConfig};

/// The names of a report's files.
pub(super) const PAGE: &str = "report.html";
pub(super) const PICTURE: &str = "curves.png";
pub(super) const COMPARISON_CSV: &str = "comparison.csv";
pub(super) const RUNS_CSV: &str = "runs.csv";

/// A run, or a network of an experiment, to be compared with others.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedRun {
    /// What people call it: its folder, and for an experiment the network in it.
    pub name: String,
    /// Its settings.
    pub config: TrainingConfig,
    /// Its epochs.
    pub history: RunHistory,
    /// The number of classes, if it is known.
    pub classes: Option<usize>,
    /// A checksum of the samples that it was trained and judged on, if it is known.
    pub samples: Option<String>,
    /// Its own page.
    pub page: Option<PathBuf>,
}

impl ComparedRun {
    /// The networks of an experiment. Losses are known of its end alone.
    ///
    /// - `name`: of the experiment
    /// - `page`: the experiment's page
    pub fn of_experiment(outcome: &Outcome, name: &str, page: Option<&Path>) -> Vec<Self> {
        let network = |(label, run): (String, &NetworkRun)| {
            let config = outcome.settings.config(run.keep);
            let data = DataConfig { path: outcome.settings.data.clone(), ..config.data };
            let config = TrainingConfig { data, ..config };
            let history = &run.history;
            let checks = history.train_accuracy.len().min(history.val_accuracy.len());
            let checked = |check: usize| {
                let end = run.end.as_ref().filter(|_| check + 1 == checks);
                let score = |accuracies: &[f64], loss: Option<f64>| Score {
                    loss: loss.unwrap_or(f64::NAN),
                    accuracy: Some(accuracies[check]),
                    ..Score::default()
                };
                Epoch {
                    epoch: epoch(history, check),
                    step: 0,
                    learning_rate: config.optim.learning_rate,
                    loss: f64::NAN,
                    train: score(&history.train_accuracy, end.map(|end| end.train_loss)),
                    val: score(&history.val_accuracy, end.map(|end| end.val_loss)),
                    seconds: if check + 1 == checks { run.seconds } else { 0.0 },
                    samples_per_second: f64::NAN,
                }
            };
            Self {
                name: format!("{name} (keep {label})"),
                history: RunHistory::of_epochs((0..checks).map(checked).collect(), config.monitor()),
                config,
                classes: Some(outcome.settings.classes.len()),
                samples: None,
                page: page.map(Path::to_path_buf),
            }
        };
        labels(outcome).into_iter().zip(&outcome.networks).map(network).collect()
    }

    /// Its figures; `None` before its first epoch has ended.
    pub(crate) fn figures(&self) -> Option<RunFigures> {
        (!self.history.epochs.is_empty()).then(|| RunFigures::of(&self.history, Measure::of(&self.config)))
    }
}

#[cfg(test)]
pub(super) mod samples {
    //! Small runs for the tests of this module.

    use super::*;
    use crate::training::Keep;

    /// A run with these validation accuracies; those of training are higher by 0.1.
    pub(in crate::report::comparison) fn run_of(
        name: &str,
        keep: f64,
        seed: u32,
        scores: &[f64],
    ) -> ComparedRun {
        let mut config = TrainingConfig::default();
        config.model.keep = Keep::All(keep);
        config.model.hidden = vec![500];
        config.train.seed = seed;
        let epoch = |(number, &accuracy): (usize, &f64)| {
            let score =
                |accuracy: f64| Score { loss: 1.0 - accuracy, accuracy: Some(accuracy), ..Score::default() };
            Epoch {
                epoch: number,
                step: 0,
                learning_rate: 1e-3,
                loss: 1.0,
                train: score(accuracy + 0.1),
                val: score(accuracy),
                seconds: 0.5,
                samples_per_second: 1.0,
            }
        };
        ComparedRun {
            name: name.to_owned(),
            history: RunHistory::of_epochs((1..).zip(scores).map(epoch).collect(), config.monitor()),
            config,
            classes: Some(10),
            samples: None,
            page: None,
        }
    }

    /// A run of one epoch.
    pub(in crate::report::comparison) fn run(name: &str, keep: f64, seed: u32, score: f64) -> ComparedRun {
        run_of(name, keep, seed, &[score])
    }
}
