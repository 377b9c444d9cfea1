//! From arguments to a run that can be trained: settings, samples, folder.

use std::fs;
use std::path::{Path, PathBuf};

use thinnet::data::DataSet;
use thinnet::float::Float;
use thinnet::training::{
    DataConfig, RunFolder, Task, Trainer, TrainerState, TrainingConfig, TrainingData, keys,
};

use crate::args::source::ReadArguments;
use crate::args::train::TrainArguments;
use crate::failure::Failure;
use crate::{folder, memory};

/// What a run's folder is called where nobody says.
const FOLDER: &str = "thinnet-run";

/// Settings that a run may go on with others of: they change how long it is or how fast, not what its steps compute.
const CHANGEABLE: [&str; 4] = ["train.epochs", "train.patience", "train.threads", "train.engine"];

/// A run that is asked for.
#[derive(Debug)]
pub(crate) struct Request {
    /// Its settings.
    pub(crate) config: TrainingConfig,
    place: Place,
}

/// Where it is.
#[derive(Debug)]
enum Place {
    /// A folder to be made.
    New(PathBuf),
    /// One that there is, and its settings before any change.
    Existing(RunFolder, Box<TrainingConfig>),
}

/// A run that can be trained.
pub(crate) struct Prepared<F: Float> {
    /// Its settings, with what the data settle filled in.
    pub(crate) config: TrainingConfig,
    /// Its samples.
    pub(crate) data: TrainingData<F>,
    /// Its folder.
    pub(crate) folder: RunFolder,
    /// Where it goes on from.
    pub(crate) state: Option<TrainerState<F>>,
    /// What a person should know before it starts.
    pub(crate) notes: Vec<String>,
    /// What the samples are, for people.
    pub(crate) description: String,
}

impl Request {
    /// Checks all that can be checked before samples are read.
    pub(crate) fn new(arguments: TrainArguments) -> Result<Self, Failure> {
        let TrainArguments { config: file, data, set, out, resume, .. } = arguments;
        let (mut config, place) = if let Some(path) = resume {
            let named = |error| Failure::Refused(format!("--resume {}: {error}", path.display()));
            let (folder, config) = RunFolder::open(&path).map_err(named)?;
            (config.clone(), Place::Existing(folder, Box::new(config)))
        } else {
            let config = match &file {
                Some(file) => read(file)?,
                None => TrainingConfig::default(),
            };
            let out = match out {
                Some(out) if RunFolder::is_run(&out) => {
                    let out = out.display();
                    return Err(Failure::Refused(format!(
                        "--out {out}: there is a run in it already; --resume {out} goes on with it"
                    )));
                }
                Some(out) => out,
                None => unused(Path::new(FOLDER)),
            };
            folder::check("--out", &out)?;
            (config, Place::New(out))
        };
        if let Some(path) = data {
            config.data.path = path;
        }
        for assignment in &set {
            config.set(assignment).map_err(|error| Failure::Refused(format!("--set {error}")))?;
        }
        config.check()?;
        if let Place::Existing(_, before) = &place {
            may_change(before, &config)?;
        }
        Ok(Self { config, place })
    }

    /// Reads the samples, checks what depends on them, and makes or opens the folder.
    pub(crate) fn prepare<F: Float>(self) -> Result<Prepared<F>, Failure> {
        let set = open(&self.config)?;
        let mut data_config = self.config.data.clone();
        make_absolute(&mut data_config);
        let config = TrainingConfig { data: data_config, ..self.config };
        prepare(config, set, self.place)
    }
}

/// A run of these settings on a data set that was read, in a folder that may or may not hold it already.
pub(crate) fn prepare_in<F: Float>(
    config: TrainingConfig,
    set: DataSet,
    path: &Path,
) -> Result<Prepared<F>, Failure> {
    let place = if RunFolder::is_run(path) {
        let (folder, before) = RunFolder::open(path)?;
        Place::Existing(folder, Box::new(before))
    } else {
        Place::New(path.to_path_buf())
    };
    prepare(config, set, place)
}

fn prepare<F: Float>(mut config: TrainingConfig, set: DataSet, place: Place) -> Result<Prepared<F>, Failure> {
    let description = format!("{}: {}", config.data.path, set.format);
    fits_in_memory(&config, &set)?;
    let data = TrainingData::<F>::new(set, &config)?;
    config.data = data.settings.clone();
    let mut notes = Vec::new();
    let (folder, state) = match place {
        Place::New(path) => {
            Trainer::new(&config, &data, 1)?; // what does not fit is refused before there is a folder
            (RunFolder::create(&path, &config)?, None)
        }
        Place::Existing(folder, _) => {
            let newest = folder.newest::<F>()?;
            for (path, reason) in &newest.damaged {
                notes.push(format!("{} is left out: {reason}", path.display()));
            }
            let state = match newest.found {
                Some((state, trained)) => {
                    same_run(&trained, &config, folder.path())?;
                    Some(state)
                }
                None => None,
            };
            folder.write_config(&config)?;
            (folder, state)
        }
    };
    Ok(Prepared { config, data, folder, state, notes, description })
}

