//! A fully-connected network over arrays that stay Python's: its parameters are read in place, layer by layer.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Ix1, Ix2};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use thinnet::layers::{
    AffineCache, BatchNorm, BatchNormCache, Dropout, DropoutCache, LayerNorm, LayerNormCache, Mode,
    ReluCache, RunningStatistics, affine_backward, affine_forward, batch_norm_backward, batch_norm_forward,
    dropout_backward, dropout_forward, layer_norm_backward, layer_norm_forward, relu_backward, relu_forward,
    softmax_loss,
};
use thinnet::net::{FullyConnectedNet, LayerParameters, NetConfig, Parameters};
use thinnet::random::RandomState;
use thinnet::{Result, layers};

use super::arrays::{Argument, Number, by_dtype, give, labels};
use super::normalisation::Normalisation;
use super::random::with_stream;
use crate::errors::to_python;

type Any<'py> = Bound<'py, PyAny>;

/// One layer's arrays: w (D, H), b (H), gamma (H) and beta (H).
pub(crate) type LayerArrays<'py> = (Any<'py>, Any<'py>, Option<Any<'py>>, Option<Any<'py>>);

/// The running mean (H) and variance (H) of a hidden layer's batch normalisation, its epsilon and its momentum.
pub(crate) type RunningArrays<'py> = (Any<'py>, Any<'py>, f64, f64);

/// A network's gradients, layer by layer.
type Gradients<'py> = Vec<LayerArrays<'py>>;

/// A network: its layers' arrays, and what else the course's network has.
#[derive(FromPyObject)]
pub(crate) struct Network<'py> {
    layers: Vec<LayerArrays<'py>>,
    normalization: Option<String>,
    running: Vec<RunningArrays<'py>>,
    keep_prob: Option<f64>,
    seed: Option<u32>,
    reg: f64,
}

/// What a layer is, as the library takes it.
struct Layer<'a, F> {
    w: ArrayView2<'a, F>,
    b: ArrayView1<'a, F>,
    gamma_beta: Option<(ArrayView1<'a, F>, ArrayView1<'a, F>)>,
}

/// What a network does beside its layers' products.
struct Settings {
    normalisation: Option<Normalisation>,
    batch_norms: Vec<BatchNorm>,
    dropout: Option<Dropout>,
}

/// What a hidden layer's backward pass needs.
struct HiddenCache<F: Number> {
    affine: AffineCache<F, Ix2>,
    normalisation: Option<NormalisationCache<F>>,
    relu: ReluCache<F, Ix2>,
    dropout: Option<DropoutCache<F, Ix2>>,
}

enum NormalisationCache<F> {
    Batch(BatchNormCache<F>),
    Layer(LayerNormCache<F>),
}

/// The scores (N, C) of x (N, D) in test mode.
#[pyfunction]
pub(crate) fn network_scores<'py>(x: &Any<'py>, network: Network<'py>) -> PyResult<Any<'py>> {
    fn run<'py, F: Number>(x: &Any<'py>, network: &Network<'py>) -> PyResult<Any<'py>> {
        let py = x.py();
        let (arguments, settings) = (network.arguments::<F>()?, network.settings()?);
        let layers = arguments.iter().map(LayerArguments::view).collect::<PyResult<Vec<_>>>()?;
        let mut running = network.running()?;
        let x = Argument::<F>::new(x, "X")?;
        let x = x.view::<Ix2>()?;
        let reseeds = network.keep_prob.is_some() && network.seed.is_some();
        let mut compute = |random: &mut RandomState| {
            let done = py.detach(|| forward(x, &layers, &settings, &mut running, Mode::Test, random));
            Ok(done.map_err(to_python)?.0)
        };
        // In test mode the stream is left alone, unless the dropout has a seed.
        let scores = if reseeds { with_stream(py, compute)? } else { compute(&mut RandomState::new(0))? };
        Ok(give(py, &scores))
    }
    by_dtype!(x, run(x, &network))
}

/// The training loss of x (N, D) with labels y (N), its gradients layer by layer, and the running statistics after it.
#[pyfunction]
#[allow(clippy::type_complexity, reason = "Python takes it apart at once")]
pub(crate) fn network_loss<'py>(
    x: &Any<'py>,
    y: PyReadonlyArray1<'py, i64>,
    network: Network<'py>,
) -> PyResult<(f64, Gradients<'py>, Vec<(Any<'py>, Any<'py>)>)> {
    fn run<'py, F: Number>(
        x: &Any<'py>,
        y: &[usize],
        network: &Network<'py>,
    ) -> PyResult<(f64, Gradients<'py>, Vec<(Any<'py>, Any<'py>)>)> {
        let py = x.py();
        let (arguments, settings) = (network.arguments::<F>()?, network.settings()?);
        let layers = arguments.iter().map(LayerArguments::view).collect::<PyResult<Vec<_>>>()?;
        let mut running = network.running()?;
        let x = Argument::<F>::new(x, "X")?;
        let x = x.view::<Ix2>()?;
        let reg = F::from_f64(network.reg);
        let mut compute = |random: &mut RandomState| {
            py.detach(|| loss(x, y, &layers, &settings, &mut running, reg, random)).map_err(to_python)
        };
        let (loss, gradients) = if settings.dropout.is_some() {
            with_stream(py, compute)?
        } else {
            compute(&mut RandomState::new(0))?
        };
        Ok((loss.as_f64(), give_layers(py, &gradients), give_running(py, &running)))
    }
    let y = labels(&y)?;
    by_dtype!(x, run(x, &y, &network))
}

