//! Combined layers: affine-ReLU, and the network's whole hidden layer.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Ix2};

use super::{
    Activation, ActivationCache, AffineCache, AffineGradients, Draws, DropConnectCache, Dropout,
    DropoutCache, DropoutKind, Mode, NormalisationCache, NormalisationLayer, ReluCache, WeightMasks,
    activation_backward, activation_forward, affine_backward, affine_forward, drop_connect_backward,
    drop_connect_forward, dropout_backward, dropout_forward_with, gaussian_dropout_backward,
    gaussian_dropout_forward, normalisation_backward, normalisation_forward, relu_backward, relu_forward,
};
use crate::error::Result;
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

/// A hidden layer of [`FullyConnectedNet`](crate::net::FullyConnectedNet): its parameters and settings.
#[derive(Debug)]
pub struct HiddenLayer<'a, F> {
    /// Weights (D, H).
    pub w: ArrayView2<'a, F>,
    /// Biases (H).
    pub b: ArrayView1<'a, F>,
    /// The normalisation of its sums, if there is one.
    pub normalisation: Option<NormalisationLayer<'a, F>>,
    /// The activation.
    pub activation: Activation,
    /// The layer's dropout, if there is one.
    pub dropout: Option<Dropout>,
    /// The kind of dropout: it is the last part of the layer or, for DropConnect, drops the layer's weights.
    pub dropout_kind: DropoutKind,
}

/// What [`hidden_backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct HiddenCache<F> {
    affine: AffinePart<F>,
    normalisation: Option<NormalisationCache<F>>,
    activation: ActivationCache<F, Ix2>,
    /// For a dropout at the end of the layer: the backward pass of its kind, and what it needs.
    dropout: Option<(DropoutBackward<F>, DropoutCache<F, Ix2>)>,
}

type DropoutBackward<F> = fn(ArrayView2<'_, F>, &DropoutCache<F, Ix2>) -> Result<Array2<F>>;

/// The affine part of a hidden layer.
#[derive(Debug, Clone)]
enum AffinePart<F> {
    Whole(AffineCache<F, Ix2>),
    DropConnect(DropConnectCache<F>),
}

impl<F: Float> AffinePart<F> {
    fn backward(&self, dout: ArrayView2<'_, F>) -> Result<AffineGradients<F, Ix2>> {
        match self {
            Self::Whole(cache) => affine_backward(dout, cache),
            Self::DropConnect(cache) => drop_connect_backward(dout, cache),
        }
    }
}

impl<F: Float> HiddenCache<F> {
    /// The input of the ReLU (N, H), if that is the activation.
    pub(crate) fn relu_input(&self) -> Option<&Array2<F>> {
        self.activation.relu_input()
    }

    /// Dropout's factors on the activations (N, H), if the layer has drawn any.
    pub(crate) fn mask(&self) -> Option<&Array2<F>> {
        self.dropout.as_ref().and_then(|(_, cache)| cache.mask())
    }

    /// The masks of the weights, if the layer has drawn any.
    pub(crate) fn weight_masks(&self) -> Option<&WeightMasks> {
        match &self.affine {
            AffinePart::Whole(_) => None,
            AffinePart::DropConnect(cache) => cache.masks(),
        }
    }
}

/// The gradients of a hidden layer.
#[derive(Debug, Clone)]
pub struct HiddenGradients<F> {
    /// The gradients of the affine part.
    pub affine: AffineGradients<F, Ix2>,
    /// With respect to gamma (H) and beta (H), if there is a normalisation.
    pub gamma_beta: Option<(Array1<F>, Array1<F>)>,
}

/// Affine (with dropped weights, if that is the kind of dropout), normalisation (if any), activation, dropout (if
/// any).
///
/// - `x`: (N, D)
///
/// Returns the output (N, H).
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) for arrays that do not match.
pub fn hidden_forward<F: Float>(
    x: ArrayView2<'_, F>,
    layer: HiddenLayer<'_, F>,
    mode: Mode,
    random: &mut RandomState,
) -> Result<(Array2<F>, HiddenCache<F>)> {
    hidden_forward_with(x, layer, mode, (mode, Draws::Numpy(random)))
}

/// [`hidden_forward`] with a separate mode for dropout, and any stream for its random numbers.
pub(crate) fn hidden_forward_with<F: Float>(
    x: ArrayView2<'_, F>,
    layer: HiddenLayer<'_, F>,
    mode: Mode,
    (dropout_mode, draws): (Mode, Draws<'_>),
) -> Result<(Array2<F>, HiddenCache<F>)> {
    let HiddenLayer { w, b, normalisation, activation, dropout, dropout_kind } = layer;
    let mut draws = dropout.map(|dropout| (dropout, draws));
    let weights = draws.take_if(|_| dropout_kind == DropoutKind::DropConnect);
    let (mut z, affine) = match weights {
        None => {
            let (z, cache) = affine_forward(x, w, b)?;
            (z, AffinePart::Whole(cache))
        }
        Some((dropout, draws)) => {
            let (z, cache) = drop_connect_forward(x, w, b, dropout, dropout_mode, draws)?;
            (z, AffinePart::DropConnect(cache))
        }
    };
    let mut normalised = None;
    if let Some(layer) = normalisation {
        let (out, cache) = normalisation_forward(z.view(), layer, mode)?;
        (z, normalised) = (out, Some(cache));
    }
    let (mut out, activation) = activation_forward(z.view(), activation);
    let dropout = draws.map(|(dropout, draws)| {
        let (dropped, cache, backward): (_, _, DropoutBackward<F>) = if dropout_kind == DropoutKind::Gaussian
        {
            let (dropped, cache) = gaussian_dropout_forward(out.view(), dropout, dropout_mode, draws);
            (dropped, cache, gaussian_dropout_backward)
        } else {
            let (dropped, cache) = dropout_forward_with(out.view(), dropout, dropout_mode, draws);
            (dropped, cache, dropout_backward)
        };
        out = dropped;
        (backward, cache)
    });
    Ok((out, HiddenCache { affine, normalisation: normalised, activation, dropout }))
}

/// Gradients of [`hidden_forward`]. The gradient of a bias before batch normalisation in training is 0.
///
/// - `dout`: (N, H)
pub fn hidden_backward<F: Float>(
    dout: ArrayView2<'_, F>,
    cache: &HiddenCache<F>,
) -> Result<HiddenGradients<F>> {
    let undropped = match &cache.dropout {
        Some((backward, cache)) => backward(dout, cache)?,
        None => dout.to_owned(),
    };
    let dz = activation_backward(undropped.view(), &cache.activation)?;
    match &cache.normalisation {
        None => Ok(HiddenGradients { affine: cache.affine.backward(dz.view())?, gamma_beta: None }),
        Some(normalisation) => {
            let normal = normalisation_backward(dz.view(), normalisation)?;
            let mut affine = cache.affine.backward(normal.x.view())?;
            // The exact gradient is 0, but sums would leave rounding errors, from which Adam would make full steps.
            if matches!(normalisation, NormalisationCache::Batch(cache) if cache.takes_out_shifts()) {
                affine.b.fill(F::zero());
            }
            Ok(HiddenGradients { affine, gamma_beta: Some((normal.gamma, normal.beta)) })
        }
    }
}
