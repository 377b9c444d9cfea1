//! The functions between two affine layers: ReLU, scikit-learn's older ones, and the smooth and leaky ones of the
//! papers since.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

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
/// assert_eq!(tanh.derivative(0.5), 1.0 - a * a);
/// assert_eq!(tanh.derivative_from_value(a), Some(1.0 - a * a));
/// assert_eq!(Activation::Gelu.derivative_from_value(a), None);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// `z` above 0, otherwise `0.01 z` (Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network
    /// Acoustic Models", ICML 2013).
    LeakyRelu,
    /// `z` above 0, otherwise `exp(z) - 1` (Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network
    /// Learning by Exponential Linear Units", ICLR 2016).
    Elu,
    /// `l z` above 0, otherwise `l a (exp(z) - 1)`, with the `l` and `a` that keep mean 0 and variance 1 (Klambauer
    /// et al., "Self-Normalizing Neural Networks", NIPS 2017).
    Selu,
    /// `z P(Z <= z)` for a standard normal `Z`, by the error function (Hendrycks and Gimpel, "Gaussian Error Linear
    /// Units", 2016).
    Gelu,
    /// `z / (1 + exp(-z))`, also called swish (Elfwing, Uchibe and Doya, "Sigmoid-Weighted Linear Units", 2018).
    Silu,
    /// `z tanh(ln(1 + exp(z)))` (Misra, "Mish", BMVC 2020).
    Mish,
    /// `ln(1 + exp(z))` (Dugas et al., "Incorporating Second-Order Functional Knowledge", NIPS 2000).
    Softplus,
}

names!(
    Activation,
    "activation",
    "activations",
    Identity = "identity",
    Logistic = "logistic",
    Tanh = "tanh",
    Relu = "relu",
    LeakyRelu = "leaky_relu",
    Elu = "elu",
    Selu = "selu",
    Gelu = "gelu",
    Silu = "silu",
    Mish = "mish",
    Softplus = "softplus"
);

/// The slope of a leaky ReLU below 0.
pub(crate) const LEAK: f64 = 0.01;

/// `l` and `l a` of SELU (Klambauer et al. 2017, equation 14).
pub(crate) const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
pub(crate) const SELU_BELOW: f64 = SELU_SCALE * 1.673_263_242_354_377_2;

impl Activation {
    /// The function's value at `z`. NaN stays NaN.
    pub fn value<F: Float>(self, z: F) -> F {
        let below = z < F::zero();
        match self {
            Self::Relu if below => F::zero(),
            Self::LeakyRelu if below => F::from_f64(LEAK) * z,
            Self::Elu if below => z.exp_m1(),
            Self::Selu if below => F::from_f64(SELU_BELOW) * z.exp_m1(),
            Self::Selu => F::from_f64(SELU_SCALE) * z,
            Self::Identity | Self::Relu | Self::LeakyRelu | Self::Elu => z,
            Self::Logistic => logistic(z),
            Self::Tanh => z.tanh(),
            Self::Gelu => z * below_normal(z),
            Self::Silu => z * logistic(z),
            Self::Mish => z * softplus(z).tanh(),
            Self::Softplus => softplus(z),
        }
    }

    /// The derivative at `z`; at a corner, that from below.
    pub fn derivative<F: Float>(self, z: F) -> F {
        match self {
            Self::Gelu => {
                let density =
                    F::from_f64(0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2) * (-z * z / F::from_f64(2.0)).exp();
                below_normal(z) + z * density
            }
            Self::Silu => {
                let share = logistic(z);
                share + z * share * (F::one() - share)
            }
            Self::Mish => {
                let tanh = softplus(z).tanh();
                tanh + z * (F::one() - tanh * tanh) * logistic(z)
            }
            Self::Softplus => logistic(z),
            _ => self.at_value(self.value(z)),
        }
    }

    /// The derivative at the point where the function's value is `a`; `None` for functions that take a value at more
    /// than one point.
    pub fn derivative_from_value<F: Float>(self, a: F) -> Option<F> {
        (!self.is_ambiguous()).then(|| self.at_value(a))
    }

    /// Whether the derivative does not follow from the value: these functions fall and then rise.
    pub(crate) fn is_ambiguous(self) -> bool {
        matches!(self, Self::Gelu | Self::Silu | Self::Mish)
    }

    /// Whether two formulas meet at 0, where a finite difference across both is off: even ELU's second derivative
    /// jumps.
    pub(crate) fn is_piecewise(self) -> bool {
        matches!(self, Self::Relu | Self::LeakyRelu | Self::Elu | Self::Selu)
    }

    /// [`Activation::derivative_from_value`] of a function that is not [ambiguous](Self::is_ambiguous).
    pub(crate) fn at_value<F: Float>(self, a: F) -> F {
        let above = a > F::zero();
        match self {
            Self::Relu if above => F::one(),
            Self::Relu => F::zero(),
            Self::LeakyRelu if !above => F::from_f64(LEAK),
            Self::Elu if !above => a + F::one(),
            Self::Selu if above => F::from_f64(SELU_SCALE),
            Self::Selu => a + F::from_f64(SELU_BELOW),
            Self::Logistic => a * (F::one() - a),
            Self::Tanh => F::one() - a * a,
            Self::Softplus => -(-a).exp_m1(),
            Self::Identity | Self::LeakyRelu | Self::Elu | Self::Gelu | Self::Silu | Self::Mish => F::one(),
        }
    }
}

/// `ln(1 + exp(z))`, written so that nothing overflows.
pub(super) fn softplus<F: Float>(z: F) -> F {
    z.max(F::zero()) + (-z.abs()).exp().ln_1p()
}

/// The probability that a standard normal number is at most `z`.
fn below_normal<F: Float>(z: F) -> F {
    F::from_f64(0.5 * libm::erfc(-z.as_f64() * FRAC_1_SQRT_2))
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
    /// So do the others.
    Input(Activation, Array<F, D>),
}

impl<F, D: Dimension> ActivationCache<F, D> {
    /// The input, if the activation is a ReLU.
    pub(crate) fn relu_input(&self) -> Option<&Array<F, D>> {
        match &self.0 {
            Kept::Relu(cache) => Some(cache.input()),
            Kept::Input(..) => None,
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
    (x.mapv(|z| activation.value(z)), ActivationCache(Kept::Input(activation, x.to_owned())))
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
        Kept::Input(activation, x) => {
            same_shape("dout of activation_backward", x.shape(), dout.shape())?;
            Ok(Zip::from(dout).and(x).map_collect(|&d, &z| d * activation.derivative(z)))
        }
    }
}
