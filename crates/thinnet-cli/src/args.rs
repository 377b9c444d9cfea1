//! The arguments as a person gives them. Nothing is checked here beyond what a value looks like; [`crate::config`] makes
//! settings of them.

pub(crate) mod data;
pub(crate) mod sweep;
pub(crate) mod train;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, FromArgMatches, Parser, Subcommand};
use data::DataArguments;
use sweep::SweepArguments;
use thinnet::data::{Order, Scaling};
use thinnet::engine::Product;
use thinnet::optim::Optimiser;
use train::TrainArguments;

/// Neural networks with dropout that compute only the units that dropout keeps.
#[derive(Debug, Parser)]
#[command(
    name = "thinnet",
    version,
    disable_help_subcommand = true,
    after_help = "Without a command, thinnet runs `thinnet experiment`: the course's dropout experiment."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Train(Box<TrainArguments>),
    Sweep(Box<SweepArguments>),
    Experiment(Box<ExperimentArguments>),
    Check(CheckArguments),
    Bench(BenchArguments),
    Data(DataArguments),
}

/// Train networks that differ only in dropout, and write a report
#[derive(Debug, Args)]
#[command(after_help = "\
By default this is the dropout experiment of the cs231n course. The lines on standard output are those of the course's
solver; with --dtype f64 they show its very figures.

Examples:
  thinnet experiment                           the course's experiment, on the embedded images
  thinnet experiment --keep 1,0.75,0.5,0.25    four networks, one after the other
  thinnet experiment --hidden 200,200 --reg 1e-3 --epochs 10
  thinnet experiment --data cifar-10-python.tar.gz --train 5000 --out big-report
  thinnet experiment --data iris.csv --label-column species --hidden 20 --batch-size 20")]
pub(crate) struct ExperimentArguments {
    #[command(flatten)]
    pub(crate) data: SourceArguments,

    /// Probability to KEEP a unit, above 0 and at most 1, of each network in turn; 1 is no dropout
    #[arg(
        long,
        value_name = "P,...",
        default_value = "1,0.25",
        value_delimiter = ',',
        value_parser = number,
        allow_hyphen_values = true
    )]
    pub(crate) keep: Vec<f64>,

    /// Units of each hidden layer
    #[arg(
        long,
        value_name = "UNITS,...",
        default_value = "500",
        value_delimiter = ',',
        value_parser = count,
        allow_hyphen_values = true
    )]
    pub(crate) hidden: Vec<usize>,

    /// Times that the training samples are gone through
    #[arg(long, value_name = "N", default_value = "25", value_parser = count, allow_hyphen_values = true)]
    pub(crate) epochs: usize,

    /// Samples a step, drawn with replacement
    #[arg(long, value_name = "N", default_value = "100", value_parser = count, allow_hyphen_values = true)]
    pub(crate) batch_size: usize,

    /// How gradients change the weights
    #[arg(
        long,
        value_name = "RULE",
        default_value = "adam",
        value_parser = PossibleValuesParser::new(Optimiser::NAMES)
    )]
    pub(crate) update_rule: String,

    /// Step size of the update rule
    #[arg(long, value_name = "X", default_value = "5e-4", value_parser = number, allow_hyphen_values = true)]
    pub(crate) learning_rate: f64,

    /// Strength of the L2 term 0.5 * X * sum(W^2) in the loss
    #[arg(long, value_name = "X", default_value = "0", value_parser = number, allow_hyphen_values = true)]
    pub(crate) reg: f64,

    /// Training samples to use, from the first [default: 500, or all if there are fewer]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) train: Option<usize>,

    /// Seed of the random stream (NumPy's), from 0 to 4294967295
    #[arg(long, value_name = "N", default_value = "231", value_parser = seed, allow_hyphen_values = true)]
    pub(crate) seed: u32,

    /// Number type
    #[arg(
        long,
        value_name = "TYPE",
        default_value = "f32",
        value_parser = PossibleValuesParser::new(["f32", "f64"])
    )]
    pub(crate) dtype: String,

    /// Threads to compute with [default: one for each core]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) threads: Option<usize>,

    /// Products: computed thin (only what dropout keeps), dense, or whichever is faster
    #[arg(
        long,
        value_name = "ENGINE",
        default_value = "auto",
        value_parser = PossibleValuesParser::new(Product::NAMES)
    )]
    pub(crate) engine: String,

    /// Folder for the report; it is made if need be
    #[arg(long, value_name = "DIR", default_value = "thinnet-report")]
    pub(crate) out: PathBuf,
}

impl ExperimentArguments {
    /// The arguments of `thinnet experiment` without any option: the course's experiment.
    pub(crate) fn course() -> Result<Self, clap::Error> {
        let mut matches =
            Self::augment_args(clap::Command::new("experiment")).try_get_matches_from(["experiment"])?;
        Self::from_arg_matches_mut(&mut matches)
    }
}

