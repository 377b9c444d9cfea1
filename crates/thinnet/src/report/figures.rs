//! The figures that a report speaks of, worked out once from an outcome: page and sentences use the same ones.

use crate::training::Accuracies;
use crate::training::experiment::{Ending, NetworkRun, Outcome};

/// What one network came to. A figure that does not exist, or is not finite, is `None`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figures {
    /// Names the network: its keep probability, made unique.
    pub label: String,
    /// Keep probability.
    pub keep: f64,
    /// Training accuracy at the end, 0..=1.
    pub train: Option<f64>,
    /// Validation accuracy at the end, 0..=1.
    pub val: Option<f64>,
    /// Highest validation accuracy and the epoch in which it was first reached.
    pub best: Option<(usize, f64)>,
    /// Loss on the training samples at the end, in test mode: with dropout on, losses of different networks are not comparable.
    pub train_loss: Option<f64>,
    /// Loss on the validation samples at the end.
    pub val_loss: Option<f64>,
    /// Whether each validation sample is recognised at the end; empty if that is not known.
    pub correct: Vec<bool>,
    /// Seconds of training.
    pub seconds: f64,
}

impl Figures {
    /// The figures of every network, in the order of training.
    pub(crate) fn of(outcome: &Outcome) -> Vec<Self> {
        labels(outcome)
            .into_iter()
            .zip(&outcome.networks)
            .map(|(label, network)| Self::of_network(label, network))
            .collect()
    }

    fn of_network(label: String, network: &NetworkRun) -> Self {
        let history = &network.history;
        let last = |values: &[f64]| values.last().copied().filter(|v| v.is_finite());
        let loss = |of: fn(&Ending) -> f64| network.end.as_ref().map(of).filter(|loss| loss.is_finite());
        let best = history.val_accuracy.iter().enumerate().filter(|(_, v)| v.is_finite()).fold(
            None,
            |best: Option<(usize, f64)>, (check, &accuracy)| match best {
                Some((_, highest)) if highest >= accuracy => best,
                _ => Some((epoch(history, check), accuracy)),
            },
        );
        Self {
            label,
            keep: network.keep,
            train: last(&history.train_accuracy),
            val: last(&history.val_accuracy),
            best,
            train_loss: loss(|end| end.train_loss),
            val_loss: loss(|end| end.val_loss),
            correct: network.end.as_ref().map(|end| end.val_correct.clone()).unwrap_or_default(),
            seconds: network.seconds,
        }
    }

    /// How much higher training accuracy is than validation accuracy at the end: the measure of over-fitting.
    pub(crate) fn gap(&self) -> Option<Tenths> {
        Some(Tenths::of(self.train?).less(Tenths::of(self.val?)))
    }
}

/// A share in tenths of a percentage point. What is printed and what is compared are the same number, so that no
/// sentence calls two figures different that the table beside it prints alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tenths(pub i64);

impl Tenths {
    /// A finite share, 0..=1, rounded to a tenth of a percentage point.
    #[allow(clippy::cast_possible_truncation)] // saturates; a share is at most 1
    pub(crate) fn of(share: f64) -> Self {
        Self((share * 1000.0).round() as i64)
    }

    /// The difference to another.
    pub(crate) fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Without its sign.
    pub(crate) fn size(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

impl std::fmt::Display for Tenths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "\u{2212}" } else { "" };
        let size = self.0.unsigned_abs();
        write!(f, "{sign}{}.{}", size / 10, size % 10)
    }
}

/// How many epochs were complete at a check of the accuracies, counted from 0; a history that does not say is taken to
/// have been checked once an epoch.
pub(crate) fn epoch(history: &Accuracies, check: usize) -> usize {
    history.epoch.get(check).copied().unwrap_or(check)
}

/// One name for each network: its keep probability with two decimals, as the course prints it, or with as many as it
/// has; the second network of the same keep probability is "0.25 (2)".
pub(crate) fn labels(outcome: &Outcome) -> Vec<String> {
    let mut labels: Vec<String> = Vec::with_capacity(outcome.networks.len());
    for (i, network) in outcome.networks.iter().enumerate() {
        let name = keep_label(network.keep);
        let before = outcome.networks[..i].iter().filter(|n| keep_label(n.keep) == name).count();
        labels.push(if before == 0 { name } else { format!("{name} ({})", before + 1) });
    }
    labels
}

fn keep_label(keep: f64) -> String {
    let short = format!("{keep:.2}");
    if short.parse() == Ok(keep) { short } else { keep.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_exact_and_unique() {
        let shown: Vec<String> = [1.0, 0.25, 0.125, 1.0 / 3.0].into_iter().map(keep_label).collect();
        assert_eq!(shown, ["1.00", "0.25", "0.125", "0.3333333333333333"]);
        let outcome: Outcome = crate::report::samples::outcome(&[
            (0.5, &[0.1], &[0.1]),
            (1.0, &[0.1], &[0.1]),
            (0.5, &[0.1], &[0.1]),
            (0.5, &[0.1], &[0.1]),
        ]);
        assert_eq!(labels(&outcome), ["0.50", "1.00", "0.50 (2)", "0.50 (3)"]);
    }

    #[test]
    fn tenths_print_what_they_compare() {
        assert_eq!(Tenths::of(0.683).to_string(), "68.3");
        assert_eq!(Tenths::of(-0.0004).to_string(), "0.0");
        assert_eq!(Tenths::of(-0.02).to_string(), "\u{2212}2.0");
        assert_eq!(Tenths::of(1.0).to_string(), "100.0");
    }

    #[test]
    fn the_best_epoch_is_the_first_of_the_highest_finite_ones() {
        let outcome = crate::report::samples::outcome(&[
            (1.0, &[0.1, 0.2, 0.3, f64::NAN], &[f64::NAN, 0.3, 0.3, f64::INFINITY]),
            (0.5, &[], &[]),
        ]);
        let figures = Figures::of(&outcome);
        assert_eq!(figures[0].best, Some((1, 0.3)));
        assert_eq!((figures[0].train, figures[0].val, figures[0].gap()), (None, None, None));
        assert_eq!(figures[1].best, None);
    }
}
