//! Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1).

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Zip};
use thinnet_kernels::{PanelsMut, Update};

use super::method::{Method, Setting};
use crate::float::Float;
use crate::range::Range;

/// Adam: `m = beta1 m + (1 - beta1) dw`, `v = beta2 v + (1 - beta2) dw^2`, both divided by `1 - beta^t` (t counts the updates
/// from 1), then `w -= learning_rate * m' / (sqrt(v') + epsilon)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Learning rate (default 1e-3).
    pub learning_rate: f64,
    /// Decay rate of the first moment (default 0.9).
    pub beta1: f64,
    /// Decay rate of the second moment (default 0.999).
    pub beta2: f64,
    /// Added to the root to avoid division by 0 (default 1e-8).
    pub epsilon: f64,
    /// Whether `epsilon` is the `epsilon hat` of the paper's section 2, added to the root of the uncorrected moment,
    /// as in scikit-learn and TensorFlow (default false: that of algorithm 1, as in the course).
    pub epsilon_hat: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, epsilon_hat: false }
    }
}

impl Adam {
    /// `1 - beta1^t` and `1 - beta2^t`.
    fn corrections(&self, t: u64) -> (f64, f64) {
        let t = i32::try_from(t).unwrap_or(i32::MAX);
        (1.0 - self.beta1.powi(t), 1.0 - self.beta2.powi(t))
    }

    /// What is added to the root of the corrected second moment in update `t`; with `epsilon_hat` it is larger in the
    /// first updates.
    fn epsilon_at(&self, t: u64) -> f64 {
        if self.epsilon_hat { self.epsilon / self.corrections(t).1.sqrt() } else { self.epsilon }
    }
}

impl Method<2> for Adam {
    const SLOT_NAMES: &'static [&'static str; 2] = &["m", "v"];

    fn settings(&mut self) -> Vec<(&'static str, Setting<'_>)> {
        vec![
            ("beta1", Setting::Number(&mut self.beta1, Range::Share)),
            ("beta2", Setting::Number(&mut self.beta2, Range::Share)),
            ("epsilon", Setting::Number(&mut self.epsilon, Range::Positive)),
            ("epsilon_hat", Setting::Flag(&mut self.epsilon_hat)),
        ]
    }

    fn update<F: Float>(
        &self,
        w: ArrayViewMutD<'_, F>,
        dw: &ArrayViewD<'_, F>,
        [m, v]: &mut [ArrayD<F>; 2],
        t: u64,
    ) {
        let (rate, epsilon) = (F::from_f64(self.learning_rate), F::from_f64(self.epsilon_at(t)));
        let (beta1, rest1) = (F::from_f64(self.beta1), F::from_f64(1.0 - self.beta1));
        let (beta2, rest2) = (F::from_f64(self.beta2), F::from_f64(1.0 - self.beta2));
        let (correction1, correction2) = self.corrections(t);
        let (correction1, correction2) = (F::from_f64(correction1), F::from_f64(correction2));
        Zip::from(w).and(dw).and(m).and(v).for_each(|w, &g, m, v| {
            *m = (beta1 * *m + rest1 * g).flushed();
            *v = (beta2 * *v + rest2 * g * g).flushed();
            *w -= rate * (*m / correction1) / ((*v / correction2).sqrt() + epsilon);
        });
    }

    fn kernel<'a, F: Float>(&self, [m, v]: [PanelsMut<'a, F>; 2], step: u32) -> Update<'a, F> {
        Update::Adam {
            learning_rate: F::from_f64(self.learning_rate),
            beta1: F::from_f64(self.beta1),
            beta2: F::from_f64(self.beta2),
            epsilon: F::from_f64(self.epsilon_at(step.into())),
            step,
            m,
            v,
        }
    }
}
