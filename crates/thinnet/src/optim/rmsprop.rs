//! `RMSProp` (Tieleman and Hinton, Coursera lecture 6.5, 2012).

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Zip};

use super::check_shapes;
use crate::error::Result;
use crate::float::Float;

/// The settings of `RMSProp`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    /// Learning rate (default 1e-2).
    pub learning_rate: f64,
    /// Share of the old average of squared gradients that stays (default 0.99).
    pub decay_rate: f64,
    /// Added to the root, so that nothing is divided by 0 (default 1e-8).
    pub epsilon: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { learning_rate: 1e-2, decay_rate: 0.99, epsilon: 1e-8 }
    }
}

/// The state of `RMSProp`.
#[derive(Debug, Clone, PartialEq)]
pub struct RmsPropState<F> {
    /// The moving average of squared gradients, in the parameter's shape.
    pub cache: ArrayD<F>,
}

/// `cache = decay * cache + (1 - decay) * dw^2`, then `w -= learning_rate * dw / (sqrt(cache) + epsilon)`; all of one
/// shape.
pub fn rmsprop<F: Float>(
    w: ArrayViewMutD<'_, F>,
    dw: &ArrayViewD<'_, F>,
    rule: &RmsProp,
    state: &mut RmsPropState<F>,
) -> Result<()> {
    check_shapes("rmsprop", w.shape(), &[("dw", dw.shape()), ("cache", state.cache.shape())])?;
    let (rate, epsilon) = (F::from_f64(rule.learning_rate), F::from_f64(rule.epsilon));
    let (decay, rest) = (F::from_f64(rule.decay_rate), F::from_f64(1.0 - rule.decay_rate));
    Zip::from(w).and(dw).and(&mut state.cache).for_each(|w, &g, cache| {
        *cache = decay * *cache + rest * g * g;
        *w -= rate * g / (cache.sqrt() + epsilon);
    });
    Ok(())
}
