//! Rows that are mostly zeros, kept as what is not: compressed sparse rows, SciPy's CSR.

use ndarray::Array2;

use crate::error::{Error, Result};
use crate::float::Float;

/// N rows of D columns, of which only the entries that are not zero are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseRows<F> {
    columns: usize,
    /// N + 1 ascending positions in `indices` and `values`: where each row starts.
    starts: Vec<usize>,
    /// Columns, each below D.
    indices: Vec<u32>,
    values: Vec<F>,
}

impl<F: Float> SparseRows<F> {
    /// Rows of so many columns from SciPy's `indptr` (N + 1), `indices` and `data` (an element an entry). A column may
    /// come more than once in a row: such entries are added up.
    ///
    /// # Errors
    /// [`Error::Shape`] if the three do not fit each other; [`Error::Data`] for a column that is not below `columns`.
    pub fn new(columns: usize, starts: Vec<usize>, indices: Vec<u32>, values: Vec<F>) -> Result<Self> {
        if indices.len() != values.len() {
            return Err(Error::shape("values of sparse rows", [indices.len()], [values.len()]));
        }
        let ascending = starts.is_sorted() && starts.first() == Some(&0);
        if !ascending || starts.last() != Some(&indices.len()) {
            return Err(Error::shape(
                "row starts of sparse rows",
                format!("ascending from 0 to {}", indices.len()),
                format!("{} starts to {:?}", starts.len(), starts.last()),
            ));
        }
        match indices.iter().find(|&&index| index as usize >= columns) {
            Some(index) => Err(Error::data(format!(
                "sparse rows of {columns} columns have no column {index}, counted from 0"
            ))),
            None => Ok(Self { columns, starts, indices, values }),
        }
    }

    /// (N, D).
    pub fn dim(&self) -> (usize, usize) {
        (self.starts.len() - 1, self.columns)
    }

    /// The entries of row `index` below N: column and value.
    pub(crate) fn row(&self, index: usize) -> impl Iterator<Item = (usize, F)> {
        let entries = self.starts[index]..self.starts[index + 1];
        self.indices[entries.clone()].iter().zip(&self.values[entries]).map(|(&i, &v)| (i as usize, v))
    }

    /// Chosen rows, zeros and all (n, D).
    pub(super) fn dense(&self, chosen: impl ExactSizeIterator<Item = usize>) -> Array2<F> {
        let mut out = Array2::zeros((chosen.len(), self.columns));
        for (mut out, index) in out.rows_mut().into_iter().zip(chosen) {
            for (column, value) in self.row(index) {
                out[column] += value;
            }
        }
        out
    }
}
