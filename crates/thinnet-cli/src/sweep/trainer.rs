//! How one run of a sweep is trained: as `thinnet train` does it, on samples that all runs share.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use thinnet::data::DataSet;
use thinnet::float::{Dtype, Float};
use thinnet::sweep::{Measure, Outcome, Plan, Run, RunFigures, SweepConfig};
use thinnet::training::{DataConfig, Epoch, RunHistory, Step, TrainingConfig};

use super::pool::Follow;
use crate::failure::Failure;
use crate::train::request::{make_absolute, open, prepare_in};
use crate::train::session::{Session, Summary};
use crate::train::watch::{Announcement, Progress, Watch};

/// Time between checkpoints within an epoch.
const EVERY: Duration = Duration::from_secs(60);
/// Time between checkpoints at the ends of epochs: most runs of a sweep are short, and a state is large beside a short epoch.
const EVERY_EPOCH: Duration = Duration::from_secs(10);
/// Checkpoints that a run keeps beside its best: the last, to go on from.
const KEEP: usize = 1;

/// Trains runs.
#[derive(Debug)]
pub(crate) struct Trainer {
    session: Session,
    /// The data sets as they were read, each with the settings that decide how.
    sets: Vec<(DataConfig, DataSet)>,
}

impl Trainer {
    /// Reads the samples of every run, each data set once.
    pub(crate) fn new(config: &SweepConfig, stop: Arc<AtomicBool>) -> Result<Self, Failure> {
        let mut sets: Vec<(DataConfig, DataSet)> = Vec::new();
        for run in Plan::new(config.clone())?.runs {
            let reading = reading(&run.config.data);
            if !sets.iter().any(|(known, _)| *known == reading) {
                let set = open(&TrainingConfig { data: reading.clone(), ..run.config })?;
                sets.push((reading, set));
            }
        }
        Ok(Self {
            session: Session { every: EVERY, every_epoch: EVERY_EPOCH, pictures: 1, keep: KEEP, stop },
            sets,
        })
    }

    /// Trains a run, from where it was left if it was begun; `None` if it is stopped.
    pub(crate) fn train(&self, run: &Run, path: &Path, follow: &mut Follow<'_>) -> Option<Outcome> {
        let mut config = run.config.clone();
        make_absolute(&mut config.data);
        let measure = Measure::of(&config);
        let ended = match config.model.dtype {
            Dtype::F32 => self.ended::<f32>(config, path, follow),
            Dtype::F64 => self.ended::<f64>(config, path, follow),
        };
        match ended {
            Ok(history) => Some(Outcome::Finished(RunFigures::of(&history, measure))),
            Err(Failure::Interrupted(_) | Failure::NobodyReads) => None,
            Err(Failure::Diverged(reason)) => Some(Outcome::Failed { reason, diverged: true }),
            Err(Failure::Refused(reason)) => Some(Outcome::Failed { reason, diverged: false }),
        }
    }

    fn ended<F: Float>(
        &self,
        config: TrainingConfig,
        path: &Path,
        follow: &mut Follow<'_>,
    ) -> Result<RunHistory, Failure> {
        let reading = reading(&config.data);
        let set = self.sets.iter().find(|(known, _)| *known == reading).map(|(_, set)| set.clone());
        let set = match set {
            Some(set) => set,
            None => open(&config)?,
        };
        let prepared = prepare_in::<F>(config, set, path)?;
        let mut watch = Epochs { done: 0, follow };
        let Summary { history, .. } = self.session.train(prepared, &mut watch)?;
        Ok(history)
    }
}

/// Takes away the checkpoints of a run that is finished: its model is beside them, and a sweep has many runs. Those that cannot
/// be taken away do no harm.
pub(crate) fn tidy(path: &Path) {
    let Ok(entries) = fs::read_dir(path.join("checkpoints")) else { return };
    let checkpoints = entries.flatten().map(|entry| entry.path());
    for checkpoint in checkpoints.filter(|path| path.extension().is_some_and(|extension| extension == "ckpt"))
    {
        drop(fs::remove_file(checkpoint));
    }
}

/// The settings that decide how a data set is read, the others at their defaults.
fn reading(data: &DataConfig) -> DataConfig {
    let mut reading = DataConfig {
        path: data.path.clone(),
        label_column: data.label_column.clone(),
        header: data.header,
        resize: data.resize.clone(),
        ..DataConfig::default()
    };
    make_absolute(&mut reading);
    reading
}

/// Tells how many epochs of a run are done.
struct Epochs<'a, 'b> {
    done: usize,
    follow: &'a mut Follow<'b>,
}

impl Epochs<'_, '_> {
    fn tell(&mut self, done: usize) {
        self.done = done;
        (self.follow)(done);
    }
}

impl Watch for Epochs<'_, '_> {
    fn begin(&mut self, run: &Announcement) -> Result<(), Failure> {
        self.tell(run.history.len());
        Ok(())
    }

    fn step(&mut self, _: &Step, _: Progress) {}

    fn epoch(&mut self, _: &Epoch, _: bool) -> Result<(), Failure> {
        self.tell(self.done + 1);
        Ok(())
    }

    fn note(&mut self, _: &str) {}

    fn end(&mut self, _: &Summary) -> Result<(), Failure> {
        Ok(())
    }
}
