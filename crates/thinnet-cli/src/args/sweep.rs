//! The arguments of `thinnet sweep`.

use std::path::PathBuf;

use clap::Args;

use super::source::TableArguments;
use super::values::{count, seed};

/// Train a network at every point of a grid of settings, or at random points, and compare
#[derive(Debug, Args)]
#[command(after_help = "\
VALUES of a setting are
  0.25,0.5,1           a list, as in model.hidden=[100],[200,200]: commas within brackets part nothing
  lin:LOW:HIGH:N       N numbers with equal differences, LOW and HIGH included
  log:LOW:HIGH:N       N numbers with equal ratios; with --random, N may be left out
A single value is the same for every point. Keep probabilities are those to KEEP a unit.

Every run has a folder below DIR/runs, as `thinnet train` makes it; DIR/report.html shows what came of them all. A sweep \
that was stopped goes on where it was, within runs as well.

Examples:
  thinnet sweep --set model.keep=0.25,0.5,0.75,1 --seeds 5
  thinnet sweep config.toml --set model.keep=lin:0.2:1:5 --set optim.learning_rate=log:1e-4:1e-2:3
  thinnet sweep --set optim.learning_rate=log:1e-5:1e-1 --set model.keep=lin:0.2:1 --random 30
  thinnet sweep --resume thinnet-sweep")]
pub(crate) struct SweepArguments {
    /// File with the settings; those that it leaves out have their defaults
    #[arg(value_name = "CONFIG.toml")]
    pub(crate) config: Option<PathBuf>,

    /// `sample`, or a file or folder with samples: the same as --set data.path=PATH
    #[arg(long, value_name = "sample|PATH")]
    pub(crate) data: Option<String>,

    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// Vary one setting, as in model.keep=0.5,1; can be given many times
    #[arg(long, value_name = "KEY=VALUES")]
    pub(crate) set: Vec<String>,

    /// Draw this many points at random instead of taking all of the grid
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) random: Option<usize>,

    /// Seed of the random points (NumPy's stream), from 0 to 4294967295
    #[arg(
        long,
        value_name = "N",
        default_value = "0",
        value_parser = seed,
        allow_hyphen_values = true,
        requires = "random"
    )]
    pub(crate) random_seed: u32,

    /// Seeds to train each point with: train.seed, and those that follow it
    #[arg(long, value_name = "N", default_value = "1", value_parser = count, allow_hyphen_values = true)]
    pub(crate) seeds: usize,

    /// Runs to train at the same time [default: one for each core]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) jobs: Option<usize>,

    /// Folder for the sweep; it is made if need be
    #[arg(long, value_name = "DIR", default_value = "thinnet-sweep")]
    pub(crate) out: PathBuf,

    /// Go on with the sweep in this folder
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["config", "data", "set", "random", "seeds", "out"]
    )]
    pub(crate) resume: Option<PathBuf>,

    /// Print the table alone
    #[arg(long, short, conflicts_with = "json")]
    pub(crate) quiet: bool,

    /// Print a JSON object a line: each run that ends, and the sweep's end
    #[arg(long)]
    pub(crate) json: bool,
}
