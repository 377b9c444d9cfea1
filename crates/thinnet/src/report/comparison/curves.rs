//! The plots: scores and losses over epochs, a curve a network.

use super::facts::ComparedRun;
use super::groups::{Group, Groups};
use crate::report::axis::Axis;
use crate::report::bands::banded;
use crate::report::chance::Chance;
use crate::report::look::{float, percent, words};
use crate::report::panels::{LossScale, Panel};
use crate::report::plot::{COLORS, Label};
use crate::sweep::Measure;
use crate::training::{Epoch, Score};

/// Networks that are drawn, at most: more curves than colours cannot be told apart.
pub(super) const MOST: usize = COLORS.len();

/// A plot before it is drawn.
pub(super) struct ComparedPlot {
    pub title: &'static str,
    /// What it shows, for people who cannot see it.
    pub words: String,
    pub panel: Panel,
}

/// Training or validation.
type Part = fn(&Epoch) -> &Score;
const PARTS: [Part; 2] = [|epoch| &epoch.train, |epoch| &epoch.val];

/// The networks that are drawn: the first and the best of the others, in their order.
pub(super) fn drawn<'g, 'a>(groups: &'g Groups<'a>) -> Vec<&'g Group<'a>> {
    let score = |group: &Group<'_>| {
        let scores = group.figures(|figures| figures.final_val_score);
        scores.map_or(f64::NEG_INFINITY, |scores| scores.iter().sum::<f64>() / scores.len() as f64)
    };
    let mut best: Vec<usize> = (1..groups.all.len()).collect();
    best.sort_by(|&a, &b| score(&groups.all[b]).total_cmp(&score(&groups.all[a]))); // stable
    best.truncate(MOST - 1);
    best.push(0);
    best.sort_unstable();
    best.into_iter().map(|place| &groups.all[place]).collect()
}

/// What the curves are called.
pub(super) fn legend(groups: &Groups<'_>) -> Vec<Label> {
    drawn(groups).into_iter().map(|group| group.label.clone()).enumerate().collect()
}

/// Scores of training and validation on one scale, and their losses, where epochs have them.
pub(super) fn plots(groups: &Groups<'_>) -> Vec<ComparedPlot> {
    let score: fn(&Score) -> Option<f64> = match groups.measure {
        Measure::Accuracy => |score| score.accuracy,
        Measure::R2 => |score| score.r2,
    };
    let titles = match groups.measure {
        Measure::Accuracy => ["Train accuracy", "Val accuracy"],
        Measure::R2 => ["Train R squared", "Val R squared"],
    };
    let show = if groups.measure == Measure::Accuracy { percent } else { float };
    let classes: Vec<Option<usize>> =
        groups.all.iter().flat_map(|group| &group.runs).map(|run| run.classes).collect();
    let chance = classes[0]
        .filter(|_| groups.measure == Measure::Accuracy && classes.iter().all(|c| *c == classes[0]));
    let chance = chance.and_then(Chance::of);
    let scores = values(groups, score).into_iter();
    let axis = if groups.measure == Measure::Accuracy {
        Chance::axis(chance.as_ref(), scores)
    } else {
        Axis::plain(scores)
    };
    let mut plots: Vec<ComparedPlot> = titles
        .into_iter()
        .zip(PARTS)
        .map(|(title, part)| plot(groups, title, "", axis.clone(), part, score, |value| value, show))
        .collect();
    for plot in &mut plots {
        plot.panel.chance.clone_from(&chance);
    }
    let loss: fn(&Score) -> Option<f64> = |score| Some(score.loss);
    let scale = LossScale::of(values(groups, loss).into_iter());
    let losses = ["Train loss", "Val loss"].into_iter().zip(PARTS).map(|(title, part)| {
        plot(groups, title, scale.text(), scale.axis.clone(), part, loss, |value| scale.place(value), float)
    });
    // Experiments know the loss of their end alone, which makes no curve.
    plots.extend(
        losses.filter(|plot| plot.panel.curves.iter().flat_map(|curve| &curve.runs).any(|run| run.len() > 1)),
    );
    plots
}

