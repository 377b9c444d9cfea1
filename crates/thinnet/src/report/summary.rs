//! What the figures show, in sentences.
//!
//! Over-fitting is measured by the gap at the end of training: training accuracy less validation accuracy, in
//! percentage points. Figures are compared as they are printed, to a tenth of a point.

use std::cmp::Ordering;

use super::figures::{Figures, Tenths};
use super::paired::Paired;

/// The sentences, the most important first. `num_val` is the number of validation samples, which says how far an
/// accuracy can be trusted.
pub(crate) fn sentences(figures: &[Figures], num_val: usize) -> Vec<String> {
    let known: Vec<&Figures> = figures.iter().filter(|f| f.gap().is_some() && f.best.is_some()).collect();
    let mut sentences = match known.as_slice() {
        [] => vec!["There are no finite accuracies to compare.".to_owned()],
        [one] => vec![alone(one)],
        [a, b] if (a.keep < 1.0) != (b.keep < 1.0) => {
            let (without, with) = if a.keep < 1.0 { (b, a) } else { (a, b) };
            let mut sentences = vec![verdict(without, with)];
            sentences.extend(paired(without, with));
            sentences.extend([gaps(&known), best(&known)]);
            sentences
        }
        _ => vec![gaps(&known), best(&known)],
    };
    if !known.is_empty() {
        for lost in figures.iter().filter(|f| f.gap().is_none() || f.best.is_none()) {
            sentences.push(format!("{} has no finite accuracy at the end.", capital(&name(lost))));
        }
    }
    sentences.extend(trust(&known, num_val));
    sentences
}

/// How a network is called in a sentence.
fn name(network: &Figures) -> String {
    format!("keep {}", network.label)
}

pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn gap(network: &Figures) -> Tenths {
    network.gap().unwrap_or(Tenths(0))
}

fn best_of(network: &Figures) -> (usize, Tenths) {
    network.best.map_or((0, Tenths(0)), |(epoch, accuracy)| (epoch, Tenths::of(accuracy)))
}

pub(crate) fn points(size: Tenths) -> String {
    format!("{size} percentage point{}", if size == Tenths(10) { "" } else { "s" })
}

fn epoch(epoch: usize) -> String {
    if epoch == 0 { "after the first iteration".to_owned() } else { format!("in epoch {epoch}") }
}

/// "a", "a and b", "a, b and c".
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn alone(network: &Figures) -> String {
    let (train, val) = (Tenths::of(network.train.unwrap_or(0.0)), Tenths::of(network.val.unwrap_or(0.0)));
    let (at, highest) = best_of(network);
    let what = match gap(network).0.cmp(&0) {
        Ordering::Greater => format!("a gap of {}", points(gap(network))),
        Ordering::Equal => "no gap".to_owned(),
        Ordering::Less => format!("training {} below validation", points(gap(network).size())),
    };
    format!(
        "{}{} ends at {train}% training and {val}% validation accuracy, {what}; its best validation accuracy is \
         {highest}%, {}.",
        capital(&name(network)),
        if network.keep < 1.0 { "" } else { " (no dropout)" },
        epoch(at)
    )
}

/// One network without dropout and one with it: what dropout did to the gap in this run. The best epoch takes no part in it: it is
/// chosen on the samples that it would be judged by.
fn verdict(without: &Figures, with: &Figures) -> String {
    let (from, to) = (gap(without), gap(with));
    let change = match to.cmp(&from) {
        Ordering::Less => {
            format!("narrowed the gap between training and validation accuracy from {from} to {}", points(to))
        }
        Ordering::Equal => {
            format!("left the gap between training and validation accuracy as it was, at {}", points(to))
        }
        Ordering::Greater => {
            format!("widened the gap between training and validation accuracy from {from} to {}", points(to))
        }
    };
    format!("In this run dropout (keep {}) {change} at the end of training.", with.label)
}

