//! Converts arguments to a run that can be trained: settings, samples, folder.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use thinnet::data::{DataSet, Part};
use thinnet::float::Float;
use thinnet::import::{self, Imported};
use thinnet::run::{self, Prepared, RunFolder, SAMPLE, may_change};
use thinnet::text::shell_word;
use thinnet::training::{Sampling, TrainingConfig};

use crate::args::train::TrainArguments;
use crate::failure::Failure;
use crate::train::watch::Shown;
use crate::{folder, memory};

/// The default name of a run's folder.
const FOLDER: &str = "thinnet-run";

/// A requested run.
#[derive(Debug)]
pub(crate) struct Request {
    /// Its settings.
    pub(crate) config: TrainingConfig,
    /// Its folder; `None` for the first free name.
    path: Option<PathBuf>,
    /// The folder, if it already holds a run.
    existing: Option<RunFolder>,
    /// The network with which it begins, if that comes from a file.
    start: Option<Imported>,
    /// What the user should know about it.
    notes: Vec<String>,
}

impl Request {
    /// Checks everything that can be checked before samples are read.
    pub(crate) fn new(arguments: TrainArguments) -> Result<Self, Failure> {
        let TrainArguments { config: file, data, table, from, set, out, resume, .. } = arguments;
        let mut given = BTreeSet::new();
        let (mut config, path, existing) = if let Some(path) = resume {
            let named = |error| Failure::Refused(format!("--resume {}: {error}", path.display()));
            let (folder, config) = RunFolder::open(&path).map_err(named)?;
            (config, Some(path), Some(folder))
        } else {
            let config = file.as_deref().map(read).transpose()?.unwrap_or_default();
            if let Some(file) = &file {
                given.extend(keys_in(file));
            }
            let out = match out {
                Some(out) if RunFolder::is_run(&out) => {
                    let out = out.display();
                    return Err(Failure::Refused(format!(
                        "--out {out}: it already holds a run; --resume {out} continues it"
                    )));
                }
                Some(out) => {
                    folder::check("--out", &out)?;
                    let others = RunFolder::files_of_another(&out);
                    if !others.is_empty() {
                        return Err(Failure::Refused(format!(
                            "--out {}: it holds files of another run ({}); choose another folder, or move them",
                            out.display(),
                            others.join(", ")
                        )));
                    }
                    Some(out)
                }
                None => {
                    folder::check("--out", Path::new("."))?;
                    None
                }
            };
            (config, out, None)
        };
        let before = existing.as_ref().map(|_| config.clone());
        if let Some(path) = data {
            config.data.path = path;
        }
        table.apply(&mut config.data)?;
        for assignment in &set {
            config.set(assignment).map_err(|error| Failure::Refused(format!("--set {error}")))?;
        }
        if let Some(from) = from {
            config.model.from = Some(from.to_string_lossy().into_owned());
        }
        given.extend(set.iter().map(|assignment| assignment.key.clone()));
        let (start, notes) =
            if existing.is_none() { start(&mut config, &given)? } else { (None, Vec::new()) };
        config.check()?;
        if existing.is_none() {
            folder::check_outside(
                path.as_deref().unwrap_or(Path::new(FOLDER)),
                Path::new(&config.data.path),
            )?;
        }
        if let Some(before) = before {
            may_change(&before, &config).map_err(|error| Failure::Refused(format!("--set {error}")))?;
        }
        let start = match &existing {
            Some(folder) => RunFolder::start_in(folder.path(), &config)?,
            None => start,
        };
        Ok(Self { config, path, existing, start, notes })
    }

    /// Reads the samples, checks everything that depends on them, and creates or opens the folder. `shown` ends the
    /// program meanwhile if it is asked to stop: there is nothing to save yet.
    pub(crate) fn prepare<F: Float>(self, shown: &Shown<'_>) -> Result<Prepared<F>, Failure> {
        let Self { mut config, path, existing, start, notes } = self;
        let moved =
            existing.is_some() && config.data.path != SAMPLE && !Path::new(&config.data.path).exists();
        if config.train.sampling != Sampling::Stream {
            memory::check_file(config.data.path.as_ref(), &config.data.columns)?;
        }
        let set =
            shown.reading(&config.data.path, |progress| run::open_for(&config, start.as_ref(), progress));
        let set = match set {
            Err(error) if moved => {
                return Err(Failure::Refused(format!(
                    "{error}; if you moved it, give its new path with --data PATH"
                )));
            }
            set => set?,
        };
        config.take_task_of(&set);
        run::make_absolute(&mut config.data);
        fits_in_memory(&config, &set)?;
        let claimed = path.is_none();
        let path = path.map_or_else(|| claim(Path::new(FOLDER)), Ok)?;
        let tidy = || {
            if claimed {
                // A run that never started leaves nothing; a folder that is not empty stays.
                drop(fs::remove_dir(&path));
            }
        };
        let leave = || {
            tidy();
            if RunFolder::is_run(&path) {
                let path = path.display();
                return format!(
                    "stopped before the first step; `thinnet train --resume {path}` continues from there"
                );
            }
            "stopped before the first step; nothing was written".to_owned()
        };
        let mut prepared = shown
            .preparing(leave, || run::prepare_from(config, set, &path, existing, start))
            .inspect_err(|_| tidy())?;
        prepared.notes.splice(..0, notes);
        Ok(prepared)
    }
}

