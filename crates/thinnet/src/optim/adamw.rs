//! AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, algorithm 2).

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD};
use thinnet_kernels::{PanelsMut, Update};

use super::adam::Adam;
use super::method::{Method, Setting};
use crate::float::Float;
use crate::range::Range;

/// AdamW: `w *= 1 - learning_rate * weight_decay`, then Adam's update. As in PyTorch, the decay follows the learning
/// rate's schedule. Engines apply it only to weights, not to biases or to scale and shift of a normalisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// Learning rate (default 1e-3).
    pub learning_rate: f64,
    /// Weight decay, which is multiplied by the learning rate (default 1e-2).
    pub weight_decay: f64,
    /// Decay rate of the first moment (default 0.9).
    pub beta1: f64,
    /// Decay rate of the second moment (default 0.999).
    pub beta2: f64,
    /// Added to the root to avoid division by 0 (default 1e-8).
    pub epsilon: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        let Adam { learning_rate, beta1, beta2, epsilon, .. } = Adam::default();
        Self { learning_rate, weight_decay: 1e-2, beta1, beta2, epsilon }
    }
}

impl Method<2> for AdamW {
    const SLOT_NAMES: &'static [&'static str; 2] = Adam::SLOT_NAMES;

    fn settings(&mut self) -> Vec<(&'static str, Setting<'_>)> {
        vec![
            ("weight_decay", Setting::Number(&mut self.weight_decay, Range::NotNegative)),
            ("beta1", Setting::Number(&mut self.beta1, Range::Share)),
            ("beta2", Setting::Number(&mut self.beta2, Range::Share)),
            ("epsilon", Setting::Number(&mut self.epsilon, Range::Positive)),
        ]
    }

    fn update<F: Float>(
        &self,
        mut w: ArrayViewMutD<'_, F>,
        dw: &ArrayViewD<'_, F>,
        slots: &mut [ArrayD<F>; 2],
        step: u64,
    ) {
        let Self { learning_rate, weight_decay, beta1, beta2, epsilon } = *self;
        let left = F::from_f64(1.0 - learning_rate * weight_decay);
        w.mapv_inplace(|w| left * w);
        Adam { learning_rate, beta1, beta2, epsilon, epsilon_hat: false }.update(w, dw, slots, step);
    }

    fn kernel<'a, F: Float>(&self, [m, v]: [PanelsMut<'a, F>; 2], step: u32) -> Update<'a, F> {
        Update::AdamW {
            learning_rate: F::from_f64(self.learning_rate),
            weight_decay: F::from_f64(self.weight_decay),
            beta1: F::from_f64(self.beta1),
            beta2: F::from_f64(self.beta2),
            epsilon: F::from_f64(self.epsilon),
            step,
            m,
            v,
        }
    }
}
