//! The display of a run during training.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use thinnet::data::ReadProgress;
use thinnet::run::{Announcement, Summary, Watch};
use thinnet::text::joined;
use thinnet::training::{Divergence, Epoch, Finish, Progress, Score, Step};

use crate::failure::Failure;
use crate::figures::{figure, percent, rate};
use crate::output::{Output, Paint};

/// A way to show a run.
pub(crate) trait View {
    /// Whether the work before the run is shown.
    fn tells(&self) -> bool {
        true
    }

    /// Called before the first step.
    fn begin(&mut self, _: &mut Output, _: &Announcement) -> Result<(), Failure> {
        Ok(())
    }

    /// Called after every step.
    fn step(&mut self, _: &Output, _: &Step) {}

    /// Called after every epoch; `best` says whether it is the best so far.
    fn epoch(&mut self, _: &Output, _: &Epoch, _best: bool) -> Result<(), Failure> {
        Ok(())
    }

    /// Called when everything is done and written.
    fn end(&mut self, output: &mut Output, summary: &Summary) -> Result<(), Failure> {
        conclude(output, summary)
    }
}

/// Shows a run until Ctrl-C, or until the output cannot be written any more.
pub(crate) struct Shown<'a> {
    output: &'a mut Output,
    view: Box<dyn View>,
    stop: Arc<AtomicBool>,
    failure: Option<Failure>,
    progress: (u64, u64),
    /// What the user should know when the run starts.
    pub(crate) notes: Vec<String>,
}

impl<'a> Shown<'a> {
    /// Shows runs until `stop` becomes true.
    pub(crate) fn new(output: &'a mut Output, view: Box<dyn View>, stop: Arc<AtomicBool>) -> Self {
        Self { output, view, stop, failure: None, progress: (0, 0), notes: Vec::new() }
    }

    /// Reads the samples at `path`.
    pub(crate) fn reading<T>(&self, path: &str, work: impl FnOnce(ReadProgress<'_>) -> T) -> T {
        self.output.reading(&self.stop, path, self.view.tells(), work)
    }

    /// Prepares a run from the samples; see [`Output::preparing`].
    pub(crate) fn preparing<T>(&self, leave: impl Fn() -> String + Sync, work: impl FnOnce() -> T) -> T {
        self.output.preparing(&self.stop, self.view.tells(), leave, work)
    }

    /// Why something could not be shown, if there was an error.
    pub(crate) fn failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Steps done, and steps of the run.
    pub(crate) fn progress(&self) -> (u64, u64) {
        self.progress
    }

    /// Called when everything is done and written.
    pub(crate) fn end(&mut self, summary: &Summary) -> Result<(), Failure> {
        self.view.end(self.output, summary)
    }

    /// Stores the first failure, which ends the run after the next step.
    fn keep(&mut self, shown: Result<(), Failure>) {
        if self.failure.is_none() {
            self.failure = shown.err();
        }
    }
}

impl Progress for Shown<'_> {
    fn step(&mut self, step: &Step, steps: u64) {
        self.progress = (step.step, steps);
        self.view.step(self.output, step);
        if let Some(epoch) = &step.epoch {
            let shown = self.view.epoch(self.output, epoch, step.best);
            self.keep(shown);
        }
    }

    fn interrupted(&self) -> bool {
        self.failure.is_some() || self.stop.load(Ordering::Relaxed)
    }
}

impl Watch for Shown<'_> {
    fn begin(&mut self, run: &Announcement) {
        let shown = self.view.begin(self.output, run);
        self.keep(shown);
        for note in std::mem::take(&mut self.notes) {
            self.output.note(&note);
        }
    }
}

impl Drop for Shown<'_> {
    /// Removes the display, however the run ends.
    fn drop(&mut self) {
        self.output.end_bar();
    }
}

/// A description of the run in one line.
fn line(run: &Announcement) -> String {
    let [train, val, test] = run.samples;
    let test = if test == 0 { String::new() } else { format!(" + {test}") };
    let from = match run.done {
        0 => String::new(),
        done => format!(", resumed after step {done}"),
    };
    format!(
        "{} ({} parameters, {}) on {}, {train} + {val}{test} samples, {} x {} steps{from}",
        joined(&run.layers, "-"),
        run.parameters,
        run.dtype,
        run.data,
        run.epochs,
        run.steps_per_epoch,
    )
}

/// The name and the value of a score: accuracy or R squared.
pub(super) fn quality(score: &Score) -> Option<(&'static str, f64)> {
    score.accuracy.map(|accuracy| ("accuracy", accuracy)).or_else(|| score.r2.map(|r2| ("R2", r2)))
}

