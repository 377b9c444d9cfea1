//! Reads, splits and describes the data that `--data` and related options ask for.

use std::path::Path;

use thinnet::data::{DataSet, Order, ReadOptions, Scaling, SplitOptions};
use thinnet::run::{SAMPLE, open_with};
use thinnet::training::TargetKind;

use crate::args::source::{ReadArguments, SourceArguments};
use crate::failure::Failure;
use crate::memory;

/// A data set with training and validation samples, and how they are scaled.
#[derive(Debug)]
pub(crate) struct Source {
    /// The samples.
    pub(crate) set: DataSet,
    /// How they are scaled.
    pub(crate) scaling: Scaling,
    /// A description of them.
    pub(crate) description: String,
}

impl ReadArguments {
    /// The library's options for reading; with `infer`, it determines whether targets are classes or numbers.
    fn options(&self, infer: bool) -> Result<ReadOptions, Failure> {
        let table = &self.table;
        let task: Option<TargetKind> = table.task.as_deref().map(str::parse).transpose()?;
        Ok(ReadOptions {
            label: table.label_column.clone(),
            header: self.header,
            resize: self.resize,
            skip_broken: self.skip_broken,
            regression: self.regression || task == Some(TargetKind::Numbers),
            infer_task: infer && task.is_none(),
            skip_unlabelled: true,
            columns: table.columns.clone(),
            drop: table.drop.clone(),
            categories: table.categories.clone(),
            date_parts: table.date_parts,
            test: table.test.clone(),
            ..ReadOptions::default()
        })
    }

    /// Reads the data set at `path` as stored, and determines whether its targets are classes or numbers.
    pub(crate) fn open(&self, path: &Path) -> Result<DataSet, Failure> {
        memory::check_file(path, &self.table.columns)?;
        Ok(open_with(path, &self.options(true)?, "")?)
    }
}

impl SourceArguments {
    /// Reads the data set as stored.
    pub(crate) fn open(&self) -> Result<DataSet, Failure> {
        memory::check_file(&self.data, &self.read.table.columns)?;
        Ok(open_with(&self.data, &self.read.options(false)?, "--data ")?)
    }

    /// Refuses options that have no effect for these data.
    fn check_against(&self, set: &DataSet) -> Result<(), Failure> {
        let split = (self.split.is_some() && set.val().is_some())
            .then_some(("--split", "is for data without validation samples"));
        let names = ["--label-column", "--header", "--resize"];
        match self.read.options(false)?.useless(set.format(), names).or(split) {
            Some((option, purpose)) => Err(Failure::Refused(format!(
                "{option} {purpose}, but --data {} is something else: {}",
                self.data.display(),
                set.format()
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
        let has_val = set.val().is_some();
        let set = set.split(&options)?;
        let scaling = match &self.scaling {
            Some(name) => name.parse()?,
            None => set.default_scaling(),
        };
        let description = if self.data == Path::new(SAMPLE) {
            set.format().to_string()
        } else {
            let parted = if has_val { String::new() } else { format!(", {}", options.describe(&set)) };
            format!("{}: {}{parted}, scaling {}", self.data.display(), set.format(), scaling.name())
        };
        Ok(Source { set, scaling, description })
    }
}
