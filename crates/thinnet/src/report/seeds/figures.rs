//! The figures over seeds: each network's, and the panels that show them.

use std::iter;

use crate::report::axis::range;
use crate::report::chance::Chance;
use crate::report::figures::{Figures, epoch, labels};
use crate::report::paired::Estimate;
use crate::report::panels::{Band, Images, Panel, Series};
use crate::training::Accuracies;
use crate::training::experiment::Outcome;

/// One network's figures, an entry a seed.
pub(super) struct Network {
    pub label: String,
    pub keep: f64,
    pub seeds: Vec<Figures>,
}

impl Network {
    /// The networks of experiments that all have the same ones.
    pub(super) fn all(outcomes: &[Outcome]) -> Vec<Self> {
        let mut networks: Vec<Self> = Vec::new();
        for (place, figures) in
            outcomes.iter().flat_map(|outcome| Figures::of(outcome).into_iter().enumerate())
        {
            if let Some(network) = networks.get_mut(place) {
                network.seeds.push(figures);
            } else {
                let (label, keep) = (figures.label.clone(), figures.keep);
                networks.push(Self { label, keep, seeds: vec![figures] });
            }
        }
        networks
    }

    /// A figure of each seed; `None` if a seed has none.
    pub(super) fn values(&self, figure: fn(&Figures) -> Option<f64>) -> Option<Vec<f64>> {
        self.seeds.iter().map(figure).collect()
    }

    /// By how much a figure is larger than that of `other`, paired by seed.
    pub(super) fn minus(&self, other: &Self, figure: fn(&Figures) -> Option<f64>) -> Option<Estimate> {
        let (own, others) = (self.values(figure)?, other.values(figure)?);
        let differences: Vec<f64> = own.iter().zip(others).map(|(own, other)| own - other).collect();
        Estimate::of_mean(&differences)
    }
}

/// Training accuracy minus validation accuracy at the end, 0..=1 on each side.
pub(super) fn gap(figures: &Figures) -> Option<f64> {
    Some(figures.train? - figures.val?)
}

/// The network that others are compared with: the first without dropout, or else the first.
pub(super) fn reference(networks: &[Network]) -> Option<usize> {
    networks.iter().position(|network| network.keep >= 1.0).or((!networks.is_empty()).then_some(0))
}

/// Mean accuracies over epochs, with bands from the minimum to the maximum over seeds; training and validation are drawn on one
/// scale. Checks at which some seed has no finite figure are left out.
pub(super) fn accuracies(outcomes: &[Outcome], images: Images) -> Panel {
    let Some(first) = outcomes.first() else {
        return Panel::over_epochs("Accuracy", 0, Chance::axis(None, iter::empty()), vec![]);
    };
    let histories = outcomes.iter().flat_map(|outcome| &outcome.networks).map(|run| &run.history);
    let both =
        histories.flat_map(|history| history.train_accuracy.iter().chain(&history.val_accuracy).copied());
    let chance = Chance::of(first.settings.classes.len());
    let y = Chance::axis(chance.as_ref(), both);
    let (mut series, mut bands) = (Vec::new(), Vec::new());
    for (style, label) in labels(first).into_iter().enumerate() {
        let runs = outcomes.iter().filter_map(|outcome| outcome.networks.get(style));
        let edges = edges(&runs.map(|run| &run.history).collect::<Vec<_>>(), images);
        let name = format!("keep {label}");
        let values = edges.iter().map(|edge| (edge.epoch, edge.mean)).collect();
        series.push(Series { style, name: name.clone(), values });
        let edges =
            edges.into_iter().map(|Edge { epoch, low, high, .. }| (epoch as f64, low, high)).collect();
        bands.push(Band { style, name, edges });
    }
    Panel { chance, bands, ..Panel::over_epochs("Accuracy", 0, y, series) }
}

/// Accuracies of all seeds at one check.
struct Edge {
    epoch: usize,
    low: f64,
    mean: f64,
    high: f64,
}

/// One network's accuracies at every check.
fn edges(histories: &[&Accuracies], images: Images) -> Vec<Edge> {
    let checks = histories.iter().map(|history| history.val_accuracy.len()).min().unwrap_or(0);
    let at = |check: usize| {
        let accuracies = histories.iter().map(|history| {
            let accuracies =
                if images == Images::Train { &history.train_accuracy } else { &history.val_accuracy };
            accuracies.get(check).copied().filter(|accuracy| accuracy.is_finite())
        });
        let accuracies: Vec<f64> = accuracies.collect::<Option<_>>()?;
        let (low, high) = range(accuracies.iter().copied())?;
        let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
        Some(Edge { epoch: epoch(histories.first()?, check), low, mean, high })
    };
    (0..checks).filter_map(at).collect()
}
