//! Data sets: images or other samples with their labels, split for training and validation.

mod cifar10;
mod embedded;
mod features;

pub use features::{Features, Pixels};

use std::path::Path;

use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};

use crate::error::{Error, Result};
use crate::float::Float;

/// The ten classes of CIFAR-10, by label.
pub const CIFAR10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Images as bytes, one row each, and their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Pixels (N, D), 0..=255, channel first.
    pub pixels: Array2<u8>,
    /// N labels.
    pub labels: Vec<usize>,
}

/// CIFAR-10 (or a part of it) as the course splits it: training and validation images, and the mean image that is
/// subtracted from both.
#[derive(Debug, Clone, PartialEq)]
pub struct Cifar10 {
    /// Training images: all 49,000, or the first of them.
    pub train: Images,
    /// Validation images: the 1,000 that follow the 49,000.
    pub val: Images,
    /// The mean of the 49,000 training images (3072), in units of a pixel value.
    pub mean_image: Array1<f64>,
}

/// Samples with their labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples<F> {
    /// The inputs of N samples.
    pub x: Features<F>,
    /// N labels.
    pub y: Vec<usize>,
}

/// What a solver trains and validates on.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset<F> {
    /// Training samples.
    pub train: Samples<F>,
    /// Validation samples.
    pub val: Samples<F>,
}

impl Cifar10 {
    /// The sample that is part of this library: the first 500 training images and all 1,000 validation images, with the
    /// mean image of the 49,000 (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009).
    ///
    /// # Errors
    /// None in a library that was built whole; the archive is checked all the same.
    pub fn embedded_sample() -> Result<Self> {
        embedded::load()
    }

    /// Reads the binary version of CIFAR-10: a folder with `data_batch_1.bin` to `data_batch_5.bin`, or a folder that
    /// holds `cifar-10-batches-bin`. The first 49,000 images are for training (`num_train` of them are kept), the last
    /// 1,000 for validation.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read; [`Error::Data`] for one of a wrong size or with a wrong label.
    pub fn from_folder(folder: &Path, num_train: usize) -> Result<Self> {
        cifar10::load(folder, num_train)
    }

    /// The first `num_train` training images and all validation images, less the mean image.
    ///
    /// # Errors
    /// [`Error::Configuration`] unless 1 <= `num_train` <= the number of training images.
    pub fn dataset<F: Float>(&self, num_train: usize) -> Result<Dataset<F>> {
        let available = self.train.labels.len();
        if num_train == 0 || num_train > available {
            return Err(Error::configuration(format!(
                "the number of training images must be from 1 to {available}, which is what this data set has; got {num_train}"
            )));
        }
        let centred = |pixels: ArrayView2<'_, u8>| -> Result<Features<F>> {
            Ok(Features::Pixels(Pixels::new(pixels.to_owned(), self.mean_image.clone())?))
        };
        let train = self.train.pixels.slice_axis(Axis(0), Slice::from(..num_train));
        Ok(Dataset {
            train: Samples { x: centred(train)?, y: self.train.labels[..num_train].to_vec() },
            val: Samples { x: centred(self.val.pixels.view())?, y: self.val.labels.clone() },
        })
    }
}
