//! The inputs of samples: floats, sparse rows, or images that stay bytes until a batch is made of them.

use std::sync::Arc;

use ndarray::{ArcArray2, Array1, Array2, ArrayView2, Axis, Slice};

use super::SparseRows;
use super::table::Table;
use crate::error::{Error, Result, same_shape};
use crate::float::{Dtype, Float};

/// The inputs of N samples, D numbers each. A copy shares floats and bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Features<F> {
    /// (N, D).
    Floats(ArcArray2<F>),
    /// Images, an eighth or a quarter of the floats' size.
    Pixels(Pixels),
    /// Rows that are mostly zeros, which stay so until a batch is made of them.
    Sparse(SparseRows<F>),
    /// Columns of a table with words, gaps or dates, which stay so until they are scaled.
    Table(Table),
}

/// Images as bytes, the mean image that is subtracted from them, and the deviations that they are divided by, if any.
/// A copy shares the bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    bytes: ArcArray2<u8>,
    mean: Arc<[f64]>,
    deviation: Option<Arc<[f64]>>,
}

impl Pixels {
    /// Images (N, D) in row-major order and their mean image (D), in units of a pixel value.
    ///
    /// # Errors
    /// [`Error::Shape`] if the sizes differ.
    pub fn new(bytes: impl Into<ArcArray2<u8>>, mean: Array1<f64>) -> Result<Self> {
        let bytes = bytes.into();
        same_shape("mean of Pixels::new", &[bytes.ncols()], mean.shape())?;
        Ok(Self { bytes: standard(bytes), mean: mean.iter().copied().collect(), deviation: None })
    }

    /// Bytes (N, D) as they are: less nothing, divided by nothing.
    pub fn plain(bytes: impl Into<ArcArray2<u8>>) -> Self {
        let bytes = bytes.into();
        let mean = vec![0.0; bytes.ncols()].into();
        Self { bytes: standard(bytes), mean, deviation: None }
    }

    /// The same bytes, less another mean (D) and divided by other deviations (D, above 0).
    ///
    /// # Errors
    /// [`Error::Shape`] if the sizes differ.
    pub(super) fn rescaled(&self, mean: &[f64], deviation: Option<&[f64]>) -> Result<Self> {
        let pixels = Self::new(self.bytes.clone(), mean.to_vec().into())?;
        match deviation {
            None => Ok(pixels),
            Some(deviation) => pixels.divided_by(deviation.to_vec().into()),
        }
    }

    /// The images that an array (N, D) of pixels less some mean image was made of, if it was: all numbers of a column are
    /// whole steps apart, to rounding, and at most 255 of them. The mean image is the one that makes each column's least
    /// pixel 0; it need not be the one that was subtracted, but pixels less it are the same numbers, to a unit in the last
    /// place.
    pub fn recover(x: ArrayView2<'_, f64>) -> Option<Self> {
        /// More than rounding of numbers below 512 can do, and far less than a step.
        const ROUNDING: f64 = 1e-10;
        let mut least = Array1::from_elem(x.ncols(), f64::INFINITY);
        for row in x.rows() {
            least.zip_mut_with(&row, |least, &value| *least = least.min(value));
        }
        let mut bytes = Vec::with_capacity(x.len());
        for row in x.rows() {
            for (&value, least) in row.iter().zip(&least) {
                let steps = value - least;
                let whole = steps.round();
                // NaN and infinities fail the comparison.
                if !((steps - whole).abs() < ROUNDING && whole <= 255.0 && value.abs() < 512.0) {
                    return None;
                }
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                // a whole number from 0 to 255
                bytes.push(whole as u8);
            }
        }
        let bytes = Array2::from_shape_vec(x.dim(), bytes).ok()?;
        Self::new(bytes, -least).ok()
    }

    /// The same images, to be divided by `deviation` (D, above 0) once the mean is subtracted.
    ///
    /// # Errors
    /// [`Error::Shape`] if the sizes differ.
    pub fn divided_by(self, deviation: Array1<f64>) -> Result<Self> {
        same_shape("deviation of Pixels::divided_by", &[self.mean.len()], deviation.shape())?;
        Ok(Self { deviation: Some(deviation.iter().copied().collect()), ..self })
    }

