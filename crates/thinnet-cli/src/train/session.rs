//! A run from where it is to its end, or to where it is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use thinnet::float::Float;
use thinnet::report::{RunRecord, RunReport, first_layer};
use thinnet::training::{Epoch, Finish, Model, RunHistory, Score, Trainer};

use super::request::Prepared;
use super::saver::Saver;
use super::watch::{Announcement, Progress, Watch};
use crate::config::cores;
use crate::failure::Failure;

/// How runs are trained.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Time between checkpoints within an epoch.
    pub(crate) every: Duration,
    /// Time between checkpoints at the ends of epochs, at least.
    pub(crate) every_epoch: Duration,
    /// About how often in a run the weights are recorded.
    pub(crate) pictures: usize,
    /// Checkpoints to keep beside the best.
    pub(crate) keep: usize,
    /// Raised by whoever wants the run to stop.
    pub(crate) stop: Arc<AtomicBool>,
}

/// What a finished run came to.
#[derive(Debug, Clone)]
pub(crate) struct Summary {
    /// Its folder.
    pub(crate) folder: std::path::PathBuf,
    /// Why it ended.
    pub(crate) finish: Finish,
    /// Its epochs.
    pub(crate) epochs: usize,
    /// The epoch that the model is of.
    pub(crate) kept: Epoch,
    /// All its epochs.
    pub(crate) history: RunHistory,
    /// The model on the test samples, if there are any.
    pub(crate) test: Option<Score>,
    /// Seconds of all its epochs' steps.
    pub(crate) seconds: f64,
}

impl Session {
    /// Trains a run to its end.
    pub(crate) fn train<F: Float>(
        &self,
        run: Prepared<F>,
        watch: &mut dyn Watch,
    ) -> Result<Summary, Failure> {
        let Prepared { config, data, folder, state, notes, description } = run;
        let threads = config.train.threads.unwrap_or_else(cores);
        let mut trainer = match &state {
            Some(state) => Trainer::resume(&config, &data, threads, state)?,
            None => Trainer::new(&config, &data, threads)?,
        };
        drop(state);
        watch.begin(&Announcement::new(&config, &data, &trainer, &folder, &description, threads)?)?;
        for note in notes {
            watch.note(&note);
        }
        let record = RunRecord::open(
            folder.path(),
            trainer.history(),
            &data.preprocessing.shape,
            config.train.epochs,
            self.pictures,
        )?;
        let finish = thread::scope(|scope| {
            let saver = Saver::start(scope, &folder, &config, record, self.keep)?;
            let trained = self.steps(&mut trainer, &saver, watch);
            // What was handed over is written whatever happened since.
            let written = saver.finish();
            let finish = trained?;
            written.map(|()| finish)
        })
        .map_err(|failure| resumable(failure, folder.path()))?;

        let history = trainer.history();
        let kept = if config.train.restore_best { history.best_epoch() } else { history.epochs.last() };
        let &kept = kept.ok_or_else(|| Failure::Refused("the run has no epoch".to_owned()))?;
        let verdict = trainer.verdict(threads)?;
        let model = Model {
            net: trainer.network()?,
            config: config.clone(),
            preprocessing: data.preprocessing.clone(),
            epoch: kept.epoch,
            val: kept.val,
        };
        model.save(&folder.path().join("model.safetensors"))?;
        let weights = first_layer(&model.net.parameters);
        let seconds = history.epochs.iter().map(|epoch| epoch.seconds).sum();
        let report = RunReport {
            config: &config,
            history,
            classes: &data.preprocessing.classes,
            data: &description,
            shape: &data.preprocessing.shape,
            first_layer: weights.as_ref().map(|weights| weights.view()),
            confusion: verdict.confusion.as_ref(),
            test: verdict.test,
            command: None,
            seconds,
            finished: true,
        };
        report.write(folder.path())?;
        Ok(Summary {
            folder: folder.path().to_path_buf(),
            finish,
            epochs: history.epochs.len(),
            history: history.clone(),
            kept,
            test: verdict.test,
            seconds,
        })
    }

    /// Takes steps until the run ends or is stopped, and hands over its states on the way.
    fn steps<F: Float>(
        &self,
        trainer: &mut Trainer<'_, F>,
        saver: &Saver<'_, F>,
        watch: &mut dyn Watch,
    ) -> Result<Finish, Failure> {
        let mut saved = Instant::now();
        loop {
            if let Some(finish) = trainer.finished() {
                return Ok(finish);
            }
            let step = trainer.step()?;
            let (done, steps) = trainer.progress();
            watch.step(&step, Progress { done, steps });
            let stopped = self.stop.load(Ordering::Relaxed) && trainer.finished().is_none();
            let every = if step.epoch.is_some() { self.every_epoch } else { self.every };
            let is_due = stopped || trainer.finished().is_some() || saved.elapsed() >= every;
            let state = if is_due { Some(trainer.state()?) } else { None };
            if is_due {
                saved = Instant::now();
            }
            if is_due || step.epoch.is_some() {
                saver.save(state, step.epoch)?;
            }
            if let Some(epoch) = &step.epoch {
                watch.epoch(epoch, step.best)?;
            }
            if stopped {
                return Err(Failure::Interrupted(format!("stopped after step {done} of {steps}")));
            }
        }
    }
}

/// The same failure, with how the run can be gone on with.
fn resumable(failure: Failure, folder: &std::path::Path) -> Failure {
    let hint = format!("thinnet train --resume {}", folder.display());
    let saved = |text: String| {
        format!("{text}; what was saved before is in {}", folder.join("checkpoints").display())
    };
    match failure {
        Failure::Interrupted(text) => Failure::Interrupted(format!("{text}; {hint} goes on from there")),
        Failure::Refused(text) => Failure::Refused(saved(text)),
        Failure::Diverged(text) => Failure::Diverged(saved(text)),
        Failure::NobodyReads => Failure::NobodyReads,
    }
}
