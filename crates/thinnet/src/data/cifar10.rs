//! The binary version of CIFAR-10: files of 10,000 records, each one byte of label and 3072 bytes of pixels, channel
//! first (<https://www.cs.toronto.edu/~kriz/cifar.html>).

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2};

use super::{CIFAR10_CLASSES, Cifar10, Images};
use crate::error::{Error, Result};

const PIXELS: usize = 3 * 32 * 32;
const RECORD: usize = 1 + PIXELS;
const IMAGES_A_FILE: usize = 10_000;
const FILES: usize = 5;
const NUM_TRAINING: usize = 49_000;

/// Reads the five training files.
pub(super) fn load(folder: &Path, num_train: usize) -> Result<Cifar10> {
    let folder = locate(folder)?;
    let mut train = Vec::with_capacity(num_train.min(NUM_TRAINING) * PIXELS);
    let mut train_labels = Vec::new();
    let mut val = Vec::with_capacity((FILES * IMAGES_A_FILE - NUM_TRAINING) * PIXELS);
    let mut val_labels = Vec::new();
    let mut sums = vec![0u64; PIXELS];
    for number in 1..=FILES {
        let path = folder.join(format!("data_batch_{number}.bin"));
        let content = fs::read(&path).map_err(Error::io("read", &path))?;
        if content.len() != RECORD * IMAGES_A_FILE {
            return Err(Error::data(format!(
                "{} is not a CIFAR-10 batch: it has {} bytes instead of {}",
                path.display(),
                content.len(),
                RECORD * IMAGES_A_FILE
            )));
        }
        for (index, record) in content.chunks_exact(RECORD).enumerate() {
            let (label, pixels) = (usize::from(record[0]), &record[1..]);
            if label >= CIFAR10_CLASSES.len() {
                return Err(Error::data(format!(
                    "{} is damaged: image {index} has label {label}, and labels go from 0 to 9",
                    path.display()
                )));
            }
            let position = (number - 1) * IMAGES_A_FILE + index;
            if position < NUM_TRAINING {
                for (sum, &pixel) in sums.iter_mut().zip(pixels) {
                    *sum += u64::from(pixel);
                }
            }
            if position < num_train.min(NUM_TRAINING) {
                train.extend_from_slice(pixels);
                train_labels.push(label);
            } else if position >= NUM_TRAINING {
                val.extend_from_slice(pixels);
                val_labels.push(label);
            }
        }
    }
    Ok(Cifar10 {
        train: images(train, train_labels)?,
        val: images(val, val_labels)?,
        mean_image: Array1::from_iter(sums.into_iter().map(|sum| sum as f64 / NUM_TRAINING as f64)),
    })
}

/// The folder itself, or the one in it that the archive unpacks to.
fn locate(folder: &Path) -> Result<PathBuf> {
    if !folder.exists() {
        return Err(Error::data(format!("there is no folder {}", folder.display())));
    }
    [folder.to_path_buf(), folder.join("cifar-10-batches-bin")]
        .into_iter()
        .find(|candidate| candidate.join("data_batch_1.bin").is_file())
        .ok_or_else(|| {
            Error::data(format!(
                "{} holds no CIFAR-10 in its binary version (data_batch_1.bin to data_batch_5.bin)",
                folder.display()
            ))
        })
}

/// Rows of pixels.
fn images(pixels: Vec<u8>, labels: Vec<usize>) -> Result<Images> {
    let pixels = Array2::from_shape_vec((labels.len(), PIXELS), pixels)
        .map_err(|reason| Error::data(format!("CIFAR-10 has an unexpected shape: {reason}")))?;
    Ok(Images { pixels, labels })
}
