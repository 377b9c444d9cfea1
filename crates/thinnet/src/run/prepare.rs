//! From settings to a run that can be trained: its rows, its folder, and where it goes on from.

use std::fs;
use std::path::Path;

use super::{Fingerprint, RunFolder};
use crate::data::DataSet;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::training::{DataConfig, Trainer, TrainerState, TrainingConfig, TrainingData, keys};

/// Settings that a run may go on with others of: they change how long it is, how fast, or where its samples are, not what its
/// steps compute.
pub const CHANGEABLE: [&str; 5] =
    ["train.epochs", "train.patience", "train.threads", "train.engine", "data.path"];

/// A run that can be trained.
pub struct Prepared<F: Float> {
    /// Its settings, with what the data settle filled in.
    pub config: TrainingConfig,
    /// Its rows.
    pub data: TrainingData<F>,
    /// Its folder.
    pub folder: RunFolder,
    /// Where it goes on from.
    pub state: Option<TrainerState<F>>,
    /// What a person should know before it starts.
    pub notes: Vec<String>,
    /// What the samples are, for people.
    pub description: String,
}

/// A run of these settings on a data set that was read, in the folder `path`: a new one, or the one that is there, which goes
/// on from its newest whole checkpoint.
///
/// # Errors
/// Those of [`TrainingData::new`] and [`Trainer::new`], before there is a folder; [`Error::Configuration`] if what is there was
/// trained with other settings; [`Error::Io`] for a folder that cannot be made or read.
pub fn prepare<F: Float>(
    mut config: TrainingConfig,
    set: DataSet,
    path: &Path,
    open: Option<RunFolder>,
) -> Result<Prepared<F>> {
    let description = format!("{}: {}", config.data.path, set.format());
    let fingerprint = Fingerprint::of(&set);
    let data = TrainingData::<F>::new(set, &config)?;
    config.data = data.settings.clone();
    let mut notes = Vec::new();
    let open = match open {
        None if RunFolder::is_run(path) => Some(RunFolder::open(path)?.0),
        open => open,
    };
    let Some(folder) = open else {
        Trainer::new(&config, &data, 1)?; // what does not fit is refused before there is a folder
        let folder = RunFolder::create(path, &config)?;
        folder.write_fingerprint(&fingerprint)?;
        return Ok(Prepared { config, data, folder, state: None, notes, description });
    };
    let known = folder.fingerprint()?;
    if let Some(known) = &known {
        known
            .check(&fingerprint)
            .map_err(|error| Error::configuration(format!("data.path = {}: {error}", config.data.path)))?;
    }
    let newest = folder.newest::<F>()?;
    for (path, reason) in &newest.damaged {
        notes.push(format!("{} is left out: {reason}", path.display()));
    }
    if let Some((_, trained)) = &newest.found {
        same_run(trained, &config, folder.path(), known.is_some())?;
    }
    let state = newest.found.map(|(state, _)| state);
    folder.write_config(&config)?;
    if known.is_none() {
        folder.write_fingerprint(&fingerprint)?;
    }
    Ok(Prepared { config, data, folder, state, notes, description })
}

/// A path that means the same from anywhere, so that a run can be gone on with from anywhere.
pub fn make_absolute(data: &mut DataConfig) {
    if let Ok(path) = fs::canonicalize(&data.path)
        && let Some(path) = path.to_str()
    {
        path.clone_into(&mut data.path);
    }
}

/// The settings that differ, of those that make a difference: key, value here, value there.
fn differences(here: &TrainingConfig, there: &TrainingConfig) -> Vec<(String, String, String)> {
    let show = |value: Option<toml::Value>| value.map_or_else(String::new, |value| value.to_string());
    let pairs = keys().into_iter().map(|key| (show(here.get(&key)), show(there.get(&key)), key));
    pairs.filter(|(here, there, _)| here != there).map(|(here, there, key)| (key, here, there)).collect()
}

/// Whether a run may go on with these settings instead of those it has.
///
/// # Errors
/// [`Error::Configuration`] that begins with the key that may not change.
pub fn may_change(before: &TrainingConfig, after: &TrainingConfig) -> Result<()> {
    for (key, ..) in differences(before, after) {
        if !CHANGEABLE.contains(&key.as_str()) {
            return Err(Error::configuration(format!(
                "{key}: a run goes on with the settings that it has, but for {}; start another one for others",
                CHANGEABLE.join(", ")
            )));
        }
        if key == "train.epochs" && after.depends_on_length() {
            return Err(Error::configuration(format!(
                "{key}: the steps of this run depend on its length (optim.schedule is cosine, or model.annealing \
                 curriculum); start another one"
            )));
        }
    }
    Ok(())
}

/// Refuses settings other than those that a checkpoint was trained with.
///
/// - `known`: whether the samples are known to be the same, so that they may be elsewhere
fn same_run(trained: &TrainingConfig, now: &TrainingConfig, folder: &Path, known: bool) -> Result<()> {
    let other = |(key, ..): &(String, String, String)| {
        !CHANGEABLE.contains(&key.as_str()) || (key == "data.path" && !known)
    };
    match differences(trained, now).into_iter().find(other) {
        None => Ok(()),
        Some((key, trained, now)) => Err(Error::configuration(format!(
            "{}: {key} is {now}, and its checkpoints were trained with {trained}; put it back, or start another run",
            folder.join("config.toml").display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let text = change(&["optim.learning_rate=1"]).unwrap_err().to_string();
        assert!(text.contains("optim.learning_rate") && text.contains("train.epochs"), "{text}");
    }
}
