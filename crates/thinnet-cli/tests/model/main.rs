//! `thinnet predict`, `thinnet evaluate`, `thinnet export` and `thinnet model info`, run as a person runs them.
#![allow(clippy::unwrap_used, clippy::float_cmp)] // a test fails by panic

#[path = "../common/mod.rs"]
mod common;
mod evaluate;
mod export;
mod monte_carlo;
mod predict;
mod refused;
mod small;
mod sure;
mod together;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use common::{empty_folder, thinnet};
use tempfile::TempDir;

/// A flower of class `index % 3`, with its length and width.
fn flower(index: usize) -> (f64, f64, &'static str) {
    let class = index % 3;
    let noise = (index * 7 % 10) as f64 * 0.05;
    (1.0 + 2.0 * class as f64 + noise, 3.0 - class as f64 - noise, ["lily", "rose, wild", "tulip"][class])
}

/// A table of flowers, its columns `length`, `width` and, last, the kind.
fn flowers() -> String {
    let mut text = "length,width,kind\n".to_owned();
    for (length, width, kind) in (0..90).map(flower) {
        writeln!(text, "{length},{width},\"{kind}\"").unwrap();
    }
    text
}

/// A folder with the table `flowers.csv` and the run `run` that was trained on it.
fn trained(settings: &[&str]) -> TempDir {
    let folder = empty_folder();
    fs::write(folder.path().join("flowers.csv"), flowers()).unwrap();
    let mut arguments = vec!["train", "--out", "run", "--set", "data.path=flowers.csv"];
    let all = [
        "model.hidden=[8]",
        "train.epochs=40",
        "train.batch_size=10",
        "optim.learning_rate=0.02",
        "data.val=20",
    ];
    arguments.extend(all.iter().chain(settings).flat_map(|setting| ["--set", setting]));
    thinnet(folder.path()).args(arguments).assert().success();
    folder
}

/// Standard output of a command that succeeds.
fn stdout(folder: &Path, arguments: &[&str]) -> String {
    let assert = thinnet(folder).args(arguments).assert().success();
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// Refused with one sentence that says all of `says`; nothing on standard output.
fn refused(folder: &Path, arguments: &[&str], says: &[&str]) {
    let output = thinnet(folder).args(arguments).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{arguments:?}: {stderr}");
    for say in says {
        assert!(stderr.contains(say), "{arguments:?}: {say:?} is not in {stderr}");
    }
    assert!(output.stdout.is_empty(), "{arguments:?}");
}

/// An IDX file of bytes.
fn idx(path: &Path, sizes: &[u32], bytes: &[u8]) {
    let mut file = vec![0, 0, 8, u8::try_from(sizes.len()).unwrap()];
    file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    file.extend(bytes);
    fs::write(path, file).unwrap();
}

/// Pixel `at` of small image `index`: bright above or below, by its class.
fn pixel(index: usize, at: usize) -> u8 {
    let bright = (at < 8) == (index.is_multiple_of(2));
    u8::try_from(usize::from(bright) * 200 + (index * 5 + at * 3) % 40).unwrap()
}

/// A folder `digits` of 60 + 20 images of 4 x 4 pixels in two classes, and a run on it.
fn trained_on_images() -> TempDir {
    let folder = empty_folder();
    let digits = folder.path().join("digits");
    fs::create_dir(&digits).unwrap();
    for (part, count) in [("train", 60u8), ("t10k", 20)] {
        let pixels: Vec<u8> =
            (0..usize::from(count)).flat_map(|index| (0..16).map(move |at| pixel(index, at))).collect();
        let labels: Vec<u8> = (0..count).map(|index| index % 2).collect();
        idx(&digits.join(format!("{part}-images-idx3-ubyte")), &[count.into(), 4, 4], &pixels);
        idx(&digits.join(format!("{part}-labels-idx1-ubyte")), &[count.into()], &labels);
    }
    let settings =
        ["data.path=digits", "model.hidden=[6]", "train.epochs=20", "train.batch_size=10", "data.val=10"];
    let arguments = settings.iter().flat_map(|setting| ["--set", setting]);
    thinnet(folder.path()).args(["train", "--out", "run"]).args(arguments).assert().success();
    folder
}

/// A folder with the table `numbers.csv`, whose price is a line, and a regression on it.
fn numbers() -> TempDir {
    let folder = empty_folder();
    let line = |row: usize| format!("{},{},{}\n", row, row * row % 7, 1000 + 50 * row);
    let text = "size,noise,price\n".to_owned() + &(0..80).map(line).collect::<String>();
    fs::write(folder.path().join("numbers.csv"), text).unwrap();
    let settings = [
        "data.path=numbers.csv",
        "model.task=regression",
        "data.target_scaling=standard",
        "model.hidden=[16]",
        "model.keep=1.0",
        "train.epochs=60",
        "train.batch_size=10",
        "optim.learning_rate=0.01",
    ];
    let arguments = settings.iter().flat_map(|setting| ["--set", setting]);
    thinnet(folder.path()).args(["train", "--out", "run"]).args(arguments).assert().success();
    folder
}
