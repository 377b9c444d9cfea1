//! Curriculum dropout (Morerio et al., "Curriculum Dropout", ICCV 2017): training starts with every unit kept, and
//! the keep probability falls to its final value during training.

use crate::error::{Error, Result, ensure};

/// A keep probability that falls from 1 to p: `keep(t) = (1 - p) exp(-gamma t) + p` at step t (the paper's section
/// "A Time Scheduling for the Dropout Rate").
///
/// ```
/// use thinnet::layers::Curriculum;
/// # fn main() -> thinnet::Result<()> {
/// let curriculum = Curriculum::over(0.5, 1000)?;
/// assert_eq!(curriculum.keep_at(0), 1.0);
/// assert!((curriculum.keep_at(100) - 0.684).abs() < 1e-3);
/// assert!((curriculum.keep_at(1000) - 0.5).abs() < 1e-4);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curriculum {
    keep_prob: f64,
    gamma: f64,
}

impl Curriculum {
    /// Falls to `keep_prob`, the probability to KEEP a unit, at the rate `gamma` per step.
    ///
    /// # Errors
    /// [`Error::Configuration`] unless 0 < `keep_prob` <= 1 and `gamma` is above 0 and finite.
    pub fn new(keep_prob: f64, gamma: f64) -> Result<Self> {
        super::Dropout::new(keep_prob, None)?; // the same range and the same error
        if gamma > 0.0 && gamma.is_finite() {
            Ok(Self { keep_prob, gamma })
        } else {
            Err(Error::configuration(format!(
                "gamma, the rate at which the keep probability falls per step, must be above 0 and finite, got {gamma}"
            )))
        }
    }

    /// The paper's rate for a training of this many steps, `gamma = 10 / steps`: at the end only 5e-5 of the fall
    /// remains.
    ///
    /// # Errors
    /// [`Error::Configuration`] unless 0 < `keep_prob` <= 1 and there is at least one step.
    pub fn over(keep_prob: f64, steps: u64) -> Result<Self> {
        ensure!(steps > 0, Error::configuration("a curriculum of dropout must have at least 1 step, got 0"));
        Self::new(keep_prob, 10.0 / steps as f64)
    }

    /// The final probability to keep a unit.
    pub fn keep_prob(&self) -> f64 {
        self.keep_prob
    }

    /// The rate per step.
    pub fn gamma(&self) -> f64 {
        self.gamma
    }

    /// The probability to keep a unit at a step, counted from 0; 1 at step 0, always above 0 and at most 1.
    pub fn keep_at(&self, step: u64) -> f64 {
        let p = self.keep_prob;
        ((1.0 - p) * (-self.gamma * step as f64).exp() + p).min(1.0)
    }
}