impl<'py> Network<'py> {
    /// The network as the library's own: a copy, which an engine trains. Batch normalisation as by default.
    pub(crate) fn build<F: Number>(&self) -> PyResult<FullyConnectedNet<F>> {
        let settings = self.settings()?;
        let arguments = self.arguments::<F>()?;
        let mut all = Vec::with_capacity(arguments.len());
        for layer in &arguments {
            let layer = layer.view()?;
            let gamma_beta = layer.gamma_beta.map(|(gamma, beta)| (gamma.to_owned(), beta.to_owned()));
            all.push(LayerParameters { w: layer.w.to_owned(), b: layer.b.to_owned(), gamma_beta });
        }
        let mut widths: Vec<usize> = all.iter().map(|layer| layer.w.ncols()).collect();
        let config = NetConfig {
            input_dim: all.first().map_or(0, |layer| layer.w.nrows()),
            num_outputs: widths.pop().unwrap_or(0),
            hidden: widths,
            dropout: settings.dropout.into(),
            normalisation: match settings.normalisation {
                None => layers::Normalisation::None,
                Some(Normalisation::Batch) => layers::Normalisation::Batch,
                Some(Normalisation::Layer) => layers::Normalisation::Layer,
            },
            reg: self.reg,
            ..NetConfig::default()
        };
        FullyConnectedNet::from_parameters(config, Parameters { layers: all }).map_err(to_python)
    }

    /// The layers' arrays, held for reading.
    fn arguments<F: Number>(&self) -> PyResult<Vec<LayerArguments<'py, F>>> {
        self.layers.iter().map(LayerArguments::new).collect()
    }

    /// What else the network has, checked.
    fn settings(&self) -> PyResult<Settings> {
        let dropout =
            self.keep_prob.map(|keep| Dropout::new(keep, self.seed)).transpose().map_err(to_python)?;
        if !(self.reg >= 0.0 && self.reg.is_finite()) {
            return Err(PyValueError::new_err(format!(
                "reg must be finite and not negative, got {}",
                self.reg
            )));
        }
        let batch_norms =
            self.running.iter().map(|&(_, _, epsilon, momentum)| BatchNorm { epsilon, momentum }).collect();
        let normalisation = self.normalization.as_deref().map(Normalisation::from_name).transpose()?;
        Ok(Settings { normalisation, batch_norms, dropout })
    }

    /// Copies of the running statistics.
    pub(crate) fn running<F: Number>(&self) -> PyResult<Vec<RunningStatistics<F>>> {
        let running = self.running.iter().map(|(mean, variance, ..)| {
            Ok(RunningStatistics {
                mean: Argument::<F>::new(mean, "running_mean")?.view::<Ix1>()?.to_owned(),
                variance: Argument::<F>::new(variance, "running_var")?.view::<Ix1>()?.to_owned(),
            })
        });
        running.collect()
    }
}

/// Parameters or gradients as NumPy arrays.
pub(crate) fn give_layers<'py, F: Number>(py: Python<'py>, all: &Parameters<F>) -> Vec<LayerArrays<'py>> {
    let give_layer = |layer: &LayerParameters<F>| {
        let (gamma, beta) = match &layer.gamma_beta {
            Some((gamma, beta)) => (Some(give(py, gamma)), Some(give(py, beta))),
            None => (None, None),
        };
        (give(py, &layer.w), give(py, &layer.b), gamma, beta)
    };
    all.layers.iter().map(give_layer).collect()
}

/// Running means and variances as NumPy arrays.
pub(crate) fn give_running<'py, F: Number>(
    py: Python<'py>,
    running: &[RunningStatistics<F>],
) -> Vec<(Any<'py>, Any<'py>)> {
    running.iter().map(|one| (give(py, &one.mean), give(py, &one.variance))).collect()
}

/// One layer's arrays, held for reading.
struct LayerArguments<'py, F: Number> {
    w: Argument<'py, F>,
    b: Argument<'py, F>,
    gamma_beta: Option<(Argument<'py, F>, Argument<'py, F>)>,
}

impl<'py, F: Number> LayerArguments<'py, F> {
    fn new((w, b, gamma, beta): &LayerArrays<'py>) -> PyResult<Self> {
        let gamma_beta = match (gamma, beta) {
            (Some(gamma), Some(beta)) => Some((Argument::new(gamma, "gamma")?, Argument::new(beta, "beta")?)),
            _ => None,
        };
        Ok(Self { w: Argument::new(w, "W")?, b: Argument::new(b, "b")?, gamma_beta })
    }

