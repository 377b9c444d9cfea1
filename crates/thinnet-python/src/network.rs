//! The class `Network`: what the estimators train.

use std::sync::{Mutex, MutexGuard, PoisonError};

use numpy::ndarray::Array2;
use numpy::{Element, IntoPyArray, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use thinnet::Float;
use thinnet::data::Targets;
use thinnet::engine::{EngineState, MaskedPredictions};

use crate::errors::to_python;
use crate::export::{Classes, Request};
use crate::samples::{Rows, Samples, Source, to_indices};
use crate::settings::Settings;
use crate::state::{layers_from_python, layers_to_python, memory_from_python, memory_to_python};
use crate::training::{Asked, Epoch, Trained};

/// A fully-connected network with its optimiser.
///
/// `Network(layers, settings)`: `layers` is a list of `(W, b, None)` or, with batch normalisation, `(W, b, (gamma,
/// beta))`, all float32 or all float64, which becomes the network's precision; `settings` is a dictionary.
#[pyclass(module = "thinnet._thinnet", frozen)]
pub struct Network {
    settings: Mutex<Settings>,
    core: Mutex<Core>,
}

/// The network in either precision.
enum Core {
    Single(Trained<f32>),
    Double(Trained<f64>),
}

/// The same expression for either precision.
macro_rules! either {
    ($network:expr, $py:expr, $name:ident => $body:expr) => {
        match &mut *$network.borrow($py) {
            Core::Single($name) => $body,
            Core::Double($name) => $body,
        }
    };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner) // a failed engine returns its own errors
}

#[pymethods]
impl Network {
    #[new]
    fn new(layers: &Bound<'_, PyAny>, settings: Settings) -> PyResult<Self> {
        let core = if let Ok(parameters) = layers_from_python::<f32>(layers) {
            Core::Single(Trained::new(&settings, parameters).map_err(to_python)?)
        } else if let Ok(parameters) = layers_from_python::<f64>(layers) {
            Core::Double(Trained::new(&settings, parameters).map_err(to_python)?)
        } else {
            return Err(PyTypeError::new_err("layers must be arrays that are all float32 or all float64"));
        };
        Ok(Self { settings: Mutex::new(settings), core: Mutex::new(core) })
    }

