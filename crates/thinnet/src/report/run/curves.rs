//! What a training run's plots show.

use super::RunReport;
use crate::report::axis::Axis;
use crate::report::chance::Chance;
use crate::report::look::{float, percent, words};
use crate::report::panels::{LossScale, Panel, Series};
use crate::report::plot::Label;
use crate::training::{Epoch, Task};

/// The styles of curves, and what they are called.
const TRAIN: (usize, &str) = (0, "training");
const VAL: (usize, &str) = (1, "validation");
const STEPS: (usize, &str) = (2, "training steps, with dropout and penalties");
const RATE: (usize, &str) = (3, "learning rate");

/// A plot before it is drawn.
pub(super) struct RunPlot {
    pub title: &'static str,
    pub labels: Vec<Label>,
    /// What it shows, for who cannot see it.
    pub words: String,
    pub panel: Panel,
}

/// A figure of an epoch.
type Figure = fn(&Epoch) -> Option<f64>;
/// A curve: its style, its name, and what it shows.
type Line = ((usize, &'static str), Figure);

/// Accuracy or R squared, losses of epochs and of steps, and the learning rate where it changes.
pub(super) fn plots(report: &RunReport<'_>) -> Vec<RunPlot> {
    let epochs = &report.history.epochs;
    let score: [Line; 2] = match report.config.model.task {
        Task::Classification => [(TRAIN, |epoch| epoch.train.accuracy), (VAL, |epoch| epoch.val.accuracy)],
        Task::Regression => [(TRAIN, |epoch| epoch.train.r2), (VAL, |epoch| epoch.val.r2)],
    };
    let losses: [Line; 3] = [
        (TRAIN, |epoch| Some(epoch.train.loss)),
        (VAL, |epoch| Some(epoch.val.loss)),
        (STEPS, |epoch| Some(epoch.loss)),
    ];
    let rate: [Line; 1] = [(RATE, |epoch| Some(epoch.learning_rate))];
    let values = |lines: &[Line]| -> Vec<f64> {
        lines.iter().flat_map(|(_, figure)| epochs.iter().filter_map(figure)).collect()
    };
    let scores = values(&score);
    let mut plots = vec![match report.config.model.task {
        Task::Classification => {
            let chance = Chance::of(report.classes.len());
            let axis = Chance::axis(chance.as_ref(), scores.into_iter());
            let mut plot = plot("Accuracy", "", axis, epochs, &score, percent, |value| value);
            plot.panel.chance = chance;
            plot
        }
        Task::Regression => {
            let axis = Axis::plain(scores.into_iter());
            plot("R squared", "", axis, epochs, &score, float, |value| value)
        }
    }];
    let scale = LossScale::of(values(&losses).into_iter());
    let axis = scale.axis.clone();
    plots.push(plot("Loss", scale.text(), axis, epochs, &losses, float, |loss| scale.place(loss)));
    if report.history.loss.len() > 1 {
        let steps = report.history.loss.as_slice();
        plots.push(RunPlot {
            title: "Loss of every step",
            labels: vec![label(STEPS)],
            words: words("Loss over steps", std::iter::once((STEPS.1, steps.to_vec())), float),
            panel: Panel::step_losses("Step", vec![(STEPS.0, STEPS.1, steps)]),
        });
    }
    let rates = values(&rate);
    if rates.windows(2).any(|pair| pair[0].to_bits() != pair[1].to_bits()) {
        let axis = Axis::plain(rates.into_iter());
        plots.push(plot("Learning rate", "", axis, epochs, &rate, float, |value| value));
    }
    plots
}

/// The names of all curves that stand in more than one plot.
pub(super) fn legend() -> Vec<Label> {
    [TRAIN, VAL, STEPS].into_iter().map(label).collect()
}

fn label((style, name): (usize, &str)) -> Label {
    (style, name.to_owned())
}

/// A plot over epochs; `place` is where a value is on the axis, which has no text where it would repeat the title.
fn plot(
    title: &'static str,
    y_text: &'static str,
    axis: Axis,
    epochs: &[Epoch],
    lines: &[Line],
    show: impl Fn(f64) -> String,
    place: impl Fn(f64) -> f64,
) -> RunPlot {
    let values = |figure: Figure| -> Vec<f64> {
        epochs.iter().map(|epoch| figure(epoch).unwrap_or(f64::NAN)).collect()
    };
    let series = lines.iter().map(|((style, name), figure)| Series {
        style: *style,
        name: (*name).to_owned(),
        values: epochs.iter().map(|epoch| epoch.epoch).zip(values(*figure).into_iter().map(&place)).collect(),
    });
    RunPlot {
        title,
        labels: lines.iter().map(|(name, _)| label(*name)).collect(),
        words: words(
            &format!("{title} over epochs"),
            lines.iter().map(|(name, figure)| (name.1, values(*figure))),
            show,
        ),
        panel: Panel::over_epochs(y_text, 1, axis, series.collect()),
    }
}
