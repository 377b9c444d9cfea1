//! What a training run leaves behind besides its parameters.

use serde::{Deserialize, Serialize};

/// Losses and accuracies of one training run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The training loss of every iteration, regularisation included (length: iterations).
    pub loss: Vec<f64>,
    /// How many epochs were complete at each check of the accuracies: 0 after the first iteration (unless it ends an
    /// epoch itself), then 1, 2, ...
    pub epoch: Vec<usize>,
    /// The training accuracy at each check, in 0..=1.
    pub train_accuracy: Vec<f64>,
    /// The validation accuracy at each check, in 0..=1.
    pub val_accuracy: Vec<f64>,
}

impl History {
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
