//! Trains one run of a sweep: like any run in a folder, on samples that all runs share.

use std::any::Any;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::open::{open, open_watched, stored};
use super::pool::{Follow, Message, train_all};
use super::prepare::{Samples, make_absolute, prepare_on, samples_of};
use super::session::{Announcement, Session, Watch};
use crate::data::{DataSet, ReadProgress};
use crate::error::{Error, Result};
use crate::float::{Dtype, Float};
use crate::sweep::{Measure, Outcome, Plan, Run, RunFigures, SweepConfig, SweepFolder};
use crate::training::{DataConfig, Divergence, Progress, RunHistory, Step, Task, TrainingConfig};

/// How runs of a sweep are trained: most are short, and a state is large compared with a short epoch, so only the
/// last checkpoint is kept, for resuming.
const SESSION: Session =
    Session { every: Duration::from_secs(60), every_epoch: Duration::from_secs(10), pictures: 1, keep: 1 };

/// A sweep's data sets as they were read, each with the settings that determine how.
#[derive(Debug)]
pub struct SweepRuns {
    sets: Vec<(Reading, DataSet)>,
    /// The samples of the last run: most runs share them.
    last: Mutex<Option<Kept>>,
}

/// Samples of a run ([`Samples`], of either number type), with the settings that determine them.
#[derive(Debug)]
struct Kept {
    settings: (DataConfig, Task, Option<usize>),
    /// The task, which the samples may decide.
    task: Task,
    samples: Box<dyn Any + Send>,
}

/// What determines how a data set is read: settings, and how much is in memory of samples that stay in their file.
pub(super) type Reading = (DataConfig, Option<usize>);

impl SweepRuns {
    /// Reads the samples of every run, each data set once.
    ///
    /// # Errors
    /// As [`Plan::new`], and errors of reading.
    pub fn open(config: &SweepConfig) -> Result<Self> {
        Self::open_watched(config, &|_, _| {})
    }

    /// Reads the samples as [`SweepRuns::open`] does, and reports the progress of each file to `progress`.
    ///
    /// # Errors
    /// As [`SweepRuns::open`].
    pub fn open_watched(config: &SweepConfig, progress: ReadProgress<'_>) -> Result<Self> {
        let mut sets: Vec<(Reading, DataSet)> = Vec::new();
        for run in Plan::new(config.clone())?.runs {
            let reading = reading(&run.config);
            if !sets.iter().any(|(known, _)| *known == reading) {
                let config = TrainingConfig { data: reading.0.clone(), ..run.config };
                let set = open_watched(&config, progress)?;
                sets.push((reading, set));
            }
        }
        Ok(Self { sets, last: Mutex::new(None) })
    }

    /// Sets the sweep's task to that of its samples, if the settings leave it open.
    pub fn settle(&self, config: &mut SweepConfig) {
        if let Some((_, set)) = self.sets.first() {
            config.base.take_task_of(set);
        }
    }

    /// The data sets as they were read, each once.
    pub fn sets(&self) -> impl Iterator<Item = &DataSet> {
        self.sets.iter().map(|(_, set)| set)
    }

    /// Trains the runs at these places of the plan, `jobs` at a time, until all are done or `stop` is set; unfinished
    /// runs are resumed. Messages go to the calling thread; if it returns false, the runs are stopped.
    ///
    /// # Errors
    /// The first failure to record how a run ended; then the runs are stopped.
    pub fn train(
        &self,
        folder: &SweepFolder,
        waiting: &[usize],
        jobs: usize,
        stop: &AtomicBool,
        follow: &mut dyn FnMut(Message) -> bool,
    ) -> Result<()> {
        let train = |run: &Run, path: &Path, follow: &mut Follow<'_>| self.outcome(run, path, stop, follow);
        train_all(folder, waiting, jobs, stop, &train, &mut |message| {
            if let Message::Ended { run, outcome: Outcome::Finished(_) } = &message
                && let Some(run) = folder.plan().runs.get(*run)
            {
                tidy(&folder.run_folder(run));
            }
            follow(message)
        })
    }

    /// Trains a run, or resumes it; `None` if it is stopped.
    fn outcome(&self, run: &Run, path: &Path, stop: &AtomicBool, follow: &mut Follow<'_>) -> Option<Outcome> {
        let mut config = run.config.clone();
        make_absolute(&mut config.data);
        let measure = Measure::of(&config);
        let ended = match config.model.dtype {
            Dtype::F32 => self.ended::<f32>(config, path, stop, follow),
            Dtype::F64 => self.ended::<f64>(config, path, stop, follow),
        };
        match ended {
            Ok(history) => Some(Outcome::Finished(RunFigures::of(&history, measure))),
            Err(Error::Interrupted { .. }) => None,
            Err(error) => Some(Outcome::failed(&error)),
        }
    }

