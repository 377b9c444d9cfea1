//! The page: one HTML file that needs nothing else, with plots, tables and how to repeat the run.

use askama::Template;

use super::figures::{Figures, Tenths, labels};
use super::look::{Entry, Look, NOT_FINITE, Plot, classes, dtype, float, legend, percent, seconds, words};
use super::panels::{Images, Panel};
use super::plot::{DrawingError, Label};
use super::summary;
use crate::float::Dtype;
use crate::text::joined;
use crate::training::Accuracies;
use crate::training::experiment::Outcome;

/// What the template is filled with; it escapes all but the drawings.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    look: Look,
    headline: String,
    sentences: Vec<String>,
    legend: Vec<Entry>,
    plots: Vec<Plot>,
    rows: Vec<Row>,
    settings: Vec<(&'static str, String)>,
    seconds: String,
    command: Option<String>,
    float32: bool,
}

/// A row of the table of gaps.
struct Row {
    label: String,
    cells: [String; 8],
}

/// The page's HTML.
pub(crate) fn html(outcome: &Outcome, command: Option<&str>) -> Result<Vec<u8>, DrawingError> {
    let figures = Figures::of(outcome);
    let mut sentences = summary::sentences(&figures, outcome.settings.num_val).into_iter();
    let page = Page {
        look: Look::new(),
        headline: sentences.next().unwrap_or_default(),
        sentences: sentences.collect(),
        legend: legend(&curves(outcome))?,
        plots: plots(outcome)?,
        rows: figures.iter().map(row).collect(),
        settings: settings(outcome),
        seconds: seconds(outcome.seconds),
        command: command.map(str::to_owned),
        float32: outcome.settings.dtype == Dtype::F32,
    };
    Ok(page.render()?.into_bytes())
}

/// The networks' curves, by their place in the outcome.
pub(crate) fn curves(outcome: &Outcome) -> Vec<Label> {
    labels(outcome).into_iter().map(|label| format!("keep {label}")).enumerate().collect()
}

fn plots(outcome: &Outcome) -> Result<Vec<Plot>, DrawingError> {
    let labels = curves(outcome);
    let said = |what: &str, values: fn(&Accuracies) -> &Vec<f64>, show: fn(f64) -> String| {
        let histories = outcome.networks.iter().map(|network| values(&network.history).clone());
        words(what, labels.iter().map(|(_, label)| label.as_str()).zip(histories), show)
    };
    let train = said("Training accuracy over epochs", |history| &history.train_accuracy, percent);
    let val = said("Validation accuracy over epochs", |history| &history.val_accuracy, percent);
    let loss = said("Training loss over iterations", |history| &history.loss, float);
    Ok(vec![
        Plot::new("Train accuracy", train, &Panel::accuracies(outcome, Images::Train))?,
        Plot::new("Val accuracy", val, &Panel::accuracies(outcome, Images::Val))?,
        Plot::new("Training loss", loss, &Panel::losses(outcome))?,
    ])
}

fn row(figures: &Figures) -> Row {
    let none = || NOT_FINITE.to_owned();
    let share = |v: Option<f64>| v.map_or_else(none, percent);
    Row {
        label: figures.label.clone(),
        cells: [
            share(figures.train),
            share(figures.val),
            figures.gap().map_or_else(none, |gap: Tenths| gap.to_string()),
            share(figures.best.map(|(_, accuracy)| accuracy)),
            figures.best.map_or_else(none, |(epoch, _)| epoch.to_string()),
            figures.train_loss.map_or_else(none, float),
            figures.val_loss.map_or_else(none, float),
            seconds(figures.seconds),
        ],
    }
}

/// The settings, for people.
pub(super) fn settings(outcome: &Outcome) -> Vec<(&'static str, String)> {
    let settings = &outcome.settings;
    let list = |items: String| if items.is_empty() { "none".to_owned() } else { items };
    vec![
        ("Data", settings.data.clone()),
        ("Classes", classes(&settings.classes)),
        ("Training samples", settings.num_train.to_string()),
        ("Validation samples", settings.num_val.to_string()),
        ("Keep probabilities", list(joined(&settings.keep, ", "))),
        ("Hidden layers", list(joined(&settings.hidden, ", "))),
        ("Epochs", settings.epochs.to_string()),
        ("Batch size", settings.batch_size.to_string()),
        ("Update rule", settings.update_rule.name().to_owned()),
        ("Learning rate", settings.learning_rate.to_string()),
        ("L2 strength", settings.reg.to_string()),
        ("Seed", settings.seed.to_string()),
        ("Number type", dtype(settings.dtype).to_owned()),
        ("Threads", settings.threads.to_string()),
        ("Engine", settings.engine.name().to_owned()),
    ]
}
