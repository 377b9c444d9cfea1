//! Runs on samples that stay in their file.

use std::fs;
use std::path::Path;

use super::common::empty_folder;
use super::{refused, result, trained};

/// Four row groups; what is asked for twice is the last one's.
const STREAM: &[&str] = &[
    "--data",
    "table.parquet",
    "--set",
    "train.sampling=stream",
    "--set",
    "train.batch_size=7",
    "--set",
    "model.hidden=[8]",
    "--set",
    "data.val=10",
    "--set",
    "train.epochs=4",
];

fn files(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../thinnet/tests/files").join(name)
}

#[test]
fn a_stream_goes_on_with_its_samples_alone() {
    let place = empty_folder();
    let table = place.path().join("table.parquet");
    fs::copy(files("typed-groups.parquet"), &table).unwrap();
    trained(place.path(), &[STREAM, &["--out", "whole"]].concat());
    trained(place.path(), &[STREAM, &["--set", "train.epochs=2", "--out", "part"]].concat());
    let on = ["--resume", "part", "--set", "train.epochs=4"];
    let other = fs::read(files("typed-polars.parquet")).unwrap();
    let own = fs::read(&table).unwrap();
    fs::write(&table, other).unwrap();
    // The same rows in one row group are the same samples.
    trained(place.path(), &["--resume", "part"]);
    fs::write(&table, fs::read(files("typed.csv")).unwrap()).unwrap();
    let message = refused(place.path(), &on);
    assert!(message.contains("Parquet, NPY and IDX without compression can"), "{message}");
    fs::remove_file(&table).unwrap();
    fs::write(place.path().join("moved.parquet"), own).unwrap();
    trained(place.path(), &[&on[..], &["--data", "moved.parquet"]].concat());
    // The models differ in where their samples are.
    assert_eq!(result(&place.path().join("whole")).1, result(&place.path().join("part")).1);
}

#[test]
fn what_is_in_memory_is_no_stream() {
    let place = empty_folder();
    let message = refused(place.path(), &["--set", "train.sampling=stream"]);
    assert!(message.contains("train.sampling=shuffled"), "{message}");
    fs::copy(files("typed.csv"), place.path().join("t.csv")).unwrap();
    let message = refused(place.path(), &["--data", "t.csv", "--set", "train.sampling=stream"]);
    assert!(message.contains("t.csv") && message.contains("train.sampling=shuffled"), "{message}");
    let message = refused(place.path(), &["--set", "train.window=0"]);
    assert!(message.contains("train.window must be at least 1"), "{message}");
}
