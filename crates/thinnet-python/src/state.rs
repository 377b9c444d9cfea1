//! Converts parameters and an engine's state to Python's arrays, and back.

use numpy::ndarray::Array1;
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyArrayDyn, PyReadonlyArray1, PyReadonlyArray2,
    PyReadonlyArrayDyn, ToPyArray,
};
use pyo3::prelude::*;
use thinnet::Float;
use thinnet::engine::EngineState;
use thinnet::layers::RunningStatistics;
use thinnet::net::{LayerParameters, Parameters};
use thinnet::optim::{OptimiserKind, OptimiserState};

/// A layer in Python: weights (D, H), biases (H), and, with batch normalisation, scale and shift (H each).
pub type Layer<'py, F> = (
    Bound<'py, PyArray2<F>>,
    Bound<'py, PyArray1<F>>,
    Option<(Bound<'py, PyArray1<F>>, Bound<'py, PyArray1<F>>)>,
);

type LayerIn<'py, F> = (
    PyReadonlyArray2<'py, F>,
    PyReadonlyArray1<'py, F>,
    Option<(PyReadonlyArray1<'py, F>, PyReadonlyArray1<'py, F>)>,
);

/// Two vectors of a layer.
type Pair<'py, F> = (Bound<'py, PyArray1<F>>, Bound<'py, PyArray1<F>>);

/// Everything except the parameters: steps, the optimiser's arrays for each parameter with its number of updates,
/// running means and variances.
#[derive(IntoPyObject)]
pub struct Memory<'py, F: Element> {
    step: u64,
    optimiser: Vec<(Vec<Bound<'py, PyArrayDyn<F>>>, u64)>,
    running: Vec<Pair<'py, F>>,
}

/// The layers as new arrays.
pub fn layers_to_python<F: Float + Element>(py: Python<'_>, parameters: Parameters<F>) -> Vec<Layer<'_, F>> {
    let layers = parameters.layers.into_iter();
    let pair = |(gamma, beta): (Array1<F>, Array1<F>)| (gamma.into_pyarray(py), beta.into_pyarray(py));
    layers.map(|layer| (layer.w.to_pyarray(py), layer.b.to_pyarray(py), layer.gamma_beta.map(pair))).collect()
}

/// Parameters from a list of layers, each `(W, b, None)` or `(W, b, (gamma, beta))`, all in this precision.
pub fn layers_from_python<F: Float + Element>(layers: &Bound<'_, PyAny>) -> PyResult<Parameters<F>> {
    let layers: Vec<LayerIn<'_, F>> = layers.extract()?;
    let layers = layers.into_iter().map(|(w, b, gamma_beta)| LayerParameters {
        w: w.as_array().to_owned(),
        b: b.as_array().to_owned(),
        gamma_beta: gamma_beta.map(|(gamma, beta)| (gamma.as_array().to_owned(), beta.as_array().to_owned())),
    });
    Ok(Parameters { layers: layers.collect() })
}

/// The whole state except the parameters.
pub fn memory_to_python<F: Float + Element>(py: Python<'_>, state: EngineState<F>) -> Memory<'_, F> {
    let arrays = |state: OptimiserState<F>| {
        (state.slots.into_iter().map(|slot| slot.into_pyarray(py)).collect(), state.steps)
    };
    let optimiser = state.optimiser.into_iter().map(arrays).collect();
    let running = state.running.into_iter();
    let running = running.map(|own| (own.mean.into_pyarray(py), own.variance.into_pyarray(py))).collect();
    Memory { step: state.step, optimiser, running }
}

/// The state written by [`memory_to_python`], with these parameters and this optimiser.
pub fn memory_from_python<F: Float + Element>(
    memory: &Bound<'_, PyAny>,
    parameters: Parameters<F>,
    kind: OptimiserKind,
) -> PyResult<EngineState<F>> {
    let optimiser: Vec<(Vec<PyReadonlyArrayDyn<'_, F>>, u64)> = memory.get_item("optimiser")?.extract()?;
    let running: Vec<(PyReadonlyArray1<'_, F>, PyReadonlyArray1<'_, F>)> =
        memory.get_item("running")?.extract()?;
    let optimiser = optimiser.iter().map(|(slots, steps)| OptimiserState {
        kind,
        slots: slots.iter().map(|slot| slot.as_array().to_owned()).collect(),
        steps: *steps,
    });
    let running = running.into_iter().map(|(mean, variance)| RunningStatistics {
        mean: mean.as_array().to_owned(),
        variance: variance.as_array().to_owned(),
    });
    Ok(EngineState {
        parameters,
        optimiser: optimiser.collect(),
        step: memory.get_item("step")?.extract()?,
        running: running.collect(),
    })
}