/// How such a value is printed: accuracy in per cent, R squared and losses as numbers.
pub(super) fn shown_as(score: &Score) -> fn(f64) -> String {
    if score.accuracy.is_some() { percent } else { figure }
}

/// "accuracy 95.12% (top-5 99.90%)", or "R2 0.8312", or the loss.
pub(crate) fn describe(score: &Score) -> String {
    let shown = shown_as(score);
    match (quality(score), score.top5) {
        (Some((name, value)), Some(top5)) => format!("{name} {} (top-5 {})", shown(value), percent(top5)),
        (Some((name, value)), None) => format!("{name} {}", shown(value)),
        (None, _) => format!("loss {}", shown(score.loss)),
    }
}

/// The messages at the end of a run.
fn conclusion(summary: &Summary) -> Vec<String> {
    let kept = &summary.kept;
    let mut lines = Vec::new();
    let why = match summary.finish {
        Finish::Epochs => format!("{} epochs", summary.epochs),
        Finish::Patience(epochs) => {
            format!("stopped early after epoch {}: no better one for {epochs} epochs", summary.epochs)
        }
    };
    lines.push(format!("{why} in {:.1} s of training", summary.seconds));
    let test = summary.test.as_ref().map_or_else(String::new, |test| format!("; test {}", describe(test)));
    // In the line that is always shown.
    let diverged = summary.diverged.map_or_else(String::new, |diverged| format!("; {diverged}"));
    lines.push(format!("model of epoch {}: validation {}{test}{diverged}", kept.epoch, describe(&kept.val)));
    lines
}

/// Prints how a run ended, where it is, and what to open first.
pub(super) fn conclude(output: &Output, summary: &Summary) -> Result<(), Failure> {
    conclusion(summary).iter().try_for_each(|line| output.line(line))?;
    let page = summary.folder.join("report.html").display().to_string();
    let page = output.paint_note(Paint::Strong, &page);
    output.note(&format!("the run is in {}: open {page}", summary.folder.display()));
    Ok(())
}

/// One line per epoch.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    epochs: usize,
}

/// "epoch  7/25  loss  0.4312  train accuracy  88.10%  val accuracy  85.00%  12.3k samples/s  best".
pub(crate) fn epoch_line(epoch: &Epoch, epochs: usize, best: bool) -> String {
    let width = epochs.to_string().len();
    let (train, val) = match (quality(&epoch.train), quality(&epoch.val)) {
        (Some((name, train)), Some((_, val))) => {
            let shown = shown_as(&epoch.val);
            (format!("train {name} {:>7}", shown(train)), format!("val {name} {:>7}", shown(val)))
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

impl View for Lines {
    fn begin(&mut self, output: &mut Output, run: &Announcement) -> Result<(), Failure> {
        self.epochs = run.epochs;
        output.note(&format!("{} in {}", line(run), run.folder.display()));
        Ok(())
    }

    fn epoch(&mut self, output: &Output, epoch: &Epoch, best: bool) -> Result<(), Failure> {
        output.line(&epoch_line(epoch, self.epochs, best))
    }
}

/// Only the result.
#[derive(Debug)]
pub(crate) struct Quiet;

impl View for Quiet {
    fn tells(&self) -> bool {
        false
    }

    fn end(&mut self, output: &mut Output, summary: &Summary) -> Result<(), Failure> {
        conclusion(summary).last().map_or(Ok(()), |line| output.line(line))
    }
}

/// One JSON object per line.
#[derive(Debug)]
pub(crate) struct Json;

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
        /// Null if the run has not diverged.
        diverged: Option<Divergence>,
        seconds: f64,
    },
}

impl View for Json {
    fn tells(&self) -> bool {
        false
    }

    fn begin(&mut self, output: &mut Output, run: &Announcement) -> Result<(), Failure> {
        output.json(&Event::Start(run))
    }

    fn epoch(&mut self, output: &Output, epoch: &Epoch, best: bool) -> Result<(), Failure> {
        output.json(&Event::Epoch { best, epoch })
    }

    fn end(&mut self, output: &mut Output, summary: &Summary) -> Result<(), Failure> {
        output.json(&Event::End {
            folder: &summary.folder,
            epochs: summary.epochs,
            stopped_early: matches!(summary.finish, Finish::Patience(_)),
            kept: &summary.kept,
            test: summary.test.as_ref(),
            diverged: summary.diverged,
            seconds: summary.seconds,
        })
    }
}
