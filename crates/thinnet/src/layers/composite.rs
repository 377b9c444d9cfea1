//! Layers that go together: affine-ReLU, affine-batch normalisation-ReLU, and the network's whole hidden layer.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Ix2};

use super::{
    Activation, ActivationCache, AffineCache, AffineGradients, BatchNorm, BatchNormCache, BatchNormGradients,
    Dropout, DropoutCache, Mode, ReluCache, RunningStatistics, activation_backward, activation_forward,
    affine_backward, affine_forward, batch_norm_backward, batch_norm_forward, dropout_backward,
    dropout_forward, relu_backward, relu_forward,
};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::random::RandomState;

/// What [`affine_relu_backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct AffineReluCache<F> {
    affine: AffineCache<F, Ix2>,
    relu: ReluCache<F, Ix2>,
}

/// Affine, then ReLU: `out = max(x W + b, 0)`.
///
/// - `x`: (N, D); `w`: (D, H); `b`: (H)
///
/// Returns the output (N, H).
pub fn affine_relu_forward<F: Float>(
    x: ArrayView2<'_, F>,
    w: ArrayView2<'_, F>,
    b: ArrayView1<'_, F>,
) -> Result<(Array2<F>, AffineReluCache<F>)> {
    let (z, affine) = affine_forward(x, w, b)?;
    let (out, relu) = relu_forward(z.view());
    Ok((out, AffineReluCache { affine, relu }))
}

/// Gradients of [`affine_relu_forward`].
///
/// - `dout`: (N, H)
pub fn affine_relu_backward<F: Float>(
    dout: ArrayView2<'_, F>,
    cache: &AffineReluCache<F>,
) -> Result<AffineGradients<F, Ix2>> {
    let dz = relu_backward(dout, &cache.relu)?;
    affine_backward(dz.view(), &cache.affine)
}

/// What [`affine_batch_norm_relu_backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct AffineBatchNormReluCache<F> {
    affine: AffineCache<F, Ix2>,
    batch_norm: BatchNormCache<F>,
    relu: ReluCache<F, Ix2>,
}

/// Affine, batch normalisation, ReLU.
///
/// - `x`: (N, D); `w`: (D, H); `b`, `gamma`, `beta`, `running`: (H)
///
/// Returns the output (N, H).
#[allow(clippy::too_many_arguments)] // the course's signature
pub fn affine_batch_norm_relu_forward<F: Float>(
    x: ArrayView2<'_, F>,
    w: ArrayView2<'_, F>,
    b: ArrayView1<'_, F>,
    gamma: ArrayView1<'_, F>,
    beta: ArrayView1<'_, F>,
    running: &mut RunningStatistics<F>,
    settings: BatchNorm,
    mode: Mode,
) -> Result<(Array2<F>, AffineBatchNormReluCache<F>)> {
    let (z, affine) = affine_forward(x, w, b)?;
    let (normalised, batch_norm) = batch_norm_forward(z.view(), gamma, beta, running, settings, mode)?;
    let (out, relu) = relu_forward(normalised.view());
    Ok((out, AffineBatchNormReluCache { affine, batch_norm, relu }))
}

/// Gradients of [`affine_batch_norm_relu_forward`]: of the affine layer, and of gamma and beta (its field `x` is the
/// gradient with respect to the affine layer's output).
///
/// - `dout`: (N, H)
pub fn affine_batch_norm_relu_backward<F: Float>(
    dout: ArrayView2<'_, F>,
    cache: &AffineBatchNormReluCache<F>,
) -> Result<(AffineGradients<F, Ix2>, BatchNormGradients<F>)> {
    let dnormalised = relu_backward(dout, &cache.relu)?;
    let batch_norm = batch_norm_backward(dnormalised.view(), &cache.batch_norm)?;
    let affine = affine_backward(batch_norm.x.view(), &cache.affine)?;
    Ok((affine, batch_norm))
}

/// A hidden layer of [`FullyConnectedNet`](crate::net::FullyConnectedNet): its parameters and settings.
#[derive(Debug)]
pub struct HiddenLayer<'a, F> {
    /// Weights (D, H).
    pub w: ArrayView2<'a, F>,
    /// Biases (H).
    pub b: ArrayView1<'a, F>,
    /// Scale (H) and shift (H) of the batch normalisation, if there is one.
    pub gamma_beta: Option<(ArrayView1<'a, F>, ArrayView1<'a, F>)>,
    /// Its running statistics, moved by a pass in training.
    pub running: Option<&'a mut RunningStatistics<F>>,
    /// The activation.
    pub activation: Activation,
    /// The dropout that ends the layer, if there is one.
    pub dropout: Option<Dropout>,
}

