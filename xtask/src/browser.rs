//! Tests of the report pages' script, in a DOM.

use std::fs;

use anyhow::{Context, Result};

use crate::command::{cargo, command, run, target};
use crate::packages;

/// The tests, with their packages.
const TESTS: &str = "crates/thinnet/tests/browser";

/// Writes pages, and uses them like a reader, under Node.js with jsdom. If that cannot be installed, the tests are
/// skipped, but not in CI.
pub fn test() -> Result<()> {
    let Some(modules) = packages::installed("browser", TESTS)? else { return Ok(()) };
    let pages = target().join("browser").join("pages");
    if pages.is_dir() {
        fs::remove_dir_all(&pages).with_context(|| format!("cannot remove {}", pages.display()))?;
    }
    run(cargo(&["run", "--quiet", "--package", "thinnet", "--example", "pages", "--"]).arg(&pages))?;
    run(command("node", &["--test", &format!("{TESTS}/page.test.mjs")])
        .env("NODE_PATH", modules)
        .env("PAGES", pages))
}
