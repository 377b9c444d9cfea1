//! Stochastic gradient descent with momentum (Polyak 1964; in the form of Sutskever et al. 2013).

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Zip};
use thinnet_kernels::{PanelsMut, Update};

use super::method::{Method, Setting};
use crate::float::Float;
use crate::range::Range;

/// SGD with momentum: `velocity = momentum * velocity - learning_rate * dw`, then `w += velocity`, or with Nesterov's
/// gradient `w += momentum * velocity - learning_rate * dw`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdMomentum {
    /// Learning rate (default 1e-2).
    pub learning_rate: f64,
    /// Momentum: the share of the velocity that is kept (default 0.9).
    pub momentum: f64,
    /// Nesterov's accelerated gradient (Nesterov 1983; in the form of Sutskever et al. 2013, section 2, with the
    /// parameters stored at the look-ahead point; default false).
    pub nesterov: bool,
}

impl Default for SgdMomentum {
    fn default() -> Self {
        Self { learning_rate: 1e-2, momentum: 0.9, nesterov: false }
    }
}

impl Method<1> for SgdMomentum {
    const SLOT_NAMES: &'static [&'static str; 1] = &["velocity"];

    fn settings(&mut self) -> Vec<(&'static str, Setting<'_>)> {
        vec![
            ("momentum", Setting::Number(&mut self.momentum, Range::Share)),
            ("nesterov", Setting::Flag(&mut self.nesterov)),
        ]
    }

    fn update<F: Float>(
        &self,
        w: ArrayViewMutD<'_, F>,
        dw: &ArrayViewD<'_, F>,
        [velocity]: &mut [ArrayD<F>; 1],
        _: u64,
    ) {
        let (rate, momentum) = (F::from_f64(self.learning_rate), F::from_f64(self.momentum));
        Zip::from(w).and(dw).and(velocity).for_each(|w, &g, velocity| {
            *velocity = (momentum * *velocity - rate * g).flushed();
            *w += if self.nesterov { momentum * *velocity - rate * g } else { *velocity };
        });
    }

    fn kernel<'a, F: Float>(&self, [velocity]: [PanelsMut<'a, F>; 1], _: u32) -> Update<'a, F> {
        Update::Momentum {
            learning_rate: F::from_f64(self.learning_rate),
            momentum: F::from_f64(self.momentum),
            nesterov: self.nesterov,
            velocity,
        }
    }
}
