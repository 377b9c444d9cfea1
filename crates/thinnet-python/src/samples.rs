//! The rows that a network is trained on, which threads read in every epoch without the interpreter: a copy, or rows
//! that stay in Python's memory.

use numpy::{Element, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use thinnet::data::{Features, SparseRows};

use crate::errors::to_python;
use crate::training::Asked;

/// Rows (N, D) of 32-bit or 64-bit floats, dense or sparse.
#[pyclass(module = "thinnet._thinnet", frozen)]
pub struct Samples {
    pub rows: Rows,
}

/// The rows in either precision.
pub enum Rows {
    Single(Source<f32>),
    Double(Source<f64>),
}

/// Where the rows are.
pub enum Source<F: Element> {
    Own(Features<F>),
    /// Python's, which nobody may change meanwhile.
    Python(Py<PyArray2<F>>),
}

impl<F: thinnet::Float + Element> Source<F> {
    /// Calls `read` with the rows.
    pub fn with<T>(&self, py: Python<'_>, read: impl FnOnce(Asked<'_, F>) -> PyResult<T>) -> PyResult<T> {
        match self {
            Self::Own(rows) => read(Asked::Rows(rows)),
            Self::Python(array) => read(Asked::View(array.bind(py).try_readonly()?.as_array())),
        }
    }

    fn len(&self, py: Python<'_>) -> usize {
        match self {
            Self::Own(rows) => rows.dim().0,
            Self::Python(array) => array.bind(py).dims()[0],
        }
    }
}

#[pymethods]
impl Samples {
    /// The array `x` (N, D), of float32 or float64: a copy, or itself if `in_place`. As sparse rows if the share of
    /// nonzero numbers is smaller than `sparse_below`.
    #[staticmethod]
    #[pyo3(signature = (x, sparse_below = 0.0, *, in_place = false))]
    fn dense(x: &Bound<'_, PyAny>, sparse_below: f64, in_place: bool) -> PyResult<Self> {
        let rows = if let Ok(x) = x.extract::<PyReadonlyArray2<'_, f32>>() {
            Rows::Single(source(&x, sparse_below, in_place))
        } else if let Ok(x) = x.extract::<PyReadonlyArray2<'_, f64>>() {
            Rows::Double(source(&x, sparse_below, in_place))
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
            Rows::Single(Source::Own(Features::Sparse(rows_of(columns, starts, indices, &data)?)))
        } else if let Ok(data) = data.extract::<PyReadonlyArray1<'_, f64>>() {
            Rows::Double(Source::Own(Features::Sparse(rows_of(columns, starts, indices, &data)?)))
        } else {
            return Err(PyTypeError::new_err("data must be a one-dimensional array of float32 or float64"));
        };
        Ok(Self { rows })
    }

    /// Number of rows.
    fn __len__(&self, py: Python<'_>) -> usize {
        match &self.rows {
            Rows::Single(rows) => rows.len(py),
            Rows::Double(rows) => rows.len(py),
        }
    }
}

fn source<F: thinnet::Float + Element>(
    array: &PyReadonlyArray2<'_, F>,
    sparse_below: f64,
    in_place: bool,
) -> Source<F> {
    let x = array.as_array();
    let limit = sparse_below * x.len() as f64;
    if sparse_below > 0.0 && (x.iter().filter(|value| **value != F::zero()).count() as f64) < limit {
        Source::Own(Features::Sparse(SparseRows::from_dense(x)))
    } else if in_place {
        Source::Python((**array).clone().unbind())
    } else {
        Source::Own(x.to_owned().into())
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