/// The settings of a file.
pub(crate) fn read(file: &Path) -> Result<TrainingConfig, Failure> {
    let refuse = |reason: String| Failure::Refused(format!("{}: {reason}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| refuse(format!("cannot read it: {error}")))?;
    TrainingConfig::from_toml(&text).map_err(|error| refuse(error.to_string()))
}

/// Reads the data set that the settings name.
pub(crate) fn open(config: &TrainingConfig) -> Result<DataSet, Failure> {
    let data = &config.data;
    let resize = match &data.resize {
        Some(size) => Some(
            crate::args::values::size(size)
                .map_err(|reason| Failure::Refused(format!("data.resize = {size:?}: {reason}")))?,
        ),
        None => None,
    };
    let read = ReadArguments {
        label_column: data.label_column.clone(),
        header: data.header,
        resize,
        regression: config.model.task == Task::Regression,
    };
    let set = read.open(Path::new(&data.path), "data.path = ")?;
    let keys = ["data.label_column", "data.header", "data.resize"];
    read.check_against(&set, keys, &format!("data.path = {}", data.path))?;
    Ok(set)
}

/// A path that means the same from anywhere, so that a run can be gone on with from anywhere.
pub(crate) fn make_absolute(data: &mut DataConfig) {
    if let Ok(path) = fs::canonicalize(&data.path)
        && let Some(path) = path.to_str()
    {
        path.clone_into(&mut data.path);
    }
}

/// `path`, or the first of `path-2`, `path-3`, ... that is not there.
fn unused(path: &Path) -> PathBuf {
    let taken = |path: &PathBuf| path.symlink_metadata().is_ok();
    let name = |number: usize| match number {
        1 => path.to_path_buf(),
        _ => PathBuf::from(format!("{}-{number}", path.display())),
    };
    (1..=usize::MAX).map(name).find(|path| !taken(path)).unwrap_or_else(|| path.to_path_buf())
}

/// The settings that differ, of those that make a difference: key, value here, value there.
fn differences(here: &TrainingConfig, there: &TrainingConfig) -> Vec<(String, String, String)> {
    let show = |value: Option<toml::Value>| value.map_or_else(String::new, |value| value.to_string());
    let pairs = keys().into_iter().map(|key| (show(here.get(&key)), show(there.get(&key)), key));
    pairs.filter(|(here, there, _)| here != there).map(|(here, there, key)| (key, here, there)).collect()
}

/// Whether a run may go on with these settings instead of those it has.
fn may_change(before: &TrainingConfig, after: &TrainingConfig) -> Result<(), Failure> {
    for (key, ..) in differences(before, after) {
        if !CHANGEABLE.contains(&key.as_str()) {
            return Err(Failure::Refused(format!(
                "--set {key}: a run goes on with the settings that it has, but for {}; start another one for others",
                CHANGEABLE.join(", ")
            )));
        }
        if key == "train.epochs" && after.depends_on_length() {
            return Err(Failure::Refused(format!(
                "--set {key}: the steps of this run depend on its length (optim.schedule is cosine, or model.annealing \
                 curriculum); start another one"
            )));
        }
    }
    Ok(())
}

/// Refuses settings other than those that a checkpoint was trained with.
fn same_run(trained: &TrainingConfig, now: &TrainingConfig, folder: &Path) -> Result<(), Failure> {
    let other = |(key, ..): &(String, String, String)| !CHANGEABLE.contains(&key.as_str());
    match differences(trained, now).into_iter().find(other) {
        None => Ok(()),
        Some((key, trained, now)) => Err(Failure::Refused(format!(
            "{}: {key} is {now}, and its checkpoints were trained with {trained}; put it back, or start another run",
            folder.join("config.toml").display()
        ))),
    }
}

/// Refuses a run that would not fit in memory.
fn fits_in_memory(config: &TrainingConfig, set: &DataSet) -> Result<(), Failure> {
    let samples = set.parts().map(|(_, split)| split.len()).max().unwrap_or(0);
    memory::check(config.memory(set.input_dim(), set.classes.len(), samples), || {
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
        assert_eq!(unused(&path), path);
        fs::create_dir(&path).unwrap();
        fs::write(place.path().join("run-2"), "").unwrap();
        assert_eq!(unused(&path), place.path().join("run-3"));
    }

    #[test]
    fn only_the_length_of_a_run_may_change() {
        let before = TrainingConfig::default();
        let change = |texts: &[&str]| {
            let mut after = before.clone();
            for text in texts {
                after.set(&text.parse().unwrap()).unwrap();
            }
            may_change(&before, &after)
        };
        assert!(change(&["train.epochs=99", "train.threads=3", "train.patience=2"]).is_ok());
        let Err(Failure::Refused(text)) = change(&["optim.learning_rate=1"]) else { panic!("it was taken") };
        assert!(text.contains("optim.learning_rate") && text.contains("train.epochs"), "{text}");
    }
}
