//! `RMSProp` (Tieleman and Hinton, Coursera lecture 6.5, 2012).

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Zip};
use thinnet_kernels::{PanelsMut, Update};

use super::method::{Method, Setting};
use crate::float::Float;
use crate::range::Range;

/// `RMSProp`: `cache = decay_rate * cache + (1 - decay_rate) * dw^2`, then
/// `w -= learning_rate * dw / (sqrt(cache) + epsilon)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    /// Learning rate (default 1e-2).
    pub learning_rate: f64,
    /// Decay rate of the average of squared gradients (default 0.99).
    pub decay_rate: f64,
    /// Added to the root to avoid division by 0 (default 1e-8).
    pub epsilon: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { learning_rate: 1e-2, decay_rate: 0.99, epsilon: 1e-8 }
    }
}

impl Method<1> for RmsProp {
    const SLOT_NAMES: &'static [&'static str; 1] = &["cache"];

    fn settings(&mut self) -> Vec<(&'static str, Setting<'_>)> {
        vec![
            ("decay_rate", Setting::Number(&mut self.decay_rate, Range::Share)),
            ("epsilon", Setting::Number(&mut self.epsilon, Range::Positive)),
        ]
    }

    fn update<F: Float>(
        &self,
        w: ArrayViewMutD<'_, F>,
        dw: &ArrayViewD<'_, F>,
        [cache]: &mut [ArrayD<F>; 1],
        _: u64,
    ) {
        let (rate, epsilon) = (F::from_f64(self.learning_rate), F::from_f64(self.epsilon));
        let (decay, rest) = (F::from_f64(self.decay_rate), F::from_f64(1.0 - self.decay_rate));
        Zip::from(w).and(dw).and(cache).for_each(|w, &g, cache| {
            *cache = (decay * *cache + rest * g * g).flushed();
            *w -= rate * g / (cache.sqrt() + epsilon);
        });
    }

    fn kernel<'a, F: Float>(&self, [cache]: [PanelsMut<'a, F>; 1], _: u32) -> Update<'a, F> {
        Update::RmsProp {
            learning_rate: F::from_f64(self.learning_rate),
            decay: F::from_f64(self.decay_rate),
            epsilon: F::from_f64(self.epsilon),
            cache,
        }
    }
}