    /// All pixels (N, D).
    pub fn view(&self) -> ArrayView2<'_, u8> {
        self.bytes.view()
    }

    /// All pixels, row-major.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_slice().unwrap_or_default() // it is in standard layout
    }

    /// The mean image.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// What each pixel less its mean is divided by; `None` is 1.
    pub fn deviation(&self) -> Option<&[f64]> {
        self.deviation.as_deref()
    }

    /// One image as floats: pixel minus mean (divided by the deviation), computed in 64-bit floats and then rounded to `F`.
    ///
    /// # Panics
    /// If there is no such image, or `out` does not have D elements.
    pub(crate) fn write_row<F: Float>(&self, index: usize, out: &mut [F]) {
        let cols = self.mean.len();
        assert_eq!(out.len(), cols, "columns");
        let pixels = self.bytes()[index * cols..][..cols].iter().zip(self.mean.iter());
        let centred = pixels.map(|(&pixel, mean)| f64::from(pixel) - mean);
        match &self.deviation {
            None => out.iter_mut().zip(centred).for_each(|(out, value)| *out = F::from_f64(value)),
            Some(deviation) => {
                for ((out, value), deviation) in out.iter_mut().zip(centred).zip(deviation.iter()) {
                    *out = F::from_f64(value / deviation);
                }
            }
        }
    }

    /// Chosen images as floats (n, D).
    fn floats<F: Float>(&self, chosen: impl ExactSizeIterator<Item = usize>) -> Array2<F> {
        let mut out = Array2::zeros((chosen.len(), self.mean.len()));
        for (mut out, index) in out.rows_mut().into_iter().zip(chosen) {
            if let Some(out) = out.as_slice_mut() {
                self.write_row(index, out);
            }
        }
        out
    }
}

/// The bytes, row-major.
fn standard(bytes: ArcArray2<u8>) -> ArcArray2<u8> {
    if bytes.is_standard_layout() { bytes } else { bytes.as_standard_layout().into_owned().into() }
}

impl<F: Float> Features<F> {
    /// (N, D).
    pub fn dim(&self) -> (usize, usize) {
        match self {
            Self::Floats(x) => x.dim(),
            Self::Pixels(pixels) => pixels.bytes.dim(),
            Self::Sparse(sparse) => sparse.dim(),
            Self::Table(table) => table.dim(),
        }
    }

    /// Chosen samples as floats (n, D): of images pixel minus mean (divided by the deviation), computed in 64-bit floats
    /// and then rounded to `F`, as the course does.
    ///
    /// # Errors
    /// [`Error::Shape`] if an index is not below N.
    pub fn select(&self, chosen: &[usize]) -> Result<Array2<F>> {
        let samples = self.dim().0;
        if let Some(index) = chosen.iter().find(|&&index| index >= samples) {
            return Err(Error::shape("chosen samples", format!("indices below {samples}"), index));
        }
        Ok(match self {
            Self::Floats(x) => x.select(Axis(0), chosen),
            Self::Pixels(pixels) => pixels.floats(chosen.iter().copied()),
            Self::Sparse(sparse) => sparse.dense(chosen.iter().copied()),
            Self::Table(table) => floats_of(table, chosen.iter().copied()),
        })
    }

    /// All samples as floats (N, D), as [`Features::select`] makes them; those that are floats are shared.
    pub fn to_floats(&self) -> ArcArray2<F> {
        match self {
            Self::Floats(x) => x.clone(),
            Self::Pixels(pixels) => pixels.floats(0..pixels.bytes.nrows()).into(),
            Self::Sparse(sparse) => sparse.dense(0..sparse.dim().0).into(),
            Self::Table(table) => floats_of(table, 0..table.dim().0).into(),
        }
    }

    /// The same samples in 64-bit floats; bytes stay bytes, and sparse rows sparse.
    pub fn to_f64(&self) -> Features<f64> {
        match self {
            Self::Floats(x) => x.mapv(F::as_f64).into(),
            Self::Pixels(pixels) => pixels.clone().into(),
            Self::Sparse(sparse) => sparse.rounded().into(),
            Self::Table(table) => Features::Table(table.clone()),
        }
    }

