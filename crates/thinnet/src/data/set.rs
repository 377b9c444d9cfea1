//! What a file or folder holds, as it was read.

use std::fmt;

use ndarray::{ArcArray2, Array1, Axis, Slice};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A data set as it was read: samples of one shape, with labels or numbers as targets, in one to three parts.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// How it was stored.
    pub format: Format,
    /// The classes' names, by label; the targets' names, by column, of a set whose targets are numbers.
    pub classes: Vec<String>,
    /// The shape of one sample: `[channels, height, width]` of an image, `[numbers]` of other samples.
    pub shape: Vec<usize>,
    /// Training samples, or all of them if the data set is in one part.
    pub train: Split,
    /// Validation samples.
    pub val: Option<Split>,
    /// Test samples.
    pub test: Option<Split>,
    /// The mean that the data set brings along, to be subtracted in place of the training samples' own.
    pub mean: Option<Array1<f64>>,
}

/// Samples of one part, with their labels or targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// N samples.
    pub values: Values,
    /// N labels, each the index of a class; N zeros where targets are numbers.
    pub labels: Vec<usize>,
    /// The numbers (N, K) that a regression is to predict, in the units of the file; only where
    /// [`ReadOptions::regression`](super::ReadOptions::regression) asks for them. A copy shares them.
    pub targets: Option<ArcArray2<f64>>,
}

/// The numbers of N samples (N, D), row-major, an image channel first. A copy shares them.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// 0..=255, as images have them.
    Bytes(ArcArray2<u8>),
    /// Any finite numbers.
    Floats(ArcArray2<f64>),
}

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// To train on.
    Train,
    /// To validate on while training.
    Val,
    /// To test on in the end.
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
    /// NumPy arrays, a file each.
    Npy,
    /// NumPy arrays in one archive.
    Npz,
    /// A table of text, its fields separated by commas, tabs, semicolons or bars.
    Csv,
    /// A folder of images for each class.
    Images,
}

impl Format {
    /// Whether the samples are stored in random order, so that any run of them is a fair part: so it is with the image
    /// collections, while a table is often sorted by class.
    pub(crate) fn is_shuffled(self) -> bool {
        match self {
            Self::EmbeddedSample
            | Self::Cifar10Python
            | Self::Cifar10Binary
            | Self::Cifar100Python
            | Self::Cifar100Binary
            | Self::Idx => true,
            Self::Npy | Self::Npz | Self::Csv | Self::Images => false,
        }
    }
}

impl Format {
    /// Whether the format can hold numbers as targets; the others hold classes alone.
    pub(crate) fn may_have_targets(self) -> bool {
        matches!(self, Self::Npy | Self::Npz | Self::Csv)
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
            Self::Images => "folder of images by class",
        })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        })
    }
}

