//! The arguments of `thinnet train`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use thinnet::training::Assignment;

use super::source::TableArguments;
use super::values::{count, seconds};

/// Train a network as a file says; stop it and go on at will
#[derive(Debug, Args)]
#[command(after_help = "\
A configuration is TOML in four sections, every key of which has a default:
  [data]   path, val, scaling, ...             [model]  hidden, keep, input_keep, ...
  [optim]  rule, learning_rate, max_norm, ...  [train]  epochs, batch_size, seed, ...
`thinnet train --defaults` prints all of them; docs/training.md explains them. Keep probabilities are those to KEEP a unit.

Examples:
  thinnet train                                          the embedded images, with every default
  thinnet train --data mnist --set model.hidden=[800,800] --set optim.max_norm=3
  thinnet train config.toml --set train.seed=7 --out seed-7
  thinnet train --resume seed-7                          go on where it stopped, however it did
  thinnet train --resume seed-7 --set train.epochs=100   go on for longer")]
pub(crate) struct TrainArguments {
    /// File with the settings; those that it leaves out have their defaults
    #[arg(value_name = "CONFIG.toml")]
    pub(crate) config: Option<PathBuf>,

    /// `sample`, or a file or folder with samples: the same as --set data.path=PATH
    #[arg(long, value_name = "sample|PATH")]
    pub(crate) data: Option<String>,

    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// Change one setting, as in model.keep=0.5; can be given many times
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<Assignment>,

    /// Folder for the run; it is made if need be [default: thinnet-run, or thinnet-run-2, ...]
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    pub(crate) out: Option<PathBuf>,

    /// Go on with the run in this folder; --data says where its samples are now, if they were moved
    #[arg(long, value_name = "RUN", conflicts_with = "config")]
    pub(crate) resume: Option<PathBuf>,

    /// Seconds after which a checkpoint is written within an epoch; one is written at each epoch's end in any case
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, allow_hyphen_values = true)]
    pub(crate) checkpoint_every: Duration,

    /// Checkpoints to keep, beside that of the best epoch
    #[arg(long, value_name = "N", default_value = "3", value_parser = count, allow_hyphen_values = true)]
    pub(crate) keep_checkpoints: usize,

    /// Print the result alone
    #[arg(long, short, conflicts_with = "json")]
    pub(crate) quiet: bool,

    /// Print a JSON object a line: the run's start, each epoch, its end
    #[arg(long)]
    pub(crate) json: bool,

    /// Print every setting with its default and what it means, as a file to start from
    #[arg(long, conflicts_with_all = ["resume", "out", "quiet", "json"])]
    pub(crate) defaults: bool,
}

/// A key and its value.
fn assignment(text: &str) -> Result<Assignment, String> {
    text.parse().map_err(|error: thinnet::Error| error.to_string())
}
