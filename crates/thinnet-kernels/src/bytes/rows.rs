//! Samples as bytes, in the kernels' layout.

/// Columns of a panel of bytes: one vector of AVX-512.
pub(super) const PANEL: usize = 64;

/// One row of a panel.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Line<B>(pub(super) [B; PANEL]);

/// A matrix of bytes in panels, `[ceil(cols / 64)][rows][64]`, padded with zeros.
#[derive(Clone, Debug)]
pub struct ByteRows {
    pub(super) data: Vec<Line<u8>>,
    pub(super) rows: usize,
    pub(super) cols: usize,
}

impl ByteRows {
    /// Packs a row-major matrix, `rows` by `cols`.
    ///
    /// # Panics
    /// If `source` does not have `rows * cols` elements.
    pub fn new(rows: usize, cols: usize, source: &[u8]) -> Self {
        assert_eq!(source.len(), rows * cols, "elements of {rows} rows by {cols}");
        let mut data = vec![Line([0; PANEL]); cols.div_ceil(PANEL) * rows];
        for (r, row) in source.chunks_exact(cols.max(1)).enumerate() {
            for (p, part) in row.chunks(PANEL).enumerate() {
                data[p * rows + r].0[..part.len()].copy_from_slice(part);
            }
        }
        Self { data, rows, cols }
    }

    /// Rows of the matrix.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the matrix.
    pub fn cols(&self) -> usize {
        self.cols
    }
}

/// The sum of squares of each row minus `mean`: `|x[n] - mean|^2`.
///
/// # Panics
/// If `mean` does not have `x.cols()` elements.
pub fn squared_distances(x: &ByteRows, mean: &[f64]) -> Vec<f64> {
    assert_eq!(mean.len(), x.cols, "columns");
    (0..x.rows)
        .map(|row| {
            let parts = mean.chunks(PANEL).enumerate();
            parts
                .map(|(p, mean)| {
                    let line = &x.data[p * x.rows + row].0;
                    mean.iter().zip(line).map(|(mean, &x)| (f64::from(x) - mean).powi(2)).sum::<f64>()
                })
                .sum()
        })
        .collect()
}