/// Where samples come from, and what is made of them: for every command that takes data.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct SourceArguments {
    /// `sample`, 500 + 1000 embedded images of CIFAR-10, or a file or folder, whose format is recognised: CIFAR-10 and
    /// CIFAR-100 (tar.gz, python, binary), IDX as of MNIST, NPZ, NPY, tables (CSV, TSV), folders of images by class
    #[arg(long, value_name = "sample|PATH", default_value = "sample")]
    pub(crate) data: PathBuf,

    #[command(flatten)]
    pub(crate) read: ReadArguments,

    /// Validation samples [default: those that the data have, or a fifth of the training samples, at most 1000]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) val: Option<usize>,

    /// How training and validation samples are parted, where the data do not say [default: stored for CIFAR and IDX,
    /// which come shuffled; shuffled with --regression; and else stratified]
    #[arg(long, value_name = "ORDER", value_parser = PossibleValuesParser::new(Order::NAMES))]
    pub(crate) split: Option<String>,

    /// Seed of a split at random (NumPy's), from 0 to 4294967295
    #[arg(long, value_name = "N", default_value = "0", value_parser = seed, allow_hyphen_values = true)]
    pub(crate) split_seed: u32,

    /// Subtract the training samples' mean, divide by their deviation (standard) or range (unit) as well, or none [default:
    /// mean for images, standard for the rest]
    #[arg(long, value_name = "SCALING", value_parser = PossibleValuesParser::new(Scaling::NAMES))]
    pub(crate) scaling: Option<String>,
}

/// How data are read, where their content leaves it open.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReadArguments {
    /// A table's column of labels, by name or number from 1 [default: label, class or target, or else the last]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label_column: Option<String>,

    /// Whether a table's first line names its columns [default: if no field of it is a number]
    #[arg(long, value_name = "yes|no", value_parser = yes_no)]
    pub(crate) header: Option<bool>,

    /// Resize the images of a folder to this width and height
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub(crate) resize: Option<(u32, u32)>,

    /// Read targets as numbers, and not as classes: a table's column of labels, an array (N) or (N, K) of NPZ and NPY
    #[arg(long)]
    pub(crate) regression: bool,
}

/// Compute the figures of the course's dropout exercise beside the course's own
#[derive(Debug, Args)]
#[command(after_help = "\
The figures are dropout's statistics, the error of its backward pass, and the initial losses and gradient errors of three
networks. The exit status is 1 if a figure is off.")]
pub(crate) struct CheckArguments {
    /// Print the figures alone, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Measure a training step on this machine
#[derive(Debug, Args)]
#[command(after_help = "\
A step draws a batch out of 5000 samples of 3072 numbers and computes masks, forward pass, softmax loss, backward pass and \
Adam's update. Beside its time stand what its parts take of it, and what the machine reaches at best.")]
pub(crate) struct BenchArguments {
    /// Units of each hidden layer
    #[arg(
        long,
        value_name = "UNITS,...",
        default_value = "500",
        value_delimiter = ',',
        value_parser = count,
        allow_negative_numbers = true
    )]
    pub(crate) hidden: Vec<usize>,

    /// Samples a step
    #[arg(long, value_name = "N", default_value = "100", value_parser = count, allow_negative_numbers = true)]
    pub(crate) batch_size: usize,

    /// Probability to KEEP a unit, above 0 and at most 1; 1 is no dropout
    #[arg(long, value_name = "P", default_value = "0.25", value_parser = number, allow_negative_numbers = true)]
    pub(crate) keep: f64,

    /// Number type
    #[arg(
        long,
        value_name = "TYPE",
        default_value = "f32",
        value_parser = PossibleValuesParser::new(["f32", "f64"])
    )]
    pub(crate) dtype: String,

    /// Products: computed thin (only what dropout keeps), dense, or whichever is faster
    #[arg(
        long,
        value_name = "ENGINE",
        default_value = "auto",
        value_parser = PossibleValuesParser::new(Product::NAMES)
    )]
    pub(crate) engine: String,

    /// Threads to compute with [default: one for each core]
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,

    /// Steps to measure
    #[arg(long, value_name = "N", default_value = "200", value_parser = count, allow_negative_numbers = true)]
    pub(crate) steps: usize,

    /// Print the figures as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Measure what standard input asks for, a JSON object a line, for programs that compare
    #[arg(long, hide = true)]
    pub(crate) serve: bool,
}

/// A number, be it in range or not.
fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "it takes a number".to_owned())
}

/// A whole number that is not negative.
fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("it takes a whole number up to {}", usize::MAX)
        } else {
            "it takes a whole number that is not negative".to_owned()
        }
    })
}

/// "yes" or "no".
fn yes_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("it takes yes or no".to_owned()),
    }
}

/// A width and a height.
pub(crate) fn size(text: &str) -> Result<(u32, u32), String> {
    let numbers =
        text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    numbers.ok_or_else(|| "it takes a width and a height, as in 32x32".to_owned())
}

/// A positive number of seconds, up to a day.
fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds| *seconds > 0.0 && *seconds <= 86_400.0)
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "it takes a number of seconds above 0 and up to 86400".to_owned())
}

/// A seed of NumPy's.
fn seed(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("it takes a whole number from 0 to {}", u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_arguments_and_the_bare_command_are_the_courses_experiment() {
        assert!(Arguments::try_parse_from(["thinnet"]).unwrap().command.is_none());
        let Some(Command::Experiment(bare)) =
            Arguments::try_parse_from(["thinnet", "experiment"]).unwrap().command
        else {
            panic!("experiment is not the experiment")
        };
        assert_eq!((bare.keep.as_slice(), bare.hidden.as_slice()), (&[1.0, 0.25][..], &[500][..]));
    }
}
