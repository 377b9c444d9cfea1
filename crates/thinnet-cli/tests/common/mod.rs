//! What the program's tests share. Each test file compiles it for itself and uses what it needs.
#![allow(dead_code, clippy::unwrap_used)] // a test's helpers fail by panicking, too

use std::env;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use etcetera::BaseStrategy;
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

/// A real data set, in the folder that `THINNET_DATASETS` names or the user's cache. Where it is not there, this says so,
/// and fails if `CI` is `true`.
#[allow(clippy::print_stderr)]
pub fn real_data(name: &str) -> Option<PathBuf> {
    let folder = env::var_os("THINNET_DATASETS").map_or_else(
        || etcetera::base_strategy::choose_native_strategy().unwrap().cache_dir().join("thinnet/datasets"),
        PathBuf::from,
    );
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    assert_ne!(env::var("CI").as_deref(), Ok("true"), "{} is not there", path.display());
    eprintln!("skipped: {} is not there", path.display());
    None
}
