//! A run as it is seen while it trains.

use std::path::{Path, PathBuf};

use serde::Serialize;
use thinnet::float::Float;
use thinnet::training::{
    Epoch, Finish, Labelled, RunFolder, Sampling, Score, Step, Trainer, TrainingConfig, TrainingData,
};

use super::session::Summary;
use crate::failure::Failure;
use crate::figures::{figure, rate};
use crate::output::{Output, Paint};

/// Follows a run.
pub(crate) trait Watch {
    /// Before the first step.
    fn begin(&mut self, run: &Announcement) -> Result<(), Failure>;

    /// After every step.
    fn step(&mut self, step: &Step, progress: Progress);

    /// After every epoch; `best` is whether it is the best so far.
    fn epoch(&mut self, epoch: &Epoch, best: bool) -> Result<(), Failure>;

    /// Something that a person should know.
    fn note(&mut self, text: &str);

    /// When all is done and written.
    fn end(&mut self, summary: &Summary) -> Result<(), Failure>;
}

/// How far a run is, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Steps done.
    pub(crate) done: u64,
    /// Steps of the whole run.
    pub(crate) steps: u64,
}

/// What is about to be trained.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Announcement {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// What the samples are.
    pub(crate) data: String,
    /// Training, validation and test samples.
    pub(crate) samples: [usize; 3],
    /// Inputs, units of each hidden layer, outputs.
    pub(crate) layers: Vec<usize>,
    /// Weights, biases and the rest.
    pub(crate) parameters: usize,
    /// Epochs of the whole run.
    pub(crate) epochs: usize,
    /// Steps of an epoch.
    pub(crate) steps_per_epoch: u64,
    /// Steps that were done before.
    pub(crate) done: u64,
    /// Epochs that were done before.
    pub(crate) history: Vec<Epoch>,
    /// Number type.
    pub(crate) dtype: String,
    /// Threads.
    pub(crate) threads: usize,
    /// The best of the epochs that were done before.
    #[serde(skip)]
    pub(crate) best: Option<usize>,
    /// Training samples a step, on average.
    #[serde(skip)]
    pub(crate) samples_per_step: f64,
}

impl Announcement {
    /// Of a run that was made or opened.
    pub(crate) fn new<F: Float>(
        config: &TrainingConfig,
        data: &TrainingData<F>,
        trainer: &Trainer<'_, F>,
        folder: &RunFolder,
        description: &str,
        threads: usize,
    ) -> Result<Self, Failure> {
        let hidden = config.model.hidden.iter().copied();
        let layers = std::iter::once(data.input_dim()).chain(hidden).chain([data.num_outputs()]).collect();
        Ok(Self {
            folder: folder.path().to_path_buf(),
            data: description.to_owned(),
            samples: [data.train.len(), data.val.len(), data.test.as_ref().map_or(0, Labelled::len)],
            layers,
            parameters: trainer.parameters()?.named().iter().map(|(_, array)| array.len()).sum(),
            epochs: config.train.epochs,
            steps_per_epoch: trainer.steps_per_epoch(),
            done: trainer.progress().0,
            history: trainer.history().epochs.clone(),
            dtype: config.model.dtype.to_string(),
            threads,
            best: trainer.history().best_epoch().map(|best| best.epoch),
            samples_per_step: match config.train.sampling {
                Sampling::Shuffled => data.train.len() as f64 / trainer.steps_per_epoch().max(1) as f64,
                Sampling::Replacement => config.train.batch_size as f64,
            },
        })
    }

    /// In a line.
    pub(crate) fn line(&self) -> String {
        let layers: Vec<String> = self.layers.iter().map(ToString::to_string).collect();
        let [train, val, test] = self.samples;
        let test = if test == 0 { String::new() } else { format!(" + {test}") };
        let from = match self.done {
            0 => String::new(),
            done => format!(", going on after step {done}"),
        };
        format!(
            "{} ({} parameters, {}) on {}, {train} + {val}{test} samples, {} x {} steps{from}",
            layers.join("-"),
            self.parameters,
            self.dtype,
            self.data,
            self.epochs,
            self.steps_per_epoch,
        )
    }
}

/// What a score is called, and its figure: accuracy or R squared.
pub(super) fn quality(score: &Score) -> Option<(&'static str, f64)> {
    score.accuracy.map(|accuracy| ("accuracy", accuracy)).or_else(|| score.r2.map(|r2| ("R2", r2)))
}

/// "accuracy 0.9512 (top-5 0.9990)", or "R2 0.8312", or the loss.
pub(crate) fn describe(score: &Score) -> String {
    match (quality(score), score.top5) {
        (Some((name, value)), Some(top5)) => format!("{name} {value:.4} (top-5 {top5:.4})"),
        (Some((name, value)), None) => format!("{name} {value:.4}"),
        (None, _) => format!("loss {:.4}", score.loss),
    }
}

