//! What a training run leaves behind besides its parameters.

use serde::{Deserialize, Serialize};

/// Losses and accuracies of one training run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The training loss of every iteration, regularisation included (length: iterations).
    pub loss: Vec<f64>,
    /// The training accuracy before the first epoch's end (entry 0, after one iteration) and at the end of each epoch
    /// (entry e), in 0..=1 (length: epochs + 1).
    pub train_accuracy: Vec<f64>,
    /// The validation accuracy at the same moments (length: epochs + 1).
    pub val_accuracy: Vec<f64>,
}

impl History {
    /// The highest validation accuracy and the epoch in which it was first reached; `None` before the first check.
    pub fn best(&self) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for (epoch, &accuracy) in self.val_accuracy.iter().enumerate() {
            if best.is_none_or(|(_, b)| accuracy > b) {
                best = Some((epoch, accuracy));
            }
        }
        best
    }
}