/// All values of a figure, to be on one axis.
fn values(groups: &Groups<'_>, figure: fn(&Score) -> Option<f64>) -> Vec<f64> {
    let epochs = drawn(groups).into_iter().flat_map(|group| &group.runs).flat_map(|run| &run.history.epochs);
    epochs.flat_map(|epoch| PARTS.map(|part| figure(part(epoch)))).flatten().collect()
}

/// One plot; `place` is where a value is on the axis.
#[allow(clippy::too_many_arguments)]
fn plot(
    groups: &Groups<'_>,
    title: &'static str,
    y_text: &'static str,
    axis: Axis,
    part: Part,
    figure: fn(&Score) -> Option<f64>,
    place: impl Fn(f64) -> f64,
    show: fn(f64) -> String,
) -> ComparedPlot {
    let (mut series, mut bands, mut told) = (Vec::new(), Vec::new(), Vec::new());
    let groups = drawn(groups);
    for (style, group) in groups.iter().enumerate() {
        let points = |epoch: &Epoch| (epoch.epoch, figure(part(epoch)).unwrap_or(f64::NAN));
        let run = |run: &&ComparedRun| run.history.epochs.iter().map(points).collect::<Vec<_>>();
        let runs: Vec<_> = group.runs.iter().map(run).collect();
        let (mean, _) = banded(style, &group.label, &runs);
        told.push((group.label.as_str(), mean.values.iter().map(|(_, value)| *value).collect()));
        let placed: Vec<Vec<_>> = runs
            .iter()
            .map(|run| run.iter().map(|&(epoch, value)| (epoch, place(value))).collect())
            .collect();
        let (curve, band) = banded(style, &group.label, &placed);
        series.push(curve);
        bands.extend(band);
    }
    let first = series.iter().flat_map(|series| &series.values).map(|(epoch, _)| *epoch).min().unwrap_or(1);
    ComparedPlot {
        title,
        words: words(&format!("{title} over epochs"), told.into_iter(), show),
        panel: Panel { bands, ..Panel::over_epochs(y_text, first, axis, series) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::facts::samples::{run, run_of};

    #[test]
    fn the_first_network_and_the_best_of_many_are_drawn() {
        let runs: Vec<_> =
            (0..10u32).map(|n| run("r", 0.05 + f64::from(n) / 20.0, 1, f64::from(n) / 10.0)).collect();
        let groups = Groups::of(&runs).unwrap();
        let labels: Vec<_> = legend(&groups).into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["keep 0.05", "keep 0.3", "keep 0.35", "keep 0.4", "keep 0.45", "keep 0.5"]);
    }

    #[test]
    fn seeds_are_a_mean_with_a_band_and_losses_are_drawn_where_epochs_have_them() {
        let runs = [
            run_of("a", 1.0, 1, &[0.1, 0.2]),
            run_of("b", 1.0, 2, &[0.3, 0.5]),
            run_of("c", 0.5, 1, &[0.2, 0.4, 0.6]),
        ];
        let groups = Groups::of(&runs).unwrap();
        let plots = plots(&groups);
        let titles: Vec<_> = plots.iter().map(|plot| plot.title).collect();
        assert_eq!(titles, ["Train accuracy", "Val accuracy", "Train loss", "Val loss"]);
        let val = &plots[1].panel;
        assert_eq!(val.curves[0].runs, [vec![(1.0, 0.2), (2.0, 0.35)]]);
        assert_eq!(val.bands.len(), 1);
        assert_eq!(val.bands[0].edges, [(1.0, 0.1, 0.3), (2.0, 0.2, 0.5)]);
        assert_eq!(val.y, plots[0].panel.y, "one scale for training and validation");
        assert_eq!(val.chance.as_ref().map(|chance| chance.at), Some(0.1));
        assert!(plots[1].words.contains("keep 0.5 from 20.0% to 60.0%"), "{}", plots[1].words);
    }
}