    /// The samples of a run, shared with the previous run if their settings are the same.
    fn samples<F: Float>(&self, mut config: TrainingConfig) -> Result<(TrainingConfig, Samples<F>)> {
        // Other threads wait for the same samples.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = (config.data.clone(), config.model.task, stored(&config));
        if let Some(kept) = last.as_ref().filter(|kept| kept.settings == settings)
            && let Some(samples) = kept.samples.downcast_ref::<Samples<F>>()
        {
            config.model.task = kept.task;
            config.check()?;
            return Ok((config, samples.clone()));
        }
        *last = None; // before others need memory
        let reading = reading(&config);
        let set = self.sets.iter().find(|(known, _)| *known == reading).map(|(_, set)| set.clone());
        let set = set.map_or_else(|| open(&config), Ok)?;
        let (config, samples) = samples_of::<F>(config, set, None)?;
        *last = Some(Kept { settings, task: config.model.task, samples: Box::new(samples.clone()) });
        Ok((config, samples))
    }

    fn ended<F: Float>(
        &self,
        config: TrainingConfig,
        path: &Path,
        stop: &AtomicBool,
        follow: &mut Follow<'_>,
    ) -> Result<RunHistory> {
        let (config, samples) = self.samples::<F>(config)?;
        let prepared = prepare_on(config, samples, path, None, None)?;
        let summary = SESSION.train(prepared, &mut Epochs { done: 0, follow, stop })?;
        // It counts in no figure, like a run whose loss is not finite.
        if let Some(Divergence { epoch, loss, .. }) = summary.diverged {
            let step = summary.history.epochs.last().map_or(0, |epoch| epoch.step);
            return Err(Error::Diverged {
                what: format!("the training loss is {loss:.3e} in epoch {epoch},"),
                step,
            });
        }
        Ok(summary.history)
    }
}

/// Deletes the checkpoints of a finished run: its model is next to them, and a sweep has many runs. If they cannot be
/// deleted, no harm is done.
fn tidy(path: &Path) {
    let Ok(entries) = fs::read_dir(path.join("checkpoints")) else { return };
    let checkpoints = entries.flatten().map(|entry| entry.path());
    for checkpoint in checkpoints.filter(|path| path.extension().is_some_and(|extension| extension == "ckpt"))
    {
        drop(fs::remove_file(checkpoint));
    }
}

/// The settings that determine how a data set is read, the others at their defaults.
pub(super) fn reading(config: &TrainingConfig) -> Reading {
    let data = &config.data;
    let mut reading = DataConfig {
        path: data.path.clone(),
        label_column: data.label_column.clone(),
        header: data.header,
        resize: data.resize.clone(),
        skip_broken: data.skip_broken,
        task: data.task,
        columns: data.columns.clone(),
        drop: data.drop.clone(),
        categories: data.categories.clone(),
        date_parts: data.date_parts,
        test: data.test.clone(),
        ..DataConfig::default()
    };
    make_absolute(&mut reading);
    (reading, stored(config))
}

/// Reports how many epochs of a run are done.
struct Epochs<'a, 'b> {
    done: usize,
    follow: &'a mut Follow<'b>,
    stop: &'a AtomicBool,
}

impl Progress for Epochs<'_, '_> {
    fn step(&mut self, step: &Step, _: u64) {
        if step.epoch.is_some() {
            self.done += 1;
            (self.follow)(self.done);
        }
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Watch for Epochs<'_, '_> {
    fn begin(&mut self, run: &Announcement) {
        self.done = run.history.len();
        (self.follow)(self.done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Features;

    #[test]
    fn runs_on_the_same_samples_share_them() {
        let runs = SweepRuns { sets: Vec::new(), last: Mutex::new(None) };
        let mut config = TrainingConfig::default();
        config.data.path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/typed.csv").to_owned();
        let mut place = |val: usize| {
            config.data.val = Some(val);
            let (_, samples) = runs.samples::<f32>(config.clone()).unwrap();
            let Features::Floats(x) = samples.data.train.x() else { panic!("they are sparse") };
            // Kept, so that no others can be there.
            (x.as_ptr(), samples)
        };
        let (first, again, other) = (place(2), place(2), place(3));
        assert_eq!(first.0, again.0);
        assert_ne!(first.0, other.0);
        assert_eq!(first.1.fingerprint, other.1.fingerprint);
        let double = runs.samples::<f64>(config.clone()).unwrap().1;
        assert_eq!(double.data.train.len(), other.1.data.train.len());
    }
}
