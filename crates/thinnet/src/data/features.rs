//! The inputs of samples: floats, sparse rows, or images that stay bytes until a batch is made of them.

use std::sync::Arc;

use ndarray::{ArcArray2, Array1, Array2, ArrayView2, Axis};

use super::SparseRows;
use crate::error::{Error, Result};
use crate::float::Float;

/// The inputs of N samples, D numbers each.
#[derive(Debug, Clone, PartialEq)]
pub enum Features<F> {
    /// (N, D).
    Floats(Array2<F>),
    /// Images, an eighth or a quarter of the floats' size.
    Pixels(Pixels),
    /// Rows that are mostly zeros, which stay so until a batch is made of them.
    Sparse(SparseRows<F>),
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
        if mean.len() != bytes.ncols() {
            return Err(Error::shape("mean of Pixels::new", [bytes.ncols()], mean.shape()));
        }
        let bytes =
            if bytes.is_standard_layout() { bytes } else { bytes.as_standard_layout().into_owned().into() };
        Ok(Self { bytes, mean: mean.iter().copied().collect(), deviation: None })
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
        if deviation.len() != self.mean.len() {
            return Err(Error::shape(
                "deviation of Pixels::divided_by",
                [self.mean.len()],
                deviation.shape(),
            ));
        }
        Ok(Self { deviation: Some(deviation.iter().copied().collect()), ..self })
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

impl<F: Float> Features<F> {
    /// (N, D).
    pub fn dim(&self) -> (usize, usize) {
        match self {
            Self::Floats(x) => x.dim(),
            Self::Pixels(pixels) => pixels.bytes.dim(),
            Self::Sparse(sparse) => sparse.dim(),
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
        })
    }

    /// All samples as floats (N, D), as [`Features::select`] makes them.
    pub fn to_floats(&self) -> Array2<F> {
        match self {
            Self::Floats(x) => x.clone(),
            Self::Pixels(pixels) => pixels.floats(0..pixels.bytes.nrows()),
            Self::Sparse(sparse) => sparse.dense(0..sparse.dim().0),
        }
    }
}

impl<F> From<Array2<F>> for Features<F> {
    fn from(x: Array2<F>) -> Self {
        Self::Floats(x)
    }
}
