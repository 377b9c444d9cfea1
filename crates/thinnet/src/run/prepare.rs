//! From settings to a run that can be trained: its rows, its folder, and the state to resume from.

use std::fs;
use std::path::Path;

use super::{Fingerprint, RunFolder};
use crate::data::{DataSet, Format};
use crate::error::{Error, Result};
use crate::float::Float;
use crate::import::{self, Imported};
use crate::layers::Normalisation;
use crate::training::{
    DataConfig, Sampling, Task, Trainer, TrainerState, TrainingConfig, TrainingData, keys,
};

/// Settings that may change when a run is resumed: they change its length, its speed, or where its samples are, but
/// not what its steps compute.
pub const CHANGEABLE: [&str; 5] =
    ["train.epochs", "train.patience", "train.threads", "train.engine", "data.path"];

/// A run that can be trained.
pub struct Prepared<F: Float> {
    /// Its settings, including what the data decide.
    pub config: TrainingConfig,
    /// Its rows.
    pub data: TrainingData<F>,
    /// Its folder.
    pub folder: RunFolder,
    /// The state to resume from.
    pub state: Option<TrainerState<F>>,
    /// What the user should know before it starts.
    pub notes: Vec<String>,
    /// A description of the samples for the user.
    pub description: String,
    pub(super) fingerprint: Fingerprint,
    pub(super) format: Format,
}

/// A run with these settings on a data set that was read, in the folder `path`: a new one, or the existing one, which
/// resumes from its newest complete checkpoint.
///
/// # Errors
/// As [`TrainingData::new`] and [`Trainer::new`], before a folder is created; [`Error::Configuration`] if the
/// existing run was trained with other settings; [`Error::Io`] if the folder cannot be created or read.
pub fn prepare<F: Float>(
    config: TrainingConfig,
    set: DataSet,
    path: &Path,
    open: Option<RunFolder>,
) -> Result<Prepared<F>> {
    let start = start_of(&config, path)?;
    prepare_from(config, set, path, open, start)
}

/// The network with which a run begins, if `model.from` names a file: that in the run's folder, or that of the file for a
/// new run.
///
/// # Errors
/// As [`RunFolder::start_in`] and [`import::read`].
pub fn start_of(config: &TrainingConfig, path: &Path) -> Result<Option<Imported>> {
    if RunFolder::is_run(path) {
        return RunFolder::start_in(path, config);
    }
    config.model.from.as_ref().map(import::read).transpose()
}

/// The same as [`prepare`] for a network that was read already ([`start_of`]). Hidden layers, activation and normalisation
/// are those of the network.
///
/// # Errors
/// As [`prepare`], [`Imported::settle`] and [`Imported::data`].
pub fn prepare_from<F: Float>(
    mut config: TrainingConfig,
    set: DataSet,
    path: &Path,
    open: Option<RunFolder>,
    start: Option<Imported>,
) -> Result<Prepared<F>> {
    if let Some(start) = &start {
        start.settle(&mut config, &|_| false)?;
        config.model.from.get_or_insert_with(|| start.source.clone());
    }
    let (config, samples) = samples_of(config, set, start.as_ref())?;
    prepare_on(config, samples, path, open, start.as_ref())
}

/// The samples of a run, prepared for training, and their fingerprint.
#[derive(Debug, Clone)]
pub(super) struct Samples<F> {
    pub(super) data: TrainingData<F>,
    pub(super) fingerprint: Fingerprint,
    pub(super) format: Format,
}

/// The samples of a run with these settings; if the task is open, the data set decides it.
pub(super) fn samples_of<F: Float>(
    mut config: TrainingConfig,
    set: DataSet,
    start: Option<&Imported>,
) -> Result<(TrainingConfig, Samples<F>)> {
    config.take_task_of(&set);
    config.check()?;
    let (fingerprint, format) = (Fingerprint::of(&set)?, set.format());
    let data = match start {
        Some(start) => start.data::<F>(set, &config)?,
        None => TrainingData::new(set, &config)?,
    };
    Ok((config, Samples { data, fingerprint, format }))
}

