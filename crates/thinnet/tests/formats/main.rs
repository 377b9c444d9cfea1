//! Every format, read from files as the programs that write them leave them (tests/files/make.py) and from files made here.
#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation, clippy::float_cmp)] // a test fails by panic

mod cifar;
#[cfg(feature = "columnar")]
mod columnar;
mod columns;
mod forms;
#[cfg(feature = "hdf5")]
mod hdf5;
mod idx;
#[cfg(feature = "images")]
mod images;
mod matlab;
mod numpy;
mod packed;
mod sparse;
mod tables;
mod targets;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use thinnet::data::{DataSet, Features, Format, ReadOptions, Scaling, SplitOptions};
use thinnet::training::TrainingData;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn stored(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

fn open(path: &Path) -> DataSet {
    DataSet::open(path, &ReadOptions::default()).unwrap()
}

fn refusal(path: &Path) -> String {
    DataSet::open(path, &ReadOptions::default()).unwrap_err().to_string()
}

fn bytes(values: &Features<f64>) -> Vec<u8> {
    let Features::Pixels(values) = values else { panic!("these are floats") };
    values.bytes().to_vec()
}

fn floats(values: &Features<f64>) -> Vec<f64> {
    match values {
        Features::Floats(values) => values.iter().copied().collect(),
        Features::Singles(values) => values.iter().copied().map(f64::from).collect(),
        _ => panic!("these are bytes"),
    }
}

/// The numbers of tests/files/make.py: number `j` of image `i` is `(37 i + 11 j) % 256`.
fn pattern(images: usize, numbers: usize) -> Vec<u8> {
    (0..images).flat_map(|i| (0..numbers).map(move |j| (37 * i + 11 * j) as u8)).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tar archive of files with these names.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn a_folder_that_leaves_it_open_is_told_apart_by_the_user() {
    let folder = folder();
    let message = refusal(folder.path());
    assert!(message.contains("holds no data set"), "{message}");
    fs::write(folder.path().join("iris.csv"), "1,2,a\n3,4,b\n").unwrap();
    assert_eq!(open(folder.path()).format(), Format::Csv, "a file alone");
    for name in ["one", "two"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::copy(stored("u1.npy"), folder.path().join(name).join("X.npy")).unwrap();
        fs::copy(stored("words.npy"), folder.path().join(name).join("y.npy")).unwrap();
    }
    let message = refusal(folder.path());
    assert!(message.ends_with("it holds several data sets; name one of them: one, two"), "{message}");
    assert_eq!(open(&folder.path().join("two")).format(), Format::Npy);
    assert!(refusal(&folder.path().join("none")).contains("No such file"));
    if cfg!(unix) {
        assert!(refusal(Path::new("/dev/zero")).ends_with("it is neither a file nor a folder"));
    }
}

/// What is read can be trained on: from a table to scaled floats.
#[test]
fn a_table_becomes_a_dataset() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for index in 0..20 {
        writeln!(file, "{},{},{}", index, 300 - index, if index % 2 == 0 { "even" } else { "odd" }).unwrap();
    }
    let set = open(file.path()).split(&SplitOptions::default()).unwrap();
    let data = TrainingData::<f32>::of(&set, 16).unwrap();
    assert_eq!((data.num_outputs(), data.train.x().dim(), data.val.x().dim()), (2, (16, 2), (4, 2)));
    let mean = data.train.x().to_floats().unwrap().mean_axis(ndarray::Axis(0)).unwrap();
    assert!(mean.iter().all(|mean| mean.abs() < 1e-6), "{mean}");
    let none = set.scale(Scaling::None).unwrap().apply::<f64>(set.train().x()).unwrap().to_floats().unwrap();
    assert!(none.column(0).iter().zip(none.column(1)).all(|(a, b)| a + b == 300.0));
}
