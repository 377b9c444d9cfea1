//! The program `thinnet`: arguments ([`args`]) become a checked configuration ([`config`]), which is run
//! ([`mod@train`], [`mod@model`], [`sweep`], [`experiment`], [`seeds`], [`report`], [`check`], [`mod@bench`], [`fetch`],
//! [`info`], [`convert`]) on data from [`source`]. Text for people goes through [`output`]. A [`failure`] ends a run
//! early, also for arguments that [`usage`] refuses; [`hints`] finds what was meant instead.

mod args;
mod bench;
mod check;
mod config;
mod convert;
mod experiment;
mod failure;
mod fetch;
mod figures;
mod folder;
mod follow;
mod help;
mod hints;
mod info;
mod interrupt;
mod manual;
mod memory;
mod model;
mod output;
mod report;
mod results;
mod seeds;
mod source;
mod sweep;
mod train;
mod usage;

use std::env;
use std::panic;
use std::process::ExitCode;

use args::data::DataCommand;
use args::model::ModelCommand;
use args::{Command, ExperimentArguments};
use clap::error::ErrorKind;
use failure::Failure;
use output::Output;
use thinnet::data::catches_panic;
use thinnet::text::{joined, shell_word};
use thinnet_kernels::Allocator;
use usage::refusal;

/// If memory runs out, the program ends with a message.
#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new(memory::ran_out);

fn main() -> ExitCode {
    // Panics that the library turns into errors are reported as errors.
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !catches_panic() {
            told(panic);
        }
    }));
    let mut output = Output::new();
    run(&mut output).unwrap_or_else(|failure| {
        output.failure(&failure);
        ExitCode::from(status(&failure))
    })
}

/// The exit status. After a signal it is 128 plus the signal's number, as a shell reports it: 13 is SIGPIPE, which
/// ends a program that writes to a closed pipe.
fn status(failure: &Failure) -> u8 {
    match failure {
        Failure::Refused(_) | Failure::Diverged(_) => 2,
        Failure::Interrupted(_) => interrupt::exit_status(),
        Failure::NobodyReads => 128 + 13,
    }
}

/// Runs the command in the arguments.
fn run(output: &mut Output) -> Result<ExitCode, Failure> {
    let arguments = match help::parse() {
        Ok(arguments) => arguments,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            output.help(&error.render())?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => return Err(refusal(&error)),
    };
    match arguments.command {
        None => {
            output.note(
                "thinnet trains one network without dropout and one with dropout; `thinnet --help` lists what else it does",
            );
            let course = ExperimentArguments::course().map_err(|error| refusal(&error))?;
            experiment::run(course, "thinnet experiment", output)?;
        }
        Some(Command::Train(arguments)) => train::run(*arguments, output)?,
        Some(Command::Predict(arguments)) => model::predict::run(&arguments, output)?,
        Some(Command::Evaluate(arguments)) => model::evaluate::run(&arguments, output)?,
        Some(Command::Export(arguments)) => model::export::run(&arguments, output)?,
        Some(Command::Model(arguments)) => match arguments.command {
            ModelCommand::Info(arguments) => model::info::run(&arguments, output)?,
        },
        Some(Command::Sweep(arguments)) => sweep::run(*arguments, output)?,
        Some(Command::Experiment(arguments)) => match arguments.seeds {
            Some(count) => seeds::run(*arguments, count, &command_line(), output)?,
            None => experiment::run(*arguments, &command_line(), output)?,
        },
        Some(Command::Report(arguments)) => report::run(&arguments, &command_line(), output)?,
        Some(Command::Check(arguments)) if !check::run(&arguments, output)? => return Ok(ExitCode::FAILURE),
        Some(Command::Check(_)) => {}
        Some(Command::Bench(arguments)) => bench::run(&arguments, output)?,
        Some(Command::Data(arguments)) => match arguments.command {
            DataCommand::Fetch(arguments) => fetch::run(&arguments, output)?,
            DataCommand::Info(arguments) => info::run(&arguments, output)?,
            DataCommand::Convert(arguments) => convert::run(&arguments, output)?,
        },
        Some(Command::Completions(arguments)) => manual::completions(&arguments, output)?,
        Some(Command::Man(arguments)) => manual::pages(&arguments, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The command line of this program, as for a shell.
fn command_line() -> String {
    let words = env::args_os().skip(1).map(|word| shell_word(&word.to_string_lossy()));
    joined(["thinnet".to_owned()].into_iter().chain(words), " ")
}
