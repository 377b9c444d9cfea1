//! Where samples come from: what `--data` and its kin ask for is read, split and described.

use std::path::Path;

use thinnet::data::{DataSet, Format, Order, ReadOptions, Scaling, SplitOptions};

use crate::args::source::{ReadArguments, SourceArguments};
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

/// Whether the embedded sample is asked for.
fn is_sample(path: &Path) -> bool {
    path == Path::new(SAMPLE)
}

impl ReadArguments {
    /// Reads the data set at `path` as it is stored; `argument` is what stands before the path in messages.
    pub(crate) fn open(&self, path: &Path, argument: &str) -> Result<DataSet, Failure> {
        let options = ReadOptions {
            label: self.label_column.clone(),
            header: self.header,
            resize: self.resize,
            regression: self.regression,
        };
        if is_sample(path) {
            let sample = DataSet::embedded_sample()?;
            let refused = |error| Failure::Refused(format!("{argument}{SAMPLE}: {error}"));
            options.check_format(sample.format).map_err(refused)?;
            return Ok(sample);
        }
        if !path.exists() {
            return Err(Failure::Refused(format!(
                "{argument}{}: there is no such file or folder; it takes `{SAMPLE}` or a file or folder with data",
                path.display()
            )));
        }
        DataSet::open(path, &options).map_err(|error| Failure::Refused(format!("{argument}{error}")))
    }

    /// Refuses what means nothing for the data that were found.
    ///
    /// - `names`: what the column of labels, the header and the size are called where they are set
    /// - `found`: where the data were found, and what is called so: "--data FILE"
    pub(crate) fn check_against(&self, set: &DataSet, names: [&str; 3], found: &str) -> Result<(), Failure> {
        let (table, images) = (set.format == Format::Csv, set.format == Format::Images);
        let [label_column, header, resize] = names;
        if self.label_column.is_some() && !table {
            return Err(useless(label_column, "is for tables", found, set));
        }
        if self.header.is_some() && !table {
            return Err(useless(header, "is for tables", found, set));
        }
        if self.resize.is_some() && !images {
            return Err(useless(resize, "is for folders of images", found, set));
        }
        Ok(())
    }
}

/// Why a setting is refused that is for other data.
fn useless(name: &str, purpose: &str, found: &str, set: &DataSet) -> Failure {
    Failure::Refused(format!("{name} {purpose}, and {found} is not that: it is {}", set.format))
}

impl SourceArguments {
    /// Reads the data set as it is stored.
    pub(crate) fn open(&self) -> Result<DataSet, Failure> {
        self.read.open(&self.data, "--data ")
    }

    /// Reads the data set and splits it.
    pub(crate) fn read(&self) -> Result<Source, Failure> {
        let set = self.open()?;
        let found = format!("--data {}", self.data.display());
        self.read.check_against(&set, ["--label-column", "--header", "--resize"], &found)?;
        if self.split.is_some() && set.val.is_some() {
            return Err(useless("--split", "is for data without validation samples", &found, &set));
        }
        let order: Option<Order> = self.split.as_deref().map(str::parse).transpose()?;
        let options =
            SplitOptions { num_val: self.val, order, seed: self.split_seed, ..SplitOptions::default() };
        let has_val = set.val.is_some();
        let set = set.split(&options)?;
        let scaling = match &self.scaling {
            Some(name) => name.parse()?,
            None => set.default_scaling(),
        };
        let description = if is_sample(&self.data) {
            set.format.to_string()
        } else {
            let parted = if has_val { String::new() } else { format!(", {}", options.describe(&set)) };
            format!("{}: {}{parted}, scaling {}", self.data.display(), set.format, scaling.name())
        };
        Ok(Source { set, scaling, description })
    }
}
