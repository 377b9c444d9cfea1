//! The embedded sample and the binary files of CIFAR-10.
#![allow(clippy::unwrap_used, clippy::float_cmp)] // a test fails by panic; pixels are exact

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use thinnet::Error;
use thinnet::data::{CIFAR10_CLASSES, Cifar10};

const RECORD: u64 = 3073;
const RECORDS_A_FILE: u64 = 10_000;

/// The figures are NumPy's, from `np.load("cifar10-sample.npz")`: `np.bincount(y)`, `y[:8]`, `mean_image.ravel()[:3]`.
#[test]
fn the_embedded_sample_is_the_courses() {
    let sample = Cifar10::embedded_sample().unwrap();
    assert_eq!(sample.train.pixels.dim(), (500, 3072));
    assert_eq!(sample.val.pixels.dim(), (1000, 3072));
    assert_eq!(sample.mean_image.len(), 3072);
    let count = |labels: &[usize]| {
        let mut counts = [0; 10];
        for &label in labels {
            counts[label] += 1;
        }
        counts
    };
    assert_eq!(count(&sample.train.labels), [51, 65, 43, 47, 50, 40, 53, 50, 45, 56]);
    assert_eq!(count(&sample.val.labels), [87, 119, 79, 112, 78, 98, 102, 107, 113, 105]);
    assert_eq!(sample.train.labels[..8], [6, 9, 9, 4, 1, 1, 2, 7]);
    assert_eq!(sample.val.labels[..8], [8, 9, 4, 9, 0, 5, 0, 8]);
    assert_eq!(
        sample.mean_image.as_slice().unwrap()[..3],
        [130.641_897_959_183_67, 130.055_693_877_551_02, 130.960_551_020_408_16]
    );
    assert!((sample.mean_image.mean().unwrap() - 120.689_583_054_315_49).abs() < 1e-10);
    assert_eq!(CIFAR10_CLASSES[sample.train.labels[0]], "frog");
}

/// NumPy: `X = X_train.astype(float) - mean_image`, and the same for `X_val`.
#[test]
fn the_dataset_is_the_pixels_minus_the_mean_image() {
    let sample = Cifar10::embedded_sample().unwrap();
    let data = sample.dataset::<f64>(500).unwrap();
    let (train, val) = (data.train.x.to_floats(), data.val.x.to_floats());
    assert_eq!((train.dim(), val.dim()), ((500, 3072), (1000, 3072)));
    assert_eq!(
        [train[(0, 0)], train[(0, 1)], train[(0, 2)]],
        [-71.641_897_959_183_67, -87.055_693_877_551_02, -80.960_551_020_408_16]
    );
    assert_eq!([train[(499, 3070)], train[(499, 3071)]], [46.080_428_571_428_57, 43.600_428_571_428_566]);
    assert_eq!([val[(999, 3070)], val[(999, 3071)]], [48.080_428_571_428_57, 46.600_428_571_428_566]);
    assert_eq!(train[(3, 2 * 1024 + 5 * 32 + 7)], -73.940_081_632_653_06); // X[3, 2, 5, 7]
    assert!((train.sum() - -898_563.571_428_571_6).abs() < 1e-4);
    assert!((val.sum() - 2_762_045.857_142_857_3).abs() < 1e-4);
    // f32 is the rounded f64.
    let single = sample.dataset::<f32>(500).unwrap();
    #[allow(clippy::cast_possible_truncation)]
    let rounded = train.mapv(|value| value as f32);
    assert_eq!((single.train.x.to_floats(), single.train.y), (rounded, data.train.y));
}

#[test]
fn a_dataset_takes_the_first_images_and_no_more_than_there_are() {
    let sample = Cifar10::embedded_sample().unwrap();
    let data = sample.dataset::<f32>(3).unwrap();
    assert_eq!((data.train.x.dim(), data.train.y), ((3, 3072), vec![6, 9, 9]));
    assert_eq!(data.val.y.len(), 1000);
    for wrong in [0, 501, usize::MAX] {
        let message = sample.dataset::<f32>(wrong).unwrap_err().to_string();
        assert!(message.contains("from 1 to 500") && message.contains(&wrong.to_string()), "{message}");
    }
}