    /// One pass over the samples in `order`; returns the mean loss. `targets` is int64 (N) for softmax, otherwise (N,
    /// C) in the network's precision. Runs without the interpreter; raises `KeyboardInterrupt` between batches.
    #[pyo3(signature = (samples, targets, weights, order, *, batch_size, alpha, threads))]
    #[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn train(
        &self,
        py: Python<'_>,
        samples: &Samples,
        targets: &Bound<'_, PyAny>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
        order: PyReadonlyArray1<'_, i64>,
        batch_size: usize,
        alpha: f64,
        threads: usize,
    ) -> PyResult<f64> {
        let order = to_indices(&order)?;
        if order.is_empty() {
            return Err(PyValueError::new_err("there are no samples to train on"));
        }
        let weights = weights.map(|weights| weights.as_array().to_vec());
        let weights = weights.as_deref();
        let shape = EpochShape { weights, order: &order, batch_size, alpha, threads };
        match &samples.rows {
            Rows::Single(rows) => self.with_epoch(py, rows, targets, &shape, single, Trained::train),
            Rows::Double(rows) => self.with_epoch(py, rows, targets, &shape, double, Trained::train),
        }
    }

    /// The loss over the samples in `order` as one batch, and its gradients, without an update: the loss that is
    /// minimised, the loss to show, and a layer's gradients as `(W, b, None)` or `(W, b, (gamma, beta))`. Runs without
    /// the interpreter; raises `KeyboardInterrupt` between parts of a large batch.
    #[pyo3(signature = (samples, targets, weights, order, *, alpha, threads))]
    #[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn gradients<'py>(
        &self,
        py: Python<'py>,
        samples: &Samples,
        targets: &Bound<'py, PyAny>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
        order: PyReadonlyArray1<'_, i64>,
        alpha: f64,
        threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let order = to_indices(&order)?;
        let weights = weights.map(|weights| weights.as_array().to_vec());
        let shape = EpochShape {
            weights: weights.as_deref(),
            order: &order,
            batch_size: order.len(),
            alpha,
            threads,
        };
        match &samples.rows {
            Rows::Single(rows) => self.gradients_with(py, rows, targets, &shape, single),
            Rows::Double(rows) => self.gradients_with(py, rows, targets, &shape, double),
        }
    }

    /// Predictions (N, C): probabilities, or values. `x` is `Samples`, or an array (N, D) in the network's precision.
    /// It is read in place, without the interpreter: nobody may write to it meanwhile.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(samples) = x.cast::<Samples>() {
            return match &samples.get().rows {
                Rows::Single(rows) => rows.with(py, |x| self.predict_with(py, &x, threads, single)),
                Rows::Double(rows) => rows.with(py, |x| self.predict_with(py, &x, threads, double)),
            };
        }
        if let Ok(x) = x.extract::<PyReadonlyArray2<'_, f32>>() {
            self.predict_with(py, &Asked::View(x.as_array()), threads, single)
        } else if let Ok(x) = x.extract::<PyReadonlyArray2<'_, f64>>() {
            self.predict_with(py, &Asked::View(x.as_array()), threads, double)
        } else {
            Err(PyTypeError::new_err("x must be Samples, or a two-dimensional array of float32 or float64"))
        }
    }

    /// Predictions with the masks of `draws` numbers from `draw` on: mean and standard deviation (N, C each), entropy
    /// and mutual information (N, 1 for one label, N, C for several, N, 0 for numbers), all float64. The first sample
    /// is number `first` of all.
    fn predict_masked<'py>(
        &self,
        py: Python<'py>,
        samples: &Samples,
        draw: u64,
        draws: u64,
        first: usize,
        threads: usize,
    ) -> PyResult<[Bound<'py, PyArray2<f64>>; 4]> {
        let draws = draw..draw.saturating_add(draws);
        let found = match &samples.rows {
            Rows::Single(rows) => rows.with(py, |x| {
                py.detach(|| single(&mut lock(&self.core))?.predict_masked(&x, draws, first, threads))
            }),
            Rows::Double(rows) => rows.with(py, |x| {
                py.detach(|| double(&mut lock(&self.core))?.predict_masked(&x, draws, first, threads))
            }),
        }?;
        let MaskedPredictions { mean, deviation, entropy, mutual_information } = found;
        Ok([mean, deviation, entropy, mutual_information].map(|array| array.into_pyarray(py)))
    }

    /// The layers, in the constructor's format.
    fn layers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        either!(self, py, core => layers_to_python(py, core.parameters().map_err(to_python)?).into_bound_py_any(py))
    }

    /// The network as an ONNX file. `classes` are ints or strings, for a softmax or for one logistic output.
    #[pyo3(signature = (classes, *, zipmap, dropout))]
    fn to_onnx<'py>(
        &self,
        py: Python<'py>,
        classes: Option<Classes>,
        zipmap: bool,
        dropout: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let settings = lock(&self.settings).clone();
        let request = Request { classes, zipmap, dropout };
        let bytes = either!(self, py, core => {
            let state = core.state().map_err(to_python)?;
            request.write(vec![(settings, state)])
        });
        Ok(PyBytes::new(py, &bytes.map_err(to_python)?))
    }

    /// Replaces the layers by these; the optimiser's state does not change.
    fn set_layers(&self, py: Python<'_>, layers: &Bound<'_, PyAny>) -> PyResult<()> {
        either!(self, py, core => {
            let mut state = core.state().map_err(to_python)?;
            state.parameters = layers_from_python(layers)?;
            core.restore(&state).map_err(to_python)
        })
    }

    /// Sets the learning rate of the following steps.
    fn set_learning_rate(&self, py: Python<'_>, learning_rate: f64) -> PyResult<()> {
        lock(&self.settings).learning_rate = learning_rate;
        either!(self, py, core => core.set_learning_rate(learning_rate).map_err(to_python))
    }

    /// Continues from the current parameters with new settings and an empty optimiser state. The masks continue: seed
    /// and step do not change.
    fn restart(&self, py: Python<'_>, settings: Settings) -> PyResult<()> {
        either!(self, py, core => core.restart(&settings).map_err(to_python))?;
        let mut own = lock(&self.settings);
        let seed = own.seed;
        *own = Settings { seed, ..settings };
        Ok(())
    }

    /// Stores the current parameters as the best so far.
    fn remember(&self, py: Python<'_>) -> PyResult<()> {
        either!(self, py, core => core.remember().map_err(to_python))
    }

    /// Restores the best parameters.
    fn recall(&self, py: Python<'_>) -> PyResult<()> {
        either!(self, py, core => core.recall().map_err(to_python))
    }

    /// If a smaller share of the rows' numbers than this is nonzero, training is fastest with sparse rows.
    #[getter]
    fn sparse_below(&self, py: Python<'_>) -> f64 {
        either!(self, py, core => core.sparse_below())
    }

    /// Steps done.
    #[getter]
    fn steps(&self, py: Python<'_>) -> PyResult<u64> {
        either!(self, py, core => Ok(core.state().map_err(to_python)?.step))
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let settings = lock(&self.settings).clone();
        (self.layers(py)?, settings.into_bound_py_any(py)?).into_pyobject(py)
    }

    fn __getstate__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        either!(self, py, core => memory_to_python(py, core.state().map_err(to_python)?).into_bound_py_any(py))
    }

    fn __setstate__(&self, py: Python<'_>, memory: &Bound<'_, PyDict>) -> PyResult<()> {
        either!(self, py, core => {
            let parameters = core.parameters().map_err(to_python)?;
            core.restore(&memory_from_python(memory.as_any(), parameters, core.kind())?).map_err(to_python)
        })
    }
}

