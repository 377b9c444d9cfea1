//! The embedded sample of CIFAR-10, `cifar10-sample.npz`. `cifar10-sample.md` next to it gives its origin.

use std::io::Cursor;

use super::{ReadOptions, formats};
use crate::data::{CIFAR10_CLASSES, DataSet, Format};
use crate::error::Result;

/// The archive, as in the repository.
const ARCHIVE: &[u8] = include_bytes!("../cifar10-sample.npz");

impl DataSet {
    /// The sample of CIFAR-10 that is part of this library, as the course splits it: the first 500 training images and all
    /// 1,000 validation images, with the mean image of the 49,000 (Krizhevsky, "Learning Multiple Layers of Features from
    /// Tiny Images", 2009).
    ///
    /// # Errors
    /// None in an intact build; the archive is checked nevertheless.
    pub fn embedded_sample() -> Result<Self> {
        let sample =
            formats::npy::read_npz(Cursor::new(ARCHIVE), ARCHIVE.len() as u64, &ReadOptions::default())
                .map_err(|error| error.within("the embedded CIFAR-10 sample"))?;
        let names = CIFAR10_CLASSES.map(str::to_owned).to_vec();
        Self { format: Format::EmbeddedSample, names, ..sample }.checked()
    }
}
