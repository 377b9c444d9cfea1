//! One pass with scaled weights compared with averages over masks, as an evaluation's page shows it.

use super::axis::Axis;
use super::look::{Entry, Plot, float, legend, percent, words};
use super::panels::{Curve, Panel, Point};
use super::plot::{DrawingError, Label};
use crate::model::{Averages, OverMasks, Quality};

/// The styles of curves, and what they are called.
const SCALING: (usize, &str) = (0, "weight scaling, one pass");
const ARITHMETIC: (usize, &str) = (1, "mean over masks");
const GEOMETRIC: (usize, &str) = (2, "geometric mean over masks");

/// A figure of a kind of prediction: its name, what it is, and how it is shown.
type Figure = (&'static str, fn(&Quality) -> Option<f64>, fn(f64) -> String);

const FIGURES: [Figure; 3] = [
    ("Accuracy", |quality| quality.accuracy, percent),
    ("Log loss", |quality| quality.log_loss, float),
    ("RMSE in scaled units", |quality| quality.rmse, float),
];

/// What the template shows.
pub(super) struct AveragesPage {
    pub seed: u64,
    pub legend: Vec<Entry>,
    pub plots: Vec<Plot>,
    pub columns: Vec<String>,
    pub rows: Vec<(String, Vec<String>)>,
}

impl AveragesPage {
    pub(super) fn new(averages: &Averages) -> Result<Self, DrawingError> {
        let geometric = averages.over.iter().any(|over| over.geometric.is_some());
        let shown = FIGURES.into_iter().filter(|(_, figure, _)| figure(&averages.scaling).is_some());
        let shown: Vec<Figure> = shown.collect();
        let kinds = [Some(ARITHMETIC), geometric.then_some(GEOMETRIC)].into_iter().flatten();
        let styles: Vec<(usize, &str)> = [SCALING].into_iter().chain(kinds.clone()).collect();
        let labels: Vec<Label> = styles.iter().map(|&(style, name)| (style, name.to_owned())).collect();
        let columns =
            kinds.flat_map(|(_, kind)| shown.iter().map(move |(name, ..)| format!("{name}, {kind}")));
        let cells = |quality: &Quality| {
            shown
                .iter()
                .map(|(_, figure, show)| figure(quality).map_or_else(String::new, show))
                .collect::<Vec<_>>()
        };
        let row = |over: &OverMasks| {
            let geometric = over.geometric.as_ref().map(cells).unwrap_or_default();
            (over.masks.to_string(), [cells(&over.arithmetic), geometric].concat())
        };
        let scaling = cells(&averages.scaling);
        let first = if geometric { [scaling.clone(), scaling].concat() } else { scaling };
        let rows = [("none: weight scaling".to_owned(), first)].into_iter();
        Ok(Self {
            seed: averages.seed,
            legend: legend(&labels)?,
            plots: shown.iter().map(|figure| plot(averages, figure)).collect::<Result<_, _>>()?,
            columns: columns.collect(),
            rows: rows.chain(averages.over.iter().map(row)).collect(),
        })
    }
}

fn plot(averages: &Averages, (name, figure, show): &Figure) -> Result<Plot, DrawingError> {
    let of = |kind: fn(&OverMasks) -> Option<Quality>| -> Vec<Point> {
        let point = |over: &OverMasks| Some(((over.masks as f64).log10(), figure(&kind(over)?)?));
        averages.over.iter().filter_map(point).collect()
    };
    let (arithmetic, geometric) = (of(|over| Some(over.arithmetic)), of(|over| over.geometric));
    let ends = [arithmetic.first(), arithmetic.last()].into_iter().flatten();
    let level = figure(&averages.scaling).unwrap_or(f64::NAN);
    let scaling: Vec<Point> = ends.map(|(at, _)| (*at, level)).collect();
    let named = [(SCALING, scaling), (ARITHMETIC, arithmetic), (GEOMETRIC, geometric)];
    let told = named.iter().map(|((_, name), points)| (*name, points.iter().map(|point| point.1).collect()));
    let told = words(&format!("{name} over the number of masks"), told, show);
    let values = || named.iter().flat_map(|(_, points)| points.iter().map(|point| point.1));
    let is_accuracy = *name == "Accuracy";
    let curve = |((style, name), points): ((usize, &str), Vec<Point>)| Curve {
        style,
        name: name.to_owned(),
        markers: style != SCALING.0,
        runs: vec![points],
        means: Vec::new(),
        faint: false,
    };
    // Not from 0: what differs is small beside the losses.
    let y = if is_accuracy { Axis::accuracies(values()) } else { Axis::plain(values()) };
    let masks = averages.over.iter().map(|over| (over.masks as f64).log10());
    let panel = Panel {
        x_text: "Masks",
        y_text: name,
        x: Axis::log_losses(masks),
        y,
        chance: None,
        curves: named.clone().into_iter().filter(|(_, points)| !points.is_empty()).map(curve).collect(),
        bands: Vec::new(),
    };
    Plot::new(name, told, &panel)
}