/// The networks of an ensemble, which predict together, as one ONNX file. They have the same inputs, outputs, loss and
/// precision; `classes` as of `Network.to_onnx`.
#[pyfunction]
#[pyo3(signature = (networks, classes, *, zipmap, dropout))]
pub fn ensemble_to_onnx(
    py: Python<'_>,
    networks: Vec<Py<Network>>,
    classes: Option<Classes>,
    zipmap: bool,
    dropout: bool,
) -> PyResult<Bound<'_, PyBytes>> {
    let request = Request { classes, zipmap, dropout };
    let first = networks.first().ok_or_else(|| PyValueError::new_err("there is no network to write"))?;
    let is_single = matches!(&*first.get().borrow(py), Core::Single(_));
    let bytes = if is_single {
        request.write(described(py, &networks, single)?)
    } else {
        request.write(described(py, &networks, double)?)
    };
    Ok(PyBytes::new(py, &bytes.map_err(to_python)?))
}

/// Settings and state of each network.
fn described<F: Float>(
    py: Python<'_>,
    networks: &[Py<Network>],
    pick: Pick<F>,
) -> PyResult<Vec<(Settings, EngineState<F>)>> {
    let of_one = |network: &Py<Network>| -> PyResult<_> {
        let network = network.get();
        let settings = lock(&network.settings).clone();
        let mut core = network.borrow(py);
        let core =
            pick(&mut core).map_err(|_| PyTypeError::new_err("the networks must have the same precision"))?;
        Ok((settings, core.state().map_err(to_python)?))
    };
    networks.iter().map(of_one).collect()
}

/// The arguments of an epoch that do not depend on the precision.
struct EpochShape<'a> {
    weights: Option<&'a [f64]>,
    order: &'a [usize],
    batch_size: usize,
    alpha: f64,
    threads: usize,
}

/// The network in a precision, or an error if it has the other.
type Pick<F> = fn(&mut Core) -> PyResult<&mut Trained<F>>;

fn single(core: &mut Core) -> PyResult<&mut Trained<f32>> {
    match core {
        Core::Single(core) => Ok(core),
        Core::Double(_) => Err(other_precision()),
    }
}

fn double(core: &mut Core) -> PyResult<&mut Trained<f64>> {
    match core {
        Core::Double(core) => Ok(core),
        Core::Single(_) => Err(other_precision()),
    }
}

fn other_precision() -> PyErr {
    PyTypeError::new_err("the samples must have the network's precision")
}

impl Network {
    /// The network. Waits for it without the interpreter, because the thread that has it may need the interpreter for
    /// signals.
    fn borrow(&self, py: Python<'_>) -> MutexGuard<'_, Core> {
        self.core.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `compute` with the network and the epoch, without the interpreter.
    fn with_epoch<F: Float + Element, T: Send>(
        &self,
        py: Python<'_>,
        rows: &Source<F>,
        targets: &Bound<'_, PyAny>,
        shape: &EpochShape<'_>,
        pick: Pick<F>,
        compute: fn(&mut Trained<F>, &Epoch<'_, '_, F>, usize) -> PyResult<T>,
    ) -> PyResult<T> {
        let EpochShape { weights, order, batch_size, alpha, threads } = *shape;
        if let Ok(labels) = targets.extract::<PyReadonlyArray1<'_, i64>>() {
            let labels = to_indices(&labels)?;
            return rows.with(py, |x| {
                let targets = Targets::Classes(&labels);
                let epoch = Epoch { x, targets, weights, order, batch_size, alpha };
                py.detach(|| compute(pick(&mut lock(&self.core))?, &epoch, threads))
            });
        }
        let values: PyReadonlyArray2<'_, F> = targets.extract().map_err(|_| {
            PyTypeError::new_err("targets must be int64 (N,), or (N, C) in the network's precision")
        })?;
        rows.with(py, |x| {
            let targets = Targets::Values(values.as_array());
            let epoch = Epoch { x, targets, weights, order, batch_size, alpha };
            py.detach(|| compute(pick(&mut lock(&self.core))?, &epoch, threads))
        })
    }

    fn gradients_with<'py, F: Float + Element>(
        &self,
        py: Python<'py>,
        rows: &Source<F>,
        targets: &Bound<'py, PyAny>,
        shape: &EpochShape<'_>,
        pick: Pick<F>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (least, told, gradients) = self.with_epoch(py, rows, targets, shape, pick, Trained::gradients)?;
        (least, told, layers_to_python(py, gradients)).into_bound_py_any(py)
    }

    fn predict_with<'py, F: Float + Element>(
        &self,
        py: Python<'py>,
        x: &Asked<'_, F>,
        threads: usize,
        pick: Pick<F>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let predicted: Array2<F> =
            py.detach(|| pick(&mut lock(&self.core))?.predict(x, threads).map_err(to_python))?;
        Ok(predicted.into_pyarray(py).into_any())
    }
}
