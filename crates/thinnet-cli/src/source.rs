//! Where samples come from: what `--data` and its kin ask for is read, split and described.

use std::path::Path;

use thinnet::data::{DataSet, Format, Order, ReadOptions, Scaling, SplitOptions};

use crate::args::DataArguments;
use crate::failure::Failure;

/// The word for the embedded sample.
const SAMPLE: &str = "sample";

/// A data set with training and validation samples, and how they are scaled.
#[derive(Debug)]
pub(crate) struct Source {
    /// The samples.
    pub(crate) set: DataSet,
    /// How they are scaled.
    pub(crate) scaling: Scaling,
    /// What they are, for people.
    pub(crate) description: String,
}

impl DataArguments {
    /// Whether the embedded sample is asked for.
    pub(crate) fn is_sample(&self) -> bool {
        self.data == Path::new(SAMPLE)
    }

    /// Reads the data set as it is stored.
    pub(crate) fn open(&self) -> Result<DataSet, Failure> {
        if self.is_sample() {
            return Ok(DataSet::embedded_sample()?);
        }
        if !self.data.exists() {
            return Err(Failure::Refused(format!(
                "--data {}: there is no such file or folder; it takes `{SAMPLE}` or a file or folder with data",
                self.data.display()
            )));
        }
        let options =
            ReadOptions { label: self.label_column.clone(), header: self.header, resize: self.resize };
        DataSet::open(&self.data, &options).map_err(|error| Failure::Refused(format!("--data {error}")))
    }

    /// Refuses options that mean nothing for the data that were found.
    fn check_against(&self, set: &DataSet) -> Result<(), Failure> {
        let (table, images) = (set.format == Format::Csv, set.format == Format::Images);
        let useless = [
            ("--label-column", self.label_column.is_some() && !table, "is for tables"),
            ("--header", self.header.is_some() && !table, "is for tables"),
            ("--resize", self.resize.is_some() && !images, "is for folders of images"),
            ("--split", self.split.is_some() && set.val.is_some(), "is for data without validation samples"),
        ];
        match useless.into_iter().find(|(_, useless, _)| *useless) {
            Some((option, _, purpose)) => Err(Failure::Refused(format!(
                "{option} {purpose}, and --data {} is not that: it is {}",
                self.data.display(),
                set.format
            ))),
            None => Ok(()),
        }
    }

    /// Reads the data set and splits it.
    pub(crate) fn read(&self) -> Result<Source, Failure> {
        let set = self.open()?;
        self.check_against(&set)?;
        let order: Option<Order> = self.split.as_deref().map(str::parse).transpose()?;
        let options =
            SplitOptions { num_val: self.val, order, seed: self.split_seed, ..SplitOptions::default() };
        let has_val = set.val.is_some();
        let set = set.split(&options)?;
        let scaling = match &self.scaling {
            Some(name) => name.parse()?,
            None => set.default_scaling(),
        };
        let description = if self.is_sample() {
            set.format.to_string()
        } else {
            let parted = if has_val { String::new() } else { format!(", {}", options.describe(&set)) };
            format!("{}: {}{parted}, scaling {}", self.data.display(), set.format, scaling.name())
        };
        Ok(Source { set, scaling, description })
    }
}
