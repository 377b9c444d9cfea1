//! What the figures over seeds prove, in sentences: each effect with its interval.

use super::figures::{Network, gap, reference};
use crate::report::figures::Tenths;
use crate::report::paired::Estimate;
use crate::report::summary::{capital, points};
use crate::training::experiment::Outcome;

/// The sentences, the most important first.
pub(super) fn sentences(networks: &[Network], outcomes: &[Outcome]) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(reference) = reference(networks) {
        let base = &networks[reference];
        for network in
            networks.iter().enumerate().filter(|(place, _)| *place != reference).map(|(_, network)| network)
        {
            let seeds = outcomes.len();
            let accuracy = network.minus(base, |figures| figures.val);
            sentences.push(match accuracy {
                Some(accuracy) => claim(seeds, network, base, accuracy),
                None => format!(
                    "{} and keep {} have no finite accuracies for every seed.",
                    capital(&name(network)),
                    base.label
                ),
            });
            sentences.extend(network.minus(base, gap).map(|estimate| gaps(network, base, estimate)));
        }
    }
    if sentences.is_empty() {
        sentences.push("There are no two networks to compare.".to_owned());
    }
    let samples = outcomes.first().map_or(0, |outcome| outcome.settings.num_val);
    sentences.push(format!(
        "The intervals hold for other initial weights, batches and masks. All seeds share the same training samples and the same \
         {samples} validation samples, and the last epoch is judged, not the best one."
    ));
    sentences
}

fn name(network: &Network) -> String {
    format!("keep {}", network.label)
}

/// "1.7 percentage points (95% interval: 0.3 to 3.1)", of a difference without its sign.
fn size(estimate: Estimate) -> String {
    let [mean, low, high] = if estimate.mean < 0.0 {
        [-estimate.mean, -estimate.high, -estimate.low]
    } else {
        [estimate.mean, estimate.low, estimate.high]
    };
    let [mean, low, high] = [mean, low, high].map(Tenths::of);
    format!("{} (95% interval: {low} to {high})", points(mean))
}

fn claim(seeds: usize, network: &Network, base: &Network, accuracy: Estimate) -> String {
    let change = if accuracy.mean < 0.0 { "lower" } else { "higher" };
    let subject = if network.keep < 1.0 && base.keep >= 1.0 {
        format!("with dropout (keep {}) validation accuracy is", network.label)
    } else {
        format!("with {} validation accuracy is", name(network))
    };
    let verdict = if accuracy.is_clear() {
        "That is more than chance."
    } else {
        "These seeds do not tell that from chance."
    };
    format!("Over {seeds} seeds, {subject} {} {change} than with {}. {verdict}", size(accuracy), name(base))
}

fn gaps(network: &Network, base: &Network, estimate: Estimate) -> String {
    let change = if estimate.mean < 0.0 { "narrower" } else { "wider" };
    let verdict = if estimate.is_clear() { "" } else { ", which can be chance" };
    format!(
        "The gap between training and validation accuracy is {} {change} with {} than with {}{verdict}.",
        size(estimate),
        name(network),
        name(base)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::outcome;

    /// The sentences on pairs of validation accuracies, a pair a seed: without dropout and with keep 0.5.
    fn told(seeds: &[(f64, f64)]) -> Vec<String> {
        let outcomes: Vec<Outcome> = seeds
            .iter()
            .map(|&(without, with)| outcome(&[(1.0, &[0.9], &[without]), (0.5, &[0.9], &[with])]))
            .collect();
        sentences(&Network::all(&outcomes), &outcomes)
    }

    #[test]
    fn a_clear_effect_is_claimed_with_its_interval() {
        // Differences of 1, 3, 2, 5 and 4 points: SciPy's interval of their mean is 1.04 to 4.96.
        let told = told(&[(0.30, 0.31), (0.31, 0.34), (0.30, 0.32), (0.29, 0.34), (0.30, 0.34)]);
        assert_eq!(
            told[0],
            "Over 5 seeds, with dropout (keep 0.50) validation accuracy is 3.0 percentage points (95% interval: 1.0 to 5.0) higher \
             than with keep 1.00. That is more than chance."
        );
        assert_eq!(
            told[1],
            "The gap between training and validation accuracy is 3.0 percentage points (95% interval: 1.0 to 5.0) narrower with \
             keep 0.50 than with keep 1.00."
        );
        assert!(told[2].contains("the same 1000 validation samples"), "{}", told[2]);
    }

    #[test]
    fn what_may_be_chance_is_said_to_be() {
        let told = told(&[(0.30, 0.31), (0.31, 0.29)]);
        assert!(
            told[0].contains("lower than with keep 1.00. These seeds do not tell that from chance."),
            "{}",
            told[0]
        );
        assert!(told[1].ends_with("which can be chance."), "{}", told[1]);
    }

    #[test]
    fn nothing_is_claimed_where_a_seed_has_no_figures() {
        let told = told(&[(0.3, f64::NAN), (0.3, 0.4)]);
        assert_eq!(told[0], "Keep 0.50 and keep 1.00 have no finite accuracies for every seed.");
        let one: Vec<Outcome> = [0.3, 0.4].iter().map(|&val| outcome(&[(0.5, &[0.9], &[val])])).collect();
        assert_eq!(sentences(&Network::all(&one), &one)[0], "There are no two networks to compare.");
    }
}
