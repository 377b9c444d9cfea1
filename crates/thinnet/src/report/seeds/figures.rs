//! The figures over seeds: each network's, and the panels that show them.

use std::iter;

use crate::report::bands::banded;
use crate::report::chance::Chance;
use crate::report::figures::{Figures, epoch, labels};
use crate::report::paired::Estimate;
use crate::report::panels::{Images, Panel};
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
        let networks = outcomes.iter().filter_map(|outcome| outcome.networks.get(style));
        let runs: Vec<_> = networks.map(|network| points(&network.history, images)).collect();
        let (curve, band) = banded(style, &format!("keep {label}"), &runs);
        series.push(curve);
        bands.extend(band);
    }
    Panel { chance, bands, ..Panel::over_epochs("Accuracy", 0, y, series) }
}

/// One network's accuracies, each with its epoch.
fn points(history: &Accuracies, images: Images) -> Vec<(usize, f64)> {
    let accuracies = if images == Images::Train { &history.train_accuracy } else { &history.val_accuracy };
    accuracies.iter().enumerate().map(|(check, &accuracy)| (epoch(history, check), accuracy)).collect()
}