    /// The name of the number type in memory, as NumPy has it: "uint8", "float32" or "float64".
    pub fn dtype(&self) -> &'static str {
        match (self, F::DTYPE) {
            (Self::Pixels(_), _) => "uint8",
            (_, Dtype::F32) => "float32",
            (_, Dtype::F64) => "float64",
        }
    }

    /// The least and the greatest number as it is stored; `None` if there is none.
    pub fn range(&self) -> Option<(f64, f64)> {
        fn ends<'a, F: Float>(values: impl IntoIterator<Item = &'a F>) -> Option<(f64, f64)> {
            values.into_iter().map(|value| value.as_f64()).fold(None, |ends, value| {
                let (least, greatest) = ends.unwrap_or((value, value));
                Some((least.min(value), greatest.max(value)))
            })
        }
        match self {
            Self::Pixels(pixels) => {
                let (least, greatest) = (pixels.bytes.iter().min()?, pixels.bytes.iter().max()?);
                Some((f64::from(*least), f64::from(*greatest)))
            }
            Self::Floats(x) => ends(x),
            Self::Sparse(sparse) => {
                let (least, greatest) = ends(sparse.values()).unwrap_or_default();
                let zeros = sparse.values().len() < sparse.dim().0 * sparse.dim().1;
                Some(if zeros { (least.min(0.0), greatest.max(0.0)) } else { (least, greatest) })
            }
            Self::Table(_) => ends(&self.to_floats()),
        }
    }

    /// Row and column of a number that is not finite.
    pub(super) fn first_not_finite(&self) -> Option<(usize, usize)> {
        match self {
            Self::Floats(x) => x.indexed_iter().find(|(_, value)| !value.is_finite()).map(|(place, _)| place),
            // Gaps of a table are filled, and its dates are bounded.
            Self::Pixels(_) | Self::Table(_) => None,
            Self::Sparse(sparse) => (0..sparse.dim().0).find_map(|row| {
                let (columns, values) = sparse.row(row);
                let at = values.iter().position(|value| !value.is_finite())?;
                Some((row, columns[at] as usize))
            }),
        }
    }

    /// Rows `from..to`, at most N, which share the numbers of these where they are dense.
    pub(super) fn slice(&self, from: usize, to: usize) -> Self {
        let rows = Slice::from(from..to);
        match self {
            Self::Floats(x) => Self::Floats(x.clone().slice_axis_move(Axis(0), rows)),
            Self::Pixels(pixels) => Self::Pixels(Pixels {
                bytes: pixels.bytes.clone().slice_axis_move(Axis(0), rows),
                ..pixels.clone()
            }),
            Self::Sparse(sparse) => Self::Sparse(sparse.select(from..to)),
            Self::Table(table) => Self::Table(table.slice(from, to)),
        }
    }

    /// Rows in another order: row `i` is what row `order[i]` was.
    pub(super) fn reordered(self, order: &[usize]) -> Self {
        match self {
            Self::Floats(x) => Self::Floats(reorder_rows(x, order)),
            Self::Pixels(Pixels { bytes, mean, deviation }) => {
                Self::Pixels(Pixels { bytes: reorder_rows(bytes, order), mean, deviation })
            }
            Self::Sparse(sparse) => Self::Sparse(sparse.select(order.iter().copied())),
            Self::Table(table) => Self::Table(table.reordered(order)),
        }
    }
}

/// Chosen rows of a table as floats (n, D).
fn floats_of<F: Float>(table: &Table, chosen: impl ExactSizeIterator<Item = usize>) -> Array2<F> {
    let mut out = Array2::zeros((chosen.len(), table.dim().1));
    for (mut out, index) in out.rows_mut().into_iter().zip(chosen) {
        if let Some(out) = out.as_slice_mut() {
            table.write_row(index, out);
        }
    }
    out
}

impl<F> From<Array2<F>> for Features<F> {
    fn from(x: Array2<F>) -> Self {
        Self::Floats(x.into())
    }
}

impl<F> From<ArcArray2<F>> for Features<F> {
    fn from(x: ArcArray2<F>) -> Self {
        Self::Floats(x)
    }
}

impl<F: Float> From<ArrayView2<'_, F>> for Features<f64> {
    fn from(x: ArrayView2<'_, F>) -> Self {
        x.mapv(F::as_f64).into()
    }
}

impl<F: Float> From<&Array2<F>> for Features<f64> {
    fn from(x: &Array2<F>) -> Self {
        x.view().into()
    }
}

impl<F> From<Pixels> for Features<F> {
    fn from(pixels: Pixels) -> Self {
        Self::Pixels(pixels)
    }
}

impl<F> From<SparseRows<F>> for Features<F> {
    fn from(rows: SparseRows<F>) -> Self {
        Self::Sparse(rows)
    }
}

/// Follows each cycle of the permutation, with one row kept aside.
pub(super) fn reorder_rows<T: Copy>(values: ArcArray2<T>, order: &[usize]) -> ArcArray2<T> {
    let cols = values.ncols();
    let mut values = values.into_owned();
    let Some(rows) = values.as_slice_mut() else { return values.into() };
    let mut done = vec![false; order.len()];
    let mut aside = Vec::with_capacity(cols);
    for start in 0..order.len() {
        if done[start] {
            continue;
        }
        aside.clear();
        aside.extend_from_slice(&rows[start * cols..][..cols]);
        let mut to = start;
        loop {
            done[to] = true;
            let from = order[to];
            if from == start {
                rows[to * cols..][..cols].copy_from_slice(&aside);
                break;
            }
            rows.copy_within(from * cols..(from + 1) * cols, to * cols);
            to = from;
        }
    }
    values.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::RandomState;

    #[test]
    fn rows_are_reordered_in_place() {
        let values = Array2::from_shape_fn((7, 3), |(row, col)| 10 * row + col);
        for seed in 0..20 {
            let order = RandomState::new(seed).permutation(7);
            let expected = values.select(Axis(0), &order);
            assert_eq!(reorder_rows(values.clone().into(), &order), expected);
        }
    }
}
