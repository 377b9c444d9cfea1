//! The arguments of `thinnet train`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use thinnet::training::Assignment;

use super::source::TableArguments;
use super::values::{count, seconds};

/// Train a network; stop and resume it at any time
#[derive(Debug, Args)]
#[command(after_help = "\
The settings are a TOML file of four sections; every key has a default:
  [data]   path, val, scaling, ...
  [model]  hidden, keep, input_keep, ...
  [optim]  rule, learning_rate, max_norm, ...
  [train]  epochs, batch_size, seed, ...
`thinnet train --defaults` prints them all, and docs/training.md explains them. `keep` is the probability to KEEP a unit: \
keep 0.75 drops a quarter of the units.

Examples:
  # The embedded images, with every default
  thinnet train
  # MNIST, two hidden layers, max-norm
  thinnet train --data mnist --set model.hidden=[800,800] --set optim.max_norm=3
  # Settings from a file, but another seed
  thinnet train config.toml --set train.seed=7 --out seed-7
  # Train a model further, on other samples
  thinnet train --data new.csv --from run
  # Continue a run that was stopped
  thinnet train --resume seed-7
  # Continue it for more epochs
  thinnet train --resume seed-7 --set train.epochs=100")]
pub(crate) struct TrainArguments {
    /// File with the settings; what it leaves out has its default
    #[arg(value_name = "CONFIG.toml")]
    pub(crate) config: Option<PathBuf>,

    /// `sample`, or a file or folder of samples; the same as --set data.path=PATH
    #[arg(long, value_name = "sample|PATH")]
    pub(crate) data: Option<String>,

    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// Begin with the trained network in this file, or in this run: a model of thinnet, .safetensors, .npz or .onnx; the same
    /// as --set model.from=FILE
    #[arg(long, value_name = "FILE|RUN", conflicts_with = "resume")]
    pub(crate) from: Option<PathBuf>,

    /// Change a setting: model.keep=0.5; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<Assignment>,

    /// Folder for the run; created if missing [default: thinnet-run, or thinnet-run-2, ...]
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    pub(crate) out: Option<PathBuf>,

    /// Continue the run in this folder; add --data if its samples have moved
    #[arg(long, value_name = "RUN", conflicts_with = "config")]
    pub(crate) resume: Option<PathBuf>,

    /// Seconds between checkpoints within an epoch; each epoch's end also writes one
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, allow_hyphen_values = true)]
    pub(crate) checkpoint_every: Duration,

    /// Checkpoints to keep, in addition to the best epoch's
    #[arg(long, value_name = "N", default_value = "3", value_parser = count, allow_hyphen_values = true)]
    pub(crate) keep_checkpoints: usize,

    /// Print only the result
    #[arg(long, short, conflicts_with = "json")]
    pub(crate) quiet: bool,

    /// Print JSON lines: the start, each epoch, the end
    #[arg(long)]
    pub(crate) json: bool,

    /// Print all settings with their defaults and meanings, as a file to start from
    #[arg(long, conflicts_with_all = ["resume", "out", "quiet", "json"])]
    pub(crate) defaults: bool,
}

/// A key and its value.
fn assignment(text: &str) -> Result<Assignment, String> {
    text.parse().map_err(|error: thinnet::Error| error.to_string())
}
