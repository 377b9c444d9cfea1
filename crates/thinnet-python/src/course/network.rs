//! A fully-connected network on Python's arrays: the library reads its parameters in place.

use ndarray::{Ix1, Ix2};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use thinnet::layers::{BatchNorm, Dropout, RunningStatistics};
use thinnet::net::{FullyConnectedNet, LayerParameters, LayerView, NetConfig, NetView, Parameters};
use thinnet::random::RandomState;
use thinnet::{Float, Result};

use super::arrays::{Argument, Number, by_dtype, give, labels};
use super::normalisation::normalisation_from_name;
use super::random::with_stream;
use crate::errors::to_python;

type Any<'py> = Bound<'py, PyAny>;

/// One layer's arrays: w (D, H), b (H), gamma (H) and beta (H).
pub(crate) type LayerArrays<'py> = (Any<'py>, Any<'py>, Option<Any<'py>>, Option<Any<'py>>);

/// The running mean (H) and variance (H) of a hidden layer's batch normalisation.
type RunningArrays<'py> = (Any<'py>, Any<'py>);

/// A network's gradients, layer by layer.
type Gradients<'py> = Vec<LayerArrays<'py>>;

/// A network: its layers' arrays, and the other settings of the course's network.
#[derive(FromPyObject)]
pub(crate) struct Network<'py> {
    layers: Vec<LayerArrays<'py>>,
    normalization: Option<String>,
    /// The epsilon and the momentum of each hidden layer's normalisation.
    settings: Vec<(f64, f64)>,
    running: Vec<RunningArrays<'py>>,
    pub(crate) keep_prob: Option<f64>,
    pub(crate) seed: Option<u32>,
    reg: f64,
}

/// The scores (N, C) of x (N, D) in test mode.
#[pyfunction]
pub(crate) fn network_scores<'py>(x: &Any<'py>, network: Network<'py>) -> PyResult<Any<'py>> {
    by_dtype!(x, F, {
        let py = x.py();
        let (arguments, mut running) = (network.arguments::<F>()?, network.running()?);
        let (config, layers) = network.parts(&arguments)?;
        let mut net = NetView::new(&config, layers, &mut running).map_err(to_python)?;
        let x = Argument::<F>::new(x, "X")?;
        let x = x.view::<Ix2>()?;
        // In test mode the stream is not used, unless the dropout has a seed.
        let reseeds = network.keep_prob.is_some() && network.seed.is_some();
        let scores = detached(py, reseeds, |random| net.scores(x, random))?;
        Ok(give(py, &scores))
    })
}

/// The training loss of x (N, D) with labels y (N), its gradients layer by layer, and the running statistics after it.
#[pyfunction]
#[allow(clippy::type_complexity, reason = "Python unpacks it at once")]
pub(crate) fn network_loss<'py>(
    x: &Any<'py>,
    y: PyReadonlyArray1<'py, i64>,
    network: Network<'py>,
) -> PyResult<(f64, Gradients<'py>, Vec<RunningArrays<'py>>)> {
    let (py, y) = (x.py(), labels(&y)?);
    by_dtype!(x, F, {
        let (arguments, mut running) = (network.arguments::<F>()?, network.running()?);
        let (config, layers) = network.parts(&arguments)?;
        let mut net = NetView::new(&config, layers, &mut running).map_err(to_python)?;
        let x = Argument::<F>::new(x, "X")?;
        let x = x.view::<Ix2>()?;
        let (loss, gradients) = detached(py, network.keep_prob.is_some(), |random| net.loss(x, &y, random))?;
        Ok((loss.as_f64(), give_layers(py, &gradients), give_running(py, &running)))
    })
}

/// Runs some work without the interpreter: with NumPy's stream if the work draws from it or seeds it, otherwise without
/// it.
fn detached<T: Send>(
    py: Python<'_>,
    draws: bool,
    work: impl FnOnce(&mut RandomState) -> Result<T> + Send,
) -> PyResult<T> {
    let detached = |random: &mut RandomState| py.detach(|| work(random)).map_err(to_python);
    if draws { with_stream(py, detached) } else { detached(&mut RandomState::new(0)) }
}

impl<'py> Network<'py> {
    /// A copy of the network for an engine to train. Its normalisation has the default settings.
    pub(crate) fn build<F: Number>(&self) -> PyResult<FullyConnectedNet<F>> {
        let arguments = self.arguments::<F>()?;
        let (config, layers) = self.parts(&arguments)?;
        let layers = layers.iter().map(LayerView::to_parameters).collect();
        FullyConnectedNet::from_parameters(config, Parameters { layers }).map_err(to_python)
    }

    /// The layers' arrays, borrowed for reading.
    fn arguments<F: Number>(&self) -> PyResult<Vec<LayerArguments<'py, F>>> {
        self.layers.iter().map(LayerArguments::new).collect()
    }

    /// The architecture, and the layers as the library needs them.
    fn parts<'a, F: Number>(
        &self,
        arguments: &'a [LayerArguments<'py, F>],
    ) -> PyResult<(NetConfig, Vec<LayerView<'a, F>>)> {
        let settings = self.settings.iter().map(|&(epsilon, momentum)| BatchNorm { epsilon, momentum });
        let settings = settings.chain(std::iter::repeat(BatchNorm::default()));
        let layers = arguments.iter().zip(settings).map(|(layer, settings)| layer.view(settings));
        let layers = layers.collect::<PyResult<Vec<_>>>()?;
        let dropout =
            self.keep_prob.map(|keep| Dropout::new(keep, self.seed)).transpose().map_err(to_python)?;
        let mut widths: Vec<usize> = layers.iter().map(|layer| layer.w.ncols()).collect();
        let config = NetConfig {
            input_dim: layers.first().map_or(0, |layer| layer.w.nrows()),
            num_outputs: widths.pop().unwrap_or(0),
            hidden: widths,
            dropout: dropout.into(),
            normalisation: normalisation_from_name(self.normalization.as_deref())?,
            reg: self.reg,
            ..NetConfig::default()
        };
        Ok((config, layers))
    }

    /// Copies of the running statistics.
    pub(crate) fn running<F: Number>(&self) -> PyResult<Vec<RunningStatistics<F>>> {
        let running = self.running.iter().map(|(mean, variance)| {
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
        let gamma_beta = layer.gamma_beta.as_ref();
        let (gamma, beta) = gamma_beta.map(|(gamma, beta)| (give(py, gamma), give(py, beta))).unzip();
        (give(py, &layer.w), give(py, &layer.b), gamma, beta)
    };
    all.layers.iter().map(give_layer).collect()
}

/// Running means and variances as NumPy arrays.
pub(crate) fn give_running<'py, F: Number>(
    py: Python<'py>,
    running: &[RunningStatistics<F>],
) -> Vec<RunningArrays<'py>> {
    running.iter().map(|one| (give(py, &one.mean), give(py, &one.variance))).collect()
}

/// One layer's arrays, borrowed for reading.
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

    fn view(&self, settings: BatchNorm) -> PyResult<LayerView<'_, F>> {
        let gamma_beta = match &self.gamma_beta {
            Some((gamma, beta)) => Some((gamma.view()?, beta.view()?)),
            None => None,
        };
        Ok(LayerView { w: self.w.view()?, b: self.b.view()?, gamma_beta, settings })
    }
}