/// How a run ended, for people.
pub(super) fn conclusion(summary: &Summary) -> Vec<String> {
    let kept = &summary.kept;
    let mut lines = Vec::new();
    let why = match summary.finish {
        Finish::Epochs => format!("{} epochs", summary.epochs),
        Finish::Patience(epochs) => {
            format!("stopped after epoch {}: {epochs} epochs without a better one", summary.epochs)
        }
    };
    lines.push(format!("{why} in {:.1} s of training", summary.seconds));
    let test = summary.test.as_ref().map_or_else(String::new, |test| format!("; test {}", describe(test)));
    lines.push(format!("model of epoch {}: validation {}{test}", kept.epoch, describe(&kept.val)));
    lines
}

/// Where a run is, and where to look first.
pub(super) fn place(folder: &Path, output: &Output) -> String {
    let page = folder.join("report.html").display().to_string();
    format!("the run is in {}: open {}", folder.display(), output.paint_note(Paint::Strong, &page))
}

/// A line an epoch.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    output: &'a mut Output,
    epochs: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(output: &'a mut Output) -> Self {
        Self { output, epochs: 0 }
    }
}

/// "epoch  7/25  loss  0.4312  train accuracy 0.8810  val accuracy 0.8500  12.3k samples/s  best".
pub(crate) fn epoch_line(epoch: &Epoch, epochs: usize, best: bool) -> String {
    let width = epochs.to_string().len();
    let (train, val) = match (quality(&epoch.train), quality(&epoch.val)) {
        (Some((name, train)), Some((_, val))) => {
            (format!("train {name} {train:>6.4}"), format!("val {name} {val:>6.4}"))
        }
        _ => (
            format!("train loss {:>7}", figure(epoch.train.loss)),
            format!("val loss {:>7}", figure(epoch.val.loss)),
        ),
    };
    format!(
        "epoch {:>width$}/{epochs}  loss {:>7}  {train}  {val}  {:>5} samples/s{}",
        epoch.epoch,
        figure(epoch.loss),
        rate(epoch.samples_per_second),
        if best { "  best" } else { "" }
    )
}

impl Watch for Lines<'_> {
    fn begin(&mut self, run: &Announcement) -> Result<(), Failure> {
        self.epochs = run.epochs;
        self.output.note(&format!("{} in {}", run.line(), run.folder.display()));
        Ok(())
    }

    fn step(&mut self, _: &Step, _: Progress) {}

    fn epoch(&mut self, epoch: &Epoch, best: bool) -> Result<(), Failure> {
        self.output.line(&epoch_line(epoch, self.epochs, best))
    }

    fn note(&mut self, text: &str) {
        self.output.note(text);
    }

    fn end(&mut self, summary: &Summary) -> Result<(), Failure> {
        for line in conclusion(summary) {
            self.output.line(&line)?;
        }
        self.output.note(&place(&summary.folder, self.output));
        Ok(())
    }
}

/// The result alone.
#[derive(Debug)]
pub(crate) struct Quiet<'a>(&'a mut Output);

impl<'a> Quiet<'a> {
    pub(crate) fn new(output: &'a mut Output) -> Self {
        Self(output)
    }
}

impl Watch for Quiet<'_> {
    fn begin(&mut self, _: &Announcement) -> Result<(), Failure> {
        Ok(())
    }

    fn step(&mut self, _: &Step, _: Progress) {}

    fn epoch(&mut self, _: &Epoch, _: bool) -> Result<(), Failure> {
        Ok(())
    }

    fn note(&mut self, text: &str) {
        self.0.note(text);
    }

    fn end(&mut self, summary: &Summary) -> Result<(), Failure> {
        conclusion(summary).last().map_or(Ok(()), |line| self.0.line(line))
    }
}

/// A JSON object a line.
#[derive(Debug)]
pub(crate) struct Json<'a>(&'a mut Output);

impl<'a> Json<'a> {
    pub(crate) fn new(output: &'a mut Output) -> Self {
        Self(output)
    }

    fn object(&self, event: &Event<'_>) -> Result<(), Failure> {
        let text = serde_json::to_string(event)
            .map_err(|error| Failure::Refused(format!("cannot write JSON: {error}")))?;
        self.0.line(&text)
    }
}

/// A line of [`Json`].
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    Start(&'a Announcement),
    Epoch {
        best: bool,
        #[serde(flatten)]
        epoch: &'a Epoch,
    },
    End {
        folder: &'a Path,
        epochs: usize,
        stopped_early: bool,
        kept: &'a Epoch,
        test: Option<&'a Score>,
        seconds: f64,
    },
}

impl Watch for Json<'_> {
    fn begin(&mut self, run: &Announcement) -> Result<(), Failure> {
        self.object(&Event::Start(run))
    }

    fn step(&mut self, _: &Step, _: Progress) {}

    fn epoch(&mut self, epoch: &Epoch, best: bool) -> Result<(), Failure> {
        self.object(&Event::Epoch { best, epoch })
    }

    fn note(&mut self, text: &str) {
        self.0.note(text);
    }

    fn end(&mut self, summary: &Summary) -> Result<(), Failure> {
        self.object(&Event::End {
            folder: &summary.folder,
            epochs: summary.epochs,
            stopped_early: matches!(summary.finish, Finish::Patience(_)),
            kept: &summary.kept,
            test: summary.test.as_ref(),
            seconds: summary.seconds,
        })
    }
}
