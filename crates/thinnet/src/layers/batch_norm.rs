//! Batch normalisation (Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
//! Covariate Shift", ICML 2015).

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use super::Mode;
use crate::error::{Error, Result, ensure, same_shape};
use crate::float::Float;

/// The settings of a batch normalisation layer, with the course's defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance (default 1e-5).
    pub epsilon: f64,
    /// Share of the old value in the running averages (default 0.9).
    pub momentum: f64,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { epsilon: 1e-5, momentum: 0.9 }
    }
}

/// Running averages of a layer's batch means and variances, for test mode.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningStatistics<F> {
    /// Running mean (D).
    pub mean: Array1<F>,
    /// Running variance (D).
    pub variance: Array1<F>,
}

impl<F: Float> RunningStatistics<F> {
    /// Zeros, as the course starts, for `features` units.
    pub fn zeros(features: usize) -> Self {
        Self { mean: Array1::zeros(features), variance: Array1::zeros(features) }
    }
}

/// What [`batch_norm_backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct BatchNormCache<F> {
    /// The normalised input (N, D).
    x_hat: Array2<F>,
    /// 1 / sqrt(variance + epsilon) (D).
    inverse_deviation: Array1<F>,
    gamma: Array1<F>,
    mode: Mode,
}

impl<F> BatchNormCache<F> {
    /// Whether the mean was the batch's own: then anything added to all samples equally is removed again.
    pub(super) fn takes_out_shifts(&self) -> bool {
        self.mode == Mode::Train
    }
}

/// The gradients of a layer of batch or of layer normalisation.
#[derive(Debug, Clone)]
pub struct NormalisationGradients<F> {
    /// With respect to the input (N, D).
    pub x: Array2<F>,
    /// With respect to the scale (D).
    pub gamma: Array1<F>,
    /// With respect to the shift (D).
    pub beta: Array1<F>,
}

/// Refuses an input (N, D) and arrays (D) of a normalisation, given by names and lengths, that do not match. If the
/// arrays agree, the input is the one that does not match.
pub(super) fn check_widths<F>(function: &str, x: ArrayView2<'_, F>, arrays: &[(&str, usize)]) -> Result<()> {
    let features = x.ncols();
    let Some((what, width)) = arrays.iter().find(|(_, width)| *width != features) else { return Ok(()) };
    if arrays.iter().all(|(_, other)| other == width) {
        return Err(Error::shape(format!("x of {function}"), ("N", width), x.shape()));
    }
    Err(Error::shape(format!("{what} of {function}"), [features], [width]))
}

/// `out = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, feature by feature. Training uses the batch's mean
/// and (biased) variance, and updates the running averages with them; test mode uses the running averages.
///
/// - `x`: (N, D), N > 0; `gamma`, `beta`, `running`: (D)
///
/// Returns the output (N, D).
///
/// ```
/// use ndarray::{Array1, array};
/// use thinnet::layers::{BatchNorm, Mode, RunningStatistics, batch_norm_forward};
/// # fn main() -> thinnet::Result<()> {
/// let (x, gamma, beta) = (array![[1.0, 10.0], [3.0, 30.0]], Array1::ones(2), Array1::zeros(2));
/// let (mut running, settings) = (RunningStatistics::zeros(2), BatchNorm::default());
/// let (out, _) =
///     batch_norm_forward(x.view(), gamma.view(), beta.view(), &mut running, settings, Mode::Train)?;
/// assert!((&out - &array![[-1.0, -1.0], [1.0, 1.0]]).iter().all(|off: &f64| off.abs() < 1e-4));
/// assert_eq!(running.mean[1], (1.0 - 0.9) * 20.0);
/// # Ok(()) }
/// ```
pub fn batch_norm_forward<F: Float>(
    x: ArrayView2<'_, F>,
    gamma: ArrayView1<'_, F>,
    beta: ArrayView1<'_, F>,
    running: &mut RunningStatistics<F>,
    settings: BatchNorm,
    mode: Mode,
) -> Result<(Array2<F>, BatchNormCache<F>)> {
    let (samples, features) = x.dim();
    let arrays = [
        ("gamma", gamma.len()),
        ("beta", beta.len()),
        ("running mean", running.mean.len()),
        ("running variance", running.variance.len()),
    ];
    check_widths("batch_norm_forward", x, &arrays)?;
    ensure!(samples > 0, Error::shape("x of batch_norm_forward", ("N > 0", features), x.shape()));
    let (mean, variance) = match mode {
        Mode::Train => {
            let count = F::from_f64(samples as f64);
            let mean = x.sum_axis(Axis(0)) / count;
            let variance = (&x - &mean).mapv(|v| v * v).sum_axis(Axis(0)) / count;
            let momentum = F::from_f64(settings.momentum);
            let rest = F::one() - momentum;
            running.mean.zip_mut_with(&mean, |r, &m| *r = momentum * *r + rest * m);
            running.variance.zip_mut_with(&variance, |r, &v| *r = momentum * *r + rest * v);
            (mean, variance)
        }
        Mode::Test => (running.mean.clone(), running.variance.clone()),
    };
    let epsilon = F::from_f64(settings.epsilon);
    let inverse_deviation = variance.mapv(|v| (v + epsilon).sqrt().recip());
    let x_hat = (&x - &mean) * &inverse_deviation;
    let out = &x_hat * &gamma + beta;
    Ok((out, BatchNormCache { x_hat, inverse_deviation, gamma: gamma.to_owned(), mode }))
}

/// Gradients of [`batch_norm_forward`]. In training the mean and the variance depend on `x` too, which gives
/// (simplified as in the course's `batchnorm_backward_alt`) `dx = gamma / (N sqrt(variance + epsilon)) * (N dout -
/// sum(dout) - x_hat * sum(dout * x_hat))`.
///
/// - `dout`: (N, D)
pub fn batch_norm_backward<F: Float>(
    dout: ArrayView2<'_, F>,
    cache: &BatchNormCache<F>,
) -> Result<NormalisationGradients<F>> {
    let BatchNormCache { x_hat, inverse_deviation, gamma, mode } = cache;
    same_shape("dout of batch_norm_backward", x_hat.shape(), dout.shape())?;
    let dbeta = dout.sum_axis(Axis(0));
    let dgamma = (&dout * x_hat).sum_axis(Axis(0));
    let scale = gamma * inverse_deviation;
    let dx = match mode {
        Mode::Train => {
            let count = F::from_f64(dout.nrows() as f64);
            (dout.mapv(|d| d * count) - &dbeta - x_hat * &dgamma) * (scale / count)
        }
        Mode::Test => &dout * &scale,
    };
    Ok(NormalisationGradients { x: dx, gamma: dgamma, beta: dbeta })
}