/// The same two on the same validation samples at the end: what one run can say of their accuracies.
fn paired(without: &Figures, with: &Figures) -> Option<String> {
    let paired = Paired::of(&without.correct, &with.correct)?;
    let (difference, p) = (paired.difference(), paired.p_value());
    let [mean, low, high] = [difference.mean, difference.low, difference.high].map(Tenths::of);
    let compared = match mean.0.cmp(&0) {
        Ordering::Greater => format!("{} more than {}", points(mean), name(without)),
        Ordering::Equal => format!("as many as {}", name(without)),
        Ordering::Less => format!("{} fewer than {}", points(mean.size()), name(without)),
    };
    let verdict = if difference.is_clear() && p < 0.05 {
        "That is more than the choice of these samples explains; other initial weights may still give another answer."
    } else {
        "That can be chance."
    };
    Some(format!(
        "At the end {} recognises {}% of the same {} validation samples, {compared} (95% interval of the difference: {low} to {high}; \
         McNemar's exact test: p {}). {verdict}",
        name(with),
        with.val.map_or(Tenths(0), Tenths::of),
        paired.count,
        probability(p)
    ))
}

/// A p-value with two significant digits, as far as they matter.
fn probability(p: f64) -> String {
    match p {
        p if p < 0.001 => "below 0.001".to_owned(),
        p if p < 0.1 => format!("= {p:.3}"),
        p => format!("= {p:.2}"),
    }
}

/// Which network over-fits most, and which least.
fn gaps(networks: &[&Figures]) -> String {
    let mut order = networks.to_vec();
    order.sort_by_key(|n| std::cmp::Reverse(gap(n))); // stable: ties stay in the order of training
    let (Some(&most), Some(&least)) = (order.first(), order.last()) else { return String::new() };
    let (widest, narrowest) = (gap(most), gap(least));
    if widest == narrowest {
        let all = if networks.len() == 2 { "Both networks" } else { "All networks" };
        return match widest.0.cmp(&0) {
            Ordering::Greater => {
                format!("{all} over-fit alike: at the end the gap is {} for each.", points(widest))
            }
            Ordering::Equal => format!("{all} end with training and validation accuracy equal."),
            Ordering::Less => {
                format!(
                    "{all} end with training accuracy {} below validation accuracy.",
                    points(widest.size())
                )
            }
        };
    }
    if widest.0 <= 0 {
        let each: Vec<String> = order.iter().map(|n| format!("{}% for {}", gap(n), name(n))).collect();
        return format!(
            "No network over-fits: at the end no training accuracy is above its validation accuracy (gaps: {}).",
            list(&each)
        );
    }
    let top: Vec<String> = order.iter().filter(|n| gap(n) == widest).map(|n| name(n)).collect();
    let rest: Vec<&&Figures> = order.iter().filter(|n| gap(n) < widest).collect();
    let others = match rest.as_slice() {
        [one] => format!("that of {} is {}", name(one), distance(gap(one))),
        _ if rest.len() <= 3 => {
            let each: Vec<String> = rest.iter().map(|n| format!("{} ({})", gap(n), name(n))).collect();
            format!("the other gaps are {}", list(&each))
        }
        _ => format!("the smallest gap is {} ({})", narrowest, name(least)),
    };
    format!(
        "{} over-fit{} {}: at the end training accuracy is {} above validation accuracy; {others}.",
        capital(&list(&top)),
        if top.len() == 1 { "s" } else { "" },
        if networks.len() == 2 { "more" } else { "most" },
        points(widest),
    )
}

fn distance(gap: Tenths) -> String {
    match gap.0.cmp(&0) {
        Ordering::Greater => format!("{gap} above"),
        Ordering::Equal => "level with it".to_owned(),
        Ordering::Less => format!("{} below", gap.size()),
    }
}

/// Which network reached the best validation accuracy.
fn best(networks: &[&Figures]) -> String {
    let mut order = networks.to_vec();
    order.sort_by_key(|n| std::cmp::Reverse(best_of(n).1));
    let Some(&winner) = order.first() else { return String::new() };
    let highest = best_of(winner).1;
    let told = |n: &Figures| format!("{} {}", name(n), epoch(best_of(n).0));
    let top: Vec<String> = order.iter().filter(|n| best_of(n).1 == highest).map(|n| told(n)).collect();
    let rest: Vec<&&Figures> = order.iter().filter(|n| best_of(n).1 < highest).collect();
    let others = match rest.as_slice() {
        [] => String::new(),
        _ if rest.len() <= 3 => {
            let each: Vec<String> =
                rest.iter().map(|n| format!("{}% for {}", best_of(n).1, told(n))).collect();
            format!(", against {}", list(&each))
        }
        [.., last] => format!("; the lowest best is {}% for {}", best_of(last).1, told(last)),
    };
    if top.len() == 1 {
        format!("The best validation accuracy is {highest}% for {}{others}.", list(&top))
    } else {
        format!("The best validation accuracy, {highest}%, is reached by {}{others}.", list(&top))
    }
}

