//! What is known of a run while it trains, laid out for a terminal's width.

use std::iter;
use std::time::{Duration, Instant};

use thinnet::run::Announcement;
use thinnet::text::joined;
use thinnet::training::{Epoch, Score, Step};

use super::curve::{Curve, range, sparkline};
use super::watch::{quality, shown_as};
use crate::figures::{duration, figure, plural, rate, thousands};
use crate::output::{Canvas, Paint};

/// Until so many epochs are done, the curve of the loss has a point a step.
const FEW_EPOCHS: usize = 10;

/// Steps that the shown loss is smoothed over, at most; fewer where an epoch has fewer.
const SMOOTH: u64 = 50;

/// Points of a curve, at most.
const CURVE: usize = 100;

/// From this width on, curves have their range behind them.
const RANGES: usize = 70;

/// Columns of a range.
const RANGE: usize = "-0.1234 to 12345.6".len();

/// A run as it is shown.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    epochs: usize,
    steps_per_epoch: u64,
    samples_per_step: f64,
    start: Instant,
    done: u64,
    loss: Smoothed,
    /// Of each step; of this session.
    step_losses: Curve,
    epoch_losses: Curve,
    train: Curve,
    val: Curve,
    last: Option<Epoch>,
    best: Option<Epoch>,
    /// Whether it goes on from where another session stopped.
    resumed: bool,
}

/// How fast it goes, as the bar estimates it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Steps a second.
    pub(super) steps: f64,
    /// Until all steps are done.
    pub(super) left: Duration,
}

/// A moving average that old values fade from, right from its first value on.
#[derive(Debug, Clone, Copy)]
struct Smoothed {
    stays: f64,
    sum: f64,
    weight: f64,
}

impl Smoothed {
    fn new(values: u64) -> Self {
        Self { stays: 1.0 - 1.0 / values.max(1) as f64, sum: 0.0, weight: 0.0 }
    }

    fn push(&mut self, value: f64) {
        self.sum = self.stays * self.sum + value;
        self.weight = self.stays * self.weight + 1.0;
    }

