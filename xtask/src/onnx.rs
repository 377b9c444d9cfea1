//! Tests of exported models with ONNX Runtime.

use std::env;

use anyhow::Result;

use crate::command::{cargo, command, is_ci, run, target};
use crate::venv::Venv;

/// The tests, with their requirements.
pub const TESTS: &str = "crates/thinnet-cli/tests/onnx";

/// Builds the program, and runs the tests that export its models and compare ONNX Runtime's predictions with its own. If
/// ONNX Runtime cannot be installed they are skipped, but not in CI.
pub fn test() -> Result<()> {
    let venv = match Venv::ensure("onnx", &format!("{TESTS}/requirements.txt")) {
        Ok(venv) => venv,
        Err(reason) if is_ci() => return Err(reason),
        Err(reason) => {
            eprintln!("  skipped: ONNX Runtime cannot be installed: {reason:#}");
            return Ok(());
        }
    };
    run(&mut cargo(&["build", "--quiet", "--package", "thinnet-cli"]))?;
    let program = target().join("debug").join(format!("thinnet{}", env::consts::EXE_SUFFIX));
    run(command(venv.program("python"), &["-m", "pytest", "--quiet", TESTS]).env("THINNET_PROGRAM", program))
}
