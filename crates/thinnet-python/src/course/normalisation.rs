//! Batch and layer normalisation, and the caches that Python passes from the forward to the backward pass.

use ndarray::{Ix1, Ix2};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use thinnet::layers::{self, BatchNorm, LayerNorm, Mode, Normalisation, RunningStatistics};

use super::arrays::{Argument, Number, by_dtype, give};
use crate::errors::to_python;

type Any<'py> = Bound<'py, PyAny>;

/// What a normalisation's backward pass needs of its forward pass.
#[pyclass(frozen, module = "thinnet._thinnet")]
pub(crate) struct NormalisationCache(Kind);

enum Kind {
    F32(layers::NormalisationCache<f32>),
    F64(layers::NormalisationCache<f64>),
}

impl From<layers::NormalisationCache<f32>> for Kind {
    fn from(cache: layers::NormalisationCache<f32>) -> Self {
        Self::F32(cache)
    }
}

impl From<layers::NormalisationCache<f64>> for Kind {
    fn from(cache: layers::NormalisationCache<f64>) -> Self {
        Self::F64(cache)
    }
}

#[pymethods]
impl NormalisationCache {
    /// "float32" or "float64", the precision of the forward pass.
    #[getter]
    fn dtype(&self) -> &'static str {
        match self.0 {
            Kind::F32(_) => "float32",
            Kind::F64(_) => "float64",
        }
    }
}

/// Batch normalisation: x (N, D), the others (D). Returns the output, the running mean and variance after it, and the
/// cache.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the layer's own")]
pub(crate) fn batch_norm_forward<'py>(
    x: &Any<'py>,
    gamma: &Any<'py>,
    beta: &Any<'py>,
    running_mean: &Any<'py>,
    running_var: &Any<'py>,
    eps: f64,
    momentum: f64,
    train: bool,
) -> PyResult<(Any<'py>, Any<'py>, Any<'py>, NormalisationCache)> {
    let (py, settings) = (x.py(), BatchNorm { epsilon: eps, momentum });
    let mode = if train { Mode::Train } else { Mode::Test };
    by_dtype!(x, F, {
        let mut running = RunningStatistics {
            mean: Argument::<F>::new(running_mean, "running_mean")?.view::<Ix1>()?.to_owned(),
            variance: Argument::<F>::new(running_var, "running_var")?.view::<Ix1>()?.to_owned(),
        };
        let (x, gamma, beta) =
            (Argument::<F>::new(x, "x")?, Argument::new(gamma, "gamma")?, Argument::new(beta, "beta")?);
        let (x, gamma, beta) = (x.view::<Ix2>()?, gamma.view::<Ix1>()?, beta.view::<Ix1>()?);
        let done = py.detach(|| layers::batch_norm_forward(x, gamma, beta, &mut running, settings, mode));
        let (out, cache) = done.map_err(to_python)?;
        let cache = NormalisationCache(layers::NormalisationCache::Batch(cache).into());
        Ok((give(py, &out), give(py, &running.mean), give(py, &running.variance), cache))
    })
}

/// Layer normalisation: x (N, D), gamma and beta (D). Returns the output and the cache.
#[pyfunction]
pub(crate) fn layer_norm_forward<'py>(
    x: &Any<'py>,
    gamma: &Any<'py>,
    beta: &Any<'py>,
    eps: f64,
) -> PyResult<(Any<'py>, NormalisationCache)> {
    let (py, settings) = (x.py(), LayerNorm { epsilon: eps });
    by_dtype!(x, F, {
        let (x, gamma, beta) =
            (Argument::<F>::new(x, "x")?, Argument::new(gamma, "gamma")?, Argument::new(beta, "beta")?);
        let (x, gamma, beta) = (x.view::<Ix2>()?, gamma.view::<Ix1>()?, beta.view::<Ix1>()?);
        let done = py.detach(|| layers::layer_norm_forward(x, gamma, beta, settings));
        let (out, cache) = done.map_err(to_python)?;
        Ok((give(py, &out), NormalisationCache(layers::NormalisationCache::Layer(cache).into())))
    })
}

/// Gradients (dx, dgamma, dbeta) of `batch_norm_forward` or `layer_norm_forward`: dout (N, D), of the cache's dtype.
#[pyfunction]
pub(crate) fn normalisation_backward<'py>(
    dout: &Any<'py>,
    cache: &NormalisationCache,
) -> PyResult<(Any<'py>, Any<'py>, Any<'py>)> {
    match &cache.0 {
        Kind::F32(cache) => backward(dout, cache),
        Kind::F64(cache) => backward(dout, cache),
    }
}

fn backward<'py, F: Number>(
    dout: &Any<'py>,
    cache: &layers::NormalisationCache<F>,
) -> PyResult<(Any<'py>, Any<'py>, Any<'py>)> {
    let argument = Argument::<F>::new(dout, "dout")?;
    let gradients = layers::normalisation_backward(argument.view::<Ix2>()?, cache).map_err(to_python)?;
    let py = dout.py();
    Ok((give(py, &gradients.x), give(py, &gradients.gamma), give(py, &gradients.beta)))
}

/// A network's normalisation by its name in the course: `batchnorm`, `layernorm` or none.
pub(crate) fn normalisation_from_name(name: Option<&str>) -> PyResult<Normalisation> {
    match name {
        None => Ok(Normalisation::None),
        Some("batchnorm") => Ok(Normalisation::Batch),
        Some("layernorm") => Ok(Normalisation::Layer),
        Some(name) => Err(PyTypeError::new_err(format!(
            "normalization must be \"batchnorm\", \"layernorm\" or None, got {name:?}"
        ))),
    }
}
