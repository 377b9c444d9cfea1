//! Gradient clipping: a bound on the gradient of a step, so that one bad batch cannot move the parameters far away.

use ndarray::ArrayViewMutD;
use serde::{Deserialize, Serialize};

use super::max_norm_factor;
use crate::error::Result;
use crate::float::Float;
use crate::range::Range;

/// The bound on gradients before the optimiser uses them, L2 and L1 terms included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clipping {
    /// If the L2 norm of all parameters' gradients together is above this bound, all are multiplied by bound / norm
    /// (Pascanu et al., "On the Difficulty of Training Recurrent Neural Networks", ICML 2013, algorithm 1).
    Norm(f64),
    /// Each entry is limited to between minus this bound and this bound.
    Value(f64),
}

impl Clipping {
    /// Refuses a bound that is not finite and above 0.
    pub fn check(self) -> Result<()> {
        let (what, bound) = match self {
            Self::Norm(bound) => ("norm", bound),
            Self::Value(bound) => ("value", bound),
        };
        Range::Positive.check(&format!("the {what} that gradients are clipped to"), bound)
    }

    /// Clips the gradients of all parameters, of any shapes. The squares of the norm are summed in `f64`. NaN is not
    /// hidden: a gradient with a NaN is not changed.
    pub fn clip<F: Float>(self, gradients: &mut [ArrayViewMutD<'_, F>]) {
        match self {
            Self::Norm(bound) => {
                let squares = gradients.iter().flatten().map(|g| g.as_f64() * g.as_f64()).sum();
                if let Some(factor) = max_norm_factor(squares, bound) {
                    let factor = F::from_f64(factor);
                    gradients.iter_mut().flatten().for_each(|g| *g *= factor);
                }
            }
            Self::Value(bound) => {
                let bound = F::from_f64(bound);
                let clip = |g: F| if g.abs() > bound { bound.copysign(g) } else { g };
                gradients.iter_mut().flatten().for_each(|g| *g = clip(*g));
            }
        }
    }
}
