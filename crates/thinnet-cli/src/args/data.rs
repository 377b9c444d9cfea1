//! The arguments of `thinnet data`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::source::ReadArguments;
use super::values::{count, seconds};
use crate::fetch::names::NAMES;

/// Data sets: fetch them, look at them, convert them
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true, arg_required_else_help = false)]
pub(crate) struct DataArguments {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

/// What can be done with data sets.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    Fetch(FetchArguments),
    Info(InfoArguments),
    Convert(ConvertArguments),
}

/// Fetch a data set from its official address, and check it
#[derive(Debug, Args)]
#[command(after_help = "\
The last line on standard output is the path for --data:
  thinnet experiment --data \"$(thinnet data fetch cifar10)\"

A download that was cut short goes on where it ended when the same command is given again. What has arrived is checked \
against the published size and MD5 before it gets its name.

Proxies are taken from ALL_PROXY, HTTPS_PROXY, HTTP_PROXY and NO_PROXY; the certificates to trust, if not the usual ones, \
from the file SSL_CERT_FILE.")]
pub(crate) struct FetchArguments {
    /// The data set
    #[arg(value_parser = PossibleValuesParser::new(NAMES))]
    pub(crate) dataset: String,

    /// Folder of data sets; it is made if need be [default: thinnet/datasets in the user's cache folder]
    #[arg(long, value_name = "DIR", env = "THINNET_DATASETS", hide_env_values = true)]
    pub(crate) dir: Option<PathBuf>,

    /// Fetch from here instead: the address of the file, or of the folder where a data set has several files
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Seconds without a connection, an answer or a byte after which an attempt is given up
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds, allow_hyphen_values = true)]
    pub(crate) timeout: Duration,

    /// Times to try again, with longer and longer pauses, when nothing more arrives
    #[arg(long, value_name = "N", default_value = "5", value_parser = count, allow_hyphen_values = true)]
    pub(crate) retries: usize,

    /// Show no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// Seconds of the first pause; each one after it is twice as long
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds, hide = true)]
    pub(crate) pause: Duration,

    /// A file like src/fetch/datasets.json, for addresses and checksums of one's own
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) catalogue: Option<PathBuf>,
}

/// Show what a data set holds: shapes, classes, counts, ranges, means
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  thinnet data info cifar-10-python.tar.gz
  thinnet data info mnist --montage mnist.png
  thinnet data info iris.csv --label-column species --json
  thinnet data info houses.csv --label-column price --regression

The mean is that of the training samples; of the whole of CIFAR-10 that of the course's 49,000 training images.")]
pub(crate) struct InfoArguments {
    /// `sample`, or a file or folder as for `thinnet experiment --data`
    #[arg(value_name = "sample|PATH")]
    pub(crate) path: PathBuf,

    #[command(flatten)]
    pub(crate) read: ReadArguments,

    /// Draw the first ten training images of each class into this file
    #[arg(long, value_name = "FILE.png")]
    pub(crate) montage: Option<PathBuf>,

    /// Print the figures as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Write a data set as a NumPy archive
#[derive(Debug, Args)]
#[command(after_help = "\
The archive has X_train and y_train, the same with _val and _test where the data have such parts, and classes. Images are
(N, C, H, W) and stay uint8, other samples are (N, D), labels are int64; with --regression y_train is float64, and
target_names stands in the place of classes. NumPy reads it:
  data = numpy.load(\"mnist.npz\"); data[\"X_train\"]")]
pub(crate) struct ConvertArguments {
    /// `sample`, or a file or folder as for `thinnet experiment --data`
    #[arg(value_name = "sample|PATH")]
    pub(crate) path: PathBuf,

    /// The archive, in a folder that is there
    #[arg(value_name = "OUT.npz")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) read: ReadArguments,

    /// Replace the archive if it is there
    #[arg(long)]
    pub(crate) force: bool,
}