    fn value(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

/// Columns that a curve has for an epoch, at most; more than one where there is room, so that a few epochs can be seen.
const WIDEST_EPOCH: usize = 4;

/// The figure of a score that a row shows: accuracy, R squared, or else the loss.
fn value(score: &Score) -> f64 {
    quality(score).map_or(score.loss, |(_, value)| value)
}

/// The same for people.
fn shown(score: &Score) -> String {
    shown_as(score)(value(score))
}

impl Panel {
    /// Of a run that starts or goes on.
    pub(super) fn new(run: &Announcement) -> Self {
        let mut panel = Self {
            epochs: run.epochs,
            steps_per_epoch: run.steps_per_epoch.max(1),
            samples_per_step: run.samples_per_step,
            start: Instant::now(),
            done: run.done,
            loss: Smoothed::new(run.steps_per_epoch.min(SMOOTH)),
            step_losses: Curve::default(),
            epoch_losses: Curve::default(),
            train: Curve::default(),
            val: Curve::default(),
            last: None,
            best: None,
            resumed: run.done > 0,
        };
        for epoch in &run.history {
            panel.epoch(epoch, run.best == Some(epoch.epoch));
        }
        panel
    }

    /// After a step.
    pub(super) fn step(&mut self, step: &Step) {
        self.done = step.step;
        self.loss.push(step.loss);
        self.step_losses.push(step.loss);
    }

    /// After an epoch.
    pub(super) fn epoch(&mut self, epoch: &Epoch, best: bool) {
        self.epoch_losses.push(epoch.loss);
        self.train.push(value(&epoch.train));
        self.val.push(value(&epoch.val));
        self.last = Some(*epoch);
        if best {
            self.best = Some(*epoch);
        }
    }

    /// All lines. Their figures have fixed columns, so that a line keeps its length from one drawing to the next: a terminal that
    /// flows its lines anew before it says so then has as many rows of them as are counted when it does.
    pub(super) fn lines(&self, canvas: Canvas, pace: Pace) -> Vec<String> {
        let mut lines = vec![self.progress(canvas, pace)];
        lines.extend(self.curves(canvas));
        let digits = self.epochs.to_string().len();
        let best = match (&self.best, &self.last) {
            (Some(best), Some(last)) => {
                let (paint, since) = match last.epoch - best.epoch {
                    0 => (Paint::Good, "the last".to_owned()),
                    1 => (Paint::Strong, "1 epoch ago".to_owned()),
                    ago => (Paint::Strong, format!("{ago} epochs ago")),
                };
                let since = format!("  {since:>width$}", width = digits + " epochs ago".len());
                let parts = [(None, format!("epoch {:>digits$}", best.epoch)), (Some(Paint::Faint), since)];
                self.row(canvas, "best", Some((paint, shown(&best.val))), &parts)
            }
            _ => self.row(canvas, "best", None, &[]),
        };
        lines.push(best);
        let speed = match &self.last {
            Some(epoch) => epoch.samples_per_second,
            None => pace.steps * self.samples_per_step,
        };
        let speed = (speed > 0.0).then(|| (Paint::Strong, rate(speed)));
        // As far right as there is room.
        let room = (canvas.columns.saturating_sub(1)).saturating_sub(self.head() + " so far".len());
        let width = room.min("12:34 min".len());
        let time = format!("{:>width$} so far", duration(self.start.elapsed()));
        lines.push(self.row(canvas, "samples/s", speed, &[(None, time)]));
        lines
    }

    /// "epoch 12/25  step 31/480  ━━━━━━━────  1:23 min left".
    fn progress(&self, canvas: Canvas, pace: Pace) -> String {
        const LEFT: usize = "12:34 min left".len();
        let steps = self.steps_per_epoch.saturating_mul(self.epochs as u64).max(1);
        let epoch = (self.done / self.steps_per_epoch + 1).min(self.epochs as u64);
        let step = self.done - (epoch - 1) * self.steps_per_epoch;
        let width = self.epochs.to_string().len();
        let head = format!("epoch {epoch:>width$}/{}", self.epochs);
        let width = self.steps_per_epoch.to_string().len();
        let within = format!("  step {step:>width$}/{}", self.steps_per_epoch);
        let left = match pace.left {
            Duration::ZERO => String::new(),
            left => format!("{} left", duration(left)),
        };
        // What there is no room for is left out: first the steps, then the time, then the bar.
        let room = (canvas.columns.saturating_sub(1)).saturating_sub(head.len());
        let (within, left) = match room {
            room if room >= within.len() + LEFT + 14 => (within, format!("  {left:>LEFT$}")),
            room if room >= LEFT + 12 => (String::new(), format!("  {left:>LEFT$}")),
            _ => (String::new(), String::new()),
        };
        let bar = room.saturating_sub(within.len() + left.len() + 2).min(CURVE);
        let full =
            usize::try_from(u128::from(self.done) * bar as u128 / u128::from(steps)).unwrap_or(bar).min(bar);
        let [done, rest] = if canvas.unicode { ["━", "─"] } else { ["=", "-"] };
        format!(
            "{}{}  {}{}{left}",
            canvas.paint(Paint::Strong, &head),
            canvas.paint(Paint::Faint, &within),
            canvas.paint(Paint::Accent, &done.repeat(full)),
            canvas.paint(Paint::Faint, &rest.repeat(bar - full)),
        )
    }

    /// The rows with curves: loss, and what each epoch told of training and validation samples.
    pub(super) fn curves(&self, canvas: Canvas) -> Vec<String> {
        let few = self.last.as_ref().is_none_or(|last| last.epoch < FEW_EPOCHS) && !self.resumed;
        let losses = if few { &self.step_losses } else { &self.epoch_losses };
        let room = self.room(canvas);
        // Losses fall by orders of magnitude.
        let losses = losses.points(room);
        let logarithms: Vec<f64> = losses.iter().map(|loss| loss.ln()).collect();
        let scale = range(&logarithms).unwrap_or_default();
        let ends = range(&losses);
        let curve = Self::curve(canvas, room, &logarithms, scale, ends, figure);
        let value = self.loss.value().or_else(|| self.last.map(|last| last.loss));
        let mut rows =
            vec![self.row(canvas, "loss", value.map(|value| (Paint::Strong, figure(value))), &curve)];
        // Each on its own scale: on one of both, a curve that changes little is flat. How far they are apart, the figures tell.
        let wide = (room / self.epochs.max(1)).clamp(1, WIDEST_EPOCH);
        let (last_train, last_val) = self.last.map(|last| (last.train, last.val)).unzip();
        for (which, curve, last) in [("train", &self.train, last_train), ("val", &self.val, last_val)] {
            let points: Vec<f64> =
                curve.points(room).into_iter().flat_map(|point| iter::repeat_n(point, wide)).collect();
            let value = last.map(|score| (Paint::Strong, shown(&score)));
            let curve = match (range(&points), last) {
                (Some(range), Some(score)) => {
                    Self::curve(canvas, room, &points, range, Some(range), shown_as(&score))
                }
                _ => vec![(None, "after the first epoch".to_owned())],
            };
            rows.push(self.row(canvas, &self.label(which), value, &curve));
        }
        rows
    }

    /// A curve and its range, as parts of a row; ranges stand below each other.
    fn curve(
        canvas: Canvas,
        room: usize,
        points: &[f64],
        scale: (f64, f64),
        ends: Option<(f64, f64)>,
        shown: fn(f64) -> String,
    ) -> Vec<(Option<Paint>, String)> {
        if !canvas.unicode {
            return Vec::new();
        }
        let mut parts = vec![(Some(Paint::Accent), sparkline(points, scale))];
        if canvas.columns >= RANGES
            && let Some((low, high)) = ends
            && low < high
        {
            let range = format!("{} to {}", shown(low), shown(high));
            let width = room.saturating_sub(points.len()) + 2 + RANGE;
            parts.push((Some(Paint::Faint), format!("{range:>width$}")));
        }
        parts
    }

    /// "train accuracy", "val R2".
    fn label(&self, which: &str) -> String {
        let name = match &self.last {
            Some(last) => quality(&last.val).map_or("loss", |(name, _)| name),
            None => "score",
        };
        format!("{which} {name}")
    }

    /// Columns that a row's label and figure take.
    fn head(&self) -> usize {
        self.label("train").len().max("samples/s".len()) + 2 + 8 + 2
    }

    /// Columns for a curve.
    fn room(&self, canvas: Canvas) -> usize {
        let ranges = if canvas.columns >= RANGES { 2 + RANGE } else { 0 };
        (canvas.columns.saturating_sub(1)).saturating_sub(self.head() + ranges).min(CURVE)
    }

    /// A label, a figure, and of what belongs to it as many parts as fit the terminal's width.
    fn row(
        &self,
        canvas: Canvas,
        label: &str,
        value: Option<(Paint, String)>,
        parts: &[(Option<Paint>, String)],
    ) -> String {
        let head = self.head();
        let (paint, value) =
            value.unwrap_or((Paint::Faint, if canvas.unicode { "–" } else { "-" }.to_owned()));
        let mut line = canvas.paint(Paint::Faint, &format!("{label:<width$}", width = head - 10));
        line.push_str(&canvas.paint(paint, &format!("{value:>8}")));
        line.push_str("  ");
        let mut room = (canvas.columns.saturating_sub(1)).saturating_sub(head);
        for (paint, text) in parts {
            let width = text.chars().count();
            if width > room {
                break;
            }
            room -= width;
            line.push_str(&paint.map_or_else(|| text.clone(), |paint| canvas.paint(paint, text)));
        }
        line.trim_end().to_owned()
    }
}

/// What is trained, in two lines.
pub(super) fn announcement(run: &Announcement) -> [String; 2] {
    let [train, val, test] = run.samples.map(thousands);
    let test = if run.samples[2] == 0 { String::new() } else { format!(", {test} test") };
    let from = match run.done {
        0 => String::new(),
        done => format!(", resumed after step {}", thousands(usize::try_from(done).unwrap_or(usize::MAX))),
    };
    [
        format!(
            "{}: {} with {} parameters, {}, {}{from}",
            run.folder.display(),
            joined(&run.layers, "-"),
            thousands(run.parameters),
            run.dtype,
            plural(run.threads, "thread")
        ),
        format!("{}; {train} training, {val} validation{test} samples", run.data),
    ]
}

#[cfg(test)]
#[path = "panel_tests.rs"]
mod tests;
