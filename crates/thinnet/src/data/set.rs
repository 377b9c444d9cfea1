//! The content of a file or folder, as it was read.

use std::fmt;

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::features::Features;
use super::rows::Rows;
use super::table::{Columns, Encoding};
use crate::error::{Error, Result, ensure};
use crate::names::names;

/// A data set as it was read: rows of one shape, with classes or numbers, in one to three matching parts.
///
/// ```
/// use ndarray::Array2;
/// use thinnet::data::{DataSet, Part, Rows};
/// # fn main() -> thinnet::Result<()> {
/// let images = |n| Array2::<f64>::zeros((n, 4));
/// let set = DataSet::new(Rows::with_classes(images(6), vec![0, 1, 0, 1, 0, 1], 2)?)?
///     .with_part(Part::Test, Rows::with_classes(images(2), vec![1, 0], 2)?)?
///     .with_shape(vec![1, 2, 2])?
///     .with_names(vec!["cat".to_owned(), "dog".to_owned()])?;
/// assert!(set.is_images() && set.names()[1] == "dog");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    pub(super) format: Format,
    pub(super) names: Vec<String>,
    pub(super) columns: Option<Columns>,
    pub(super) shape: Vec<usize>,
    pub(super) train: Rows<f64>,
    pub(super) val: Option<Rows<f64>>,
    pub(super) test: Option<Rows<f64>>,
    pub(super) mean: Option<Array1<f64>>,
    pub(super) notes: Vec<String>,
}

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// For training.
    Train,
    /// For validation during training.
    Val,
    /// For the final test.
    Test,
}

/// How a data set is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// The sample that is part of this library.
    EmbeddedSample,
    /// CIFAR-10, pickled batches.
    Cifar10Python,
    /// CIFAR-10, binary records.
    Cifar10Binary,
    /// CIFAR-100, pickled; fine labels.
    Cifar100Python,
    /// CIFAR-100, binary records; fine labels.
    Cifar100Binary,
    /// IDX, the format of MNIST.
    Idx,
    /// NumPy arrays, one per file.
    Npy,
    /// NumPy arrays in one archive.
    Npz,
    /// A text table, with fields separated by commas, tabs, semicolons or bars.
    Csv,
    /// A table as JSON: a list of objects, or one object per line.
    Json,
    /// A table in the format of Weka, ARFF.
    Arff,
    /// A table with typed columns, Parquet.
    Parquet,
    /// A table with typed columns, Arrow: files, streams, and Feather.
    Arrow,
    /// Lines with a label and the nonzero numbers: `1 3:0.5 7:2`.
    Svmlight,
    /// Arrays saved by MATLAB, up to version 7.
    Mat,
    /// Named arrays, HDF5.
    Hdf5,
    /// A folder with one folder of images per class.
    Images,
    /// Arrays in memory.
    Memory,
}

impl Format {
    /// Whether the samples are stored in random order, so that any range of them is a fair sample. This holds for the
    /// image collections; a table is often sorted by class.
    pub(crate) fn is_shuffled(self) -> bool {
        !self.is_table()
            && !matches!(
                self,
                Self::Npy | Self::Npz | Self::Hdf5 | Self::Svmlight | Self::Mat | Self::Images | Self::Memory
            )
    }

    /// Whether it has columns, one of which holds labels or targets.
    pub(crate) fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::Json | Self::Arff | Self::Parquet | Self::Arrow)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmbeddedSample => "embedded CIFAR-10 sample",
            Self::Cifar10Python => "CIFAR-10, python version",
            Self::Cifar10Binary => "CIFAR-10, binary version",
            Self::Cifar100Python => "CIFAR-100, python version, fine labels",
            Self::Cifar100Binary => "CIFAR-100, binary version, fine labels",
            Self::Idx => "IDX",
            Self::Npy => "NumPy arrays (npy)",
            Self::Npz => "NumPy archive (npz)",
            Self::Csv => "table (csv)",
            Self::Json => "table (json)",
            Self::Arff => "table (arff)",
            Self::Parquet => "table (parquet)",
            Self::Arrow => "table (arrow)",
            Self::Svmlight => "sparse rows (svmlight)",
            Self::Mat => "MATLAB arrays (mat)",
            Self::Hdf5 => "HDF5 arrays (h5)",
            Self::Images => "folder of images by class",
            Self::Memory => "arrays in memory",
        })
    }
}

