//! How far a regression's intervals can be trusted, as an evaluation's page shows it.

use super::axis::Axis;
use super::look::{Entry, Plot, float, legend, percent, words};
use super::panels::{Curve, Panel, Point};
use super::plot::{DrawingError, Label};
use crate::model::{IntervalKind, TargetFigures};

/// So many targets have a curve: more could not be told apart.
const CURVES: usize = 3;

/// What the template shows.
pub(super) struct IntervalsPage {
    pub sentences: Vec<String>,
    pub legend: Vec<Entry>,
    pub plots: Vec<Plot>,
    /// Target and kind; coverage, share inside, mean width.
    pub rows: Vec<(String, [String; 3])>,
    /// Target and probability; share below, loss.
    pub quantiles: Vec<(String, [String; 2])>,
}

/// The word for a kind of interval.
pub fn kind_name(kind: IntervalKind) -> &'static str {
    match kind {
        IntervalKind::Conformal => "conformal",
        IntervalKind::Normal => "from the noise",
        IntervalKind::Quantiles => "between the quantiles",
    }
}

impl IntervalsPage {
    /// The page's part; `None` if no target has intervals.
    pub(super) fn new(targets: &[TargetFigures]) -> Result<Option<Self>, DrawingError> {
        let has_any =
            |target: &TargetFigures| !target.spread.intervals.is_empty() || target.spread.noise.is_some();
        if !targets.iter().any(has_any) {
            return Ok(None);
        }
        let noise = targets.iter().filter_map(|target| {
            let noise = target.spread.noise.as_ref()?;
            Some(format!(
                "For {}, the mean log-likelihood is {}, and the standard deviations are {} (root mean square). On average over \
                 coverages, the share inside differs from the coverage by {}.",
                target.name,
                float(noise.log_likelihood),
                float(noise.sharpness),
                percent(noise.calibration_error)
            ))
        });
        let (labels, curves) = curves(targets);
        let rows = targets.iter().flat_map(|target| {
            target.spread.intervals.iter().map(|own| {
                let cells = [percent(own.coverage), percent(own.inside), float(own.width)];
                (format!("{}, {}", target.name, kind_name(own.kind)), cells)
            })
        });
        let quantiles = targets.iter().flat_map(|target| {
            target.spread.quantiles.iter().map(|own| {
                (
                    format!("{}, quantile {}", target.name, own.probability),
                    [percent(own.below), float(own.loss)],
                )
            })
        });
        Ok(Some(Self {
            sentences: noise.collect(),
            legend: legend(&labels)?,
            plots: if curves.len() > 1 { vec![plot(curves)?] } else { Vec::new() },
            rows: rows.collect(),
            quantiles: quantiles.collect(),
        }))
    }
}

/// The curves of the first targets, with what they are called, and the line on which they should be.
fn curves(targets: &[TargetFigures]) -> (Vec<Label>, Vec<Curve>) {
    let mut named: Vec<(String, Vec<Point>)> = Vec::new();
    for target in targets.iter().take(CURVES) {
        for kind in [IntervalKind::Conformal, IntervalKind::Normal] {
            let own = target.spread.curve.iter().filter(|own| own.kind == kind);
            let points: Vec<Point> = own.map(|own| (own.coverage, own.inside)).collect();
            if !points.is_empty() {
                named.push((format!("{}, {}", target.name, kind_name(kind)), points));
            }
        }
    }
    named.insert(0, ("exactly right".to_owned(), vec![(0.0, 0.0), (1.0, 1.0)]));
    let labels = named.iter().map(|(name, _)| name.clone()).enumerate().collect();
    let curve = |(style, (name, points))| Curve {
        style,
        name,
        runs: vec![points],
        means: Vec::new(),
        faint: false,
        markers: style > 0,
    };
    (labels, named.into_iter().enumerate().map(curve).collect())
}

fn plot(curves: Vec<Curve>) -> Result<Plot, DrawingError> {
    let told = curves.iter().skip(1).map(|curve| {
        let inside = curve.runs.iter().flatten().map(|point| point.1).collect();
        (curve.name.as_str(), inside)
    });
    let told = words("Share inside over coverage", told, percent);
    let whole = || [0.0, 1.0].into_iter();
    let panel = Panel {
        x_text: "Coverage that is asked for",
        y_text: "Share of truths inside",
        x: Axis::accuracies(whole()),
        y: Axis::accuracies(whole()),
        chance: None,
        curves,
        bands: Vec::new(),
    };
    let caption = "Below the line intervals are too narrow, above it wider than they need to be.";
    Ok(Plot { caption: caption.to_owned(), ..Plot::new("Coverage", told, &panel)? })
}
