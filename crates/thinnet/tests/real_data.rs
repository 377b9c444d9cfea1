//! The real data sets, where they are: in the folder that `THINNET_DATASETS` names, or `thinnet/datasets` in the user's
//! cache. A test whose data are not there says so and passes, but fails where `CI` is `true`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // a test fails by panic, and says what it skips

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::real_data;
use thinnet::data::{DataSet, Features, Format, Part, ReadOptions, SplitOptions};
use thinnet::training::TrainingData;

/// The mean of the course's 49,000 training images, first numbers; NumPy prints them so.
const MEAN: [f64; 4] = [130.641_897_96, 130.055_693_88, 130.960_551_02, 131.484_673_47];

fn open(path: &Path) -> (DataSet, Duration) {
    let start = Instant::now();
    let set = DataSet::open(path, &ReadOptions::default()).unwrap();
    (set, start.elapsed())
}

/// The whole of CIFAR-10, whichever form it came in.
fn check_cifar10(name: &str, format: Format) {
    let Some(path) = real_data(name) else { return };
    let (set, took) = open(&path);
    eprintln!("{name}: read in {took:?}");
    assert_eq!((set.format(), set.shape(), set.names().len()), (format, &[3, 32, 32][..], 10));
    assert_eq!((set.names()[0].as_str(), set.names()[9].as_str()), ("airplane", "truck"));
    let sizes: Vec<_> = set.parts().map(|(part, split)| (part, split.x().dim())).collect();
    assert_eq!(sizes, [(Part::Train, (50_000, 3072)), (Part::Test, (10_000, 3072))]);
    for (part, split) in set.parts() {
        assert_eq!(split.class_counts(), [split.len() / 10; 10], "{part}: every class has as many images");
        assert_eq!(split.x().range().unwrap(), Some((0.0, 255.0)));
    }
    let split = set.split(&SplitOptions::course(49_000, 1000, 1000)).unwrap();
    let mean = split.mean_sample().unwrap();
    for (mean, expected) in mean.iter().zip(MEAN) {
        assert!((mean - expected).abs() < 5e-9, "{mean} is not {expected}");
    }
    // The embedded sample is a part of it.
    let sample = DataSet::embedded_sample().unwrap();
    assert_eq!(sample.mean_sample().unwrap(), mean);
    assert_eq!(sample.val(), split.val(), "images 49,000 to 49,999");
    let (Features::Pixels(all), Features::Pixels(first)) = (split.train().x(), sample.train().x()) else {
        panic!("images are bytes")
    };
    assert_eq!(all.bytes()[..first.bytes().len()], *first.bytes());
    assert_eq!(&split.train().labels()[..500], sample.train().labels());
    let data = |set: &DataSet| TrainingData::<f64>::of(set, 500).unwrap();
    let (ours, theirs) = (data(&sample), data(&split));
    assert_eq!((ours.train, ours.val), (theirs.train, theirs.val));
}

#[test]
fn cifar_10_out_of_its_archive() {
    check_cifar10("cifar-10-python.tar.gz", Format::Cifar10Python);
}

#[test]
fn cifar_10_unpacked() {
    check_cifar10("cifar-10-batches-py", Format::Cifar10Python);
}

#[test]
fn cifar_10_binary() {
    check_cifar10("cifar-10-batches-bin", Format::Cifar10Binary);
}

/// The counts are those that the data sets' authors give.
#[test]
fn mnist_and_fashion_mnist() {
    const DIGITS: [usize; 10] = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    for (name, counts) in [("mnist", DIGITS), ("fashion-mnist", [6000; 10])] {
        let Some(path) = real_data(name) else { continue };
        let (set, took) = open(&path);
        eprintln!("{name}: read in {took:?}");
        assert_eq!((set.format(), set.shape()), (Format::Idx, &[1, 28, 28][..]));
        assert_eq!(set.names(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        assert_eq!((set.train().len(), set.test().unwrap().len()), (60_000, 10_000));
        assert_eq!(set.train().class_counts(), counts, "{name}");
        assert_eq!(set.train().x().range().unwrap(), Some((0.0, 255.0)));
    }
}