/// The network with which a run begins, if the settings name a file. It decides the layers; settings that are `given`
/// must agree with it.
fn start(
    config: &mut TrainingConfig,
    given: &BTreeSet<String>,
) -> Result<(Option<Imported>, Vec<String>), Failure> {
    let Some(from) = config.model.from.clone() else { return Ok((None, Vec::new())) };
    let from = Path::new(&from);
    if let Ok(from) = fs::canonicalize(from) {
        memory::check_file(&from, &[])?;
        config.model.from = Some(from.to_string_lossy().into_owned());
    }
    let named = |error| Failure::Refused(format!("--from {error}"));
    let mut start = import::read(from).map_err(named)?;
    start.source = from.display().to_string();
    let notes = start.settle(config, &|key| given.contains(key))?;
    Ok((Some(start), notes))
}

/// The keys that a file of settings has.
fn keys_in(file: &Path) -> Vec<String> {
    let table = fs::read_to_string(file).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let mut keys = Vec::new();
    for (section, own) in table.unwrap_or_default() {
        let own = own.as_table().into_iter().flat_map(toml::Table::keys);
        keys.extend(own.map(|key| format!("{section}.{key}")));
    }
    keys
}

/// File extensions of samples, which files of settings never have.
const OF_DATA: [&str; 28] = [
    "csv", "tsv", "tab", "dat", "data", "txt", "json", "jsonl", "npz", "npy", "bin", "gz", "bz2", "xz",
    "zst", "zip", "tar", "tgz", "parquet", "arrow", "feather", "arff", "mat", "h5", "hdf5", "png", "jpg",
    "jpeg",
];

/// Reads the settings in a file. A file of samples is refused, with the option for samples.
pub(crate) fn read(file: &Path) -> Result<TrainingConfig, Failure> {
    let refuse = |reason: String| Failure::Refused(format!("{}: {reason}", file.display()));
    let word = shell_word(&file.display().to_string());
    let is_data =
        |what: &str| refuse(format!("{what}, not a file of settings (TOML); for samples, use --data {word}"));
    if file == Path::new(SAMPLE) && !file.exists() {
        return Err(is_data("it is the name of the embedded samples"));
    }
    if RunFolder::is_run(file) {
        return Err(refuse(format!("it is the folder of a run; --resume {word} continues it")));
    }
    if file.is_dir() {
        return Err(is_data("it is a folder"));
    }
    let bytes = fs::read(file).map_err(|error| refuse(format!("cannot read it: {error}")))?;
    let ending = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if OF_DATA.contains(&ending.as_str()) {
        return Err(is_data(&format!("it is a file of data by its name (.{ending})")));
    }
    let Ok(text) = String::from_utf8(bytes) else { return Err(is_data("it is not text")) };
    let is_toml = text.parse::<toml::Table>().is_ok();
    if ending != "toml" && !is_toml {
        return Err(is_data("it looks like data"));
    }
    TrainingConfig::from_toml(&text).map_err(|error| refuse(error.to_string()))
}

/// `path`, or the first of `path-2`, `path-3`, ... that does not exist, created only for this run: runs that start at
/// the same time get different folders.
fn claim(path: &Path) -> Result<PathBuf, Failure> {
    let name = |number: usize| match number {
        1 => path.to_path_buf(),
        _ => PathBuf::from(format!("{}-{number}", path.display())),
    };
    for path in (1..=usize::MAX).map(name) {
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(Failure::Refused(format!("cannot make the folder {}: {error}", path.display())));
            }
        }
    }
    Err(Failure::Refused(format!("every name that begins with {} is taken", path.display())))
}

/// Refuses a run that would not fit in memory.
fn fits_in_memory(config: &TrainingConfig, set: &DataSet) -> Result<(), Failure> {
    // If training samples stay in their file, only a few are checked.
    let stays = config.train.sampling == Sampling::Stream && config.train.check_samples.is_some();
    let parts = set.parts().filter(|(part, _)| !(stays && *part == Part::Train));
    let samples = parts.map(|(_, rows)| rows.len()).max().unwrap_or(0);
    memory::check(config.memory(set.input_dim(), set.names().len(), samples), || {
        format!(
            "model.hidden = {:?}, train.batch_size = {} and train.epochs = {} together need",
            config.model.hidden, config.train.batch_size, config.train.epochs
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_there_is_not_taken() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("run");
        assert_eq!(claim(&path).unwrap(), path);
        fs::write(place.path().join("run-2"), "").unwrap();
        assert_eq!(claim(&path).unwrap(), place.path().join("run-3"));
    }

    #[test]
    fn each_of_many_at_once_has_a_folder_of_its_own() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("run");
        let claimed = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|_| scope.spawn(|| claim(&path).unwrap())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect::<BTreeSet<_>>()
        });
        assert_eq!(claimed.len(), 16);
    }
}
