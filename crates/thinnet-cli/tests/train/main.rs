//! `thinnet train`, run as a person runs it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stderr)] // a test fails by panic, and says what it left out

mod columns;
#[path = "../common/mod.rs"]
mod common;
mod damage;
mod doubts;
mod hints;
mod killed;
mod places;
mod screen;
mod settings;
mod shown;
mod streamed;
mod terminal;
mod tuning;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A run that takes a moment: 40 epochs of 10 steps.
const SMALL: &[&str] = &[
    "--set",
    "model.hidden=[16]",
    "--set",
    "train.epochs=40",
    "--set",
    "train.batch_size=50",
    "--set",
    "data.val=200",
];

/// Starts the program in `folder`.
fn start(folder: &Path, arguments: &[&str]) -> Child {
    Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
        .arg("train")
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the program in `folder` to its end: status, standard output, standard error.
fn train(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = common::thinnet(folder).arg("train").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Runs the program, which must succeed.
fn trained(folder: &Path, arguments: &[&str]) -> String {
    let (status, stdout, stderr) = train(folder, arguments);
    assert_eq!(status, Some(0), "{stderr}");
    stdout
}

/// Runs the program, which must refuse with one line.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let (status, stdout, stderr) = train(folder, arguments);
    assert_eq!((status, stdout.as_str()), (Some(2), ""), "{stderr}");
    assert_eq!(stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{stderr}");
    stderr
}

/// The lines of history.csv without the times, which are its last two columns.
fn history(run: &Path) -> Vec<String> {
    let text = fs::read_to_string(run.join("history.csv")).unwrap();
    let timeless = |line: &str| line.rsplitn(3, ',').last().unwrap().to_owned();
    text.lines().map(timeless).collect()
}

/// What a finished run came to: the model's bytes, and the history's lines.
fn result(run: &Path) -> (Vec<u8>, Vec<String>) {
    (fs::read(run.join("model.safetensors")).unwrap(), history(run))
}
