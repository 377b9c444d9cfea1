//! Options for reading a data set.

use std::path::PathBuf;

use crate::data::{Columns, Format};
use crate::error::{Error, Result};

/// Options for reading a data set, for what its content does not determine.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a separate option")]
pub struct ReadOptions {
    /// The column of a table that holds the labels: its name, or its number counted from 1. By default the one named
    /// label, class, target, y, labels, outcome or survived, otherwise the last.
    pub label: Option<String>,
    /// Whether a table's first line names the columns. By default it does if none of its fields is a number.
    pub header: Option<bool>,
    /// The width and height that images of a folder are resized to.
    pub resize: Option<(u32, u32)>,
    /// Whether images in a folder that cannot be read are skipped, with a note. By default the first of them is an
    /// error.
    pub skip_broken: bool,
    /// Whether targets are numbers, for a regression, and not labels. A table has them in the column that would hold
    /// labels; NPY and NPZ have them as arrays (N) or (N, K). Other formats only hold classes.
    pub regression: bool,
    /// Whether numbers in a table's label column become targets if they look like quantities and not like classes:
    /// they are not whole, or have many different values. Ignored if `regression` is set.
    pub infer_task: bool,
    /// Whether rows of a table without a label are left out, with a note; otherwise they are an error.
    pub skip_unlabelled: bool,
    /// The columns of a table that are inputs, by name or number from 1; by default all except the label column.
    pub columns: Vec<String>,
    /// Columns of a table that are left out.
    pub drop: Vec<String>,
    /// Columns of a table whose numbers are codes, and are read as categories.
    pub categories: Vec<String>,
    /// Whether dates also give weekday and month, besides days.
    pub date_parts: bool,
    /// A table of test samples with the same columns.
    pub test: Option<PathBuf>,
    /// Samples stay in their file until they are needed ([`Features::Stored`](crate::data::Features::Stored)); in
    /// training, about this many bytes of them are in memory at once. This works with Parquet, NPY and IDX that are
    /// not compressed; other formats are refused. By default samples are read into memory.
    pub stored: Option<usize>,
    /// The columns of a model: a table is read like the model's own table.
    pub known: Option<Columns>,
}

impl ReadOptions {
    /// Refuses a format that only holds classes if numbers are requested as targets.
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
                "it holds classes, not numbers to predict ({format}); targets for regression are read from tables, NPZ, \
                 NPY, HDF5, svmlight and MATLAB files"
            )));
        }
        Ok(())
    }

    /// The first option that is set but has no effect for this format, by its name among `names` (of label column,
    /// header and size), and what it is for.
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
