//! What the plots show: curves and axes, not yet drawn; and those of an experiment's outcome.

use super::axis::Axis;
use super::chance::Chance;
use super::figures::{epoch, labels};
use crate::training::experiment::Outcome;

/// A loss curve with more iterations than this is drawn faint, with its moving average over it.
const MANY: usize = 60;
/// No curve has more points than this: a plot is some 1000 pixels wide.
const MOST_POINTS: usize = 600;

/// A point of a curve, in the axes' units.
pub(crate) type Point = (f64, f64);

/// One line of a plot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    /// Decides colour, dashes and marker; a plot's curves of one style are one thing.
    pub style: usize,
    /// What it is called.
    pub name: String,
    /// Its runs of finite points; between two of them something was not finite.
    pub runs: Vec<Vec<Point>>,
    /// What it was smoothed from, for whoever smooths it otherwise.
    pub means: Vec<Vec<Point>>,
    /// Drawn pale and thin, as a background to a smoothed one.
    pub faint: bool,
    /// Whether each point has a marker.
    pub markers: bool,
}

/// A strip behind the curves of its style.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Band {
    /// As of [`Curve`].
    pub style: usize,
    /// What it is called.
    pub name: String,
    /// Places with the lower and the upper edge there; all finite.
    pub edges: Vec<(f64, f64, f64)>,
}

/// One plot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Panel {
    /// What stands under the horizontal axis.
    pub x_text: &'static str,
    /// What stands beside the vertical axis.
    pub y_text: &'static str,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// The accuracy of guessing.
    pub chance: Option<Chance>,
    /// Curves, the last on top.
    pub curves: Vec<Curve>,
    /// Strips behind all curves.
    pub bands: Vec<Band>,
}

/// Figures over epochs, which become a curve.
pub(crate) struct Series {
    /// As of [`Curve`].
    pub style: usize,
    /// What it is called.
    pub name: String,
    /// Each with its epoch.
    pub values: Vec<(usize, f64)>,
}

/// Which accuracies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Images {
    /// Of training samples.
    Train,
    /// Of validation samples.
    Val,
}

impl Panel {
    /// Accuracies over epochs, one curve a network; training and validation are drawn on one scale, side by side.
    pub(crate) fn accuracies(outcome: &Outcome, images: Images) -> Self {
        let chance = Chance::of(outcome.settings.classes.len());
        let histories = outcome.networks.iter().map(|network| &network.history);
        let both = histories.clone().flat_map(|h| h.train_accuracy.iter().chain(&h.val_accuracy).copied());
        let y = Chance::axis(chance.as_ref(), both);
        let series = names(outcome).zip(histories).enumerate().map(|(style, (name, history))| {
            let values =
                if images == Images::Train { &history.train_accuracy } else { &history.val_accuracy };
            let values = values.iter().enumerate().map(|(check, &value)| (epoch(history, check), value));
            Series { style, name, values: values.collect() }
        });
        Self { chance, ..Self::over_epochs("Accuracy", 0, y, series.collect()) }
    }

    /// Any figures over epochs, the first of which is `first`.
    pub(crate) fn over_epochs(y_text: &'static str, first: usize, y: Axis, series: Vec<Series>) -> Self {
        let last = series.iter().flat_map(|series| &series.values).map(|(epoch, _)| *epoch).max();
        let curve = |series: Series| Curve {
            style: series.style,
            name: series.name,
            means: Vec::new(),
            runs: finite_runs(&series.values).into_iter().map(thinned).collect(),
            faint: false,
            markers: true,
        };
        Self {
            x_text: "Epoch",
            y_text,
            x: Axis::counts(first, last.unwrap_or(first)),
            y,
            chance: None,
            curves: series.into_iter().map(curve).collect(),
            bands: Vec::new(),
        }
    }

    /// Losses over iterations of an experiment, one curve a network.
    pub(crate) fn losses(outcome: &Outcome) -> Self {
        let names: Vec<String> = names(outcome).collect();
        let networks = outcome.networks.iter().zip(&names).enumerate();
        let series = networks.map(|(n, (run, name))| (n, name.as_str(), run.history.loss.as_slice()));
        Self::step_losses("Iteration", series.collect())
    }

