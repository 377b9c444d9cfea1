//! Checks the docs' English and links with textlint; docs/prose has the rules.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::{command, root, run};
use crate::packages;

/// The rules and their packages.
const RULES: &str = "docs/prose";

/// Checks every page for people. If textlint cannot be installed this is skipped, but not in CI.
pub fn check() -> Result<()> {
    let Some(modules) = packages::installed("prose", RULES)? else { return Ok(()) };
    let mut textlint = command("node", &[]);
    textlint
        .arg(modules.join("textlint/bin/textlint.js"))
        .args(["--format", "unix", "--config"])
        .arg(root().join(RULES).join("textlintrc.json"))
        .arg("--rules-base-directory")
        .arg(&modules);
    run(textlint.args(pages(root())?).args(pages(&root().join("docs"))?))
}

/// The pages in a folder, in the order of their names.
pub fn pages(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    let mut pages: Vec<PathBuf> =
        paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    pages.sort();
    Ok(pages)
}
