//! The arguments of `thinnet data`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::source::ReadArguments;
use super::values::{count, seconds};
use crate::fetch::names::NAMES;

/// Download, inspect and convert data sets
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true, arg_required_else_help = false)]
pub(crate) struct DataArguments {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

/// The commands for data sets.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    Fetch(FetchArguments),
    Info(InfoArguments),
    Convert(ConvertArguments),
}

/// Download a data set from its official address, and check it
#[derive(Debug, Args)]
#[command(after_help = "\
The last line on standard output is the path for --data:
  thinnet experiment --data \"$(thinnet data fetch cifar10)\"

An interrupted download resumes when you run the same command again. thinnet checks the published size and MD5 of a file \
before it gets its name.

Proxies come from ALL_PROXY, HTTPS_PROXY, HTTP_PROXY and NO_PROXY. SSL_CERT_FILE names a file of certificates to trust \
instead of the usual ones.")]
pub(crate) struct FetchArguments {
    /// The data set
    #[arg(value_parser = PossibleValuesParser::new(NAMES))]
    pub(crate) dataset: String,

    /// Folder of data sets; created if missing [default: thinnet/datasets in your cache folder]
    #[arg(long, value_name = "DIR", env = "THINNET_DATASETS", hide_env_values = true)]
    pub(crate) dir: Option<PathBuf>,

    /// Download from here instead: the address of the file, or of the folder if the data set has several files
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Seconds to wait for a connection, an answer or a byte before giving up
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds, allow_hyphen_values = true)]
    pub(crate) timeout: Duration,

    /// How often to try again, with growing pauses, when nothing arrives
    #[arg(long, value_name = "N", default_value = "5", value_parser = count, allow_hyphen_values = true)]
    pub(crate) retries: usize,

    /// Do not show progress
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// Seconds of the first pause; each one after it is twice as long
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds, hide = true)]
    pub(crate) pause: Duration,

    /// A file like src/fetch/datasets.json, for addresses and checksums of one's own
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) catalogue: Option<PathBuf>,
}

/// Show a data set's shapes, classes, counts, ranges and means
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  thinnet data info cifar-10-python.tar.gz
  thinnet data info mnist --montage mnist.png
  thinnet data info iris.csv --label-column species --json
  thinnet data info houses.csv --label-column price --regression

The mean is that of the training samples; for the whole of CIFAR-10, that of the course's 49,000 training images.")]
pub(crate) struct InfoArguments {
    /// `sample`, or a file or folder as for `thinnet experiment --data`
    #[arg(value_name = "DATA")]
    pub(crate) path: PathBuf,

    #[command(flatten)]
    pub(crate) read: ReadArguments,

    /// Draw the first ten training images of each class in this file
    #[arg(long, value_name = "FILE.png")]
    pub(crate) montage: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Write a data set as a NumPy archive
#[derive(Debug, Args)]
#[command(after_help = "\
The archive has X_train, y_train and classes; if the data have such parts, also X_val, y_val, X_test and y_test. Images have \
the shape (N, C, H, W) and stay uint8, other samples have (N, D), and labels are int64. With --regression, y_train is \
float64, and target_names replaces classes. NumPy reads it:
  data = numpy.load(\"mnist.npz\"); data[\"X_train\"]")]
pub(crate) struct ConvertArguments {
    /// `sample`, or a file or folder as for `thinnet experiment --data`
    #[arg(value_name = "DATA")]
    pub(crate) path: PathBuf,

    /// The archive to write (.npz), in an existing folder
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) read: ReadArguments,

    /// Replace an existing archive
    #[arg(long)]
    pub(crate) force: bool,
}
