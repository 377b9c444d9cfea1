//! `cargo xtask bench`: side-by-side measurements with other libraries. `compare/bench.py` measures; here is what it needs.

use anyhow::Result;

use crate::command::{cargo, command, root, run, target};
use crate::venv::Venv;

/// What to measure.
#[derive(clap::Args)]
pub struct Arguments {
    /// What to measure: step, experiment, gradient-check, report; all of them by default. After `--` there can be more:
    /// `-- --peers pytorch --nets 500,500 --batches 100 --keeps 0.25 1 --rounds 5`; `-- --help` lists it
    #[arg(trailing_var_arg = true)]
    arguments: Vec<String>,
}

pub fn run_all(arguments: &Arguments) -> Result<()> {
    eprintln!("bench: building thinnet and the peers in Rust");
    run(&mut cargo(&["build", "--release", "--quiet", "--package", "thinnet-cli"]))?;
    for peer in ["burn", "candle"] {
        let build = ["build", "--release", "--quiet", "--locked", "--target-dir"];
        run(cargo(&build).arg(target().join("peers")).current_dir(root().join("compare").join(peer)))?;
    }
    let venv = Venv::ensure("bench", "compare/requirements.txt")?;
    let mut bench = command(venv.program("python"), &["compare/bench.py"]);
    bench.arg("--thinnet").arg(target().join("release/thinnet"));
    bench.arg("--burn").arg(target().join("peers/release/peer-burn"));
    bench.arg("--candle").arg(target().join("peers/release/peer-candle"));
    run(bench.args(&arguments.arguments))
}