impl DataSet {
    /// Every part that is there, training samples first.
    pub fn parts(&self) -> impl Iterator<Item = (Part, &Split)> {
        let rest = [(Part::Val, self.val.as_ref()), (Part::Test, self.test.as_ref())];
        let rest = rest.into_iter().filter_map(|(part, split)| Some((part, split?)));
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

    /// Whether the samples have numbers as targets, and no classes.
    pub fn is_regression(&self) -> bool {
        self.train.targets.is_some()
    }

    /// The set, if its parts fit together: samples of one size, a label below the number of classes for each, or finite
    /// numbers as targets, as many as there are names of them.
    pub(crate) fn checked(self) -> Result<Self> {
        let (classes, width) = (self.classes.len(), self.input_dim());
        for (part, split) in self.parts() {
            let (samples, found) = split.values.dim();
            if samples == 0 || found == 0 {
                return Err(Error::data(format!("there is nothing in its {part} part")));
            }
            if found != width {
                return Err(Error::data(format!(
                    "its {part} samples have {found} numbers each, and its training samples {width}"
                )));
            }
            if split.labels.len() != samples {
                return Err(Error::data(format!(
                    "its {part} part has {samples} samples, but {} {}",
                    split.labels.len(),
                    if split.targets.is_some() { "targets" } else { "labels" }
                )));
            }
            if let Some(index) = split.labels.iter().position(|&label| label >= classes) {
                return Err(Error::data(format!(
                    "label {} of sample {index} ({part}) is not below {classes}, the number of classes",
                    split.labels[index]
                )));
            }
            if let Values::Floats(values) = &split.values
                && let Some(index) = values.iter().position(|value| !value.is_finite())
            {
                return Err(Error::data(format!(
                    "number {} of sample {} ({part}) is not finite",
                    index % found,
                    index / found
                )));
            }
            self.check_targets(part, split)?;
        }
        if self.mean.as_ref().is_some_and(|mean| mean.len() != width) {
            return Err(Error::data(format!("its mean does not have {width} numbers, as a sample has")));
        }
        Ok(self)
    }

    /// Refuses targets that do not fit the samples of their part, or those of the training samples.
    fn check_targets(&self, part: Part, split: &Split) -> Result<()> {
        let Some(targets) = &split.targets else {
            return if self.is_regression() {
                Err(Error::data(format!("its {part} part has no targets, and its training samples have")))
            } else {
                Ok(())
            };
        };
        let (samples, width) = (split.labels.len(), self.classes.len());
        if !self.is_regression() || targets.dim() != (samples, width) {
            return Err(Error::data(format!(
                "its {part} part has targets of {} x {} numbers, and must have {samples} x {}",
                targets.nrows(),
                targets.ncols(),
                if self.is_regression() { width } else { 0 },
            )));
        }
        match targets.indexed_iter().find(|(_, target)| !target.is_finite()) {
            Some(((sample, column), target)) => Err(Error::data(format!(
                "{} of sample {sample} ({part}) is {target}, which is not finite",
                self.classes[column]
            ))),
            None => Ok(()),
        }
    }
}

impl Split {
    /// Samples with numbers as targets.
    pub(crate) fn with_targets(values: Values, targets: ArcArray2<f64>) -> Self {
        Self { values, labels: vec![0; targets.nrows()], targets: Some(targets) }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// How many samples each of `classes` classes has.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in &self.labels {
            if let Some(count) = counts.get_mut(label) {
                *count += 1;
            }
        }
        counts
    }

    /// Samples `from..to`, which share the numbers of these.
    pub(crate) fn range(&self, from: usize, to: usize) -> Self {
        let rows = Slice::from(from..to);
        let values = match &self.values {
            Values::Bytes(values) => Values::Bytes(values.clone().slice_axis_move(Axis(0), rows)),
            Values::Floats(values) => Values::Floats(values.clone().slice_axis_move(Axis(0), rows)),
        };
        let targets = self.targets.clone().map(|targets| targets.slice_axis_move(Axis(0), rows));
        Self { values, labels: self.labels[from..to].to_vec(), targets }
    }
}

impl Values {
    /// (N, D).
    pub fn dim(&self) -> (usize, usize) {
        match self {
            Self::Bytes(values) => values.dim(),
            Self::Floats(values) => values.dim(),
        }
    }

    /// The name of the number type: "uint8" or "float64".
    pub fn dtype(&self) -> &'static str {
        match self {
            Self::Bytes(_) => "uint8",
            Self::Floats(_) => "float64",
        }
    }

    /// The least and the greatest number; `None` if there is none.
    pub fn range(&self) -> Option<(f64, f64)> {
        match self {
            Self::Bytes(values) => {
                let least = values.iter().min()?;
                Some((f64::from(*least), f64::from(*values.iter().max()?)))
            }
            Self::Floats(values) => {
                let first = *values.first()?;
                Some(values.iter().fold((first, first), |(a, b), &v| (a.min(v), b.max(v))))
            }
        }
    }
}
