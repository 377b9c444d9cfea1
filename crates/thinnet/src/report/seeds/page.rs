//! The page over seeds.

use askama::Template;

use super::figures::{Network, accuracies, gap, reference};
use super::summary;
use crate::float::Dtype;
use crate::report::figures::{Figures, Tenths};
use crate::report::look::{Entry, Look, NOT_FINITE, Plot, float, legend, percent, words};
use crate::report::page::settings;
use crate::report::paired::Estimate;
use crate::report::panels::Images;
use crate::report::plot::{DrawingError, Label};
use crate::sweep::Stat;
use crate::training::experiment::Outcome;

/// What the template is filled with; it escapes all but the drawings.
#[derive(Template)]
#[template(path = "seeds.html")]
struct Page<'a> {
    look: Look,
    headline: String,
    sentences: Vec<String>,
    legend: Vec<Entry>,
    plots: Vec<Plot>,
    rows: Vec<(String, [String; 5])>,
    reference: String,
    differences: Vec<(String, [String; 3])>,
    names: Vec<String>,
    seeds: Vec<(String, Vec<String>)>,
    settings: Vec<(&'static str, String)>,
    command: Option<&'a str>,
    float32: bool,
}

/// The page's HTML.
pub(super) fn html(
    outcomes: &[Outcome],
    labels: &[Label],
    command: Option<&str>,
) -> Result<Vec<u8>, DrawingError> {
    let networks = Network::all(outcomes);
    let mut sentences = summary::sentences(&networks, outcomes).into_iter();
    let base = reference(&networks);
    let plot = |title, what: &str, images| {
        let panel = accuracies(outcomes, images);
        let means =
            panel.curves.iter().map(|curve| curve.runs.iter().flatten().map(|(_, mean)| *mean).collect());
        let words = words(what, labels.iter().map(|(_, label)| label.as_str()).zip(means), percent);
        Plot::new(title, words, &panel)
    };
    let page = Page {
        look: Look::new(),
        headline: sentences.next().unwrap_or_default(),
        sentences: sentences.collect(),
        legend: legend(labels)?,
        plots: vec![
            plot("Train accuracy", "Mean training accuracy over epochs", Images::Train)?,
            plot("Val accuracy", "Mean validation accuracy over epochs", Images::Val)?,
        ],
        rows: networks.iter().map(|network| (network.label.clone(), means(network))).collect(),
        reference: base.map(|base| networks[base].label.clone()).unwrap_or_default(),
        differences: base.map(|base| differences(&networks, base)).unwrap_or_default(),
        names: networks.iter().map(|network| network.label.clone()).collect(),
        seeds: outcomes
            .iter()
            .enumerate()
            .map(|(place, outcome)| (outcome.settings.seed.to_string(), at_seed(&networks, place)))
            .collect(),
        settings: settings(&outcomes[0])
            .into_iter()
            .map(|(name, value)| match name {
                "Seed" => ("Seeds", format!("{value} to {}", outcomes[outcomes.len() - 1].settings.seed)),
                "Threads" => (name, "1 for each seed".to_owned()),
                _ => (name, value),
            })
            .collect(),
        command,
        float32: outcomes[0].settings.dtype == Dtype::F32,
    };
    Ok(page.render()?.into_bytes())
}

/// A network's means with their standard deviations.
fn means(network: &Network) -> [String; 5] {
    let cell = |figure: fn(&Figures) -> Option<f64>, show: fn(f64) -> String| {
        let stat = network.values(figure).and_then(Stat::of);
        stat.map_or_else(
            || NOT_FINITE.to_owned(),
            |stat| {
                let sd = stat.sd.map_or_else(String::new, |sd| format!(" ± {}", show(sd)));
                format!("{}{sd}", show(stat.mean))
            },
        )
    };
    let points = |share: f64| Tenths::of(share).to_string();
    [
        cell(|figures| figures.train, points),
        cell(|figures| figures.val, points),
        cell(gap, points),
        cell(|figures| figures.train_loss, float),
        cell(|figures| figures.val_loss, float),
    ]
}

/// How the other networks differ from the one that they are compared with.
fn differences(networks: &[Network], base: usize) -> Vec<(String, [String; 3])> {
    let cell = |estimate: Option<Estimate>, show: fn(f64) -> String| {
        estimate.map_or_else(
            || NOT_FINITE.to_owned(),
            |Estimate { mean, low, high }| format!("{} ({} to {})", show(mean), show(low), show(high)),
        )
    };
    let points = |share: f64| Tenths::of(share).to_string();
    let others = networks.iter().enumerate().filter(|(place, _)| *place != base);
    let row = |network: &Network| {
        let minus = |figure| network.minus(&networks[base], figure);
        [
            cell(minus(|figures| figures.val), points),
            cell(minus(gap), points),
            cell(minus(|figures| figures.val_loss), float),
        ]
    };
    others.map(|(_, network)| (network.label.clone(), row(network))).collect()
}

/// The networks' validation accuracies with one seed.
fn at_seed(networks: &[Network], place: usize) -> Vec<String> {
    let val = |network: &Network| network.seeds.get(place)?.val;
    networks.iter().map(|network| val(network).map_or_else(|| NOT_FINITE.to_owned(), percent)).collect()
}
