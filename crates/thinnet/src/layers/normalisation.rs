//! The normalisation of a network's hidden layers: none, batch or layer normalisation.

use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{
    BatchNorm, BatchNormCache, LayerNorm, LayerNormCache, Mode, NormalisationGradients, RunningStatistics,
    batch_norm_backward, batch_norm_forward, layer_norm_backward, layer_norm_forward,
};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::names::names;

/// The normalisation of each hidden layer's sums, before its activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// No normalisation.
    #[default]
    None,
    /// Each unit, by its mean and variance over the batch: [`batch_norm_forward`].
    Batch,
    /// Each sample, by its mean and variance over the layer's units: [`layer_norm_forward`].
    Layer,
}

names!(Normalisation, "normalisation", "normalisations", None = "none", Batch = "batch", Layer = "layer");

/// A normalisation with its arrays and its settings.
#[derive(Debug)]
pub enum NormalisationLayer<'a, F> {
    /// See [`batch_norm_forward`].
    Batch {
        /// Scale (D).
        gamma: ArrayView1<'a, F>,
        /// Shift (D).
        beta: ArrayView1<'a, F>,
        /// Running averages (D), updated by a training pass.
        running: &'a mut RunningStatistics<F>,
        /// Epsilon and momentum.
        settings: BatchNorm,
    },
    /// See [`layer_norm_forward`].
    Layer {
        /// Scale (D).
        gamma: ArrayView1<'a, F>,
        /// Shift (D).
        beta: ArrayView1<'a, F>,
        /// Epsilon.
        settings: LayerNorm,
    },
}

impl<'a, F> NormalisationLayer<'a, F> {
    /// The normalisation of a hidden layer with the layer's arrays, if there is one: scale and shift (D each), which
    /// both kinds need, and running statistics, which only batch normalisation needs. Layer normalisation has no
    /// momentum.
    ///
    /// # Errors
    /// [`Error::Configuration`] for missing arrays, or arrays without a use.
    pub(crate) fn new(
        kind: Normalisation,
        gamma_beta: Option<(ArrayView1<'a, F>, ArrayView1<'a, F>)>,
        running: Option<&'a mut RunningStatistics<F>>,
        settings: BatchNorm,
    ) -> Result<Option<Self>> {
        match (kind, gamma_beta, running) {
            (Normalisation::None, None, None) => Ok(None),
            (Normalisation::Batch, Some((gamma, beta)), Some(running)) => {
                Ok(Some(Self::Batch { gamma, beta, running, settings }))
            }
            (Normalisation::Layer, Some((gamma, beta)), None) => {
                Ok(Some(Self::Layer { gamma, beta, settings: LayerNorm { epsilon: settings.epsilon } }))
            }
            _ => Err(Error::configuration(
                "a normalised layer has gamma and beta, with batch normalisation running statistics too; any other \
                 layer has none of them",
            )),
        }
    }
}

/// What [`normalisation_backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub enum NormalisationCache<F> {
    /// The cache of batch normalisation.
    Batch(BatchNormCache<F>),
    /// The cache of layer normalisation.
    Layer(LayerNormCache<F>),
}

/// Batch or layer normalisation of `x` (N, D).
///
/// Returns the output (N, D).
///
/// ```
/// use ndarray::{Array1, array};
/// use thinnet::layers::{LayerNorm, Mode, NormalisationLayer, normalisation_forward};
/// # fn main() -> thinnet::Result<()> {
/// let (x, gamma, beta) = (array![[1.0, 3.0], [10.0, 30.0]], Array1::ones(2), Array1::zeros(2));
/// let settings = LayerNorm::default();
/// let layer = NormalisationLayer::Layer { gamma: gamma.view(), beta: beta.view(), settings };
/// let (out, _) = normalisation_forward(x.view(), layer, Mode::Train)?;
/// assert!((&out - &array![[-1.0, 1.0], [-1.0, 1.0]]).iter().all(|off: &f64| off.abs() < 1e-4));
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Shape`] for arrays that do not match.
pub fn normalisation_forward<F: Float>(
    x: ArrayView2<'_, F>,
    layer: NormalisationLayer<'_, F>,
    mode: Mode,
) -> Result<(Array2<F>, NormalisationCache<F>)> {
    match layer {
        NormalisationLayer::Batch { gamma, beta, running, settings } => {
            let (out, cache) = batch_norm_forward(x, gamma, beta, running, settings, mode)?;
            Ok((out, NormalisationCache::Batch(cache)))
        }
        NormalisationLayer::Layer { gamma, beta, settings } => {
            let (out, cache) = layer_norm_forward(x, gamma, beta, settings)?;
            Ok((out, NormalisationCache::Layer(cache)))
        }
    }
}

/// Gradients of [`normalisation_forward`].
///
/// - `dout`: (N, D)
///
/// # Errors
/// [`Error::Shape`] if `dout` does not have the output's shape.
pub fn normalisation_backward<F: Float>(
    dout: ArrayView2<'_, F>,
    cache: &NormalisationCache<F>,
) -> Result<NormalisationGradients<F>> {
    match cache {
        NormalisationCache::Batch(cache) => batch_norm_backward(dout, cache),
        NormalisationCache::Layer(cache) => layer_norm_backward(dout, cache),
    }
}
