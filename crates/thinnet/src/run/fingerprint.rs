//! Identifies the samples of a run, so that it resumes with the same samples, even if they were moved.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::data::{DataSet, Features, Part, Rows};
use crate::error::{Error, Result};
use crate::text::joined;

/// The end of a sample: no column has this number.
const END: [u8; 4] = u32::MAX.to_le_bytes();

/// Identifies a data set as it was read, by its names, its sizes and a checksum of all its numbers. It is the same on
/// every machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The shape of a sample.
    shape: Vec<usize>,
    /// The classes' or targets' names, in order.
    names: Vec<String>,
    /// The names of a table's columns, in order: first the inputs, then the target.
    columns: Vec<String>,
    /// How many samples each part has.
    samples: Vec<(Part, usize)>,
    /// The SHA-256 of all inputs and targets, sample by sample.
    values: String,
}

impl Fingerprint {
    /// The fingerprint of a data set. It does not copy the numbers.
    ///
    /// # Errors
    /// Errors of reading, if samples stay in a file.
    pub fn of(set: &DataSet) -> Result<Self> {
        let columns = set.columns().map_or_else(Vec::new, |columns| {
            columns.inputs.iter().chain([&columns.target]).cloned().collect()
        });
        let mut hash = Sha256::new();
        for (_, rows) in set.parts() {
            add(&mut hash, rows)?;
        }
        set.mean().into_iter().flatten().for_each(|value| hash.update(value.to_le_bytes()));
        Ok(Self {
            shape: set.shape().to_vec(),
            names: set.names().to_vec(),
            columns,
            samples: set.parts().map(|(part, rows)| (part, rows.len())).collect(),
            values: joined(hash.finalize().iter().map(|byte| format!("{byte:02x}")), ""),
        })
    }

    /// How many classes there are, or targets.
    pub fn outputs(&self) -> usize {
        self.names.len()
    }

    /// The SHA-256 of all inputs and targets, as hexadecimal digits.
    pub fn checksum(&self) -> &str {
        &self.values
    }

    /// Refuses other samples than these.
    ///
    /// # Errors
    /// [`Error::Data`], which says what differs.
    pub fn check(&self, now: &Self) -> Result<()> {
        let Some(what) = self.difference(now) else { return Ok(()) };
        Err(Error::data(format!(
            "the samples are not those that this run was trained on: {what}; give the data that it began with, or start \
             another run"
        )))
    }

    /// What differs, if anything does.
    pub(super) fn difference(&self, now: &Self) -> Option<String> {
        if self.columns != now.columns {
            return Some(first_other("column", &self.columns, &now.columns));
        }
        if self.shape != now.shape {
            return Some(format!("a sample has the shape {:?}, but had {:?}", now.shape, self.shape));
        }
        if self.names != now.names {
            return Some(first_other("class or target", &self.names, &now.names));
        }
        let count = |of: &Self| {
            let parts: Vec<String> =
                of.samples.iter().map(|(part, count)| format!("{count} {part} samples")).collect();
            parts.join(" and ")
        };
        if self.samples != now.samples {
            return Some(format!("there are {}, but there were {}", count(now), count(self)));
        }
        (self.values != now.values).then(|| {
            "values differ, or their order, while columns, classes and sizes are the same".to_owned()
        })
    }
}

/// The first name that differs, or else the numbers of names.
fn first_other(what: &str, before: &[String], now: &[String]) -> String {
    let other = before.iter().zip(now).enumerate().find(|(_, (before, now))| before != now);
    match other {
        Some((index, (before, now))) => {
            format!("{what} {} is now {now:?}, but was {before:?}", index + 1)
        }
        None => format!("the number of {what} names is now {}, but was {}", now.len(), before.len()),
    }
}

/// Adds samples: for each, its nonzero columns with their values, then its label or targets. So it does not matter
/// how zeros are stored. Images are added as bytes.
fn add(hash: &mut Sha256, rows: &Rows<f64>) -> Result<()> {
    add_inputs(hash, rows.x())?;
    match rows.numbers() {
        Some(numbers) => numbers.iter().for_each(|value| hash.update((value + 0.0).to_le_bytes())),
        None => rows.labels().iter().for_each(|&label| hash.update((label as u64).to_le_bytes())),
    }
    Ok(())
}

fn add_inputs(hash: &mut Sha256, x: &Features<f64>) -> Result<()> {
    match x {
        Features::Pixels(pixels) => hash.update(pixels.bytes()),
        Features::Floats(_) | Features::Singles(_) | Features::Stored(_) => x.each_row(|_, row| {
            (0u32..).zip(row).for_each(|(column, &value)| entry(hash, column, value));
            hash.update(END);
        })?,
        Features::Sparse(sparse) => {
            for index in 0..x.dim().0 {
                let (columns, values) = sparse.row(index);
                columns.iter().zip(values).for_each(|(&column, &value)| entry(hash, column, value));
                hash.update(END);
            }
        }
        Features::Table(table) => {
            for index in 0..x.dim().0 {
                let mut entries = Vec::new();
                table.each(index, |column, value| entries.push((column, value)));
                entries.sort_unstable_by_key(|&(column, _)| column);
                for (column, value) in entries {
                    hash.update((column as u64).to_le_bytes());
                    hash.update(value.to_le_bytes());
                }
                hash.update(END);
            }
        }
    }
    Ok(())
}

/// Adds a value, unless it is 0.
fn entry(hash: &mut Sha256, column: u32, value: f64) {
    if value != 0.0 {
        hash.update(column.to_le_bytes());
        hash.update(value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    fn set(x: Array2<f64>, labels: &[usize]) -> DataSet {
        DataSet::new(Rows::with_classes(x, labels.to_vec(), 2).unwrap()).unwrap()
    }

    #[test]
    fn each_difference_is_told() {
        let x = array![[0.0, 1.5], [2.0, 0.0], [3.0, 4.0]];
        let first = Fingerprint::of(&set(x.clone(), &[0, 1, 1])).unwrap();
        first.check(&Fingerprint::of(&set(x.clone(), &[0, 1, 1])).unwrap()).unwrap();
        let told = |other: DataSet| first.check(&Fingerprint::of(&other).unwrap()).unwrap_err().to_string();
        let mut other = x.clone();
        other[[2, 1]] = 4.5;
        assert!(told(set(other, &[0, 1, 1])).contains("values differ"));
        assert!(told(set(x.clone(), &[0, 1, 0])).contains("values differ"));
        let mut turned = x.clone();
        turned.invert_axis(ndarray::Axis(0));
        assert!(told(set(turned, &[0, 1, 1])).contains("values differ"));
        let renamed = set(x.clone(), &[0, 1, 1]).with_names(vec!["0".into(), "b".into()]).unwrap();
        assert!(told(renamed).contains("class or target 2 is now \"b\", but was \"1\""));
        let fewer = set(x.select(ndarray::Axis(0), &[0, 1]), &[0, 1]);
        assert!(told(fewer).contains("there are 2 train samples, but there were 3 train samples"));
    }

    #[test]
    fn it_is_the_same_however_zeros_are_kept_and_on_every_machine() {
        let x = array![[0.0, 1.5], [2.0, -0.0]];
        let sparse = crate::data::SparseRows::from_dense(x.view());
        let sparse = Rows::with_classes(Features::Sparse(sparse), vec![0, 1], 2).unwrap();
        let sparse = Fingerprint::of(&DataSet::new(sparse).unwrap()).unwrap();
        assert_eq!(Fingerprint::of(&set(x, &[0, 1])).unwrap(), sparse);
    }
}
