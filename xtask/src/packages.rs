//! Node.js packages, each set in its own folder under target/.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{command, is_ci, root, run, succeeds, target};

/// The `node_modules` folder with the packages in a `package.json`, which are installed if missing. `None`, with a
/// message, if they cannot be installed; in CI that is an error.
///
/// - `name`: the folder under target/
/// - `source`: the folder of the `package.json`, relative to the root
pub fn installed(name: &str, source: &str) -> Result<Option<PathBuf>> {
    match install(name, source) {
        Ok(modules) => Ok(Some(modules)),
        Err(reason) if is_ci() => Err(reason),
        Err(reason) => {
            eprintln!("  skipped: packages of Node.js cannot be installed: {reason:#}");
            Ok(None)
        }
    }
}

fn install(name: &str, source: &str) -> Result<PathBuf> {
    let folder = target().join(name).join("packages");
    let modules = folder.join("node_modules");
    let source = root().join(source).join("package.json");
    let wanted = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    let stamp = modules.join("installed.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(modules);
    }
    if !succeeds(&mut command("npm", &["--version"])) {
        bail!("npm is needed (on Debian and Ubuntu: apt-get install nodejs npm)");
    }
    eprintln!("setting up Node.js packages in {}", folder.display());
    write(&folder.join("package.json"), &wanted)?;
    let install = ["install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"];
    run(command("npm", &install).current_dir(&folder))?;
    write(&stamp, &wanted)?;
    Ok(modules)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
