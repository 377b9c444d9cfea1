//! The report pages' script, in a DOM.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{cargo, command, is_ci, root, run, succeeds, target};

/// Where the tests are, with what they need.
const TESTS: &str = "crates/thinnet/tests/browser";

/// Write pages, and use them as a reader would, under Node.js with jsdom. Where that cannot be installed the tests are skipped, but
/// not in CI.
pub fn test() -> Result<()> {
    let modules = match modules() {
        Ok(modules) => modules,
        Err(reason) if is_ci() => return Err(reason),
        Err(reason) => {
            eprintln!("  skipped: jsdom cannot be installed: {reason:#}");
            return Ok(());
        }
    };
    let pages = target().join("browser").join("pages");
    if pages.is_dir() {
        fs::remove_dir_all(&pages).with_context(|| format!("cannot remove {}", pages.display()))?;
    }
    run(cargo(&["run", "--quiet", "--package", "thinnet", "--example", "pages", "--"]).arg(&pages))?;
    run(command("node", &["--test", &format!("{TESTS}/page.test.mjs")])
        .env("NODE_PATH", modules)
        .env("PAGES", pages))
}

/// The folder of the packages that `package.json` names, brought there unless it has them.
fn modules() -> Result<PathBuf> {
    let folder = target().join("browser").join("packages");
    let modules = folder.join("node_modules");
    let source = root().join(TESTS).join("package.json");
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
