//! What a caller is told while a network trains.

use std::fmt;

/// An event of a training run. Its text is the course's line for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// An iteration was computed.
    Iteration {
        /// Its number, from 1.
        iteration: usize,
        /// Iterations of the whole run.
        iterations: usize,
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

impl fmt::Display for Event {
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

/// Follows a training run.
pub trait Progress {
    /// Called after every iteration and after every check of the accuracies, in order.
    fn event(&mut self, event: Event);

    /// Asked after every iteration: true stops the run with
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    fn interrupted(&self) -> bool {
        false
    }
}

/// Follows nothing.
impl Progress for () {
    fn event(&mut self, _: Event) {}
}
