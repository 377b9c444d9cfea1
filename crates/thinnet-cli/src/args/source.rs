//! The arguments of every command that reads data.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use thinnet::data::{Order, Scaling};
use thinnet::training::{DataConfig, TargetKind};

use super::values::{count, seed, size, yes_no};

/// Where samples come from, and how they are prepared: for every command that reads data.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct SourceArguments {
    /// `sample` (500 + 1000 embedded images of CIFAR-10), or a file or folder; formats: CIFAR-10 and CIFAR-100 (tar.gz,
    /// python, binary), IDX (MNIST), NPZ, NPY, tables (CSV, TSV, JSON, ARFF, Parquet, Arrow), svmlight, MATLAB, HDF5, a
    /// folder of images for each class
    #[arg(long, value_name = "sample|PATH", default_value = "sample")]
    pub(crate) data: PathBuf,

    #[command(flatten)]
    pub(crate) read: ReadArguments,

    /// Validation samples [default: those of the data; else a fifth of the training samples, max. 1000]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub(crate) val: Option<usize>,

    /// How to split off validation samples if the data have none [default: stored for CIFAR and IDX, which are already
    /// shuffled; shuffled with --regression; else stratified]
    #[arg(long, value_name = "ORDER", value_parser = PossibleValuesParser::new(Order::NAMES))]
    pub(crate) split: Option<String>,

    /// Seed of a random split (NumPy's stream), 0 to 4294967295
    #[arg(long, value_name = "N", default_value = "0", value_parser = seed, allow_hyphen_values = true)]
    pub(crate) split_seed: u32,

    /// Subtract the training samples' mean (mean); also divide by their standard deviation (standard) or range (unit);
    /// or none [default: mean for images, standard for the rest]
    #[arg(long, value_name = "SCALING", value_parser = PossibleValuesParser::new(Scaling::NAMES))]
    pub(crate) scaling: Option<String>,
}

/// How data are read, if their content does not determine it.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReadArguments {
    #[command(flatten)]
    pub(crate) table: TableArguments,

    /// Whether a table's first line holds column names [default: yes if no field in it is a number]
    #[arg(long, value_name = "yes|no", value_parser = yes_no)]
    pub(crate) header: Option<bool>,

    /// Resize images of a folder to this width and height
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub(crate) resize: Option<(u32, u32)>,

    /// Skip unreadable images of a folder, and report how many
    #[arg(long)]
    pub(crate) skip_broken: bool,

    /// Read targets as numbers, not classes: a table's label column, or an array (N) or (N, K) of NPZ and NPY
    #[arg(long)]
    pub(crate) regression: bool,
}

/// How a table's columns are used, if its content does not determine it. Columns are given by names or by numbers
/// from 1.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TableArguments {
    /// A table's label column, by name or number from 1 [default: label, class, target, y, labels, outcome or survived;
    /// else the last]
    #[arg(long, value_name = "COLUMN", visible_alias = "label")]
    pub(crate) label_column: Option<String>,

    /// What a table's label column holds [default: numbers if they are fractions or have many different values; else
    /// classes]
    #[arg(long, value_name = "TASK", value_parser = PossibleValuesParser::new(TargetKind::NAMES))]
    pub(crate) task: Option<String>,

    /// A table's input columns [default: all but the label column]
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,

    /// Leave out these columns of a table
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub(crate) drop: Vec<String>,

    /// Treat these columns of a table as categories, although they hold numbers
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub(crate) categories: Vec<String>,

    /// Also make inputs of the weekday and month of a table's dates
    #[arg(long)]
    pub(crate) date_parts: bool,

    /// A table of test samples, with the same columns
    #[arg(long, value_name = "FILE")]
    pub(crate) test: Option<PathBuf>,
}

impl TableArguments {
    /// Sets the settings that were given as options.
    pub(crate) fn apply(self, data: &mut DataConfig) -> thinnet::Result<()> {
        let Self { label_column, task, columns, drop, categories, date_parts, test } = self;
        if let Some(task) = task {
            data.task = Some(task.parse()?);
        }
        data.label_column = label_column.or(data.label_column.take());
        let lists =
            [(columns, &mut data.columns), (drop, &mut data.drop), (categories, &mut data.categories)];
        for (given, setting) in lists.into_iter().filter(|(given, _)| !given.is_empty()) {
            *setting = given;
        }
        data.date_parts |= date_parts;
        data.test = test.map(|test| test.to_string_lossy().into_owned()).or(data.test.take());
        Ok(())
    }
}
