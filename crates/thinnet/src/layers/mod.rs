//! The layers, written for readability: each function is the formula, with its shapes, on `ndarray`. The fast engine
//! is tested against these.
//!
//! A forward function returns `(output, cache)`; the backward function beside it takes the gradient of the loss with
//! respect to that output, and the cache. Arrays are row-major with samples first: `N` samples, `D` inputs, `H` outputs,
//! `C` classes. Inputs of a wrong shape are an [`Error::Shape`](crate::Error::Shape).

mod activation;
mod affine;
mod argmax;
mod batch_norm;
mod composite;
mod curriculum;
mod draws;
mod drop_connect;
mod dropout;
mod dropout_kind;
mod ensemble;
mod gaussian_dropout;
mod layer_norm;
mod loss;
mod loss_kind;
mod normalisation;
mod objective;
mod relu;

pub use activation::{Activation, ActivationCache, activation_backward, activation_forward};
#[cfg(feature = "export")]
pub(crate) use activation::{LEAK, SELU_BELOW, SELU_SCALE};
pub use affine::{AffineCache, AffineGradients, affine_backward, affine_forward};
pub use argmax::argmax;
pub(crate) use argmax::rank;
pub use batch_norm::{
    BatchNorm, BatchNormCache, NormalisationGradients, RunningStatistics, batch_norm_backward,
    batch_norm_forward,
};
pub(crate) use composite::hidden_forward_with;
pub use composite::{
    AffineReluCache, HiddenCache, HiddenGradients, HiddenLayer, affine_relu_backward, affine_relu_forward,
    hidden_backward, hidden_forward,
};
pub use curriculum::Curriculum;
pub use draws::Draws;
pub use drop_connect::{DropConnectCache, DropConnectGradients, drop_connect_backward, drop_connect_forward};
pub(crate) use drop_connect::{WeightMasks, add_product};
pub(crate) use dropout::dropout_forward_with;
pub use dropout::{Dropout, DropoutCache, HiddenDropout, dropout_backward, dropout_forward};
pub use dropout_kind::DropoutKind;
pub(crate) use gaussian_dropout::GaussianFactor;
pub use gaussian_dropout::{gaussian_dropout_backward, gaussian_dropout_forward};
pub use layer_norm::{LayerNorm, LayerNormCache, layer_norm_backward, layer_norm_forward};
pub use loss::{softmax_loss, svm_loss};
pub use loss_kind::Loss;
pub use normalisation::{
    Normalisation, NormalisationCache, NormalisationLayer, normalisation_backward, normalisation_forward,
};
pub use objective::Objective;
#[cfg(feature = "export")]
pub(crate) use objective::SMALLEST_VARIANCE;
pub use relu::{ReluCache, relu_backward, relu_forward};

/// Whether a layer trains or is evaluated: dropout and batch normalisation differ between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Units are dropped; batch statistics normalise.
    Train,
    /// Nothing is dropped; running statistics normalise.
    Test,
}
