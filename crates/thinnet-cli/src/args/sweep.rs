//! The arguments of `thinnet sweep`.

use std::path::PathBuf;

use clap::Args;
use thinnet::sweep::Shard;

use super::source::TableArguments;
use super::values::{count, seed, shard};

/// Train with many combinations of settings, on a grid or at random, and compare
#[derive(Debug, Args)]
#[command(after_help = "\
VALUES of a setting:
  0.25,0.5,1      a list; brackets keep commas together: [100],[200,200]
  lin:LOW:HIGH:N  N numbers from LOW to HIGH with equal differences
  log:LOW:HIGH:N  N numbers from LOW to HIGH with equal ratios
With --random, N may be left out. A single value is used for every run. `keep` is the probability to KEEP a unit.

Every run has its own folder in DIR/runs, like those of `thinnet train`. DIR/report.html compares them all. A stopped sweep \
continues where it stopped, also within a run.

On n machines, give the same command with --shard 1/n to n/n. They may share DIR, or each may have its own; --merge then brings \
the folders together.

Examples:
  thinnet sweep --set model.keep=0.25,0.5,0.75,1 --seeds 5
  thinnet sweep --set model.keep=lin:0.2:1:5 --set optim.max_norm=2,3,4
  thinnet sweep config.toml --set optim.learning_rate=log:1e-5:1e-1 --random 30
  thinnet sweep --resume thinnet-sweep
  thinnet sweep config.toml --seeds 20 --shard 2/8 --out shard-2
  thinnet sweep --merge shard-1 shard-2 shard-3 --out whole")]
pub(crate) struct SweepArguments {
    /// File with the settings; what it leaves out has its default
    #[arg(value_name = "CONFIG.toml")]
    pub(crate) config: Option<PathBuf>,

    /// `sample`, or a file or folder of samples; the same as --set data.path=PATH
    #[arg(long, value_name = "sample|PATH")]
    pub(crate) data: Option<String>,

    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// Vary a setting: model.keep=0.5,1; may be repeated
    #[arg(long, value_name = "KEY=VALUES")]
    pub(crate) set: Vec<String>,

    /// Draw N random combinations instead of the whole grid
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) random: Option<usize>,

    /// Seed of --random (NumPy's stream), 0 to 4294967295
    #[arg(
        long,
        value_name = "N",
        default_value = "0",
        value_parser = seed,
        allow_hyphen_values = true,
        requires = "random"
    )]
    pub(crate) random_seed: u32,

    /// Seeds for each combination: train.seed and the next ones
    #[arg(long, value_name = "N", default_value = "1", value_parser = count, allow_hyphen_values = true)]
    pub(crate) seeds: usize,

    /// Runs to train at the same time [default: one per core]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) jobs: Option<usize>,

    /// Folder for the sweep; created if missing
    #[arg(long, value_name = "DIR", default_value = "thinnet-sweep")]
    pub(crate) out: PathBuf,

    /// Continue the sweep in this folder
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["config", "data", "set", "random", "seeds", "out"]
    )]
    pub(crate) resume: Option<PathBuf>,

    /// Train only part I of N of the runs, on one of N machines; I is from 1 to N
    #[arg(long, value_name = "I/N", value_parser = shard, allow_hyphen_values = true)]
    pub(crate) shard: Option<Shard>,

    /// Train nothing: bring the runs of these folders together in --out
    #[arg(
        long,
        value_name = "DIR",
        num_args = 1..,
        conflicts_with_all = ["config", "data", "TableArguments", "set", "random", "seeds", "jobs", "resume", "shard"]
    )]
    pub(crate) merge: Vec<PathBuf>,

    /// Print only the table
    #[arg(long, short, conflicts_with = "json")]
    pub(crate) quiet: bool,

    /// Print JSON lines: the end of each run, and of the sweep
    #[arg(long)]
    pub(crate) json: bool,
}
