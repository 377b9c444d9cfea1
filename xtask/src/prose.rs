//! Checks the docs' English and links with textlint; docs/prose has the rules.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

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
    run(textlint.args(pages()?))
}

/// The pages in the root and in docs/.
fn pages() -> Result<Vec<OsString>> {
    let mut pages = Vec::new();
    for folder in [root().to_path_buf(), root().join("docs")] {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        pages.extend(paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    }
    pages.sort();
    Ok(pages.into_iter().map(PathBuf::into_os_string).collect())
}
