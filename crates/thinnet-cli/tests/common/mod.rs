//! What the program's tests share. Each test file compiles it for itself and uses what it needs.
#![allow(dead_code, clippy::unwrap_used)] // a test's helpers fail by panicking, too

#[path = "../../../thinnet/tests/common/mod.rs"]
pub mod datasets;

use std::io;
use std::path::Path;
use std::process::Stdio;

use assert_cmd::Command;
use tempfile::TempDir;

/// An experiment that takes a moment.
pub const SMALL: &[&str] =
    &["experiment", "--train", "50", "--hidden", "8", "--epochs", "2", "--batch-size", "10"];

/// The program, run in this folder.
pub fn thinnet(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("thinnet"));
    command.current_dir(folder).timeout(std::time::Duration::from_secs(600));
    command
}

/// Where output goes whose reader has left, as `head` does. It has left before the program starts: one that leaves meanwhile may
/// be too late for a program that writes little.
pub fn to_nobody() -> Stdio {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// An empty folder, gone after the test.
pub fn empty_folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
