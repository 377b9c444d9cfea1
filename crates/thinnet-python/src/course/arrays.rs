//! Converts NumPy arrays to the library's views, and back.

use ndarray::{Array, ArrayView, Dimension};
use numpy::{
    Element, PyArrayDescrMethods, PyReadonlyArray1, PyReadonlyArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods, ToPyArray,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use thinnet::{Dtype, Float};

/// The library's floats, which NumPy also has.
pub(crate) trait Number: Float + Element {}

impl Number for f32 {}
impl Number for f64 {}

/// Runs the block with `$F` as the float type of the NumPy array `$array`.
macro_rules! by_dtype {
    ($array:expr, $F:ident, $block:block) => {
        match $crate::course::arrays::dtype_of($array)? {
            thinnet::Dtype::F32 => {
                type $F = f32;
                $block
            }
            thinnet::Dtype::F64 => {
                type $F = f64;
                $block
            }
        }
    };
}
pub(crate) use by_dtype;

/// The float type of an array.
pub(crate) fn dtype_of(array: &Bound<'_, PyAny>) -> PyResult<Dtype> {
    let dtype = array.cast::<PyUntypedArray>()?.dtype();
    let py = array.py();
    if dtype.is_equiv_to(&numpy::dtype::<f32>(py)) {
        Ok(Dtype::F32)
    } else if dtype.is_equiv_to(&numpy::dtype::<f64>(py)) {
        Ok(Dtype::F64)
    } else {
        Err(PyTypeError::new_err(format!("arrays must be of float32 or float64, got {dtype}")))
    }
}

/// A NumPy array that is read in place.
pub(crate) struct Argument<'py, F: Number> {
    array: PyReadonlyArrayDyn<'py, F>,
    name: &'static str,
}

impl<'py, F: Number> Argument<'py, F> {
    /// The argument `name`, which must be of this float type.
    pub(crate) fn new(array: &Bound<'py, PyAny>, name: &'static str) -> PyResult<Self> {
        let array = array.extract().map_err(|_| {
            PyTypeError::new_err(format!("{name}: expected an array of {}, like the others", F::DTYPE))
        })?;
        Ok(Self { array, name })
    }

    /// A view of it with as many dimensions as `D` has.
    pub(crate) fn view<D: Dimension>(&self) -> PyResult<ArrayView<'_, F, D>> {
        let array = self.array.as_array();
        let got = array.ndim();
        array.into_dimensionality().map_err(|_| {
            let expected = D::NDIM.unwrap_or(got);
            PyValueError::new_err(format!(
                "{}: expected an array with {expected} dimensions, got one with {got}",
                self.name
            ))
        })
    }
}

/// The labels of N samples.
pub(crate) fn labels(y: &PyReadonlyArray1<'_, i64>) -> PyResult<Vec<usize>> {
    y.as_array()
        .iter()
        .map(|&label| {
            usize::try_from(label)
                .map_err(|_| PyValueError::new_err(format!("labels count from 0, but {label} is negative")))
        })
        .collect()
}

/// A new NumPy array, row-major.
pub(crate) fn give<'py, F: Number, D: Dimension>(py: Python<'py>, array: &Array<F, D>) -> Bound<'py, PyAny> {
    array.as_standard_layout().to_pyarray(py).into_any()
}