    fn view(&self) -> PyResult<Layer<'_, F>> {
        let gamma_beta = match &self.gamma_beta {
            Some((gamma, beta)) => Some((gamma.view()?, beta.view()?)),
            None => None,
        };
        Ok(Layer { w: self.w.view()?, b: self.b.view()?, gamma_beta })
    }
}

/// (affine - \[normalisation\] - ReLU - \[dropout\]) x L, then affine: the scores (N, C) and the caches.
#[allow(clippy::type_complexity, reason = "the caller takes it apart at once")]
fn forward<F: Number>(
    x: ArrayView2<'_, F>,
    layers: &[Layer<'_, F>],
    settings: &Settings,
    running: &mut [RunningStatistics<F>],
    mode: Mode,
    random: &mut RandomState,
) -> Result<(Array2<F>, (Vec<HiddenCache<F>>, AffineCache<F, Ix2>))> {
    let Some((last, hidden)) = layers.split_last() else {
        return Err(thinnet::Error::Configuration("the network has no layer".to_owned()));
    };
    let mut running = running.iter_mut().zip(&settings.batch_norms);
    let mut activation = x.to_owned();
    let mut caches = Vec::with_capacity(hidden.len());
    for layer in hidden {
        let (mut z, affine) = affine_forward(activation.view(), layer.w, layer.b)?;
        let mut normalisation = None;
        if let (Some(kind), Some((gamma, beta))) = (settings.normalisation, layer.gamma_beta) {
            let (out, cache) = match (kind, running.next()) {
                (Normalisation::Batch, Some((running, &settings))) => {
                    let (out, cache) = batch_norm_forward(z.view(), gamma, beta, running, settings, mode)?;
                    (out, NormalisationCache::Batch(cache))
                }
                (Normalisation::Batch, None) => {
                    return Err(thinnet::Error::Configuration(
                        "batch normalisation needs an entry of bn_params for each hidden layer".to_owned(),
                    ));
                }
                (Normalisation::Layer, _) => {
                    let (out, cache) = layer_norm_forward(z.view(), gamma, beta, LayerNorm::default())?;
                    (out, NormalisationCache::Layer(cache))
                }
            };
            z = out;
            normalisation = Some(cache);
        }
        let (out, relu) = relu_forward(z.view());
        activation = out;
        let dropout = settings.dropout.map(|dropout| {
            let (out, cache) = dropout_forward(activation.view(), dropout, mode, random);
            activation = out;
            cache
        });
        caches.push(HiddenCache { affine, normalisation, relu, dropout });
    }
    let (scores, last) = affine_forward(activation.view(), last.w, last.b)?;
    Ok((scores, (caches, last)))
}

/// The training loss with its L2 term, and the gradients.
fn loss<F: Number>(
    x: ArrayView2<'_, F>,
    y: &[usize],
    layers: &[Layer<'_, F>],
    settings: &Settings,
    running: &mut [RunningStatistics<F>],
    reg: F,
    random: &mut RandomState,
) -> Result<(F, Parameters<F>)> {
    let (scores, (hidden, last)) = forward(x, layers, settings, running, Mode::Train, random)?;
    let (data_loss, dscores) = softmax_loss(scores.view(), y)?;
    let last = affine_backward(dscores.view(), &last)?;
    let mut upstream = last.x;
    let mut gradients = vec![LayerParameters { w: last.w, b: last.b, gamma_beta: None }];
    for cache in hidden.iter().rev() {
        let (affine, gamma_beta) = hidden_backward(upstream, cache)?;
        gradients.push(LayerParameters { w: affine.w, b: affine.b, gamma_beta });
        upstream = affine.x;
    }
    gradients.reverse();
    let mut penalty = F::zero();
    if reg > F::zero() {
        for (gradient, layer) in gradients.iter_mut().zip(layers) {
            gradient.w.scaled_add(reg, &layer.w);
            penalty += layer.w.iter().map(|&w| w * w).sum::<F>();
        }
    }
    Ok((data_loss + F::from_f64(0.5) * reg * penalty, Parameters { layers: gradients }))
}

/// The gradients of one hidden layer: of its affine part, and of gamma and beta.
#[allow(clippy::type_complexity, reason = "the caller takes it apart at once")]
fn hidden_backward<F: Number>(
    dout: Array2<F>,
    cache: &HiddenCache<F>,
) -> Result<(layers::AffineGradients<F, Ix2>, Option<(Array1<F>, Array1<F>)>)> {
    let undropped = match &cache.dropout {
        Some(dropout) => dropout_backward(dout.view(), dropout)?,
        None => dout,
    };
    let dz = relu_backward(undropped.view(), &cache.relu)?;
    match &cache.normalisation {
        None => Ok((affine_backward(dz.view(), &cache.affine)?, None)),
        Some(NormalisationCache::Batch(normal)) => {
            let normal = batch_norm_backward(dz.view(), normal)?;
            Ok((affine_backward(normal.x.view(), &cache.affine)?, Some((normal.gamma, normal.beta))))
        }
        Some(NormalisationCache::Layer(normal)) => {
            let normal = layer_norm_backward(dz.view(), normal)?;
            Ok((affine_backward(normal.x.view(), &cache.affine)?, Some((normal.gamma, normal.beta))))
        }
    }
}
