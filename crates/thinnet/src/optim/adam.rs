//! Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1).

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Zip};

use super::check_shapes;
use crate::error::Result;
use crate::float::Float;

/// The settings of Adam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Learning rate (default 1e-3).
    pub learning_rate: f64,
    /// Share of the first moment that stays (default 0.9).
    pub beta1: f64,
    /// Share of the second moment that stays (default 0.999).
    pub beta2: f64,
    /// Added to the root, so that nothing is divided by 0 (default 1e-8).
    pub epsilon: f64,
    /// Whether `epsilon` is the `epsilon hat` of the paper's section 2, added to the root of the moment before it is
    /// corrected, as scikit-learn and TensorFlow do (default false: that of algorithm 1, as the course does).
    pub epsilon_hat: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, epsilon_hat: false }
    }
}

/// The state of Adam.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamState<F> {
    /// The moving average of gradients, in the parameter's shape.
    pub m: ArrayD<F>,
    /// The moving average of squared gradients, in the parameter's shape.
    pub v: ArrayD<F>,
    /// Updates done.
    pub t: u64,
}

/// `m = beta1 m + (1 - beta1) dw`, `v = beta2 v + (1 - beta2) dw^2`, both divided by `1 - beta^t` (t counts from 1), then
/// `w -= learning_rate * m' / (sqrt(v') + epsilon)`; all of one shape.
pub fn adam<F: Float>(
    w: ArrayViewMutD<'_, F>,
    dw: &ArrayViewD<'_, F>,
    rule: &Adam,
    state: &mut AdamState<F>,
) -> Result<()> {
    check_shapes("adam", w.shape(), &[("dw", dw.shape()), ("m", state.m.shape()), ("v", state.v.shape())])?;
    state.t += 1;
    let (rate, epsilon) = (F::from_f64(rule.learning_rate), F::from_f64(rule.epsilon_at(state.t)));
    let (beta1, rest1) = (F::from_f64(rule.beta1), F::from_f64(1.0 - rule.beta1));
    let (beta2, rest2) = (F::from_f64(rule.beta2), F::from_f64(1.0 - rule.beta2));
    let (correction1, correction2) = rule.corrections(state.t);
    let (correction1, correction2) = (F::from_f64(correction1), F::from_f64(correction2));
    Zip::from(w).and(dw).and(&mut state.m).and(&mut state.v).for_each(|w, &g, m, v| {
        *m = beta1 * *m + rest1 * g;
        *v = beta2 * *v + rest2 * g * g;
        *w -= rate * (*m / correction1) / ((*v / correction2).sqrt() + epsilon);
    });
    Ok(())
}

impl Adam {
    /// `1 - beta1^t` and `1 - beta2^t`.
    pub(crate) fn corrections(&self, t: u64) -> (f64, f64) {
        let t = i32::try_from(t).unwrap_or(i32::MAX);
        (1.0 - self.beta1.powi(t), 1.0 - self.beta2.powi(t))
    }

    /// What is added to the root of the corrected second moment in update `t`: for `epsilon_hat` more in the first ones.
    pub(crate) fn epsilon_at(&self, t: u64) -> f64 {
        if self.epsilon_hat { self.epsilon / self.corrections(t).1.sqrt() } else { self.epsilon }
    }
}
