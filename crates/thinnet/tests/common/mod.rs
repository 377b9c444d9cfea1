//! Where tests find real data sets; the program's tests compile it too.
#![allow(dead_code, clippy::unwrap_used)] // a test's helpers fail by panicking

use std::env;
use std::path::PathBuf;

use etcetera::BaseStrategy;

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
