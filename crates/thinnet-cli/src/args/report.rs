//! The arguments of `thinnet report`.

use std::path::PathBuf;

use clap::Args;

/// Compare runs, sweeps and experiments on one page
#[derive(Debug, Args)]
#[command(after_help = "\
Runs that differ only in the seed count as one network: the page shows their mean, and which differences are more than chance. \
The first network is the one that others are compared with. Runs that are still in training are shown as far as they are.

Examples:
  # Two training runs
  thinnet report first second
  # Every run and sweep in the folder `runs`
  thinnet report runs
  # An experiment beside a run
  thinnet report thinnet-report thinnet-run --out comparison")]
pub(crate) struct ReportArguments {
    /// Folders of runs, sweeps or experiments, or folders that hold several of these
    #[arg(value_name = "DIR", required = true)]
    pub(crate) folders: Vec<PathBuf>,

    /// Folder for the report; created if missing
    #[arg(long, value_name = "DIR", default_value = "thinnet-comparison")]
    pub(crate) out: PathBuf,

    /// Print a JSON object instead of the table
    #[arg(long)]
    pub(crate) json: bool,
}
