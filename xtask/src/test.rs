//! `cargo xtask test`: every test of the project.

use anyhow::Result;

use crate::command::{cargo, is_ci, run};
use crate::{browser, datasets, onnx, python, tensorboard};

/// A part of the tests: its name, and how to run it.
type Suite = (&'static str, fn() -> Result<()>);

/// All parts, the fast ones first.
const SUITES: &[Suite] = &[
    ("Rust", rust),
    ("TensorBoard", tensorboard::test),
    ("ONNX", onnx::test),
    ("browser", browser::test),
    ("Python", python::test),
];

pub fn run_all() -> Result<()> {
    for (name, suite) in SUITES {
        eprintln!("test: {name}");
        suite()?;
    }
    Ok(())
}

/// Unit, integration and documentation tests of the workspace. If real data cannot be made available, tests that need
/// them are skipped. In CI (`CI` is `true`) missing data are an error.
fn rust() -> Result<()> {
    let (folder, all) = match datasets::ensure() {
        Ok(folder) => (folder, true),
        Err(reason) if is_ci() => return Err(reason),
        Err(reason) => {
            eprintln!("  tests with real data may be skipped: {reason:#}");
            (datasets::folder()?, false)
        }
    };
    // Examples hold no tests, and take minutes to link; lint has compiled them.
    for targets in ["--tests", "--doc"] {
        let mut test = cargo(&["test", "--workspace", "--quiet", targets]);
        test.env(datasets::FOLDER, &folder);
        if all {
            test.env("CI", "true");
        }
        run(&mut test)?;
    }
    // The library as people have it who leave its features out.
    for targets in ["--tests", "--doc"] {
        run(&mut cargo(&["test", "--package", "thinnet", "--no-default-features", "--quiet", targets]))?;
    }
    Ok(())
}
