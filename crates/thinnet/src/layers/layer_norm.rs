//! Layer normalisation (Ba, Kiros and Hinton, "Layer Normalization", arXiv:1607.06450, 2016): each sample is
//! normalised over its own features, so nothing depends on the batch, and test mode computes the same as training.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use super::batch_norm::{NormalisationGradients, check_widths};
use crate::error::{Error, Result, ensure, same_shape};
use crate::float::Float;

/// The settings of a layer normalisation layer, with the course's default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerNorm {
    /// Added to the variance (default 1e-5).
    pub epsilon: f64,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self { epsilon: 1e-5 }
    }
}

/// What [`layer_norm_backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct LayerNormCache<F> {
    /// The normalised input (N, D).
    x_hat: Array2<F>,
    /// 1 / sqrt(variance + epsilon) (N).
    inverse_deviation: Array1<F>,
    gamma: Array1<F>,
}

/// `out = gamma * (x - mean) / sqrt(variance + epsilon) + beta` with the mean and the (biased) variance of each sample over
/// its D features.
///
/// - `x`: (N, D), D > 0; `gamma`, `beta`: (D)
///
/// Returns the output (N, D).
pub fn layer_norm_forward<F: Float>(
    x: ArrayView2<'_, F>,
    gamma: ArrayView1<'_, F>,
    beta: ArrayView1<'_, F>,
    settings: LayerNorm,
) -> Result<(Array2<F>, LayerNormCache<F>)> {
    let features = x.ncols();
    check_widths("layer_norm_forward", x, &[("gamma", gamma.len()), ("beta", beta.len())])?;
    ensure!(features > 0, Error::shape("x of layer_norm_forward", ("N", "D > 0"), x.shape()));
    let count = F::from_f64(features as f64);
    let mean = (x.sum_axis(Axis(1)) / count).insert_axis(Axis(1));
    let centred = &x - &mean;
    let variance = centred.mapv(|v| v * v).sum_axis(Axis(1)) / count;
    let epsilon = F::from_f64(settings.epsilon);
    let inverse_deviation = variance.mapv(|v| (v + epsilon).sqrt().recip());
    let x_hat = centred * inverse_deviation.view().insert_axis(Axis(1));
    let out = &x_hat * &gamma + beta;
    Ok((out, LayerNormCache { x_hat, inverse_deviation, gamma: gamma.to_owned() }))
}

/// Gradients of [`layer_norm_forward`]. With `g = dout * gamma`, and sums and means over a sample's features:
/// `dx = (g - mean(g) - x_hat * mean(g * x_hat)) / sqrt(variance + epsilon)`.
///
/// - `dout`: (N, D)
pub fn layer_norm_backward<F: Float>(
    dout: ArrayView2<'_, F>,
    cache: &LayerNormCache<F>,
) -> Result<NormalisationGradients<F>> {
    let LayerNormCache { x_hat, inverse_deviation, gamma } = cache;
    same_shape("dout of layer_norm_backward", x_hat.shape(), dout.shape())?;
    let count = F::from_f64(dout.ncols() as f64);
    let over_features = |values: Array2<F>| (values.sum_axis(Axis(1)) / count).insert_axis(Axis(1));
    let g = &dout * gamma;
    let (mean, projection) = (over_features(g.clone()), over_features(&g * x_hat));
    let x = (g - &mean - x_hat * &projection) * inverse_deviation.view().insert_axis(Axis(1));
    Ok(NormalisationGradients { x, gamma: (&dout * x_hat).sum_axis(Axis(0)), beta: dout.sum_axis(Axis(0)) })
}
