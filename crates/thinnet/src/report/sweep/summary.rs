//! What a sweep shows, in sentences.

use crate::report::look::percent;
use crate::sweep::{Measure, Plan, Stat, Table};

/// The sentences, the most important first.
pub(super) fn sentences(plan: &Plan, table: &Table) -> Vec<String> {
    let mut sentences = Vec::new();
    let scored: Vec<_> = table.rows.iter().filter_map(|row| Some((row, row.best?))).collect();
    if let Some(&(row, best)) = scored.first() {
        let name = plan.label(row.point);
        let figure = format!("{} {}", score(table.measure, best), measure(table.measure));
        sentences.push(match scored.len() {
            1 => format!("With {name}: {figure}{}.", over(table.measure, best)),
            _ => format!("Best is {name}: {figure}{}.", over(table.measure, best)),
        });
        if row.failed > 0 {
            sentences.push(format!("{} of its {} runs failed.", row.failed, plan.config.seeds));
        }
        if let Some(&(row, next)) = scored.get(1) {
            sentences.push(ahead(table.measure, best, &plan.label(row.point), next));
        }
        if scored.len() > 1 {
            sentences.push(
                "The best of many points owes something to luck: judge it by samples that took no part in the choice."
                    .to_owned(),
            );
        }
    } else {
        sentences.push("No run has a score yet.".to_owned());
    }
    sentences.extend(table.missing());
    sentences
}

/// How far the best is ahead of the next, and whether that is more than seeds move either.
fn ahead(measure: Measure, best: Stat, name: &str, next: Stat) -> String {
    let behind = best.mean - next.mean;
    // Compared as they are printed, so that no sentence calls two figures different that look alike.
    let printed = |value: f64| match measure {
        Measure::Accuracy => (value * 1e3).round(),
        Measure::R2 => (value * 1e4).round(),
    };
    if printed(behind) <= 0.0 {
        return format!("The next, {name}, is level with it.");
    }
    let distance = size(measure, behind, "percentage points");
    let Some(spread) = spread(best, next) else {
        return format!(
            "The next, {name}, is {distance} behind; with one seed a point it is unknown whether that is more than chance."
        );
    };
    let shown = size(measure, spread, "points");
    let verdict = if printed(behind) > printed(spread) {
        format!("more than the spread over seeds (a standard deviation of {shown})")
    } else {
        format!("no more than the spread over seeds (a standard deviation of {shown}), so it may be chance")
    };
    format!("The next, {name}, is {distance} behind: {verdict}.")
}

/// The standard deviation of both points together: the root of the mean of their variances.
fn spread(a: Stat, b: Stat) -> Option<f64> {
    match (a.sd, b.sd) {
        (Some(a), Some(b)) => Some(f64::midpoint(a * a, b * b).sqrt()),
        (Some(sd), None) | (None, Some(sd)) => Some(sd),
        (None, None) => None,
    }
}

fn measure(measure: Measure) -> &'static str {
    match measure {
        Measure::Accuracy => "validation accuracy",
        Measure::R2 => "of the validation targets' variance explained (R squared)",
    }
}

fn score(measure: Measure, stat: Stat) -> String {
    match measure {
        Measure::Accuracy => percent(stat.mean),
        Measure::R2 => format!("{:.4}", stat.mean),
    }
}

/// ", the mean of 3 seeds with a standard deviation of 0.6 points".
fn over(measure: Measure, stat: Stat) -> String {
    let Some(sd) = stat.sd else { return ", with one seed".to_owned() };
    let sd = size(measure, sd, "points");
    format!(", the mean of {} seeds with a standard deviation of {sd}", stat.count)
}

/// A difference of scores, or how they spread: accuracies in points of this name.
fn size(measure: Measure, size: f64, points: &str) -> String {
    match measure {
        Measure::Accuracy => format!("{:.1} {points}", size * 100.0),
        Measure::R2 => format!("{size:.4}"),
    }
}
