//! The rows that a network is trained on, copied once out of Python's memory, so that threads can read them in every
//! epoch without the interpreter.

use numpy::ndarray::ArrayView2;
use numpy::{Element, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use thinnet::data::{Features, SparseRows};

use crate::errors::to_python;

/// Rows (N, D) of 32-bit or 64-bit floats, dense or sparse.
#[pyclass(module = "thinnet._thinnet", frozen)]
pub struct Samples {
    pub rows: Rows,
}

/// The rows in either precision.
pub enum Rows {
    Single(Features<f32>),
    Double(Features<f64>),
}

#[pymethods]
impl Samples {
    /// A copy of the array `x` (N, D), of float32 or float64; as sparse rows if the share of nonzero numbers is smaller
    /// than `sparse_below`.
    #[staticmethod]
    #[pyo3(signature = (x, sparse_below = 0.0))]
    fn dense(x: &Bound<'_, PyAny>, sparse_below: f64) -> PyResult<Self> {
        let rows = if let Ok(x) = x.extract::<PyReadonlyArray2<'_, f32>>() {
            Rows::Single(copy_of(x.as_array(), sparse_below))
        } else if let Ok(x) = x.extract::<PyReadonlyArray2<'_, f64>>() {
            Rows::Double(copy_of(x.as_array(), sparse_below))
        } else {
            return Err(PyTypeError::new_err("x must be a two-dimensional array of float32 or float64"));
        };
        Ok(Self { rows })
    }

    /// A copy of compressed sparse rows: SciPy's `indptr` (N + 1), `indices` and `data`.
    #[staticmethod]
    fn sparse(
        columns: usize,
        indptr: PyReadonlyArray1<'_, i64>,
        indices: PyReadonlyArray1<'_, i64>,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let starts = to_indices(&indptr)?;
        let columns_of =
            indices.as_array().iter().map(|&index| u32::try_from(index)).collect::<Result<_, _>>();
        let indices: Vec<u32> = columns_of
            .map_err(|_| PyValueError::new_err("a sparse matrix's columns must be from 0 to 4294967295"))?;
        let rows = if let Ok(data) = data.extract::<PyReadonlyArray1<'_, f32>>() {
            Rows::Single(Features::Sparse(rows_of(columns, starts, indices, &data)?))
        } else if let Ok(data) = data.extract::<PyReadonlyArray1<'_, f64>>() {
            Rows::Double(Features::Sparse(rows_of(columns, starts, indices, &data)?))
        } else {
            return Err(PyTypeError::new_err("data must be a one-dimensional array of float32 or float64"));
        };
        Ok(Self { rows })
    }

    /// Number of rows.
    fn __len__(&self) -> usize {
        match &self.rows {
            Rows::Single(rows) => rows.dim().0,
            Rows::Double(rows) => rows.dim().0,
        }
    }
}

fn copy_of<F: thinnet::Float>(x: ArrayView2<'_, F>, sparse_below: f64) -> Features<F> {
    let limit = sparse_below * x.len() as f64;
    if sparse_below > 0.0 && (x.iter().filter(|value| **value != F::zero()).count() as f64) < limit {
        Features::Sparse(SparseRows::from_dense(x))
    } else {
        x.to_owned().into()
    }
}

fn rows_of<F: thinnet::Float + Element>(
    columns: usize,
    starts: Vec<usize>,
    indices: Vec<u32>,
    data: &PyReadonlyArray1<'_, F>,
) -> PyResult<SparseRows<F>> {
    SparseRows::new(columns, starts, indices, data.as_array().to_vec()).map_err(to_python)
}

/// Whole numbers, none negative.
pub fn to_indices(values: &PyReadonlyArray1<'_, i64>) -> PyResult<Vec<usize>> {
    let converted = values.as_array().iter().map(|&value| usize::try_from(value)).collect::<Result<_, _>>();
    converted.map_err(|_| PyValueError::new_err("an index must not be negative"))
}
