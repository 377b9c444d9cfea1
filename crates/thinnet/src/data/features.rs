//! The inputs of samples: floats, or images that stay bytes until a batch is made of them.

use ndarray::{Array1, Array2, Axis};

use crate::error::{Error, Result};
use crate::float::Float;

/// The inputs of N samples, D numbers each.
#[derive(Debug, Clone, PartialEq)]
pub enum Features<F> {
    /// (N, D).
    Floats(Array2<F>),
    /// Images, an eighth or a quarter of the floats' size.
    Pixels(Pixels),
}

/// Images as bytes, and the mean image that is subtracted from them.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    bytes: Array2<u8>,
    mean: Array1<f64>,
}

impl Pixels {
    /// Images (N, D) in row-major order and their mean image (D), in units of a pixel value.
    ///
    /// # Errors
    /// [`Error::Shape`] if the sizes differ.
    pub fn new(bytes: Array2<u8>, mean: Array1<f64>) -> Result<Self> {
        if mean.len() != bytes.ncols() {
            return Err(Error::shape("mean of Pixels::new", [bytes.ncols()], mean.shape()));
        }
        let bytes = if bytes.is_standard_layout() { bytes } else { bytes.as_standard_layout().into_owned() };
        let mean = Array1::from_iter(mean);
        Ok(Self { bytes, mean })
    }

    /// All pixels, row-major.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_slice().unwrap_or_default() // it is in standard layout
    }

    /// The mean image.
    pub fn mean(&self) -> &[f64] {
        self.mean.as_slice().unwrap_or_default() // it is contiguous
    }
}

impl<F: Float> Features<F> {
    /// (N, D).
    pub fn dim(&self) -> (usize, usize) {
        match self {
            Self::Floats(x) => x.dim(),
            Self::Pixels(pixels) => pixels.bytes.dim(),
        }
    }

    /// Chosen samples as floats (n, D): of images pixel minus mean, computed in 64-bit floats and then rounded to `F`, as
    /// the course does.
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
            Self::Pixels(Pixels { bytes, mean }) => {
                let chosen = bytes.select(Axis(0), chosen).mapv(f64::from);
                (chosen - mean).mapv(F::from_f64)
            }
        })
    }

    /// All samples as floats (N, D), as [`Features::select`] makes them.
    pub fn to_floats(&self) -> Array2<F> {
        match self {
            Self::Floats(x) => x.clone(),
            Self::Pixels(Pixels { bytes, mean }) => (bytes.mapv(f64::from) - mean).mapv(F::from_f64),
        }
    }
}

impl<F> From<Array2<F>> for Features<F> {
    fn from(x: Array2<F>) -> Self {
        Self::Floats(x)
    }
}
