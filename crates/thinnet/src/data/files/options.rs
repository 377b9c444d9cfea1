//! How a data set is read, where its content leaves it open.

use std::path::PathBuf;

use crate::data::{Columns, Format};
use crate::error::{Error, Result};

/// What may be said of how to read a data set, where its content leaves it open.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct ReadOptions {
    /// The column of a table that holds the labels: its name, or its number counted from 1. By default the one named label,
    /// class, target, y, labels, outcome or survived, or else the last.
    pub label: Option<String>,
    /// Whether a table's first line names the columns; by default it does if no field of it is a number.
    pub header: Option<bool>,
    /// The width and height that images of a folder are resized to.
    pub resize: Option<(u32, u32)>,
    /// Whether images of a folder that cannot be read are passed over, with a note; by default the first of them is an error.
    pub skip_broken: bool,
    /// Whether targets are numbers, for a regression, and not labels: rows then have them. A table's are in the
    /// one column that else holds labels; NPY and NPZ have them as arrays (N) or (N, K). Other formats hold classes alone.
    pub regression: bool,
    /// Whether numbers in a table's label column are targets where they are rather quantities than classes: they are not
    /// whole, or have many different values. It means nothing beside `regression`.
    pub infer_task: bool,
    /// Whether rows of a table without a label are left out, and told in a note; otherwise they are an error.
    pub skip_unlabelled: bool,
    /// The columns of a table that are inputs, by name or number from 1; by default all but that of the labels.
    pub columns: Vec<String>,
    /// Columns of a table that are left out.
    pub drop: Vec<String>,
    /// Columns of a table whose numbers stand for something, and are read as categories.
    pub categories: Vec<String>,
    /// Whether dates give weekday and month beside days.
    pub date_parts: bool,
    /// A table of test samples with the same columns.
    pub test: Option<PathBuf>,
    /// Samples stay in their file until they are asked for ([`Features::Stored`](crate::data::Features::Stored)), and so many bytes
    /// of them, about, are in memory together while they are trained on: those of Parquet, NPY and IDX can, unpacked; other
    /// formats are refused. By default samples are read into memory.
    pub stored: Option<usize>,
    /// The columns of a model: a table is read as its own was.
    pub known: Option<Columns>,
}

impl ReadOptions {
    /// Refuses a format that holds classes alone where numbers are asked for as targets.
    ///
    /// # Errors
    /// [`Error::Data`].
    pub fn check_format(&self, format: Format) -> Result<()> {
        let numbers = format.is_table()
            || matches!(
                format,
                Format::Npy | Format::Npz | Format::Hdf5 | Format::Svmlight | Format::Mat | Format::Memory
            );
        if self.regression && !numbers {
            return Err(Error::data(format!(
                "it holds classes, and no numbers to predict ({format}); targets for regression are read from tables, NPZ, \
                 NPY, HDF5, svmlight and MATLAB files"
            )));
        }
        Ok(())
    }

    /// The first option that is given and means nothing for data of this format, by the name that it has among `names` (of
    /// label column, header and size), and what it is for.
    pub fn useless<'a>(&self, format: Format, names: [&'a str; 3]) -> Option<(&'a str, &'static str)> {
        let (table, text) = (format.is_table(), matches!(format, Format::Csv | Format::Json | Format::Arff));
        let images = format == Format::Images;
        let given = [
            (self.label.is_some() && !table, "is for tables"),
            (self.header.is_some() && !text, "is for tables of text"),
            (self.resize.is_some() && !images, "is for folders of images"),
        ];
        let found = names.into_iter().zip(given).find(|(_, (useless, _))| *useless);
        found.map(|(name, (_, purpose))| (name, purpose))
    }
}