names!(Part, "part", "parts", Train = "train", Val = "val", Test = "test");

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl DataSet {
    /// A data set of these rows, all of them for training until they are split. Classes are named by their numbers;
    /// targets are named `target` (`target 1`, `target 2`, ... if there are several).
    ///
    /// # Errors
    /// [`Error::Data`] if there are no rows, or rows without numbers.
    pub fn new(train: Rows<f64>) -> Result<Self> {
        let outputs = train.num_outputs();
        let names = match (train.is_regression(), outputs) {
            (false, _) => numbered(outputs),
            (true, 1) => vec!["target".to_owned()],
            (true, _) => (1..=outputs).map(|column| format!("target {column}")).collect(),
        };
        let shape = vec![train.input_dim()];
        let (format, columns, notes) = (Format::Memory, None, Vec::new());
        Self { format, names, columns, shape, train, val: None, test: None, mean: None, notes }.checked()
    }

    /// The same with these rows as one of its parts.
    ///
    /// # Errors
    /// [`Error::Data`] for rows that do not match the training rows.
    pub fn with_part(mut self, part: Part, rows: Rows<f64>) -> Result<Self> {
        match part {
            Part::Train => self.train = rows,
            Part::Val => self.val = Some(rows),
            Part::Test => self.test = Some(rows),
        }
        self.checked()
    }

    /// The same with samples of this shape: `[channels, height, width]` for an image.
    ///
    /// # Errors
    /// [`Error::Data`] if its product is not D.
    pub fn with_shape(self, shape: Vec<usize>) -> Result<Self> {
        Self { shape, ..self }.checked()
    }

    /// The same with these names: of the classes, by label, or of the targets, by column.
    ///
    /// # Errors
    /// [`Error::Data`] if there is not one for each.
    pub fn with_names(self, names: Vec<String>) -> Result<Self> {
        Self { names, ..self }.checked()
    }

    /// The same, as if it had been stored in this format: the format says whether the samples are in random order.
    #[must_use]
    pub fn with_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// The same with a mean (D) that is subtracted instead of the training rows' own.
    ///
    /// # Errors
    /// [`Error::Data`] if it does not have D numbers.
    pub fn with_mean(self, mean: Array1<f64>) -> Result<Self> {
        Self { mean: Some(mean), ..self }.checked()
    }

    /// How it was stored.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The classes' names, by label; if targets are numbers, the targets' names, by column.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The columns of a table; `None` for other formats.
    pub fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }

    /// The shape of one sample: `[channels, height, width]` for an image, `[numbers]` for other samples.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Training rows; all rows if the data set has only one part.
    pub fn train(&self) -> &Rows<f64> {
        &self.train
    }

    /// Validation rows.
    pub fn val(&self) -> Option<&Rows<f64>> {
        self.val.as_ref()
    }

    /// Test rows.
    pub fn test(&self) -> Option<&Rows<f64>> {
        self.test.as_ref()
    }

    /// The data set's own mean (D), which is subtracted instead of the training rows' mean.
    pub fn mean(&self) -> Option<&Array1<f64>> {
        self.mean.as_ref()
    }

    /// What the user should know about how it was read: how columns were interpreted, and what was left out.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Adds a note for the user.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The same with tables encoded from the training rows: the values that fill gaps, and the categories. If samples
    /// stay in a file, the validation samples are read.
    ///
    /// # Errors
    /// Errors of reading, if samples stay in a file.
    pub(super) fn refitted(mut self) -> Result<Self> {
        let encodings = match self.train.x() {
            Features::Table(table) => Some(table.fit()),
            Features::Stored(stored) => stored.fit()?,
            _ => None,
        };
        if let Some(encodings) = encodings {
            self.encode(&encodings);
        }
        // Validation samples are needed after every epoch.
        self.val = self.val.map(Rows::loaded).transpose()?;
        Ok(self)
    }

    fn encode(&mut self, encodings: &[Encoding]) {
        if let Some(columns) = &mut self.columns {
            columns.encodings = encodings.to_vec();
        }
        let mut strangers = 0;
        for rows in [Some(&mut self.train), self.val.as_mut(), self.test.as_mut()].into_iter().flatten() {
            strangers += rows.encode(encodings);
        }
        self.shape = vec![self.train.input_dim()];
        if strangers > 0 {
            self.note(format!(
                "{strangers} words of validation and test rows are not among the training rows' categories; they count as zeros"
            ));
        }
    }

    /// The rows for training, validation and testing.
    pub(crate) fn into_rows(self) -> (Rows<f64>, Option<Rows<f64>>, Option<Rows<f64>>) {
        (self.train, self.val, self.test)
    }

    /// Every part that exists, training rows first.
    pub fn parts(&self) -> impl Iterator<Item = (Part, &Rows<f64>)> {
        let rest = [(Part::Val, self.val.as_ref()), (Part::Test, self.test.as_ref())];
        let rest = rest.into_iter().filter_map(|(part, rows)| Some((part, rows?)));
        std::iter::once((Part::Train, &self.train)).chain(rest)
    }

    /// How many numbers a sample has: the product of its shape.
    pub fn input_dim(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the samples are images.
    pub fn is_images(&self) -> bool {
        self.shape.len() == 3
    }

    /// Whether the samples have numbers as targets and not classes.
    pub fn is_regression(&self) -> bool {
        self.train.is_regression()
    }

    /// The set, if its parts match: rows of one width, with classes or numbers in all of them, as many as there are
    /// names.
    pub(crate) fn checked(self) -> Result<Self> {
        let (names, width) = (self.names.len(), self.input_dim());
        for (part, rows) in self.parts() {
            let (samples, found) = rows.x().dim();
            ensure!(samples > 0 && found > 0, Error::data(format!("there is nothing in its {part} part")));
            if found != width {
                return Err(Error::data(format!(
                    "its {part} samples have {found} numbers each, but its training samples have {width}"
                )));
            }
            if rows.is_regression() != self.is_regression() {
                let what = |regression| if regression { "numbers" } else { "classes" };
                return Err(Error::data(format!(
                    "its {part} part has {} as targets, but its training samples have {}",
                    what(rows.is_regression()),
                    what(self.is_regression())
                )));
            }
            if rows.num_outputs() != names {
                let what = if rows.is_regression() { "targets" } else { "classes" };
                return Err(Error::data(format!(
                    "its {part} part has {} {what}, and {names} are named",
                    rows.num_outputs()
                )));
            }
        }
        if self.mean.as_ref().is_some_and(|mean| mean.len() != width) {
            return Err(Error::data(format!("its mean does not have {width} numbers like a sample")));
        }
        Ok(self)
    }
}

/// "0", "1", ...
pub(super) fn numbered(classes: usize) -> Vec<String> {
    (0..classes).map(|class| class.to_string()).collect()
}
