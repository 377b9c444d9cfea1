//! The number types of networks.

use std::fmt::{Debug, Display};
use std::iter::Sum;

use ndarray::{LinalgScalar, ScalarOperand};
use num_traits::NumAssign;
use serde::{Deserialize, Serialize};

/// The number type of parameters and activations, as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 32-bit floats, the course's default.
    #[default]
    F32,
    /// 64-bit floats.
    F64,
}

impl Display for Dtype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

/// `f32` or `f64`: what every layer, network and engine is generic over.
///
/// `F::from_f64(value)`, the nearest number of the type, and the vectors that the kernels compute with, come from
/// [`thinnet_kernels::Element`].
pub trait Float:
    thinnet_kernels::Kernels
    + num_traits::Float
    + NumAssign
    + LinalgScalar
    + ScalarOperand
    + Debug
    + Display
    + Default
    + Sum
    + Send
    + Sync
    + 'static
{
    /// This type, as a value.
    const DTYPE: Dtype;

    /// This number as `f64`, exactly.
    fn as_f64(self) -> f64;

    /// This number, or 0 if it is smaller than the smallest normal number. Otherwise, after gradients become 0, the
    /// optimiser's averages would stay such numbers, which slow CPUs down many times.
    #[must_use]
    fn flushed(self) -> Self {
        if self.abs() < Self::min_positive_value() { Self::zero() } else { self }
    }
}

impl Float for f32 {
    const DTYPE: Dtype = Dtype::F32;

    fn as_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Float for f64 {
    const DTYPE: Dtype = Dtype::F64;

    fn as_f64(self) -> f64 {
        self
    }
}
