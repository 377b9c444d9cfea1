//! What a comparison shows, in sentences.

use super::groups::{Group, Groups};
use crate::report::figures::Tenths;
use crate::report::look::percent;
use crate::report::paired::Estimate;
use crate::report::summary::{capital, points};
use crate::sweep::{Measure, RunFigures, Stat};

/// The sentences, the most important first.
pub(super) fn sentences(groups: &Groups<'_>) -> Vec<String> {
    let mut sentences = Vec::new();
    let mean = |group: &Group<'_>| {
        let scores = group.runs.iter().filter_map(|run| run.figures()?.final_val_score);
        Stat::of(scores)
    };
    let mut scored: Vec<(usize, Stat)> =
        groups.all.iter().enumerate().filter_map(|(place, group)| Some((place, mean(group)?))).collect();
    scored.sort_by(|a, b| b.1.mean.total_cmp(&a.1.mean)); // stable
    match scored[..] {
        [] => sentences.push("No run has finished an epoch yet.".to_owned()),
        [(place, stat)] if groups.all.len() > 1 => sentences.push(format!(
            "Only {} has finished an epoch: {}.",
            groups.all[place].label,
            score(groups, stat)
        )),
        [(place, stat), ..] => {
            sentences.push(format!(
                "{} has the highest validation {} at the end of training: {}.",
                capital(&groups.all[place].label),
                score_name(groups.measure),
                score(groups, stat)
            ));
            // The best is judged beside the first; the first itself beside the next.
            let other = if place == 0 { scored.get(1).map(|(next, _)| *next) } else { Some(0) };
            sentences.extend(other.map(|other| against(groups, place, other)));
        }
    }
    if groups.same_samples == Some(false) {
        sentences.push(
            "Not all runs have the same samples, so their figures are not measured on the same validation samples.".to_owned(),
        );
    }
    if groups.all.len() > 2 && !scored.is_empty() {
        sentences.push(
            "The best of several owes something to luck: judge it by samples that took no part in the choice.".to_owned(),
        );
    }
    sentences.extend(groups.table(Vec::new(), |_| Vec::new()).missing());
    sentences
}

/// How far the best is above another network, and whether that is more than chance.
fn against(groups: &Groups<'_>, best: usize, other: usize) -> String {
    let figure = |figures: &RunFigures| figures.final_val_score;
    let (best, other) = (&groups.all[best], &groups.all[other]);
    let count = groups.comparisons();
    let Some(estimate) = best.minus(other, figure, count) else {
        return format!(
            "One run of a network cannot tell a difference from chance: train each with several seeds, as `thinnet sweep --seeds 5` \
             does. Here it is {} beside {}.",
            scores(groups, best),
            scores(groups, other),
        );
    };
    let at_once = if count > 1 { format!(", as one of {count} comparisons") } else { String::new() };
    let verdict = if estimate.is_clear() {
        "That is more than chance."
    } else {
        "These seeds do not tell that from chance."
    };
    format!(
        "It is {} above {} (95% interval: {}{at_once}). {verdict}",
        size(groups.measure, estimate.mean),
        other.label,
        interval(groups.measure, estimate),
    )
}

fn score_name(measure: Measure) -> &'static str {
    match measure {
        Measure::Accuracy => "accuracy",
        Measure::R2 => "R squared",
    }
}

/// "31.6%, the mean of 5 seeds".
fn score(groups: &Groups<'_>, stat: Stat) -> String {
    let mean = value(groups.measure, stat.mean);
    if stat.count > 1 { format!("{mean}, the mean of {} seeds", stat.count) } else { mean }
}

fn scores(groups: &Groups<'_>, group: &Group<'_>) -> String {
    let stat = group.figures(|figures| figures.final_val_score).and_then(Stat::of);
    format!(
        "{} for {}",
        stat.map_or_else(|| "no figure".to_owned(), |stat| value(groups.measure, stat.mean)),
        group.label
    )
}

fn value(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Accuracy => percent(value),
        Measure::R2 => format!("{value:.4}"),
    }
}

fn size(measure: Measure, size: f64) -> String {
    match measure {
        Measure::Accuracy => points(Tenths::of(size)),
        Measure::R2 => format!("{size:.4}"),
    }
}

/// "1.5 to 2.9", in percentage points for accuracies.
pub(super) fn interval(measure: Measure, estimate: Estimate) -> String {
    let [low, high] = [estimate.low, estimate.high].map(|end| match measure {
        Measure::Accuracy => Tenths::of(end).to_string(),
        Measure::R2 => format!("{end:.4}"),
    });
    format!("{low} to {high}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::facts::ComparedRun;
    use crate::report::comparison::facts::samples::{run, run_of};

    fn told(runs: &[ComparedRun]) -> Vec<String> {
        sentences(&Groups::of(runs).unwrap())
    }

    /// Runs of seeds from 1 upwards with these validation accuracies.
    fn seeds<const N: usize>(keep: f64, scores: [f64; N]) -> impl Iterator<Item = ComparedRun> {
        (1..).zip(scores).map(move |(seed, score)| run("r", keep, seed, score))
    }

    #[test]
    fn a_difference_over_seeds_has_its_interval() {
        let base = [0.30, 0.31, 0.30, 0.29, 0.30];
        let runs: Vec<_> = seeds(1.0, base).chain(seeds(0.5, [0.31, 0.34, 0.32, 0.34, 0.34])).collect();
        let told = told(&runs);
        assert_eq!(
            told[0],
            "Keep 0.5 has the highest validation accuracy at the end of training: 33.0%, the mean of 5 seeds."
        );
        assert_eq!(
            told[1],
            "It is 3.0 percentage points above keep 1 (95% interval: 1.0 to 5.0). That is more than chance."
        );
        assert_eq!(told.len(), 2, "{told:?}");
        let more: Vec<_> = runs.into_iter().chain(seeds(0.25, [0.1; 5])).collect();
        let told = self::told(&more);
        // 1 - 0.05 / 2: SciPy's interval is 0.53 to 5.47.
        assert!(told[1].contains("(95% interval: 0.5 to 5.5, as one of 2 comparisons)"), "{}", told[1]);
        assert!(told[2].starts_with("The best of several owes something to luck"), "{}", told[2]);
    }

    #[test]
    fn one_run_each_proves_nothing() {
        let told = told(&[run("a", 1.0, 1, 0.3), run("b", 0.5, 1, 0.25)]);
        assert_eq!(told[0], "Keep 1 has the highest validation accuracy at the end of training: 30.0%.");
        assert!(told[1].contains("cannot tell a difference from chance"), "{}", told[1]);
        assert!(told[1].ends_with("30.0% for keep 1 beside 25.0% for keep 0.5."), "{}", told[1]);
    }

    #[test]
    fn what_is_not_there_yet_is_said() {
        let runs = [run_of("a", 1.0, 1, &[]), run_of("b", 0.5, 1, &[])];
        assert_eq!(told(&runs), ["No run has finished an epoch yet.", "2 of 2 runs are unfinished."]);
        let runs = [run_of("a", 1.0, 1, &[]), run("b", 0.5, 1, 0.5)];
        assert_eq!(told(&runs)[0], "Only keep 0.5 has finished an epoch: 50.0%.");
    }

    #[test]
    fn other_samples_are_told() {
        let mut runs = [run("a", 1.0, 1, 0.3), run("b", 0.5, 1, 0.25)];
        (runs[0].samples, runs[1].samples) = (Some("x".to_owned()), Some("y".to_owned()));
        assert!(told(&runs).iter().any(|told| told.starts_with("Not all runs have the same samples")));
    }
}