/// How far a validation accuracy can be trusted: the 95% interval of a share of `num_val` samples, 1.96 standard errors.
fn trust(networks: &[&Figures], num_val: usize) -> Option<String> {
    let share = networks.iter().filter_map(|n| n.best).map(|(_, v)| v).reduce(f64::max)?;
    trust_in(share, num_val, "validation")
}

/// The same for one share of `count` samples, which are called `what`.
pub(crate) fn trust_in(share: f64, count: usize, what: &str) -> Option<String> {
    if count == 0 || !(0.0..=1.0).contains(&share) {
        return None;
    }
    let margin = Tenths::of(1.96 * (share * (1.0 - share) / count as f64).sqrt());
    (margin > Tenths(0)).then(|| {
        format!(
            "Measured on {count} {what} samples, an accuracy of {}% is known to about ±{} (95%): smaller \
             differences can be chance.",
            Tenths::of(share),
            points(margin)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::outcome;
    use crate::training::experiment::Ending;

    /// The sentences on networks given as (keep, training accuracies, validation accuracies), less the one on trust.
    fn told(networks: &[(f64, &[f64], &[f64])]) -> Vec<String> {
        sentences(&Figures::of(&outcome(networks)), 0)
    }

    #[test]
    fn dropout_helped() {
        let told = told(&[(1.0, &[0.2, 0.98], &[0.31, 0.30]), (0.25, &[0.2, 0.9], &[0.2, 0.32])]);
        assert_eq!(
            told,
            [
                "In this run dropout (keep 0.25) narrowed the gap between training and validation accuracy from 68.0 to 58.0 \
                 percentage points at the end of training.",
                "Keep 1.00 over-fits more: at the end training accuracy is 68.0 percentage points above validation \
                 accuracy; that of keep 0.25 is 58.0 above.",
                "The best validation accuracy is 32.0% for keep 0.25 in epoch 1, against 31.0% for keep 1.00 after \
                 the first iteration.",
            ]
        );
    }

    #[test]
    fn dropout_did_worse_whatever_the_order() {
        let told = told(&[(0.25, &[0.9, 0.95], &[0.2, 0.2]), (1.0, &[0.5, 0.6], &[0.4, 0.4])]);
        assert_eq!(
            told[0],
            "In this run dropout (keep 0.25) widened the gap between training and validation accuracy from 20.0 to 75.0 \
             percentage points at the end of training."
        );
        assert!(told[1].starts_with("Keep 0.25 over-fits more:"), "{}", told[1]);
    }

    #[test]
    fn dropout_did_nothing() {
        let same = told(&[(1.0, &[0.9], &[0.4]), (0.5, &[0.9], &[0.4])]);
        assert_eq!(
            same,
            [
                "In this run dropout (keep 0.50) left the gap between training and validation accuracy as it was, at 50.0 percentage \
                 points at the end of training.",
                "Both networks over-fit alike: at the end the gap is 50.0 percentage points for each.",
                "The best validation accuracy, 40.0%, is reached by keep 1.00 after the first iteration and keep 0.50 \
                 after the first iteration.",
            ]
        );
    }

    /// The sentence on networks that alone recognise so many of 1000 validation samples, and both of which recognise 200.
    fn compared(only_without: usize, only_with: usize) -> String {
        let correct = |from: usize, count: usize| {
            (0..1000).map(|i| i < 200 || (i >= from && i < from + count)).collect()
        };
        let share = |only: usize| (200 + only) as f64 / 1000.0;
        let mut outcome =
            outcome(&[(1.0, &[0.9], &[share(only_without)]), (0.5, &[0.9], &[share(only_with)])]);
        let ends: [Vec<bool>; 2] = [correct(200, only_without), correct(500, only_with)];
        for (network, val_correct) in outcome.networks.iter_mut().zip(ends) {
            network.end = Some(Ending { train_loss: 0.1, val_loss: 2.0, val_correct });
        }
        sentences(&Figures::of(&outcome), 0).swap_remove(1)
    }

    #[test]
    fn one_run_is_tested_on_the_same_samples() {
        assert_eq!(
            compared(78, 95),
            "At the end keep 0.50 recognises 29.5% of the same 1000 validation samples, 1.7 percentage points more than keep 1.00 \
             (95% interval of the difference: \u{2212}0.9 to 4.3; McNemar's exact test: p = 0.22). That can be chance."
        );
        let clear = compared(95, 40);
        assert!(clear.contains("5.5 percentage points fewer than keep 1.00"), "{clear}");
        assert!(
            clear.contains("p below 0.001). That is more than the choice of these samples explains;"),
            "{clear}"
        );
        let same = compared(50, 50);
        assert!(
            same.contains(", as many as keep 1.00 ") && same.contains("p = 1.00). That can be chance."),
            "{same}"
        );
    }

    #[test]
    fn one_network() {
        assert_eq!(
            told(&[(1.0, &[0.2, 0.984], &[0.306, 0.301])]),
            [
                "Keep 1.00 (no dropout) ends at 98.4% training and 30.1% validation accuracy, a gap of 68.3 percentage \
              points; its best validation accuracy is 30.6%, after the first iteration."
            ]
        );
        let below = told(&[(0.5, &[0.2], &[0.21])]);
        assert!(below[0].contains("training 1.0 percentage point below validation"), "{}", below[0]);
    }

    #[test]
    fn three_networks_and_ties() {
        let three = told(&[(1.0, &[0.9], &[0.3]), (0.5, &[0.8], &[0.3]), (0.25, &[0.7], &[0.2])]);
        assert_eq!(
            three[0],
            "Keep 1.00 over-fits most: at the end training accuracy is 60.0 percentage points above validation \
             accuracy; the other gaps are 50.0 (keep 0.50) and 50.0 (keep 0.25)."
        );
        assert_eq!(
            three[1],
            "The best validation accuracy, 30.0%, is reached by keep 1.00 after the first iteration and keep 0.50 \
             after the first iteration, against 20.0% for keep 0.25 after the first iteration."
        );
        let tied = told(&[(1.0, &[0.9], &[0.3]), (0.5, &[0.9], &[0.3]), (0.25, &[0.7], &[0.2])]);
        assert!(tied[0].starts_with("Keep 1.00 and keep 0.50 over-fit most:"), "{}", tied[0]);
        let many: Vec<(f64, &[f64], &[f64])> =
            [1.0, 0.8, 0.6, 0.4, 0.2].iter().map(|&k| (k, &[0.9][..], &[0.3][..])).collect();
        assert!(told(&many)[0].starts_with("All networks over-fit alike"));
    }

    #[test]
    fn nobody_over_fits() {
        let none = told(&[(0.9, &[0.3], &[0.35]), (0.5, &[0.2], &[0.3])]);
        assert!(none[0].starts_with("No network over-fits"), "{}", none[0]);
        assert!(none[0].contains("\u{2212}5.0"), "{}", none[0]);
    }

    #[test]
    fn what_is_not_finite_is_left_out_and_said() {
        let lost = told(&[(1.0, &[0.9], &[0.3]), (0.5, &[f64::NAN], &[f64::NAN])]);
        assert!(lost[0].starts_with("Keep 1.00 (no dropout) ends"), "{}", lost[0]);
        assert_eq!(lost[1], "Keep 0.50 has no finite accuracy at the end.");
        assert_eq!(told(&[(1.0, &[], &[])]), ["There are no finite accuracies to compare."]);
        assert_eq!(told(&[]), ["There are no finite accuracies to compare."]);
    }

    #[test]
    fn says_how_far_to_trust_it() {
        let told = sentences(&Figures::of(&outcome(&[(1.0, &[0.9], &[0.306])])), 1000);
        assert_eq!(
            told[1],
            "Measured on 1000 validation samples, an accuracy of 30.6% is known to about ±2.9 percentage points \
             (95%): smaller differences can be chance."
        );
        assert_eq!(sentences(&Figures::of(&outcome(&[(1.0, &[0.9], &[1.0])])), 10).len(), 1);
    }
}
