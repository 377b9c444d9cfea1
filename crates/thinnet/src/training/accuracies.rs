//! Only losses and accuracies, as the course reports them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RunHistory, Step};

/// Losses and accuracies of one training run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Accuracies {
    /// The training loss of every iteration, regularisation included (length: iterations).
    pub loss: Vec<f64>,
    /// How many epochs were complete at each check of the accuracies: 0 after the first iteration (unless it ends an
    /// epoch), then 1, 2, ...
    pub epoch: Vec<usize>,
    /// The training accuracy at each check, in 0..=1.
    pub train_accuracy: Vec<f64>,
    /// The validation accuracy at each check, in 0..=1.
    pub val_accuracy: Vec<f64>,
}

impl Accuracies {
    /// The losses and accuracies of a run with classes.
    pub fn of(history: &RunHistory) -> Self {
        let epochs = &history.epochs;
        Self {
            loss: history.loss.clone(),
            epoch: epochs.iter().map(|epoch| epoch.epoch).collect(),
            train_accuracy: epochs.iter().filter_map(|epoch| epoch.train.accuracy).collect(),
            val_accuracy: epochs.iter().filter_map(|epoch| epoch.val.accuracy).collect(),
        }
    }

    /// The epoch in which the highest validation accuracy was first reached, and that accuracy; `None` before the first
    /// check.
    pub fn best(&self) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for (&epoch, &accuracy) in self.epoch.iter().zip(&self.val_accuracy) {
            if best.is_none_or(|(_, highest)| accuracy > highest) {
                best = Some((epoch, accuracy));
            }
        }
        best
    }
}

/// A line of output in the course's solver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CourseLine {
    /// An iteration was computed.
    Iteration {
        /// Its number, from 1.
        iteration: u64,
        /// Iterations of the whole run.
        iterations: u64,
        /// Its training loss.
        loss: f64,
    },
    /// Accuracies were checked.
    Epoch {
        /// Epochs completed.
        epoch: usize,
        /// Epochs of the whole run.
        epochs: usize,
        /// Training accuracy, in 0..=1.
        train_accuracy: f64,
        /// Validation accuracy, in 0..=1.
        val_accuracy: f64,
    },
}

impl CourseLine {
    /// What the course prints for a step, in order: its loss after the first and every `print_every`th one, and
    /// accuracies if they were checked.
    pub fn of(step: &Step, steps: u64, epochs: usize, print_every: u64) -> impl Iterator<Item = Self> {
        let iteration = (step.step - 1).is_multiple_of(print_every.max(1)).then_some(Self::Iteration {
            iteration: step.step,
            iterations: steps,
            loss: step.loss,
        });
        let accuracy = |accuracy: Option<f64>| accuracy.unwrap_or(f64::NAN);
        let check = step.epoch.map(|epoch| Self::Epoch {
            epoch: epoch.epoch,
            epochs,
            train_accuracy: accuracy(epoch.train.accuracy),
            val_accuracy: accuracy(epoch.val.accuracy),
        });
        iteration.into_iter().chain(check)
    }
}

impl fmt::Display for CourseLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iteration { iteration, iterations, loss } => {
                write!(f, "(Iteration {iteration} / {iterations}) loss: {loss:.6}")
            }
            Self::Epoch { epoch, epochs, train_accuracy, val_accuracy } => {
                write!(
                    f,
                    "(Epoch {epoch} / {epochs}) train acc: {train_accuracy:.6}; val_acc: {val_accuracy:.6}"
                )
            }
        }
    }
}
