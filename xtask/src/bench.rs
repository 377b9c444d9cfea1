//! `cargo xtask bench`: comparisons with other libraries. `compare/bench.py` measures; this prepares what it needs.

use anyhow::Result;

use crate::command::{cargo, command, root, run, target};
use crate::venv::Venv;
use crate::{datasets, python};

/// What to measure.
#[derive(clap::Args)]
pub struct Arguments {
    /// step, experiment, gradient-check or report (default: all of these); or one of estimators, small, pytorch,
    /// predict, masks and busy; or exported, which checks models in PyTorch
    what: Vec<String>,
    /// More arguments for compare/bench.py: `-- --peers pytorch --nets 500,500 --batches 100 --keeps 0.25 1 --rounds
    /// 5`; `-- --help` lists them
    #[arg(last = true)]
    more: Vec<String>,
}

/// What does not measure training steps: the Python package's classes, and exported models.
const CLASSES: [&str; 7] = ["estimators", "exported", "small", "pytorch", "predict", "masks", "busy"];

pub fn run_all(arguments: &Arguments) -> Result<()> {
    match arguments.what.iter().map(String::as_str).find(|what| CLASSES.contains(what)) {
        Some("exported") => return exported(),
        Some("estimators") => return estimators(&arguments.more),
        Some(what) => return small(what, &arguments.more),
        None => {}
    }
    run(&mut cargo(&["build", "--release", "--quiet", "--package", "thinnet-cli"]))?;
    run(&mut cargo(&[
        "build",
        "--release",
        "--quiet",
        "--package",
        "thinnet",
        "--example",
        "gradient_check",
    ]))?;
    if arguments.what.is_empty() || arguments.what.iter().any(|what| what == "step") {
        build_peers()?;
    }
    let venv = Venv::ensure("bench", "compare/requirements.txt")?;
    let mut bench = command(venv.program("python"), &["compare/bench.py"]);
    bench.arg("--thinnet").arg(target().join("release/thinnet"));
    bench.arg("--gradient-check").arg(target().join("release/examples/gradient_check"));
    bench.arg("--burn").arg(target().join("peers/release/peer-burn"));
    bench.arg("--candle").arg(target().join("peers/release/peer-candle"));
    run(bench.args(&arguments.what).args(&arguments.more))
}

/// The Python package's classes compared with scikit-learn's own and skorch.
fn estimators(more: &[String]) -> Result<()> {
    let folder = datasets::ensure()?;
    let venv =
        python::install(&python::build_wheel()?, "estimators", "../../compare/requirements-estimators.txt")?;
    let mut bench = command(venv.program("python"), &["compare/estimators.py", "--skorch"]);
    bench.arg(venv.program("python")).env(datasets::FOLDER, folder);
    run(bench.args(more))
}

/// Fits and predictions of small nets compared with scikit-learn's, fits and masks compared with PyTorch's.
fn small(what: &str, more: &[String]) -> Result<()> {
    let (name, requirements) = match what {
        "pytorch" | "masks" => ("estimators", "../../compare/requirements-estimators.txt"),
        _ => ("python", "requirements-test.txt"),
    };
    let venv = python::install(&python::build_wheel()?, name, requirements)?;
    run(command(venv.program("python"), &["compare/small.py", what]).args(more))
}

/// Models exported for PyTorch, in PyTorch.
fn exported() -> Result<()> {
    run(&mut cargo(&["build", "--release", "--quiet", "--package", "thinnet-cli"]))?;
    let venv = Venv::ensure("bench", "compare/requirements.txt")?;
    run(command(venv.program("python"), &["compare/exported.py"]).arg(target().join("release/thinnet")))
}

/// Builds the peers that are written in Rust; each has its own dependencies and lock file.
fn build_peers() -> Result<()> {
    for peer in ["burn", "candle"] {
        eprintln!("bench: building the training step of {peer}");
        let build = ["build", "--release", "--quiet", "--locked", "--target-dir"];
        run(cargo(&build).arg(target().join("peers")).current_dir(root().join("compare").join(peer)))?;
    }
    Ok(())
}
