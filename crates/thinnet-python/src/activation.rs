//! Activations on their own, for the features of hidden layers.

use numpy::{Element, IntoPyArray, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::{IntoPyObjectExt, exceptions::PyTypeError};
use thinnet::Float;
use thinnet::layers::Activation;

use crate::errors::to_python;

/// The activation of each number of `x`, an array (N, H) of float32 or float64.
#[pyfunction]
pub fn activate<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    activation: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let activation = activation.parse::<Activation>().map_err(to_python)?;
    if let Ok(x) = x.extract::<PyReadonlyArray2<'_, f32>>() {
        of(py, &x, activation).into_bound_py_any(py)
    } else if let Ok(x) = x.extract::<PyReadonlyArray2<'_, f64>>() {
        of(py, &x, activation).into_bound_py_any(py)
    } else {
        Err(PyTypeError::new_err("x must be a two-dimensional array of float32 or float64"))
    }
}

fn of<'py, F: Float + Element>(
    py: Python<'py>,
    x: &PyReadonlyArray2<'py, F>,
    activation: Activation,
) -> Bound<'py, PyArray2<F>> {
    x.as_array().mapv(|z| activation.value(z)).into_pyarray(py)
}
