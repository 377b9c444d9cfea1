//! The display of a run during training.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use thinnet::data::ReadProgress;
use thinnet::run::{Announcement, Summary, Watch};
use thinnet::text::joined;
use thinnet::training::{Divergence, Epoch, Finish, Member, Progress, Score, Step};

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

    /// Called after an epoch of one network of an ensemble, the `member`th from 0.
    fn member(&mut self, _: &Output, _member: usize, _: &Epoch, _best: bool) -> Result<(), Failure> {
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
    /// Steps done by each network of an ensemble; empty for one network.
    members: Vec<u64>,
    /// What the user should know when the run starts.
    pub(crate) notes: Vec<String>,
}

impl<'a> Shown<'a> {
    /// Shows runs until `stop` becomes true.
    pub(crate) fn new(output: &'a mut Output, view: Box<dyn View>, stop: Arc<AtomicBool>) -> Self {
        Self { output, view, stop, failure: None, progress: (0, 0), members: Vec::new(), notes: Vec::new() }
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
        self.members = vec![0; if run.members > 1 { run.members } else { 0 }];
        let shown = self.view.begin(self.output, run);
        self.keep(shown);
        for note in std::mem::take(&mut self.notes) {
            self.output.note(&note);
        }
    }

    fn member(&mut self, member: usize, step: &Step, steps: u64) {
        if let Some(done) = self.members.get_mut(member) {
            *done = step.step;
        }
        let done = self.members.iter().sum();
        self.progress = (done, steps.saturating_mul(self.members.len() as u64));
        if let Some(epoch) = &step.epoch {
            let shown = self.view.member(self.output, member, epoch, step.best);
            self.keep(shown);
        }
        self.output.advance(usize::try_from(done).unwrap_or(usize::MAX));
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
    let networks = match run.members {
        1 => String::new(),
        members => format!("{members} networks "),
    };
    format!(
        "{networks}{} ({} parameters, {}) on {}, {train} + {val}{test} samples, {} x {} steps{from}",
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
    if !summary.members.is_empty() {
        return of_ensemble(summary);
    }
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

/// The messages at the end of an ensemble's run.
fn of_ensemble(summary: &Summary) -> Vec<String> {
    let test = summary.test.as_ref().map_or_else(String::new, |test| format!("; test {}", describe(test)));
    let diverged = summary.diverged.map_or_else(String::new, |diverged| format!("; {diverged}"));
    let each = summary.members.iter().map(|member| match quality(&member.val) {
        Some((_, value)) => shown_as(&member.val)(value),
        None => figure(member.val.loss),
    });
    vec![
        format!("{} networks in {:.1} s of training", summary.members.len(), summary.seconds),
        format!("validation of each: {}", joined(each, ", ")),
        format!("ensemble: validation {}{test}{diverged}", describe(&summary.val)),
    ]
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
        if run.members > 1 && output.draws() {
            let steps = run.steps_per_epoch * run.epochs as u64 * run.members as u64;
            output.start_progress("ensemble".to_owned(), usize::try_from(steps).unwrap_or(usize::MAX));
        }
        Ok(())
    }

    fn member(&mut self, output: &Output, member: usize, epoch: &Epoch, best: bool) -> Result<(), Failure> {
        output.line(&format!("network {}  {}", member + 1, epoch_line(epoch, self.epochs, best)))
    }

    fn end(&mut self, output: &mut Output, summary: &Summary) -> Result<(), Failure> {
        output.end_bar();
        conclude(output, summary)
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
        /// The number of the network of an ensemble, from 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        member: Option<usize>,
        best: bool,
        #[serde(flatten)]
        epoch: &'a Epoch,
    },
    End {
        folder: &'a Path,
        epochs: usize,
        stopped_early: bool,
        /// The epoch of the model; an ensemble has one for each network instead.
        #[serde(skip_serializing_if = "Option::is_none")]
        kept: Option<&'a Epoch>,
        /// The score of an ensemble on the validation samples.
        #[serde(skip_serializing_if = "Option::is_none")]
        val: Option<&'a Score>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        members: &'a [Member],
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
        output.json(&Event::Epoch { member: None, best, epoch })
    }

    fn member(&mut self, output: &Output, member: usize, epoch: &Epoch, best: bool) -> Result<(), Failure> {
        output.json(&Event::Epoch { member: Some(member + 1), best, epoch })
    }

    fn end(&mut self, output: &mut Output, summary: &Summary) -> Result<(), Failure> {
        output.json(&Event::End {
            folder: &summary.folder,
            epochs: summary.epochs,
            stopped_early: matches!(summary.finish, Finish::Patience(_)),
            kept: Some(&summary.kept).filter(|_| summary.members.is_empty()),
            val: Some(&summary.val).filter(|_| !summary.members.is_empty()),
            members: &summary.members,
            test: summary.test.as_ref(),
            diverged: summary.diverged,
            seconds: summary.seconds,
        })
    }
}