    /// Losses over steps, each curve with its style and name; on a logarithmic scale if they span more than a factor of 30.
    pub(crate) fn step_losses(x_text: &'static str, series: Vec<(usize, &str, &[f64])>) -> Self {
        let scale = LossScale::of(series.iter().flat_map(|(.., losses)| *losses).copied());
        let last = series.iter().map(|(.., losses)| losses.len()).max().unwrap_or(1);

        let (mut faint, mut clear) = (Vec::new(), Vec::new());
        for (style, name, losses) in series {
            let curve = Curve {
                style,
                name: name.to_owned(),
                runs: Vec::new(),
                means: Vec::new(),
                faint: false,
                markers: false,
            };
            let losses: Vec<(usize, f64)> = (1..).zip(losses.iter().map(|&loss| scale.place(loss))).collect();
            let runs = finite_runs(&losses);
            if losses.len() > MANY {
                let smooth = runs.iter().map(|run| smoothed(run, losses.len() / 20)).collect();
                let means = runs.iter().map(|run| averaged(run)).collect();
                clear.push(Curve { runs: smooth, means, ..curve.clone() });
                let thin = runs.into_iter().map(thinned).collect();
                faint.push(Curve { runs: thin, faint: true, ..curve });
            } else {
                clear.push(Curve { runs, markers: losses.len() <= 1, ..curve });
            }
        }
        faint.extend(clear);
        Self {
            x_text,
            y_text: scale.text(),
            x: Axis::counts(1, last),
            y: scale.axis,
            chance: None,
            curves: faint,
            bands: Vec::new(),
        }
    }

    /// The line of chance, if the axis reaches to it.
    pub(crate) fn chance_line(&self) -> Option<&Chance> {
        self.chance.as_ref().filter(|chance| (self.y.low..=self.y.high).contains(&chance.at))
    }

    /// Whether some curve is drawn faint with a smoothed one over it.
    pub(crate) fn is_smoothed(&self) -> bool {
        self.curves.iter().any(|c| c.faint)
    }
}

/// The scale that losses are drawn on.
pub(crate) struct LossScale {
    logarithmic: bool,
    /// Their axis.
    pub axis: Axis,
}

impl LossScale {
    /// A logarithmic one if the losses span more than a factor of 30.
    pub(crate) fn of(losses: impl Iterator<Item = f64>) -> Self {
        let losses: Vec<f64> = losses.filter(|loss| loss.is_finite()).collect();
        let (low, high) = losses.iter().fold((f64::INFINITY, 0.0), |(a, b), &v| (v.min(a), v.max(b)));
        let logarithmic = low > 0.0 && high / low > 30.0;
        let axis = if logarithmic {
            Axis::log_losses(losses.into_iter().map(f64::log10))
        } else {
            Axis::losses(losses.into_iter())
        };
        Self { logarithmic, axis }
    }

    /// Where a loss is on the axis.
    pub(crate) fn place(&self, loss: f64) -> f64 {
        if self.logarithmic { loss.log10() } else { loss }
    }

    /// What stands beside the axis.
    pub(crate) fn text(&self) -> &'static str {
        if self.logarithmic { "Loss (log scale)" } else { "Loss" }
    }
}

/// What the networks' curves are called.
fn names(outcome: &Outcome) -> impl Iterator<Item = String> {
    labels(outcome).into_iter().map(|label| format!("keep {label}"))
}

/// The runs of finite values, each value with its count.
fn finite_runs(values: &[(usize, f64)]) -> Vec<Vec<Point>> {
    let points: Vec<Point> = values.iter().map(|&(count, v)| (count as f64, v)).collect();
    points.split(|(_, v)| !v.is_finite()).filter(|run| !run.is_empty()).map(<[Point]>::to_vec).collect()
}

/// At most `MOST_POINTS` points with the same outline: of each bucket its lowest and its highest.
fn thinned(run: Vec<Point>) -> Vec<Point> {
    if run.len() <= MOST_POINTS {
        return run;
    }
    let mut thin = Vec::with_capacity(MOST_POINTS);
    for bucket in run.chunks(run.len().div_ceil(MOST_POINTS / 2)) {
        let by_value = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
        let (low, high) = (bucket.iter().min_by(by_value), bucket.iter().max_by(by_value));
        let (Some(&low), Some(&high)) = (low, high) else { continue };
        if low.0 < high.0 {
            thin.extend([low, high]);
        } else if high.0 < low.0 {
            thin.extend([high, low]);
        } else {
            thin.push(low);
        }
    }
    thin
}

