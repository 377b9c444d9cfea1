//! The functions between two affine layers: ReLU, and the older ones that scikit-learn's networks offer too.

use ndarray::{Array, ArrayView, Dimension, Zip};
use serde::{Deserialize, Serialize};

use super::{ReluCache, relu_backward, relu_forward};
use crate::error::{Result, same_shape};
use crate::float::Float;
use crate::names::names;

/// The function that a hidden layer applies to each of its sums.
///
/// ```
/// use thinnet::layers::Activation;
/// # fn main() -> thinnet::Result<()> {
/// let tanh: Activation = "tanh".parse()?;
/// let a = tanh.value(0.5_f64);
/// assert_eq!(a, 0.5_f64.tanh());
/// assert_eq!(tanh.derivative(a), 1.0 - a * a);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// `z`.
    Identity,
    /// `1 / (1 + exp(-z))`.
    Logistic,
    /// `tanh(z)`.
    Tanh,
    /// `max(z, 0)`.
    #[default]
    Relu,
}

names!(
    Activation,
    "activation",
    "activations",
    Identity = "identity",
    Logistic = "logistic",
    Tanh = "tanh",
    Relu = "relu"
);

impl Activation {
    /// The function's value at `z`. NaN stays NaN.
    pub fn value<F: Float>(self, z: F) -> F {
        match self {
            Self::Relu if z < F::zero() => F::zero(),
            Self::Identity | Self::Relu => z,
            Self::Logistic => logistic(z),
            Self::Tanh => z.tanh(),
        }
    }

    /// The derivative at the point where the function's value is `a`; all of these can be computed from it.
    pub fn derivative<F: Float>(self, a: F) -> F {
        match self {
            Self::Identity => F::one(),
            Self::Logistic => a * (F::one() - a),
            Self::Tanh => F::one() - a * a,
            Self::Relu if a > F::zero() => F::one(),
            Self::Relu => F::zero(),
        }
    }
}

/// `1 / (1 + exp(-z))`, written so that nothing overflows.
pub(crate) fn logistic<F: Float>(z: F) -> F {
    if z < F::zero() {
        let e = z.exp();
        e / (F::one() + e)
    } else {
        F::one() / (F::one() + (-z).exp())
    }
}

/// What [`activation_backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct ActivationCache<F, D: Dimension>(Kept<F, D>);

#[derive(Debug, Clone)]
enum Kept<F, D: Dimension> {
    /// ReLU keeps its input.
    Relu(ReluCache<F, D>),
    /// The others keep their output.
    Output(Activation, Array<F, D>),
}

impl<F, D: Dimension> ActivationCache<F, D> {
    /// The input, if the activation is a ReLU.
    pub(crate) fn relu_input(&self) -> Option<&Array<F, D>> {
        match &self.0 {
            Kept::Relu(cache) => Some(cache.input()),
            Kept::Output(..) => None,
        }
    }
}

/// The activation of `x`, of any shape.
pub fn activation_forward<F: Float, D: Dimension>(
    x: ArrayView<'_, F, D>,
    activation: Activation,
) -> (Array<F, D>, ActivationCache<F, D>) {
    if activation == Activation::Relu {
        let (out, cache) = relu_forward(x);
        return (out, ActivationCache(Kept::Relu(cache)));
    }
    let out = x.mapv(|z| activation.value(z));
    (out.clone(), ActivationCache(Kept::Output(activation, out)))
}

/// Gradient of [`activation_forward`] with respect to `x`: `dout` times the derivative.
///
/// - `dout`: the shape of `x`
pub fn activation_backward<F: Float, D: Dimension>(
    dout: ArrayView<'_, F, D>,
    cache: &ActivationCache<F, D>,
) -> Result<Array<F, D>> {
    match &cache.0 {
        Kept::Relu(cache) => relu_backward(dout, cache),
        Kept::Output(activation, out) => {
            same_shape("dout of activation_backward", out.shape(), dout.shape())?;
            Ok(Zip::from(dout).and(out).map_collect(|&d, &a| d * activation.derivative(a)))
        }
    }
}
