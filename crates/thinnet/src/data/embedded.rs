//! The embedded sample of CIFAR-10: `cifar10-sample.npz`, whose origin stands in `cifar10-sample.md` beside it.

use std::io::Cursor;

use ndarray::{Array1, Array4};
use ndarray_npy::{NpzReader, ReadNpzError};

use super::{Cifar10, Images};
use crate::error::{Error, Result};

/// The archive, as it lies in the repository.
const ARCHIVE: &[u8] = include_bytes!("cifar10-sample.npz");

type Archive = NpzReader<Cursor<&'static [u8]>>;

/// Unpacks the sample.
pub(super) fn load() -> Result<Cifar10> {
    let damaged =
        |reason: ReadNpzError| Error::data(format!("the embedded CIFAR-10 sample is damaged: {reason}"));
    let mut archive = NpzReader::new(Cursor::new(ARCHIVE)).map_err(damaged)?;
    let train = images(&mut archive, "X_train", "y_train")?;
    let val = images(&mut archive, "X_val", "y_val")?;
    let mean_image: ndarray::ArrayD<f64> = archive.by_name("mean_image").map_err(damaged)?;
    let mean_image = Array1::from_iter(mean_image);
    Ok(Cifar10 { train, val, mean_image })
}

/// One split of the archive.
fn images(archive: &mut Archive, pixels: &str, labels: &str) -> Result<Images> {
    let damaged =
        |reason: ReadNpzError| Error::data(format!("the embedded CIFAR-10 sample is damaged: {reason}"));
    let pixels: Array4<u8> = archive.by_name(pixels).map_err(damaged)?;
    let labels: Array1<u8> = archive.by_name(labels).map_err(damaged)?;
    let (count, channels, height, width) = pixels.dim();
    let pixels = pixels
        .into_shape_with_order((count, channels * height * width))
        .map_err(|reason| Error::data(format!("the embedded CIFAR-10 sample is damaged: {reason}")))?;
    Ok(Images { pixels, labels: labels.into_iter().map(usize::from).collect() })
}