/// At most `MOST_POINTS` points: of each bucket its means.
fn averaged(run: &[Point]) -> Vec<Point> {
    let mean = |bucket: &[Point]| {
        let count = bucket.len() as f64;
        (bucket.iter().map(|p| p.0 / count).sum(), bucket.iter().map(|p| p.1 / count).sum())
    };
    run.chunks(run.len().div_ceil(MOST_POINTS).max(1)).map(mean).collect()
}

/// The centred moving average over `width` points (made odd; narrower towards the ends, where it stops at five), at no
/// more than `MOST_POINTS / 2` places.
fn smoothed(run: &[Point], width: usize) -> Vec<Point> {
    const LEAST: usize = 2;
    let half = (width / 2).max(LEAST);
    let every = run.len().div_ceil(MOST_POINTS / 2).max(1);
    let end = run.len().saturating_sub(LEAST);
    (LEAST..end)
        .filter(|i| i % every == 0 || i + 1 == end)
        .map(|i| {
            let reach = half.min(i).min(run.len() - 1 - i); // as far to the left as to the right: no bias on a slope
            let window = &run[i - reach..=i + reach];
            let count = window.len() as f64;
            (run[i].0, window.iter().map(|p| p.1 / count).sum())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::outcome;

    #[test]
    fn a_curve_breaks_where_it_is_not_finite() {
        let outcome = outcome(&[(1.0, &[0.1, f64::NAN, 0.3, 0.4], &[f64::INFINITY])]);
        let train = Panel::accuracies(&outcome, Images::Train);
        assert_eq!(train.curves[0].runs, [vec![(0.0, 0.1)], vec![(2.0, 0.3), (3.0, 0.4)]]);
        assert!(Panel::accuracies(&outcome, Images::Val).curves[0].runs.is_empty());
    }

    #[test]
    fn training_and_validation_share_a_scale_that_shows_chance() {
        let outcome = outcome(&[(1.0, &[0.2, 0.9], &[0.15, 0.3])]);
        let [train, val] = [Images::Train, Images::Val].map(|images| Panel::accuracies(&outcome, images));
        assert_eq!(train.y, val.y);
        let chance = val.chance.unwrap();
        assert_eq!((chance.at, chance.text.as_str()), (0.1, "chance 10%"));
        assert!(val.y.low < 0.1 && val.y.high > 0.9);
    }

    #[test]
    fn the_scale_of_losses_follows_their_span() {
        let mut outcome = outcome(&[(1.0, &[0.1], &[0.1])]);
        for (losses, text) in [
            (vec![17.0, 0.03], "Loss (log scale)"),
            (vec![2.3, 1.1], "Loss"),
            (vec![17.0, 0.0], "Loss"),
            (vec![], "Loss"),
            (vec![f64::NAN], "Loss"),
        ] {
            outcome.networks[0].history.loss = losses;
            assert_eq!(Panel::losses(&outcome).y_text, text);
        }
    }

    #[test]
    fn many_losses_are_thinned_and_smoothed() {
        let mut outcome = outcome(&[(1.0, &[0.1], &[0.1])]);
        outcome.networks[0].history.loss = (0..100_000u32).map(|i| 1.0 + f64::from(i % 7)).collect();
        let panel = Panel::losses(&outcome);
        assert!(panel.is_smoothed());
        let [faint, clear] = &panel.curves[..] else { panic!("two curves") };
        assert!(faint.faint && faint.runs[0].len() <= MOST_POINTS + 2);
        let lowest = faint.runs[0].iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
        let highest = faint.runs[0].iter().map(|p| p.1).fold(0.0, f64::max);
        assert!((lowest - 1.0).abs() < 1e-9 && (highest - 7.0).abs() < 1e-9);
        assert!(clear.runs[0].len() <= MOST_POINTS / 2 + 1);
        assert!(clear.runs[0][1..299].iter().all(|p| (p.1 - 4.0).abs() < 0.1));
    }

    #[test]
    fn smoothing_keeps_a_straight_line() {
        let line: Vec<Point> = (0..100).map(|i| (f64::from(i), 2.0 * f64::from(i))).collect();
        assert_eq!(smoothed(&line, 10).len(), 96);
        assert!(smoothed(&line[..4], 10).is_empty());
        for (x, y) in smoothed(&line, 10) {
            assert!((y - 2.0 * x).abs() < 1e-9, "{x} {y}");
        }
    }
}