/// A batch file of zeros (sparse, so that it costs no disk), with some records written over.
fn batch(folder: &Path, number: u64, records: &[(u64, u8, u8)]) {
    let mut file = File::create(folder.join(format!("data_batch_{number}.bin"))).unwrap();
    file.set_len(RECORD * RECORDS_A_FILE).unwrap();
    for &(index, label, pixel) in records {
        file.seek(SeekFrom::Start(index * RECORD)).unwrap();
        let mut record = vec![pixel; 3073];
        record[0] = label;
        record[3072] = pixel / 2; // the last pixel differs from the others
        file.write_all(&record).unwrap();
    }
}

#[test]
fn a_folder_is_split_at_49000_images() {
    let folder = tempfile::tempdir().unwrap();
    batch(folder.path(), 1, &[(0, 3, 200), (1, 4, 10)]);
    batch(folder.path(), 2, &[]);
    batch(folder.path(), 3, &[(9_999, 1, 40)]);
    batch(folder.path(), 4, &[]);
    batch(folder.path(), 5, &[(8_999, 7, 100), (9_000, 9, 255), (9_999, 2, 6)]);
    let data = Cifar10::from_folder(folder.path(), 2).unwrap();
    assert_eq!((data.train.pixels.dim(), &data.train.labels), ((2, 3072), &vec![3, 4]));
    assert_eq!((data.train.pixels[(0, 0)], data.train.pixels[(1, 3071)]), (200, 5));
    assert_eq!(data.val.pixels.dim(), (1000, 3072));
    assert_eq!((data.val.labels[0], data.val.labels[1], data.val.labels[999]), (9, 0, 2));
    assert_eq!((data.val.pixels[(0, 0)], data.val.pixels[(999, 3071)]), (255, 3));
    // The mean is that of all 49,000, whatever the number kept; validation images have no part in it.
    assert_eq!(data.mean_image[0], f64::from(200 + 10 + 40 + 100) / 49_000.0);
    assert_eq!(data.mean_image[3071], f64::from(100 + 5 + 20 + 50) / 49_000.0);

    // The folder that the archive unpacks to is found in the one above it; more than there are gives all there are.
    let above = tempfile::tempdir().unwrap();
    fs::rename(folder.path(), above.path().join("cifar-10-batches-bin")).unwrap();
    let data = Cifar10::from_folder(above.path(), 60_000).unwrap();
    assert_eq!((data.train.labels.len(), data.train.labels[48_999]), (49_000, 7));
    assert_eq!(data.val.labels.len(), 1000);
}

#[test]
fn folders_that_are_not_cifar_10_are_refused() {
    let message = |folder: &Path| Cifar10::from_folder(folder, 10).unwrap_err().to_string();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let name = path.display().to_string();
    assert_eq!(message(&path.join("no")), format!("there is no folder {name}/no"));
    assert!(message(path).starts_with(&format!("{name} holds no CIFAR-10 in its binary version")));
    fs::write(path.join("file"), "x").unwrap();
    assert!(message(&path.join("file")).contains("holds no CIFAR-10"));

    batch(path, 1, &[(5, 11, 0)]);
    let damaged =
        format!("{name}/data_batch_1.bin is damaged: image 5 has label 11, and labels go from 0 to 9");
    assert_eq!(message(path), damaged);
    for length in [0, RECORD * RECORDS_A_FILE - 1, RECORD * RECORDS_A_FILE + 1] {
        batch(path, 1, &[]);
        File::options().write(true).open(path.join("data_batch_1.bin")).unwrap().set_len(length).unwrap();
        let short =
            format!("data_batch_1.bin is not a CIFAR-10 batch: it has {length} bytes instead of 30730000");
        assert!(message(path).ends_with(&short));
    }
    batch(path, 1, &[]);
    let error = Cifar10::from_folder(path, 10).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("data_batch_2.bin")), "{error}");
    fs::create_dir(path.join("data_batch_2.bin")).unwrap();
    assert!(matches!(Cifar10::from_folder(path, 10), Err(Error::Io { .. })));
}
