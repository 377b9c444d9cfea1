//! The arguments for trained models.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::values::{count, probability, seed, share};

/// Predict samples with a trained model
#[derive(Debug, Args)]
#[command(after_help = "\
The output is CSV with a line for each sample: its number from 0, its most probable class, and the probability. For a \
regression: its number and a column for each target. You need only the model file: it holds the scaling, the names of the \
classes, and the columns of a table.

thinnet reads a part of the samples at a time, so any number of them fits in memory. If the data have several parts, \
training samples come first, then validation and test samples.

Examples:
  thinnet predict run/model.safetensors new.csv
  thinnet predict run photos --top 3 --out photos.csv
  thinnet predict thinnet-report/models/keep-0.25.safetensors sample --json
  thinnet predict run new.csv --mc-samples 100
  thinnet predict run new.csv --coverage 0.9
  generate-samples | thinnet predict run -")]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(crate) struct PredictArguments {
    /// A .safetensors file of thinnet, or the folder of a finished run
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,

    /// `sample`, a file or folder as for --data, or - for a CSV table from standard input; labels may be missing
    #[arg(value_name = "INPUT")]
    pub(crate) input: PathBuf,

    /// Print the K most probable classes of each sample, one per line, with their rank from 1
    #[arg(long, value_name = "K", value_parser = count, allow_hyphen_values = true)]
    pub(crate) top: Option<usize>,

    /// Print the probabilities of all classes, one column each
    #[arg(long, conflicts_with = "top")]
    pub(crate) proba: bool,

    /// Predict with dropout on, under N masks for each sample: the mean, with its standard deviation over the masks and,
    /// for classes, entropy and mutual information
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) mc_samples: Option<usize>,

    /// Print standard deviations and, for classes, entropy and mutual information: of an ensemble (train.members), how
    /// far its networks disagree
    #[arg(long, conflicts_with_all = ["mc_samples", "coverage"])]
    pub(crate) std: bool,

    /// Seed of the masks
    #[arg(
        long,
        value_name = "SEED",
        value_parser = seed,
        default_value = "231",
        requires = "mc_samples",
        allow_hyphen_values = true
    )]
    pub(crate) seed: u32,

    /// Print what holds the truth with this probability: a set of classes, one per line with its rank, or an interval
    /// around each number
    #[arg(long, value_name = "Q", value_parser = probability, conflicts_with_all = ["top", "proba", "uncalibrated", "mc_samples"], allow_hyphen_values = true)]
    pub(crate) coverage: Option<f64>,

    /// Leave out the model's temperature (train.calibrate)
    #[arg(long)]
    pub(crate) uncalibrated: bool,

    /// Print JSON lines
    #[arg(long)]
    pub(crate) json: bool,

    /// Write to this file instead of standard output; the file appears only when complete
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Measure how well a model predicts labelled data
#[derive(Debug, Args)]
#[command(after_help = "\
For classes: accuracy, top-5 accuracy, log loss, how far the probabilities can be trusted, the confusion matrix, and \
precision, recall and F1 of each class. For numbers: the root mean squared error, the mean absolute error and R squared of each target.

Examples:
  thinnet evaluate run cifar-10-python.tar.gz
  thinnet evaluate run/model.safetensors new.csv --json
  thinnet evaluate run mnist --out evaluation")]
pub(crate) struct EvaluateArguments {
    /// A .safetensors file of thinnet, or the folder of a finished run
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,

    /// `sample`, or a file or folder as for --data, read as the model's training data were
    #[arg(value_name = "DATA")]
    pub(crate) data: PathBuf,

    /// Which samples [default: test if there are test samples, else all]
    #[arg(long, value_name = "PART", value_parser = PossibleValuesParser::new(["train", "val", "test", "all"]))]
    pub(crate) part: Option<String>,

    /// Compare one pass without dropout with the mean and the geometric mean over 1, 2, 5, 10 and so on up to N masks
    #[arg(
        long,
        value_name = "N",
        value_parser = count,
        num_args = 0..=1,
        default_missing_value = "100",
        require_equals = true,
        allow_hyphen_values = true
    )]
    pub(crate) compare_averages: Option<usize>,

    /// Seed of the masks
    #[arg(
        long,
        value_name = "SEED",
        value_parser = seed,
        default_value = "231",
        requires = "compare_averages",
        allow_hyphen_values = true
    )]
    pub(crate) seed: u32,

    /// Leave out the model's temperature (train.calibrate)
    #[arg(long)]
    pub(crate) uncalibrated: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Write a report page into this folder; created if missing
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// Write a model for other programs: as ONNX, for PyTorch, or as NumPy's arrays
#[derive(Debug, Args)]
#[command(after_help = "\
An .onnx file holds the whole model: scaling, columns of words with their gaps, the network, and the names of the classes. ONNX \
Runtime and many others read it. It takes samples in the units of the training data: one input X, or an input for each column \
of a table that has words, dates or gaps. Outputs are label and probabilities for classes, and variable for numbers.

An .npz file has the arrays with the course's names, W1, b1 and so on. For PyTorch, a script beside the .safetensors file builds \
the network.

Examples:
  thinnet export run model.onnx
  thinnet export run arrays.npz
  thinnet export run network.safetensors --format torch
  thinnet export run model.onnx --zipmap
  # A quarter of the size, unless accuracy falls
  thinnet export run small.onnx --weights int8 --data new.csv
  # How sure is the model? Each sample gets masks of its own
  thinnet export run sampled.onnx --dropout")]
pub(crate) struct ExportArguments {
    /// A .safetensors file of thinnet, or the folder of a finished run
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,

    /// The file to write: its name ends in .onnx, .npz or .safetensors
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,

    /// What a .safetensors file is for; torch also writes OUT with the ending .py
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(["torch"]))]
    pub(crate) format: Option<String>,

    /// Store weights with fewer bits; int8 is for .onnx files
    #[arg(long, value_name = "WEIGHTS", value_parser = PossibleValuesParser::new(["float16", "int8"]))]
    pub(crate) weights: Option<String>,

    /// Measure what --weights changes on these labelled samples: `sample`, or a file or folder [default: sample, if the model
    /// was trained on it]
    #[arg(long, value_name = "sample|PATH", requires = "weights")]
    pub(crate) data: Option<PathBuf>,

    /// Which of these samples [default: test if there are test samples, else all]
    #[arg(
        long,
        value_name = "PART",
        requires = "data",
        value_parser = PossibleValuesParser::new(["train", "val", "test", "all"])
    )]
    pub(crate) part: Option<String>,

    /// Write nothing if accuracy, or R squared of a target, falls by more than this [default: 0.01]
    #[arg(long, value_name = "X", requires = "weights", value_parser = share, allow_hyphen_values = true)]
    pub(crate) tolerance: Option<f64>,

    /// In an .onnx file: give the probabilities as a map for each sample, from the class to its probability
    #[arg(long)]
    pub(crate) zipmap: bool,

    /// In an .onnx file: keep dropout; the runtime draws its masks
    #[arg(long)]
    pub(crate) dropout: bool,

    /// Replace existing files
    #[arg(long)]
    pub(crate) force: bool,
}

/// Inspect trained models
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true, arg_required_else_help = false)]
pub(crate) struct ModelArguments {
    #[command(subcommand)]
    pub(crate) command: ModelCommand,
}

/// The commands for models.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    Info(ModelInfoArguments),
}

/// Show a model's layers, inputs, outputs, training data and scores
#[derive(Debug, Args)]
pub(crate) struct ModelInfoArguments {
    /// A .safetensors file of thinnet, or the folder of a finished run
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
