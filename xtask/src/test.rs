//! `cargo xtask test`: every test of the project.

use anyhow::Result;

use crate::command::{cargo, run};

/// A part of the tests: its name, and how to run it.
type Suite = (&'static str, fn() -> Result<()>);

/// All parts, the quick ones first. The Python package's and the page's tests join here.
const SUITES: &[Suite] = &[("Rust", rust)];

pub fn run_all() -> Result<()> {
    for (name, suite) in SUITES {
        eprintln!("test: {name}");
        suite()?;
    }
    Ok(())
}

/// Unit, integration and documentation tests of the workspace.
fn rust() -> Result<()> {
    run(cargo(&["test", "--workspace", "--quiet"]).env("CI", "true"))
}
