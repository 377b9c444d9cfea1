//! The arguments of what a trained model does.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::values::count;

/// Predict samples with a trained model
#[derive(Debug, Args)]
#[command(after_help = "\
Printed is a line a sample, as CSV: its number from 0, its most probable class, and that class's probability; of a \
regression its number and a column a target. The model file alone is enough: it knows how samples are scaled, what its \
classes are called, and which columns of a table it takes.

Samples are read as they come, so that any number of them fits in memory; of a data set with several parts the training \
samples come first, then validation and test samples.

Examples:
  thinnet predict run/model.safetensors new.csv
  thinnet predict run photos --top 3 --out photos.csv
  thinnet predict thinnet-report/models/keep-0.25.safetensors sample --json
  generate-samples | thinnet predict run -")]
pub(crate) struct PredictArguments {
    /// A model: a .safetensors file of thinnet, or the folder of a run that has ended
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,

    /// `sample`, a file or folder as for --data, or - for a table (CSV) from standard input; labels may be missing
    #[arg(value_name = "sample|PATH|-")]
    pub(crate) input: PathBuf,

    /// Print the K most probable classes of each sample, a line each, with their rank from 1
    #[arg(long, value_name = "K", value_parser = count, allow_hyphen_values = true)]
    pub(crate) top: Option<usize>,

    /// Print the probabilities of all classes, a column each
    #[arg(long, conflicts_with = "top")]
    pub(crate) proba: bool,

    /// Print a JSON object a line
    #[arg(long)]
    pub(crate) json: bool,

    /// Write to this file, whole or not at all, in place of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Judge a trained model on data whose classes or numbers are known
#[derive(Debug, Args)]
#[command(after_help = "\
Of classes: accuracy, top-5 accuracy, log loss, precision, recall and F1 of each class, and the confusion matrix. Of numbers: \
the root of the mean squared error, the mean absolute error and R squared of each target.

Examples:
  thinnet evaluate run cifar-10-python.tar.gz
  thinnet evaluate run/model.safetensors new.csv --json
  thinnet evaluate run mnist --out evaluation")]
pub(crate) struct EvaluateArguments {
    /// A model: a .safetensors file of thinnet, or the folder of a run that has ended
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,

    /// `sample`, or a file or folder as for --data; it is read as the model's own data were
    #[arg(value_name = "sample|PATH")]
    pub(crate) data: PathBuf,

    /// Which samples [default: test if the data have such a part, or else all]
    #[arg(long, value_name = "PART", value_parser = PossibleValuesParser::new(["train", "val", "test", "all"]))]
    pub(crate) part: Option<String>,

    /// Print the figures as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Write a report page with the figures into this folder; it is made if need be
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// Trained models: look at them
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true, arg_required_else_help = false)]
pub(crate) struct ModelArguments {
    #[command(subcommand)]
    pub(crate) command: ModelCommand,
}

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    Info(ModelInfoArguments),
}

/// Show what a model is: its layers, what it takes and gives, what it was trained on, how it did
#[derive(Debug, Args)]
pub(crate) struct ModelInfoArguments {
    /// A model: a .safetensors file of thinnet, or the folder of a run that has ended
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
