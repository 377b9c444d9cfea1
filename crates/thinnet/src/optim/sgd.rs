//! Stochastic gradient descent.

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD};
use thinnet_kernels::{PanelsMut, Update};

use super::method::{Method, Setting};
use crate::float::Float;

/// Plain SGD: `w -= learning_rate * dw`.
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

impl Method<0> for Sgd {
    const SLOT_NAMES: &'static [&'static str; 0] = &[];

    fn settings(&mut self) -> Vec<(&'static str, Setting<'_>)> {
        vec![]
    }

    fn update<F: Float>(
        &self,
        mut w: ArrayViewMutD<'_, F>,
        dw: &ArrayViewD<'_, F>,
        []: &mut [ArrayD<F>; 0],
        _: u64,
    ) {
        w.scaled_add(-F::from_f64(self.learning_rate), dw);
    }

    fn kernel<'a, F: Float>(&self, []: [PanelsMut<'a, F>; 0], _: u32) -> Update<'a, F> {
        Update::Sgd { learning_rate: F::from_f64(self.learning_rate) }
    }
}
