//! Python environments in the target folder, made from requirements files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{command, root, run, succeeds, target};

/// A Python environment with the packages in a requirements file.
pub struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// Makes the environment `name` from `requirements` (a path in the workspace), unless it is up to date.
    pub fn ensure(name: &str, requirements: &str) -> Result<Self> {
        let venv = Self { folder: target().join("venv").join(name) };
        let wanted_file = root().join(requirements);
        let wanted =
            fs::read_to_string(&wanted_file).with_context(|| format!("cannot read {requirements}"))?;
        let stamp = venv.folder.join("requirements.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(venv);
        }
        eprintln!("setting up Python packages for `{name}` in {}", venv.folder.display());
        venv.create()?;
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements];
        run(&mut command(venv.program("python"), &pip))?;
        fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(venv)
    }

    /// The environment of the programs that `cargo xtask lint` runs.
    pub fn for_lint() -> Result<Self> {
        Self::ensure("lint", "compare/requirements-lint.txt")
    }

    fn create(&self) -> Result<()> {
        if !succeeds(&mut command("python3", &["-c", "import ensurepip, venv"])) {
            bail!(
                "python3 with its venv module is needed (on Debian and Ubuntu: apt-get install python3-venv)"
            );
        }
        run(command("python3", &["-m", "venv", "--clear"]).arg(&self.folder))
    }

    /// The path of a program in the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.folder.join(Path::new(folder)).join(name)
    }
}
