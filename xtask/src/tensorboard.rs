//! Tests of event files with TensorBoard itself.

use std::env;

use anyhow::Result;

use crate::command::{cargo, command, is_ci, run, target};
use crate::venv::Venv;

/// The tests, with their requirements.
pub const TESTS: &str = "crates/thinnet/tests/tensorboard";

/// Builds the example that writes event files, and runs the tests that read them with TensorBoard's own reader. If
/// TensorBoard cannot be installed they are skipped, but not in CI.
pub fn test() -> Result<()> {
    let venv = match Venv::ensure("tensorboard", &format!("{TESTS}/requirements.txt")) {
        Ok(venv) => venv,
        Err(reason) if is_ci() => return Err(reason),
        Err(reason) => {
            eprintln!("  skipped: TensorBoard cannot be installed: {reason:#}");
            return Ok(());
        }
    };
    run(&mut cargo(&["build", "--quiet", "--package", "thinnet", "--example", "event_file"]))?;
    let example = format!("event_file{}", env::consts::EXE_SUFFIX);
    run(command(venv.program("python"), &["-m", "pytest", "--quiet", TESTS])
        .env("EVENT_FILE_EXAMPLE", target().join("debug").join("examples").join(example)))
}