/// The same as [`prepare`], for samples that are prepared already.
pub(super) fn prepare_on<F: Float>(
    mut config: TrainingConfig,
    samples: Samples<F>,
    path: &Path,
    open: Option<RunFolder>,
    start: Option<&Imported>,
) -> Result<Prepared<F>> {
    let Samples { data, fingerprint, format } = samples;
    let description = format!("{}: {format}", config.data.path);
    config.data = data.settings.clone();
    let mut notes = data.notes.clone();
    notes.extend(doubts(&config, &data));
    let open = match open {
        None if RunFolder::is_run(path) => Some(RunFolder::open(path)?.0),
        open => open,
    };
    let Some(folder) = open else {
        // Errors are reported before a folder is created.
        let state = begun(&config, &data, start, &mut notes)?;
        let folder = RunFolder::create_from(path, &config, start)?;
        folder.write_fingerprint(&fingerprint)?;
        return Ok(Prepared { config, data, folder, state, notes, description, fingerprint, format });
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
    let state = match newest.found {
        Some((state, _)) => Some(state),
        None => begun(&config, &data, start, &mut notes)?,
    };
    if let Some(state) = &state {
        state.check(&config, data.train.len())?; // before the folder's settings change
    }
    folder.write_config(&config)?;
    if known.is_none() {
        folder.write_fingerprint(&fingerprint)?;
    }
    Ok(Prepared { config, data, folder, state, notes, description, fingerprint, format })
}

/// The first state of a run that begins with a network from a file; `None` if initial weights are drawn.
fn begun<F: Float>(
    config: &TrainingConfig,
    data: &TrainingData<F>,
    start: Option<&Imported>,
    notes: &mut Vec<String>,
) -> Result<Option<TrainerState<F>>> {
    let fresh = Trainer::new(config, data, 1)?;
    let Some(start) = start else { return Ok(None) };
    let (state, more) = start.begin(&fresh.state()?, data, config.loss())?;
    notes.push(format!("the run begins with the network in {}", start.source));
    notes.extend(more);
    Ok(Some(state))
}

/// Up to this many classes there is no warning, however few samples they have.
const MANY_CLASSES: usize = 50;
/// With more classes there is a warning if each has fewer training samples than this on average.
const FEW_SAMPLES: usize = 20;
/// With more parameters than this there is a warning if most of them belong to the outputs.
const MANY_PARAMETERS: usize = 10_000_000;

/// Warnings about likely mistakes in settings or data, with advice.
fn doubts<F: Float>(config: &TrainingConfig, data: &TrainingData<F>) -> Vec<String> {
    let mut doubts = Vec::new();
    let (samples, classes) = (data.train.len(), data.num_outputs());
    if config.model.task == Task::Classification {
        let remedy = "if the labels are numbers to be predicted, set model.task=regression; if they are another column's, set \
                      data.label_column";
        if classes > MANY_CLASSES && samples < FEW_SAMPLES * classes {
            let each = samples as f64 / classes as f64;
            doubts.push(format!(
                "warning: the labels make {classes} classes of {samples} training samples, about {each:.1} each; {remedy}"
            ));
        }
        let mut inputs = data.input_dim();
        let mut parameters = 0usize;
        for &units in &config.model.hidden {
            parameters = parameters.saturating_add(inputs.saturating_add(1).saturating_mul(units));
            inputs = units;
        }
        let of_outputs = inputs.saturating_add(1).saturating_mul(classes);
        let all = parameters.saturating_add(of_outputs);
        if all > MANY_PARAMETERS && of_outputs > parameters {
            doubts.push(format!(
                "warning: the network has {all} parameters, {of_outputs} of them for its {classes} classes; {remedy}"
            ));
        }
    }
    let size = config.train.batch_size;
    let leaves_one = |size: usize| size > 1 && samples % size == 1;
    let shuffled = config.train.sampling != Sampling::Replacement;
    if config.model.normalisation == Normalisation::Batch && shuffled && leaves_one(size) {
        let better = (size + 1..=size.saturating_add(samples)).find(|&size| !leaves_one(size));
        doubts.push(format!(
            "warning: the last batch of every epoch has 1 sample ({samples} samples in batches of {size}), from which batch \
             normalisation learns nothing and gets wrong statistics; train.batch_size={} avoids such a batch",
            better.unwrap_or(size)
        ));
    }
    doubts
}

/// Makes paths absolute, so that a run can be resumed from any folder.
pub fn make_absolute(data: &mut DataConfig) {
    for path in [Some(&mut data.path), data.test.as_mut()].into_iter().flatten() {
        if let Ok(absolute) = fs::canonicalize(&*path)
            && let Some(absolute) = absolute.to_str()
        {
            absolute.clone_into(path);
        }
    }
}

/// The settings that differ and matter: key, value here, value there.
fn differences(here: &TrainingConfig, there: &TrainingConfig) -> Vec<(String, String, String)> {
    let show = |value: Option<toml::Value>| value.map_or_else(String::new, |value| value.to_string());
    let pairs = keys().into_iter().map(|key| (show(here.get(&key)), show(there.get(&key)), key));
    pairs.filter(|(here, there, _)| here != there).map(|(here, there, key)| (key, here, there)).collect()
}

/// Whether a run may be resumed with these settings instead of its own.
///
/// # Errors
/// [`Error::Configuration`], which begins with the key that may not change.
pub fn may_change(before: &TrainingConfig, after: &TrainingConfig) -> Result<()> {
    for (key, ..) in differences(before, after) {
        if !CHANGEABLE.contains(&key.as_str()) {
            return Err(Error::configuration(format!(
                "{key}: a resumed run keeps its settings, except for {}; start another run to change others",
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

/// Refuses settings that differ from those of a checkpoint.
///
/// - `known`: whether the samples are known to be the same, so that their path may differ
fn same_run(trained: &TrainingConfig, now: &TrainingConfig, folder: &Path, known: bool) -> Result<()> {
    let other = |(key, ..): &(String, String, String)| {
        !CHANGEABLE.contains(&key.as_str()) || (key == "data.path" && !known)
    };
    match differences(trained, now).into_iter().find(other) {
        None => Ok(()),
        Some((key, trained, now)) => Err(Error::configuration(format!(
            "{}: {key} is {now}, but its checkpoints were trained with {trained}; change it back, or start another run",
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
