//! Rows that are mostly zeros, stored without the zeros: compressed sparse rows, SciPy's CSR.

use ndarray::{Array2, ArrayView2};

use crate::error::{Error, Result, same_shape};
use crate::float::Float;

/// N rows of D columns; only the nonzero entries are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseRows<F> {
    columns: usize,
    /// N + 1 ascending positions in `indices` and `values` where the rows start.
    starts: Vec<usize>,
    /// Columns, each below D, ascending within a row.
    indices: Vec<u32>,
    values: Vec<F>,
}

impl<F: Float> SparseRows<F> {
    /// Rows with this many columns from SciPy's `indptr` (N + 1), `indices` and `data` (one element per entry). A
    /// row's columns may be in any order, and may repeat: such entries are added up.
    ///
    /// # Errors
    /// [`Error::Shape`] if the three do not match; [`Error::Data`] for a column that is not below `columns`.
    pub fn new(columns: usize, starts: Vec<usize>, indices: Vec<u32>, values: Vec<F>) -> Result<Self> {
        same_shape("values of sparse rows", &[indices.len()], &[values.len()])?;
        let ascending = starts.is_sorted() && starts.first() == Some(&0);
        if !ascending || starts.last() != Some(&indices.len()) {
            return Err(Error::shape(
                "row starts of sparse rows",
                format!("ascending from 0 to {}", indices.len()),
                format!("{} starts to {:?}", starts.len(), starts.last()),
            ));
        }
        if let Some(index) = indices.iter().find(|&&index| index as usize >= columns) {
            return Err(Error::data(format!(
                "sparse rows of {columns} columns have no column {index}, counted from 0"
            )));
        }
        let sparse = Self { columns, starts, indices, values };
        let strictly = |row: &[u32]| row.windows(2).all(|pair| pair[0] < pair[1]);
        if (0..sparse.dim().0).all(|row| strictly(sparse.row(row).0)) {
            Ok(sparse)
        } else {
            Ok(sparse.sorted())
        }
    }

    /// The nonzero entries of `x` (N, D).
    pub fn from_dense(x: ArrayView2<'_, F>) -> Self {
        let mut sparse =
            Self { columns: x.ncols(), starts: vec![0], indices: Vec::new(), values: Vec::new() };
        for row in x.rows() {
            for (column, &value) in (0..).zip(row) {
                if value != F::zero() {
                    sparse.indices.push(column);
                    sparse.values.push(value);
                }
            }
            sparse.starts.push(sparse.indices.len());
        }
        sparse
    }

    /// (N, D).
    pub fn dim(&self) -> (usize, usize) {
        (self.starts.len() - 1, self.columns)
    }

    /// The entries of row `index` below N: ascending columns, and their values.
    pub(crate) fn row(&self, index: usize) -> (&[u32], &[F]) {
        let entries = self.starts[index]..self.starts[index + 1];
        (&self.indices[entries.clone()], &self.values[entries])
    }

    /// The same rows in another number type, each entry rounded to the nearest.
    pub(super) fn rounded<G: Float>(&self) -> SparseRows<G> {
        let values = self.values.iter().map(|value| G::from_f64(value.as_f64())).collect();
        let Self { columns, starts, indices, .. } = self.clone();
        SparseRows { columns, starts, indices, values }
    }

    /// Every entry, row by row.
    pub(crate) fn values(&self) -> &[F] {
        &self.values
    }

    /// The chosen rows, each below N.
    pub(crate) fn select(&self, chosen: impl IntoIterator<Item = usize>) -> Self {
        let mut sparse =
            Self { columns: self.columns, starts: vec![0], indices: Vec::new(), values: Vec::new() };
        for index in chosen {
            let (columns, values) = self.row(index);
            sparse.indices.extend_from_slice(columns);
            sparse.values.extend_from_slice(values);
            sparse.starts.push(sparse.indices.len());
        }
        sparse
    }

    /// The chosen rows as dense rows (n, D).
    pub(crate) fn dense(&self, chosen: impl ExactSizeIterator<Item = usize>) -> Array2<F> {
        let mut out = Array2::zeros((chosen.len(), self.columns));
        for (mut out, index) in out.rows_mut().into_iter().zip(chosen) {
            let (columns, values) = self.row(index);
            for (&column, &value) in columns.iter().zip(values) {
                out[column as usize] = value;
            }
        }
        out
    }

    /// The same rows with each row's columns in ascending order, and repeated ones added up.
    fn sorted(&self) -> Self {
        let mut sparse =
            Self { columns: self.columns, starts: vec![0], indices: Vec::new(), values: Vec::new() };
        for index in 0..self.dim().0 {
            let (columns, values) = self.row(index);
            let mut entries: Vec<(u32, F)> = columns.iter().copied().zip(values.iter().copied()).collect();
            entries.sort_by_key(|&(column, _)| column);
            for (column, value) in entries {
                let first = sparse.starts[index];
                match sparse.values.last_mut() {
                    Some(last) if sparse.indices[first..].last() == Some(&column) => *last += value,
                    _ => {
                        sparse.indices.push(column);
                        sparse.values.push(value);
                    }
                }
            }
            sparse.starts.push(sparse.indices.len());
        }
        sparse
    }
}
