//! Trains a run from its current state until it ends or is stopped.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Prepared;
use super::saver::Saver;
use crate::data::Rows;
use crate::engine::cores;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::model::Model;
use crate::report::{RunRecord, RunReport, first_layer};
use crate::training::{
    Divergence, Epoch, Finish, Member, Progress, RunHistory, Sampling, Score, Step, Trained, Trainer,
};

/// The model's file.
pub(super) const MODEL: &str = "model.safetensors";

/// Settings for training runs.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    /// Time between checkpoints within an epoch.
    pub every: Duration,
    /// Min time between checkpoints at the ends of epochs.
    pub every_epoch: Duration,
    /// About how many times in a run the weights are recorded.
    pub pictures: usize,
    /// How many checkpoints to keep, in addition to the best.
    pub keep: usize,
}

/// Follows a run in a folder.
pub trait Watch: Progress {
    /// Called before the first step; for an ensemble once, before its first network's.
    fn begin(&mut self, run: &Announcement);

    /// Called after a step of one network of an ensemble, instead of [`Progress::step`].
    ///
    /// - `member`: which network, from 0
    /// - `steps`: the steps of that network's whole run
    fn member(&mut self, _member: usize, _step: &Step, _steps: u64) {}
}

/// The run that is about to be trained.
#[derive(Debug, Clone, Serialize)]
pub struct Announcement {
    /// Its folder.
    pub folder: PathBuf,
    /// A description of the samples.
    pub data: String,
    /// Training, validation and test samples.
    pub samples: [usize; 3],
    /// Inputs, units of each hidden layer, outputs.
    pub layers: Vec<usize>,
    /// The number of parameters.
    pub parameters: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// Steps per epoch.
    pub steps_per_epoch: u64,
    /// Steps that were already done.
    pub done: u64,
    /// Epochs that were already done.
    pub history: Vec<Epoch>,
    /// Number type.
    pub dtype: String,
    /// Threads.
    pub threads: usize,
    /// Networks that are trained; more than one for an ensemble, whose other figures are those of one network.
    pub members: usize,
    /// The best of the epochs that were already done.
    #[serde(skip)]
    pub best: Option<usize>,
    /// Training samples per step, on average.
    #[serde(skip)]
    pub samples_per_step: f64,
}

/// The results of a finished run.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Its folder.
    pub folder: PathBuf,
    /// Why it ended.
    pub finish: Finish,
    /// Its epochs.
    pub epochs: usize,
    /// The epoch of the model; of an ensemble, that of the first network.
    pub kept: Epoch,
    /// All its epochs; of an ensemble, those of the first network.
    pub history: RunHistory,
    /// The model's score on the validation samples.
    pub val: Score,
    /// What each network of an ensemble reached by itself; empty for one network.
    pub members: Vec<Member>,
    /// The model's score on the test samples, if there are any.
    pub test: Option<Score>,
    /// How it has diverged, if its last loss is far above that of an untrained network.
    pub diverged: Option<Divergence>,
    /// Seconds of all its epochs' steps.
    pub seconds: f64,
}

impl Session {
    /// Trains a run to its end. Writes checkpoints during training, and model and report at the end.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `watch` asks for it, after the state is written; errors of [`Trainer::step`];
    /// [`Error::Io`] and [`Error::Report`] for files that cannot be written.
    pub fn train<F: Float>(&self, run: Prepared<F>, watch: &mut dyn Watch) -> Result<Summary> {
        let Prepared { config, data, folder, state, description, .. } = run;
        let threads = config.train.threads.unwrap_or_else(cores);
        let mut trainer = match &state {
            Some(state) => Trainer::resume(&config, &data, threads, state)?,
            None => Trainer::new(&config, &data, threads)?,
        };
        drop(state);
        watch.begin(&Announcement {
            folder: folder.path().to_path_buf(),
            data: description.clone(),
            samples: [data.train.len(), data.val.len(), data.test.as_ref().map_or(0, Rows::len)],
            layers: config.net(data.input_dim(), data.num_outputs())?.widths(),
            parameters: trainer.parameters()?.named().iter().map(|(_, array)| array.len()).sum(),
            epochs: config.train.epochs,
            steps_per_epoch: trainer.steps_per_epoch(),
            done: trainer.progress().0,
            history: trainer.history().epochs.clone(),
            dtype: config.model.dtype.to_string(),
            threads,
            members: 1,
            best: trainer.history().best_epoch().map(|best| best.epoch),
            samples_per_step: match config.train.sampling {
                Sampling::Shuffled | Sampling::Stream => {
                    data.train.len() as f64 / trainer.steps_per_epoch().max(1) as f64
                }
                Sampling::Replacement => config.train.batch_size as f64,
            },
        });
        let shape = &data.preprocessing.shape;
        let record =
            RunRecord::open(folder.path(), trainer.history(), shape, config.train.epochs, self.pictures)?;
        let finish = thread::scope(|scope| {
            let saver = Saver::start(scope, &folder, &config, record, self.keep)?;
            let trained = self.steps(&mut trainer, &saver, watch);
            // States that were passed on are written, whatever happened since.
            let written = saver.finish();
            let finish = trained?;
            written.map(|()| finish)
        })?;

        let verdict = trainer.verdict(threads)?;
        let trained = Trained { config: config.clone(), test: verdict.test, ..trainer.trained()? };
        let model = Model::new(trained, data.preprocessing.clone())?;
        model.save(folder.path().join(MODEL))?;
        let history = trainer.history();
        let weights = first_layer(&model.net().parameters);
        let seconds = history.epochs.iter().map(|epoch| epoch.seconds).sum();
        let report = RunReport {
            config: &config,
            history,
            classes: &data.preprocessing.names,
            data: &description,
            shape,
            first_layer: weights.as_ref().map(|weights| weights.view()),
            confusion: verdict.confusion.as_ref(),
            test: verdict.test,
            command: None,
            seconds,
            finished: true,
        };
        report.write(folder.path())?;
        let kept = history.epochs.iter().find(|epoch| epoch.epoch == model.trained().epoch);
        let &kept = kept.ok_or_else(|| Error::configuration("the run has no epoch"))?;
        Ok(Summary {
            folder: folder.path().to_path_buf(),
            finish,
            epochs: history.epochs.len(),
            history: history.clone(),
            kept,
            val: kept.val,
            members: Vec::new(),
            test: verdict.test,
            diverged: history.divergence(config.loss(), data.num_outputs()),
            seconds,
        })
    }

    /// Trains until the run ends or is stopped, and passes on its states during training.
    fn steps<F: Float>(
        &self,
        trainer: &mut Trainer<'_, F>,
        saver: &Saver<'_, F>,
        watch: &mut dyn Watch,
    ) -> Result<Finish> {
        let mut saved = Instant::now();
        loop {
            if let Some(finish) = trainer.finished() {
                return Ok(finish);
            }
            let step = trainer.step()?;
            let finished = trainer.finished().is_some();
            let stopped = !finished && watch.interrupted();
            let every = if step.epoch.is_some() { self.every_epoch } else { self.every };
            let is_due = stopped || finished || saved.elapsed() >= every;
            let state = if is_due { Some(trainer.state()?) } else { None };
            if is_due {
                saved = Instant::now();
            }
            if is_due || step.epoch.is_some() {
                saver.save(state, step.epoch)?;
            }
            watch.step(&step, trainer.progress().1);
            if stopped {
                return Err(Error::Interrupted { step: step.step });
            }
        }
    }
}
