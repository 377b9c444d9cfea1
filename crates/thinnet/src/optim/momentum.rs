//! Stochastic gradient descent with momentum (Polyak 1964; in the form of Sutskever et al. 2013).

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Zip};

use super::check_shapes;
use crate::error::Result;
use crate::float::Float;

/// The settings of SGD with momentum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdMomentum {
    /// Learning rate (default 1e-2).
    pub learning_rate: f64,
    /// Share of the velocity that stays (default 0.9).
    pub momentum: f64,
    /// Nesterov's accelerated gradient (Nesterov 1983; in the form of Sutskever et al. 2013, section 2, with the
    /// parameters kept at the point that it looks ahead to; default false).
    pub nesterov: bool,
}

impl Default for SgdMomentum {
    fn default() -> Self {
        Self { learning_rate: 1e-2, momentum: 0.9, nesterov: false }
    }
}

/// The state of SGD with momentum.
#[derive(Debug, Clone, PartialEq)]
pub struct SgdMomentumState<F> {
    /// The velocity, in the parameter's shape.
    pub velocity: ArrayD<F>,
}

/// `velocity = momentum * velocity - learning_rate * dw`, then `w += velocity`, or with Nesterov's gradient
/// `w += momentum * velocity - learning_rate * dw`; all of one shape.
pub fn sgd_momentum<F: Float>(
    w: ArrayViewMutD<'_, F>,
    dw: &ArrayViewD<'_, F>,
    rule: &SgdMomentum,
    state: &mut SgdMomentumState<F>,
) -> Result<()> {
    check_shapes("sgd_momentum", w.shape(), &[("dw", dw.shape()), ("velocity", state.velocity.shape())])?;
    let (rate, momentum) = (F::from_f64(rule.learning_rate), F::from_f64(rule.momentum));
    Zip::from(w).and(dw).and(&mut state.velocity).for_each(|w, &g, velocity| {
        *velocity = momentum * *velocity - rate * g;
        *w += if rule.nesterov { momentum * *velocity - rate * g } else { *velocity };
    });
    Ok(())
}
