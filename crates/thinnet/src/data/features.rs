//! The inputs of samples: floats, sparse rows, or images that stay bytes until they are put into a batch.

use std::borrow::Cow;
use std::sync::Arc;

use ndarray::{ArcArray2, Array1, Array2, ArrayView2, ArrayViewMut1, Axis, Slice};

use super::SparseRows;
use super::stored::{Source, Stored, Window};
use super::table::Table;
use crate::error::{Error, Result, same_shape};
use crate::float::{Dtype, Float};

/// The inputs of N samples with D numbers each. A copy shares floats and bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Features<F> {
    /// (N, D).
    Floats(ArcArray2<F>),
    /// (N, D), numbers that fit exactly in 32 bits, as stored in a file.
    Singles(ArcArray2<f32>),
    /// Images; they take an eighth or a quarter of the floats' memory.
    Pixels(Pixels),
    /// Rows that are mostly zeros; they stay sparse until they are put into a batch.
    Sparse(SparseRows<F>),
    /// Columns of a table with words, gaps or dates; they stay so until they are scaled.
    Table(Table),
    /// Rows that stay in their file until they are needed.
    Stored(Stored<Features<F>>),
}

/// Images as bytes, the mean image that is subtracted from them, and the standard deviations that they are divided
/// by, if any. A copy shares the bytes.
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

    /// Bytes (N, D) without a mean or a standard deviation.
    pub fn plain(bytes: impl Into<ArcArray2<u8>>) -> Self {
        let bytes = bytes.into();
        let mean = vec![0.0; bytes.ncols()].into();
        Self { bytes: standard(bytes), mean, deviation: None }
    }

    /// The same bytes with another mean (D) and other standard deviations (D, above 0).
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

    /// Finds the images behind an array (N, D) of pixels minus some mean image. They exist if all numbers of a column
    /// are whole steps apart, up to rounding, and at most 255 steps. The mean image is the one that makes each
    /// column's smallest pixel 0. It may differ from the one that was subtracted, but pixels minus it are the same
    /// numbers, up to one unit in the last place.
    pub fn recover(x: ArrayView2<'_, f64>) -> Option<Self> {
        /// More than rounding can change numbers below 512, and far less than a step.
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

    /// The same images, to be divided by `deviation` (D, above 0) after the mean is subtracted.
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

    /// What each pixel is divided by after its mean is subtracted; `None` means 1.
    pub fn deviation(&self) -> Option<&[f64]> {
        self.deviation.as_deref()
    }

    /// One image as floats: pixel minus mean (divided by the standard deviation), computed in 64-bit floats and then
    /// rounded to `F`.
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

    /// The chosen images as floats (n, D).
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

/// A 32-bit number as `F`, which holds it exactly.
fn widened<F: Float>(value: f32) -> F {
    F::from_f64(value.into())
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
            Self::Singles(x) => x.dim(),
            Self::Pixels(pixels) => pixels.bytes.dim(),
            Self::Sparse(sparse) => sparse.dim(),
            Self::Table(table) => table.dim(),
            Self::Stored(stored) => stored.dim(),
        }
    }

    /// The chosen samples as floats (n, D). Images become pixel minus mean (divided by the standard deviation),
    /// computed in 64-bit floats and then rounded to `F`, as in the course.
    ///
    /// # Errors
    /// [`Error::Shape`] if an index is not below N; errors of reading, if samples stay in a file.
    pub fn select(&self, chosen: &[usize]) -> Result<Array2<F>> {
        let (samples, width) = self.dim();
        if let Some(index) = chosen.iter().find(|&&index| index >= samples) {
            return Err(Error::shape("chosen samples", format!("indices below {samples}"), index));
        }
        Ok(match self {
            Self::Floats(x) => x.select(Axis(0), chosen),
            Self::Singles(x) => x.select(Axis(0), chosen).mapv(widened),
            Self::Pixels(pixels) => pixels.floats(chosen.iter().copied()),
            Self::Sparse(sparse) => sparse.dense(chosen.iter().copied()),
            Self::Table(table) => floats_of(table, chosen.iter().copied()),
            Self::Stored(stored) => {
                let order: Vec<usize> = chosen.to_vec();
                let mut floats = Array2::zeros((chosen.len(), width));
                stored.reordered(&order).each_block(|block, rows| {
                    rows.iter().try_for_each(|&(index, row)| block.write_row(row, floats.row_mut(index)))
                })?;
                floats
            }
        })
    }

    /// All samples as floats (N, D), as [`Features::select`] returns them; samples that are floats already are
    /// shared.
    ///
    /// # Errors
    /// Errors of reading, if samples stay in a file.
    pub fn to_floats(&self) -> Result<ArcArray2<F>> {
        Ok(match self {
            Self::Floats(x) => x.clone(),
            Self::Singles(x) => x.mapv(widened).into(),
            Self::Pixels(pixels) => pixels.floats(0..pixels.bytes.nrows()).into(),
            Self::Sparse(sparse) => sparse.dense(0..sparse.dim().0).into(),
            Self::Table(table) => floats_of(table, 0..table.dim().0).into(),
            Self::Stored(stored) => self.select(&(0..stored.dim().0).collect::<Vec<_>>())?.into(),
        })
    }

    /// These samples, in memory.
    ///
    /// # Errors
    /// Errors of reading.
    pub(crate) fn loaded(&self) -> Result<Cow<'_, Self>> {
        Ok(match self {
            Self::Stored(_) => Cow::Owned(self.to_floats()?.into()),
            x => Cow::Borrowed(x),
        })
    }

    /// Calls `each` with every sample and its index, in stored order.
    ///
    /// # Errors
    /// Errors of reading, if samples stay in a file.
    pub(crate) fn each_row(&self, mut each: impl FnMut(usize, &[F])) -> Result<()> {
        let (samples, width) = self.dim();
        let mut floats = Array1::zeros(width);
        let mut put = |of: &Self, row: usize, index: usize| {
            of.write_row(row, floats.view_mut())?;
            each(index, floats.as_slice().unwrap_or_default()); // it is in standard layout
            Ok(())
        };
        match self {
            Self::Stored(stored) => stored
                .each_block(|block, rows| rows.iter().try_for_each(|&(index, row)| put(&block, row, index))),
            x => (0..samples).try_for_each(|index| put(x, index, index)),
        }
    }

    /// Writes sample `index`, which must exist, into `out` (D).
    fn write_row(&self, index: usize, mut out: ArrayViewMut1<'_, F>) -> Result<()> {
        match (self, out.as_slice_mut()) {
            (Self::Pixels(pixels), Some(out)) => pixels.write_row(index, out),
            (Self::Table(table), Some(out)) => table.write_row(index, out),
            (Self::Floats(x), _) => out.assign(&x.row(index)),
            (Self::Singles(x), _) => out.zip_mut_with(&x.row(index), |out, &value| *out = widened(value)),
            (x, _) => out.assign(&x.select(&[index])?.row(0)),
        }
        Ok(())
    }

    /// The chosen samples of those in a file; their blocks are in `window` or are read into it. Sparse samples stay
    /// sparse.
    ///
    /// # Errors
    /// Errors of reading.
    pub(crate) fn picked(stored: &Stored<Self>, chosen: &[usize], window: &mut Window<Self>) -> Result<Self> {
        let width = stored.dim().1;
        let mut floats = Array2::zeros((0, width));
        let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
        for (place, &index) in chosen.iter().enumerate() {
            let (block, row) = stored.locate(index);
            match window.block(stored, block)? {
                Self::Sparse(sparse) => {
                    let (own, numbers) = sparse.row(row);
                    columns.extend_from_slice(own);
                    values.extend_from_slice(numbers);
                    starts.push(columns.len());
                }
                block => {
                    if floats.is_empty() {
                        floats = Array2::zeros((chosen.len(), width));
                    }
                    block.write_row(row, floats.row_mut(place))?;
                }
            }
        }
        // All blocks of a file have the same kind.
        Ok(if floats.is_empty() {
            SparseRows::new(width, starts, columns, values)?.into()
        } else {
            floats.into()
        })
    }

    /// The same samples in 64-bit floats; bytes stay bytes, and sparse rows sparse.
    pub fn to_f64(&self) -> Features<f64> {
        match self {
            Self::Floats(x) => x.mapv(F::as_f64).into(),
            Self::Singles(x) => Features::Singles(x.clone()),
            Self::Pixels(pixels) => pixels.clone().into(),
            Self::Sparse(sparse) => sparse.rounded().into(),
            Self::Table(table) => Features::Table(table.clone()),
            Self::Stored(stored) => {
                Features::Stored(stored.with_source(Arc::new(InDoubles(Arc::clone(stored.source())))))
            }
        }
    }

    /// The name of the number type in memory, as in NumPy: "uint8", "float32" or "float64".
    pub fn dtype(&self) -> &'static str {
        match (self, F::DTYPE) {
            (Self::Pixels(_), _) => "uint8",
            (Self::Stored(stored), _) if stored.source().is_bytes() => "uint8",
            (Self::Singles(_), _) | (_, Dtype::F32) => "float32",
            (_, Dtype::F64) => "float64",
        }
    }

    /// The smallest and the largest stored number; `None` if there are no numbers.
    ///
    /// # Errors
    /// Errors of reading, if samples stay in a file.
    pub fn range(&self) -> Result<Option<(f64, f64)>> {
        fn wider<F: Float>(ends: Option<(f64, f64)>, value: &F) -> (f64, f64) {
            let value = value.as_f64();
            let (least, greatest) = ends.unwrap_or((value, value));
            (least.min(value), greatest.max(value))
        }
        fn ends<'a, F: Float>(values: impl IntoIterator<Item = &'a F>) -> Option<(f64, f64)> {
            values.into_iter().fold(None, |ends, value| Some(wider(ends, value)))
        }
        Ok(match self {
            Self::Pixels(pixels) => {
                let ends = pixels.bytes.iter().min().zip(pixels.bytes.iter().max());
                ends.map(|(&least, &greatest)| (f64::from(least), f64::from(greatest)))
            }
            Self::Floats(x) => ends(x),
            Self::Singles(x) => ends(x),
            Self::Sparse(sparse) => {
                let (least, greatest) = ends(sparse.values()).unwrap_or_default();
                let zeros = sparse.values().len() < sparse.dim().0 * sparse.dim().1;
                Some(if zeros { (least.min(0.0), greatest.max(0.0)) } else { (least, greatest) })
            }
            Self::Table(_) | Self::Stored(_) => {
                let mut found = None;
                self.each_row(|_, row| {
                    found = row.iter().fold(found, |ends, value| Some(wider(ends, value)));
                })?;
                found
            }
        })
    }

    /// Row and column of the first number that is not finite.
    pub(crate) fn first_not_finite(&self) -> Option<(usize, usize)> {
        match self {
            Self::Floats(x) => x.indexed_iter().find(|(_, value)| !value.is_finite()).map(|(place, _)| place),
            Self::Singles(x) => {
                x.indexed_iter().find(|(_, value)| !value.is_finite()).map(|(place, _)| place)
            }
            // Gaps of a table are filled, and its dates are bounded; a stored block is checked when it is read.
            Self::Pixels(_) | Self::Table(_) | Self::Stored(_) => None,
            Self::Sparse(sparse) => (0..sparse.dim().0).find_map(|row| {
                let (columns, values) = sparse.row(row);
                let at = values.iter().position(|value| !value.is_finite())?;
                Some((row, columns[at] as usize))
            }),
        }
    }

    /// Rows `from..to`, at most N; dense rows share their numbers with these.
    pub(super) fn slice(&self, from: usize, to: usize) -> Self {
        let rows = Slice::from(from..to);
        match self {
            Self::Floats(x) => Self::Floats(x.clone().slice_axis_move(Axis(0), rows)),
            Self::Singles(x) => Self::Singles(x.clone().slice_axis_move(Axis(0), rows)),
            Self::Pixels(pixels) => Self::Pixels(Pixels {
                bytes: pixels.bytes.clone().slice_axis_move(Axis(0), rows),
                ..pixels.clone()
            }),
            Self::Sparse(sparse) => Self::Sparse(sparse.select(from..to)),
            Self::Table(table) => Self::Table(table.slice(from, to)),
            Self::Stored(stored) => Self::Stored(stored.slice(from, to)),
        }
    }

    /// The same samples with their own copy of the floats; bytes stay shared.
    pub(super) fn apart(self) -> Self {
        match self {
            Self::Floats(x) => Self::Floats(x.to_owned().into()),
            Self::Singles(x) => Self::Singles(x.to_owned().into()),
            x => x,
        }
    }

    /// Rows in another order: row `i` is what row `order[i]` was.
    pub(super) fn reordered(self, order: &[usize]) -> Self {
        match self {
            Self::Floats(x) => Self::Floats(reorder_rows(x, order)),
            Self::Singles(x) => Self::Singles(reorder_rows(x, order)),
            Self::Pixels(Pixels { bytes, mean, deviation }) => {
                Self::Pixels(Pixels { bytes: reorder_rows(bytes, order), mean, deviation })
            }
            Self::Sparse(sparse) => Self::Sparse(sparse.select(order.iter().copied())),
            Self::Table(table) => Self::Table(table.reordered(order)),
            Self::Stored(stored) => Self::Stored(stored.reordered(order)),
        }
    }
}

/// A file whose samples become 64-bit floats when they are read.
struct InDoubles<F>(Arc<dyn Source<Features<F>>>);

impl<F: Float> Source<Features<f64>> for InDoubles<F> {
    fn width(&self) -> usize {
        self.0.width()
    }

    fn ends(&self) -> &[usize] {
        self.0.ends()
    }

    fn window(&self) -> usize {
        self.0.window()
    }

    fn read(&self, block: usize) -> Result<Features<f64>> {
        Ok(self.0.read(block)?.to_f64())
    }
}

/// The chosen rows of a table as floats (n, D).
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

/// Follows each cycle of the permutation, with one row set aside.
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