/// What [`hidden_backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct HiddenCache<F> {
    affine: AffineCache<F, Ix2>,
    batch_norm: Option<BatchNormCache<F>>,
    activation: ActivationCache<F, Ix2>,
    dropout: Option<DropoutCache<F, Ix2>>,
}

impl<F: Float> HiddenCache<F> {
    /// The input of the ReLU (N, H), if that is the activation.
    pub(crate) fn relu_input(&self) -> Option<&Array2<F>> {
        self.activation.relu_input()
    }

    /// The dropout mask (N, H), if the layer has drawn one.
    pub(crate) fn mask(&self) -> Option<&Array2<F>> {
        self.dropout.as_ref().and_then(DropoutCache::mask)
    }
}

/// The gradients of a hidden layer.
#[derive(Debug, Clone)]
pub struct HiddenGradients<F> {
    /// Of the affine part.
    pub affine: AffineGradients<F, Ix2>,
    /// With respect to gamma (H) and beta (H), if there is batch normalisation.
    pub gamma_beta: Option<(Array1<F>, Array1<F>)>,
}

/// Affine, batch normalisation (if there is one), activation, dropout (if there is one).
///
/// - `x`: (N, D)
///
/// Returns the output (N, H).
///
/// # Errors
/// [`Error::Shape`] for arrays that do not fit; [`Error::Configuration`] for `gamma_beta` without `running`, or `running`
/// without `gamma_beta`.
pub fn hidden_forward<F: Float>(
    x: ArrayView2<'_, F>,
    layer: HiddenLayer<'_, F>,
    mode: Mode,
    random: &mut RandomState,
) -> Result<(Array2<F>, HiddenCache<F>)> {
    hidden_forward_with(x, layer, mode, |out, dropout| dropout_forward(out, dropout, mode, random))
}

/// [`hidden_forward`] with dropout as the caller does it.
pub(crate) fn hidden_forward_with<F: Float>(
    x: ArrayView2<'_, F>,
    layer: HiddenLayer<'_, F>,
    mode: Mode,
    drop: impl FnOnce(ArrayView2<'_, F>, Dropout) -> (Array2<F>, DropoutCache<F, Ix2>),
) -> Result<(Array2<F>, HiddenCache<F>)> {
    let HiddenLayer { w, b, gamma_beta, running, activation, dropout } = layer;
    let (mut z, affine) = affine_forward(x, w, b)?;
    let batch_norm = match (gamma_beta, running) {
        (Some((gamma, beta)), Some(running)) => {
            let (out, cache) =
                batch_norm_forward(z.view(), gamma, beta, running, BatchNorm::default(), mode)?;
            z = out;
            Some(cache)
        }
        (None, None) => None,
        _ => {
            return Err(Error::configuration(
                "batch normalisation needs both scale and shift and running statistics, got one of the two",
            ));
        }
    };
    let (mut out, activation) = activation_forward(z.view(), activation);
    let dropout = dropout.map(|dropout| {
        let (dropped, cache) = drop(out.view(), dropout);
        out = dropped;
        cache
    });
    Ok((out, HiddenCache { affine, batch_norm, activation, dropout }))
}

/// Gradients of [`hidden_forward`].
///
/// - `dout`: (N, H)
pub fn hidden_backward<F: Float>(
    dout: ArrayView2<'_, F>,
    cache: &HiddenCache<F>,
) -> Result<HiddenGradients<F>> {
    let undropped = match &cache.dropout {
        Some(dropout) => dropout_backward(dout, dropout)?,
        None => dout.to_owned(),
    };
    let dz = activation_backward(undropped.view(), &cache.activation)?;
    match &cache.batch_norm {
        None => Ok(HiddenGradients { affine: affine_backward(dz.view(), &cache.affine)?, gamma_beta: None }),
        Some(batch_norm) => {
            let normal = batch_norm_backward(dz.view(), batch_norm)?;
            let affine = affine_backward(normal.x.view(), &cache.affine)?;
            Ok(HiddenGradients { affine, gamma_beta: Some((normal.gamma, normal.beta)) })
        }
    }
}
