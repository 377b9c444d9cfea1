//! The content of a data set in numbers.

use ndarray::Array1;
use serde::Serialize;

use super::table::ColumnSummary;
use super::{DataSet, Features, Format, Part, Rows};
use crate::error::Result;

/// Training images of the course, the first of CIFAR-10's 50,000; the other 1,000 are for validation.
const COURSE_TRAINING: usize = 49_000;

/// The statistics of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How it is stored.
    pub format: Format,
    /// The shape of one sample: `[channels, height, width]` for an image, `[numbers]` for other samples.
    pub shape: Vec<usize>,
    /// The classes' names, by label; if targets are numbers, the targets' names.
    pub classes: Vec<String>,
    /// The parts that exist, training samples first.
    pub splits: Vec<SplitSummary>,
    /// The mean of the training samples (D), in the units of their numbers. For the whole of CIFAR-10 it is the mean
    /// of the course's 49,000 training images.
    pub mean: Array1<f64>,
    /// How many of the first training samples the mean is computed from; `None` if the data set has its own mean.
    pub mean_of: Option<usize>,
    /// The content of each input column of a table; empty for other formats.
    pub columns: Vec<ColumnSummary>,
    /// What the user should know about how it was read.
    pub notes: Vec<String>,
}

/// The statistics of one part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitSummary {
    /// Which part.
    pub part: Part,
    /// How many samples it has.
    pub samples: usize,
    /// Their number type in memory: "uint8" or "float64".
    pub dtype: &'static str,
    /// The smallest and the largest number in them.
    pub range: (f64, f64),
    /// How many samples each class has, by label; empty if targets are numbers.
    pub class_counts: Vec<usize>,
    /// The statistics of each target, by column; empty if samples have classes.
    pub targets: Vec<TargetSummary>,
}

/// The statistics of one target over the samples of a part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetSummary {
    /// Its name.
    pub name: String,
    /// The min and the max.
    pub range: (f64, f64),
    /// The mean.
    pub mean: f64,
}

impl DataSet {
    /// The statistics of this data set.
    ///
    /// # Errors
    /// Errors of reading, if samples stay in a file.
    pub fn summary(&self) -> Result<Summary> {
        let splits = self.parts().map(|(part, split)| {
            Ok(SplitSummary {
                part,
                samples: split.len(),
                dtype: split.x().dtype(),
                range: split.x().range()?.unwrap_or_default(),
                class_counts: split.class_counts(),
                targets: self.target_summaries(split),
            })
        });
        let (mean, mean_of) = self.summary_mean()?;
        Ok(Summary {
            format: self.format,
            shape: self.shape.clone(),
            classes: self.names.clone(),
            splits: splits.collect::<Result<_>>()?,
            mean,
            mean_of,
            columns: self.column_summaries()?,
            notes: self.notes.clone(),
        })
    }

    /// The content of a table's columns, over its training rows.
    fn column_summaries(&self) -> Result<Vec<ColumnSummary>> {
        let Some(columns) = &self.columns else { return Ok(Vec::new()) };
        if let Features::Table(table) = self.train.x() {
            return Ok(table.summaries(&columns.inputs));
        }
        let mut ends = vec![(f64::INFINITY, f64::NEG_INFINITY); self.input_dim()];
        let mut first = Vec::new();
        self.train.x().each_row(|_, row| {
            if first.is_empty() {
                first = row.to_vec();
            }
            ends.iter_mut().zip(row).for_each(|(ends, &v)| *ends = (ends.0.min(v), ends.1.max(v)));
        })?;
        let numbers = |((name, (least, greatest)), example): ((&String, (f64, f64)), f64)| ColumnSummary {
            name: name.clone(),
            kind: "numbers",
            holds: format!("{least} to {greatest}"),
            gaps: 0,
            example: example.to_string(),
        };
        Ok(columns.inputs.iter().zip(ends).zip(first).map(numbers).collect())
    }

    fn target_summaries(&self, rows: &Rows<f64>) -> Vec<TargetSummary> {
        let numbers = rows.numbers();
        let columns = numbers.iter().flat_map(|numbers| numbers.columns()).zip(&self.names);
        let figures = columns.map(|(column, name)| TargetSummary {
            name: name.clone(),
            range: column.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v))),
            mean: column.mean().unwrap_or_default(),
        });
        figures.collect()
    }

    /// The mean of this data set, and how many samples it is computed from.
    fn summary_mean(&self) -> Result<(Array1<f64>, Option<usize>)> {
        let is_cifar10 = matches!(self.format, Format::Cifar10Python | Format::Cifar10Binary);
        let total = self.train.len();
        if is_cifar10 && total > COURSE_TRAINING && self.mean.is_none() {
            let train = self.train.slice(0, COURSE_TRAINING);
            let course = Self { train, val: None, test: None, ..self.clone() };
            return Ok((course.mean_sample()?, Some(COURSE_TRAINING)));
        }
        Ok((self.mean_sample()?, self.mean.is_none().then_some(total)))
    }
}
