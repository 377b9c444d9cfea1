//! The page of one training run.

use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::curves::{self, RunPlot};
use super::{RunReport, summary};
use crate::error::{Error, Result};
use crate::float::Dtype;
use crate::report::confusion::Confusion;
use crate::report::look::{Entry, Look, Plot, classes, dtype, float, legend, percent};
use crate::report::plot::DrawingError;
use crate::report::weights::{MOST_UNITS, SizedPng, noise};
use crate::text::joined;
use crate::training::{Score, Task, TrainingConfig};

/// What the template is filled with; it escapes all but the drawings.
#[derive(Template)]
#[template(path = "run.html")]
struct Page<'a> {
    look: Look,
    headline: String,
    sentences: Vec<String>,
    legend: Vec<Entry>,
    plots: Vec<Plot>,
    columns: Vec<&'static str>,
    scores: Vec<(String, Vec<String>)>,
    confusion: Option<Confusion>,
    weights: Option<Weights>,
    settings: Vec<(&'static str, String)>,
    toml: String,
    command: &'a str,
    float32: bool,
}

/// The picture of the first layer.
struct Weights {
    base64: String,
    height: usize,
    width: usize,
    caption: String,
    /// What is said of weights that look like noise.
    noise: Option<String>,
}

/// CSS pixels that the picture of the first layer fills, if a whole number of them to each of its own brings it there.
const FILLED: usize = 680;

/// The page's HTML.
pub(super) fn html(report: &RunReport<'_>, plots: &[RunPlot], weights: Option<&SizedPng>) -> Result<Vec<u8>> {
    let confusion = |matrix| Confusion::new(matrix, report.classes, summary::counted(report));
    let confusion = report.confusion.map(confusion).transpose()?;
    let toml = report.config.to_toml()?;
    render(report, plots, weights, confusion, toml).map_err(Error::report("report.html"))
}

fn render(
    report: &RunReport<'_>,
    plots: &[RunPlot],
    weights: Option<&SizedPng>,
    confusion: Option<Confusion>,
    toml: String,
) -> std::result::Result<Vec<u8>, DrawingError> {
    let mut sentences = summary::sentences(report).into_iter();
    let (columns, scores) = scores(report);
    let page = Page {
        look: Look::new(),
        headline: sentences.next().unwrap_or_default(),
        sentences: sentences.collect(),
        legend: legend(&curves::legend())?,
        plots: plots
            .iter()
            .map(|plot| Plot::new(plot.title, plot.words.clone(), &plot.panel))
            .collect::<std::result::Result<_, _>>()?,
        columns,
        scores,
        confusion,
        weights: weights.map(|(png, (height, width))| {
            let times = (FILLED / height.max(width).max(&1)).max(1);
            Weights {
                base64: BASE64_STANDARD.encode(png),
                height: height * times,
                width: width * times,
                caption: caption(report.first_layer.map_or(0, |w1| w1.ncols())),
                noise: report.first_layer.and_then(|w1| noise(w1, report.shape)),
            }
        }),
        settings: settings(report.config, report.data, report.shape, report.classes),
        toml,
        command: report.command.unwrap_or("thinnet train config.toml"),
        float32: report.config.model.dtype == Dtype::F32,
    };
    Ok(page.render()?.into_bytes())
}

fn caption(units: usize) -> String {
    let which = if units > MOST_UNITS {
        format!("{MOST_UNITS} of the first layer's {units} units, those with the largest weight norms")
    } else {
        format!("The first layer's {units} units")
    };
    format!(
        "{which}, largest norm first, row by row. Each square is the weights that lead from the pixels into one unit, \
         scaled from their minimum to their maximum."
    )
}

/// A table of scores: its columns after the first, and its rows.
fn scores(report: &RunReport<'_>) -> (Vec<&'static str>, Vec<(String, Vec<String>)>) {
    type Figure = (&'static str, fn(&Score) -> Option<String>);
    const FIGURES: [Figure; 4] = [
        ("Loss", |score| Some(float(score.loss))),
        ("Accuracy", |score| score.accuracy.map(percent)),
        ("Top-5", |score| score.top5.map(percent)),
        ("R squared", |score| score.r2.map(float)),
    ];
    let mut rows = Vec::new();
    let best = summary::best(report);
    let last = report.history.epochs.last();
    if let Some(epoch) = best {
        rows.push((format!("Training, best epoch ({})", epoch.epoch), epoch.train));
        rows.push((format!("Validation, best epoch ({})", epoch.epoch), epoch.val));
    }
    if let Some(epoch) = last.filter(|last| best.is_none_or(|best| best.epoch != last.epoch)) {
        rows.push((format!("Training, last epoch ({})", epoch.epoch), epoch.train));
        rows.push((format!("Validation, last epoch ({})", epoch.epoch), epoch.val));
    }
    rows.extend(report.test.map(|test| ("Test".to_owned(), test)));
    let shown: Vec<Figure> = FIGURES
        .into_iter()
        .filter(|(_, figure)| rows.iter().any(|(_, score)| figure(score).is_some()))
        .collect();
    let cells = |score: &Score| shown.iter().map(|(_, figure)| figure(score).unwrap_or_default()).collect();
    (
        shown.iter().map(|(name, _)| *name).collect(),
        rows.into_iter().map(|(name, score)| (name, cells(&score))).collect(),
    )
}

/// The settings that most people look for; the file has all.
///
/// - `data`, `shape`, `names`: as of [`RunReport`]
pub(in crate::report) fn settings(
    config: &TrainingConfig,
    data: &str,
    shape: &[usize],
    names: &[String],
) -> Vec<(&'static str, String)> {
    const KEYS: [(&str, &str); 14] = [
        ("Hidden layers", "model.hidden"),
        ("Activation", "model.activation"),
        ("Probability to keep a hidden unit", "model.keep"),
        ("Probability to keep an input", "model.input_keep"),
        ("Optimiser", "optim.rule"),
        ("Learning rate", "optim.learning_rate"),
        ("Schedule", "optim.schedule"),
        ("L2 strength", "optim.l2"),
        ("Max-norm", "optim.max_norm"),
        ("Epochs, at most", "train.epochs"),
        ("Batch size", "train.batch_size"),
        ("Seed", "train.seed"),
        ("Networks", "train.members"),
        ("Engine", "train.engine"),
    ];
    let mut rows = vec![("Data", data.to_owned()), ("Shape of a sample", joined(shape, " x "))];
    if config.model.task == Task::Classification && !names.is_empty() {
        rows.push(("Classes", classes(names)));
    }
    rows.extend(config.model.from.clone().map(|from| ("Begins with the network in", from)));
    let value = |key: &str| match config.get(key)? {
        toml::Value::String(text) => Some(text),
        toml::Value::Array(each) if each.is_empty() => Some("none".to_owned()),
        toml::Value::Array(each) => Some(joined(&each, ", ")),
        value => Some(value.to_string()),
    };
    rows.extend(KEYS.into_iter().filter_map(|(name, key)| Some((name, value(key)?))));
    rows.push(("Number type", dtype(config.model.dtype).to_owned()));
    rows
}
