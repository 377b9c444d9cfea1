//! The arguments as the user gives them. Only the form of values is checked here; [`crate::config`] converts them to
//! settings.

pub(crate) mod data;
pub(crate) mod manual;
pub(crate) mod model;
pub(crate) mod report;
pub(crate) mod source;
pub(crate) mod sweep;
pub(crate) mod train;
pub(crate) mod values;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, FromArgMatches, Parser, Subcommand};
use data::DataArguments;
use manual::{CompletionsArguments, ManArguments};
use model::{EvaluateArguments, ExportArguments, ModelArguments, PredictArguments};
use report::ReportArguments;
use source::SourceArguments;
use sweep::SweepArguments;
use thinnet::engine::EngineKind;
use thinnet::optim::Optimiser;
use train::TrainArguments;
use values::{count, number, seed};

/// Neural networks with dropout that compute only the units that dropout keeps.
#[derive(Debug, Parser)]
#[command(
    name = "thinnet",
    version,
    disable_help_subcommand = true,
    after_help = "Without a command, thinnet runs `thinnet experiment`, the dropout experiment of the cs231n course."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The program's commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Train(Box<TrainArguments>),
    Predict(PredictArguments),
    Evaluate(EvaluateArguments),
    Export(ExportArguments),
    Model(ModelArguments),
    Sweep(Box<SweepArguments>),
    Experiment(Box<ExperimentArguments>),
    Report(ReportArguments),
    Check(CheckArguments),
    Bench(BenchArguments),
    Data(DataArguments),
    Completions(CompletionsArguments),
    Man(ManArguments),
}

/// Train networks that differ only in dropout, and write a report
#[derive(Debug, Args)]
#[command(after_help = "\
By default this is the dropout experiment of the cs231n course. Standard output has the lines of the course's solver; with \
--dtype f64, they show exactly the course's figures.

Examples:
  # The course's experiment, on the embedded images
  thinnet experiment
  # Four networks, one after the other
  thinnet experiment --keep 1,0.75,0.5,0.25
  # Five seeds: bands, and what is more than chance
  thinnet experiment --seeds 5
  # Other settings and data
  thinnet experiment --hidden 200,200 --reg 1e-3 --epochs 10
  thinnet experiment --data cifar-10-python.tar.gz --train 5000 --out big-report
  thinnet experiment --data iris.csv --label-column species --hidden 20")]
pub(crate) struct ExperimentArguments {
    #[command(flatten)]
    pub(crate) data: SourceArguments,

    /// Probability to KEEP a unit, above 0, max. 1; one network for each; 1 means no dropout
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

    /// Passes over the training samples (epochs)
    #[arg(long, value_name = "N", default_value = "25", value_parser = count, allow_hyphen_values = true)]
    pub(crate) epochs: usize,

    /// Samples per step, drawn with replacement
    #[arg(long, value_name = "N", default_value = "100", value_parser = count, allow_hyphen_values = true)]
    pub(crate) batch_size: usize,

    /// Optimiser: how gradients change the weights
    #[arg(
        long,
        value_name = "RULE",
        default_value = "adam",
        value_parser = PossibleValuesParser::new(Optimiser::NAMES)
    )]
    pub(crate) update_rule: String,

    /// Step size of the optimiser
    #[arg(long, value_name = "X", default_value = "5e-4", value_parser = number, allow_hyphen_values = true)]
    pub(crate) learning_rate: f64,

    /// Strength of the L2 term 0.5 * X * sum(W^2) in the loss
    #[arg(long, value_name = "X", default_value = "0", value_parser = number, allow_hyphen_values = true)]
    pub(crate) reg: f64,

    /// Use the first N training samples [default: 500, or all if there are fewer]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) train: Option<usize>,

    /// Seed of the random stream (NumPy's), 0 to 4294967295
    #[arg(long, value_name = "N", default_value = "231", value_parser = seed, allow_hyphen_values = true)]
    pub(crate) seed: u32,

    /// Repeat the experiment with N seeds, from --seed upwards, at the same time; the report then says what is more than chance
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) seeds: Option<usize>,

    #[command(flatten)]
    pub(crate) compute: ComputeArguments,

    /// Folder for the report; created if missing
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

/// How results are computed.
#[derive(Debug, Args)]
pub(crate) struct ComputeArguments {
    /// Number type
    #[arg(
        long,
        value_name = "TYPE",
        default_value = "f32",
        value_parser = PossibleValuesParser::new(["f32", "f64"])
    )]
    pub(crate) dtype: String,

    /// Threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) threads: Option<usize>,

    /// How to compute products: thin (only the units that dropout keeps), dense (all), or auto (the faster one)
    #[arg(
        long,
        value_name = "ENGINE",
        default_value = "auto",
        value_parser = PossibleValuesParser::new(EngineKind::NAMES)
    )]
    pub(crate) engine: String,
}

/// Compare the dropout exercise's figures with the course's own
#[derive(Debug, Args)]
#[command(after_help = "\
thinnet compares the statistics of dropout, the error of its backward pass, and the initial losses and gradient errors of \
three networks. The exit status is 1 if a figure differs.")]
pub(crate) struct CheckArguments {
    /// Print only the figures, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Measure a training step or a prediction on this machine
#[derive(Debug, Args)]
#[command(after_help = "\
A step draws a batch from 5000 samples and computes masks, forward pass, softmax loss, backward pass and Adam's update. \
thinnet also shows the time of each part, the peak speed of the machine, and the time of the same net without dropout.

Examples:
  thinnet bench --inputs 784 --hidden 512 --keep 0.5
  thinnet bench --inputs 50 --hidden 256,256 --classes 5 --predict 10000")]
pub(crate) struct BenchArguments {
    /// Inputs of the net
    #[arg(long, value_name = "N", default_value = "3072", value_parser = count, allow_negative_numbers = true)]
    pub(crate) inputs: usize,

    /// Outputs, one for each class
    #[arg(long, value_name = "N", default_value = "10", value_parser = count, allow_negative_numbers = true)]
    pub(crate) classes: usize,

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

    /// Samples per step
    #[arg(long, value_name = "N", default_value = "100", value_parser = count, allow_negative_numbers = true)]
    pub(crate) batch_size: usize,

    /// Probability to KEEP a unit, above 0, max. 1; 1 means no dropout
    #[arg(long, value_name = "P", default_value = "0.25", value_parser = number, allow_negative_numbers = true)]
    pub(crate) keep: f64,

    #[command(flatten)]
    pub(crate) compute: ComputeArguments,

    /// Measure predictions of this many samples instead of steps
    #[arg(
        long,
        value_name = "ROWS",
        value_parser = count,
        allow_negative_numbers = true,
        conflicts_with_all = ["batch_size", "keep", "serve"]
    )]
    pub(crate) predict: Option<usize>,

    /// Steps or predictions to measure
    #[arg(long, value_name = "N", default_value = "200", value_parser = count, allow_negative_numbers = true)]
    pub(crate) steps: usize,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Measure what standard input asks for, a JSON object a line, for programs that compare
    #[arg(long, hide = true)]
    pub(crate) serve: bool,
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
