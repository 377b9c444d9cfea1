//! Stochastic gradient descent.

use ndarray::{ArrayViewD, ArrayViewMutD};

use super::check_shapes;
use crate::error::Result;
use crate::float::Float;

/// The settings of plain SGD.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// Learning rate (default 1e-2).
    pub learning_rate: f64,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: 1e-2 }
    }
}

/// `w -= learning_rate * dw`; both of one shape.
pub fn sgd<F: Float>(mut w: ArrayViewMutD<'_, F>, dw: &ArrayViewD<'_, F>, rule: &Sgd) -> Result<()> {
    check_shapes("sgd", w.shape(), &[("dw", dw.shape())])?;
    w.scaled_add(-F::from_f64(rule.learning_rate), dw);
    Ok(())
}
