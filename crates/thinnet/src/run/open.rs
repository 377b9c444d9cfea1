//! Opens the data set that the settings name.

use std::path::{Path, PathBuf};

use crate::data::{
    self, Block, Columns, DataSet, ReadOptions, ReadProgress, Wanted, check_shape, parse_size,
};
use crate::error::{Error, Result};
use crate::import::Imported;
use crate::training::{Sampling, TargetKind, Task, TrainingConfig};

/// The name of the embedded sample.
pub const SAMPLE: &str = "sample";

/// Reads the data set at `data.path`, with the other settings of the section.
///
/// # Errors
/// [`Error::Data`] and [`Error::Io`] as for [`DataSet::open`]; [`Error::Configuration`] for a path that does not
/// exist, and for a setting that does not apply to the data.
pub fn open(config: &TrainingConfig) -> Result<DataSet> {
    open_watched(config, &|_, _| {})
}

/// Reads the data set as [`open_watched`] does; a table is read with the columns of the network with which the run begins.
///
/// # Errors
/// As [`open`].
pub fn open_for(
    config: &TrainingConfig,
    start: Option<&Imported>,
    progress: ReadProgress<'_>,
) -> Result<DataSet> {
    opened(config, start.and_then(|start| start.columns.as_ref()), progress)
}

/// Reads the data set as [`open`] does, and reports to `progress`, as [`DataSet::open_watched`] does.
///
/// # Errors
/// As [`open`].
pub fn open_watched(config: &TrainingConfig, progress: ReadProgress<'_>) -> Result<DataSet> {
    opened(config, None, progress)
}

fn opened(config: &TrainingConfig, known: Option<&Columns>, progress: ReadProgress<'_>) -> Result<DataSet> {
    let data = &config.data;
    let size = |size: &String| {
        let wrong = || format!("data.resize = {size:?}: it takes a width and a height, as in 32x32");
        parse_size(size).ok_or_else(|| Error::configuration(wrong()))
    };
    let regression = config.model.task == Task::Regression || data.task == Some(TargetKind::Numbers);
    let label = known.filter(|columns| columns.header).map(|columns| columns.target.clone());
    let options = ReadOptions {
        known: known.cloned(),
        label: data.label_column.clone().or(label),
        header: data.header,
        resize: data.resize.as_ref().map(size).transpose()?,
        skip_broken: data.skip_broken,
        regression,
        infer_task: data.task.is_none(),
        skip_unlabelled: true,
        columns: data.columns.clone(),
        drop: data.drop.clone(),
        categories: data.categories.clone(),
        date_parts: data.date_parts,
        test: data.test.as_ref().map(PathBuf::from),
        stored: stored(config),
    };
    let set = read(data.path.as_ref(), &options, "data.path = ", progress)?;
    // What the user asked for: the label's name may also come from the network.
    let asked = ReadOptions { label: data.label_column.clone(), ..options };
    match asked.useless(set.format(), ["data.label_column", "data.header", "data.resize"]) {
        None => Ok(set),
        Some((key, purpose)) => Err(Error::configuration(format!(
            "{key} {purpose}, but data.path = {} is something else: {}",
            data.path,
            set.format()
        ))),
    }
}

/// How many bytes of the samples are in memory at once, if they stay in their file.
pub(super) fn stored(config: &TrainingConfig) -> Option<usize> {
    (config.train.sampling == Sampling::Stream).then(|| config.train.window.saturating_mul(1 << 20))
}

/// Reads the data set at `path`, or the embedded [`SAMPLE`]; messages print `argument` before the path.
///
/// # Errors
/// As [`open`].
pub fn open_with(path: impl AsRef<Path>, options: &ReadOptions, argument: &str) -> Result<DataSet> {
    read(path.as_ref(), options, argument, &|_, _| {})
}

fn read(path: &Path, options: &ReadOptions, argument: &str, progress: ReadProgress<'_>) -> Result<DataSet> {
    let named = |error: Error| Error::configuration(format!("{argument}{error}"));
    if path == Path::new(SAMPLE) && options.stored.is_some() {
        return Err(named(Error::data("sample: it is in memory, as train.sampling=shuffled takes it")));
    }
    if path == Path::new(SAMPLE) {
        let sample = DataSet::embedded_sample()?;
        let checked = options.check_format(sample.format()).map_err(|error| error.within(SAMPLE));
        return checked.map(|()| sample).map_err(named);
    }
    check_path(path, argument)?;
    DataSet::open_watched(path, options, progress).map_err(named)
}

/// Passes on the samples at `path`, or those of the embedded [`SAMPLE`], one block at a time; see [`data::stream`].
///
/// # Errors
/// As [`data::stream`]; [`Error::Configuration`] for a path that does not exist.
pub fn stream(path: &Path, wanted: Wanted<'_>, each: &mut dyn FnMut(Block) -> Result<()>) -> Result<()> {
    if path != Path::new(SAMPLE) {
        check_path(path, "")?;
        return data::stream(path, wanted, each);
    }
    let sample = DataSet::embedded_sample()?;
    check_shape(sample.shape(), wanted.shape)?;
    let parts = sample.parts().enumerate();
    parts.map(|(file, (_, rows))| Block { file, x: rows.x().clone(), done: None }).try_for_each(each)
}

fn check_path(path: &Path, argument: &str) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    Err(Error::configuration(format!(
        "{argument}{}: there is no such file or folder; it takes `{SAMPLE}` or a file or folder with data",
        path.display()
    )))
}
