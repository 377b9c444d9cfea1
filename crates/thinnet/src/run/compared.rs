//! Folders of runs, sweeps and experiments, read to be compared.

use std::fs;
use std::path::{Path, PathBuf};

use super::RunFolder;
use super::folder::members_of;
use crate::error::{Error, Result};
use crate::report::{ComparedRun, metrics, parse};
use crate::sweep::{MANIFEST, RUNS};
use crate::training::RunHistory;

/// The page in a folder, whatever made it.
const PAGE: &str = "report.html";

/// Whether `folder` holds a run, a sweep or an experiment.
pub fn has_results(folder: &Path) -> bool {
    folder.join(MANIFEST).is_file() || RunFolder::is_run(folder) || !experiments(folder).is_empty()
}

/// All runs in `folder`, be it that of a run, a sweep or an experiment, or one that holds several such folders. What is still in
/// training is read as far as it has come.
///
/// # Errors
/// [`Error::Data`] if there is none, and for files that are not what they should be; [`Error::Io`] if one cannot be read.
pub fn compared(folder: &Path) -> Result<Vec<ComparedRun>> {
    if has_results(folder) {
        return runs_in(folder);
    }
    let inner = folders_in(folder)?.into_iter().filter(|inner| has_results(inner));
    let runs = inner.map(|inner| runs_in(&inner)).collect::<Result<Vec<_>>>()?.concat();
    if runs.is_empty() {
        let shown = folder.display();
        return Err(Error::data(format!(
            "{shown}: there is no training run, sweep or experiment in this folder"
        )));
    }
    Ok(runs)
}

fn runs_in(folder: &Path) -> Result<Vec<ComparedRun>> {
    // A sweep has a `config.toml` as well, of the settings that are not varied.
    if folder.join(MANIFEST).is_file() {
        let runs = folders_in(&folder.join(RUNS))?.into_iter().filter(|run| RunFolder::is_run(run));
        return runs.map(|run| training_run(&run)).collect();
    }
    let members = members_of(folder);
    if RunFolder::is_run(folder) && members.is_dir() {
        // An ensemble's networks are compared like runs with other seeds.
        let runs = folders_in(&members)?.into_iter().filter(|run| RunFolder::is_run(run));
        return runs.map(|run| training_run(&run)).collect();
    }
    if RunFolder::is_run(folder) {
        return Ok(vec![training_run(folder)?]);
    }
    let page = Some(folder.join(PAGE)).filter(|page| page.is_file());
    let name = name(folder);
    let experiment = |file: PathBuf| {
        let bytes = fs::read(&file).map_err(Error::io("read", &file))?;
        let outcome = parse(&bytes).map_err(|error| Error::data(format!("{}: {error}", file.display())))?;
        Ok(ComparedRun::of_experiment(&outcome, &name, page.as_deref()))
    };
    Ok(experiments(folder).into_iter().map(experiment).collect::<Result<Vec<_>>>()?.concat())
}

/// The files of experiments in a folder: one, or one a seed.
fn experiments(folder: &Path) -> Vec<PathBuf> {
    let is_experiment = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let seed = name.strip_prefix("experiment").and_then(|rest| rest.strip_suffix(".json"));
        let of_seed = |seed: &str| seed.strip_prefix('-').is_some_and(|seed| seed.parse::<u32>().is_ok());
        seed.is_some_and(|seed| seed.is_empty() || of_seed(seed)) && path.is_file()
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_experiment).collect();
    files.sort_by_key(|file| (file.as_os_str().len(), file.clone())); // seed 9 before seed 10
    files
}

/// The folders in a folder, by name.
fn folders_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::io("read the folder", folder))?;
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

/// A folder's name for people: its path, without the dot of the folder that one is in.
fn name(folder: &Path) -> String {
    let path = folder.strip_prefix(".").unwrap_or(folder);
    if path.as_os_str().is_empty() { folder } else { path }.display().to_string()
}

fn training_run(folder: &Path) -> Result<ComparedRun> {
    let config = RunFolder::config_in(folder)?;
    let samples = RunFolder::fingerprint_in(folder)?;
    let file = folder.join(metrics::HISTORY_CSV);
    let epochs = if file.is_file() {
        let bytes = fs::read(&file).map_err(Error::io("read", &file))?;
        let epochs = metrics::parse_history_csv(&bytes);
        epochs.map_err(|error| Error::data(format!("{}: {error}", file.display())))?
    } else {
        Vec::new()
    };
    Ok(ComparedRun {
        name: name(folder),
        history: RunHistory::of_epochs(epochs, config.monitor()),
        config,
        classes: samples.as_ref().map(super::Fingerprint::outputs),
        samples: samples.map(|samples| samples.checksum().to_owned()),
        page: Some(folder.join(PAGE)).filter(|page| page.is_file()),
    })
}
