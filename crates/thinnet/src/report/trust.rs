//! How far a model's probabilities can be trusted, as an evaluation's page shows it: the reliability diagram, the
//! rejection curve, and the surest mistakes with their samples.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::axis::Axis;
use super::look::{Entry, Plot, float, legend, percent, words};
use super::montage::picture;
use super::panels::{Curve, Panel, Point};
use super::plot::DrawingError;
use crate::data::{DataSet, Features, Part, Rows};
use crate::model::{Mistake, Trust};
use crate::text::joined;

/// Pixels that the longer side of a mistake's picture comes close to.
const SIDE: usize = 64;
/// So many numbers of a mistake's sample are shown.
const NUMBERS: usize = 6;

/// The data of an evaluation, and the parts of them that were evaluated, in order.
pub type Shown<'a> = (&'a DataSet, &'a [(Part, &'a Rows<f64>)]);

/// What the template shows.
pub(super) struct TrustPage {
    pub sentences: Vec<String>,
    pub legend: Vec<Entry>,
    pub plots: Vec<Plot>,
    /// Confidence from and to, samples, mean confidence, accuracy.
    pub bins: Vec<[String; 5]>,
    pub mistakes: Vec<Row>,
}

/// A mistake.
pub(super) struct Row {
    pub sample: usize,
    pub class: String,
    pub predicted: String,
    pub probability: String,
    /// The sample as a PNG with its height and width, if it is an image.
    pub picture: Option<(String, (usize, usize))>,
    /// Its numbers otherwise; empty if the data are not at hand.
    pub numbers: String,
}

impl TrustPage {
    /// - `names`: of the classes, by label
    pub(super) fn new(
        trust: &Trust,
        names: &[String],
        shown: Option<Shown<'_>>,
    ) -> Result<Self, DrawingError> {
        let half = trust.rejection.iter().find(|kept| kept.share >= 0.5);
        let half = half.map(|kept| {
            format!(
                "Of the surer half of the samples, {} are recognised; the mean over all shares is {}.",
                percent(kept.accuracy),
                percent(trust.rejection_area)
            )
        });
        let calibration = format!(
            "The Brier score is {}. On average, accuracy and probability differ by {} (the expected calibration error); their \
             root mean square difference without chance is {}.",
            float(trust.brier),
            percent(trust.calibration_error),
            percent(trust.debiased_error)
        );
        let name = |label: usize| names.get(label).cloned().unwrap_or_default();
        let row = |mistake: &Mistake| {
            let (picture, numbers) = match shown {
                Some(shown) => sample(shown, mistake.sample)?,
                None => (None, String::new()),
            };
            Ok(Row {
                sample: mistake.sample,
                class: name(mistake.class),
                predicted: name(mistake.predicted),
                probability: format!("{:.2}%", 100.0 * mistake.probability),
                picture,
                numbers,
            })
        };
        let bins = trust.bins.iter().map(|bin| {
            let [above, to, confidence, accuracy] =
                [bin.above, bin.to, bin.confidence, bin.accuracy].map(percent);
            [above, to, bin.samples.to_string(), confidence, accuracy]
        });
        let labels = ["the model", "exactly right"].map(str::to_owned).into_iter().enumerate();
        Ok(Self {
            sentences: [calibration].into_iter().chain(half).collect(),
            legend: legend(&labels.collect::<Vec<_>>())?,
            plots: plots(trust)?,
            bins: bins.collect(),
            mistakes: trust.mistakes.iter().map(row).collect::<Result<_, DrawingError>>()?,
        })
    }
}

fn plots(trust: &Trust) -> Result<Vec<Plot>, DrawingError> {
    let bins: Vec<Point> = trust.bins.iter().map(|bin| (bin.confidence, bin.accuracy)).collect();
    let kept: Vec<Point> = trust.rejection.iter().map(|kept| (kept.share, kept.accuracy)).collect();
    let told = |what: &str, points: &[Point]| {
        let accuracies = points.iter().map(|point| point.1).collect();
        words(what, [("the model", accuracies)].into_iter(), percent)
    };
    let whole = || [0.0, 1.0].into_iter();
    let ideal = curve(1, "exactly right", vec![(0.0, 0.0), (1.0, 1.0)], false);
    let reliability = Panel {
        x_text: "Probability of the predicted class",
        y_text: "Accuracy",
        x: Axis::accuracies(whole()),
        y: Axis::accuracies(whole()),
        chance: None,
        curves: vec![ideal, curve(0, "the model", bins.clone(), true)],
        bands: Vec::new(),
    };
    let rejection = Panel {
        x_text: "Share of samples kept, the surest first",
        y_text: "Accuracy",
        x: Axis::accuracies(whole()),
        y: Axis::accuracies(kept.iter().map(|point| point.1).chain([1.0])),
        chance: None,
        curves: vec![curve(0, "the model", kept.clone(), true)],
        bands: Vec::new(),
    };
    let below = "Below the line the model is too sure, above it not sure enough. A point is a bin of samples: the table below \
                 says how many.";
    let reliability = Plot::new("Reliability", told("Accuracy over probability", &bins), &reliability)?;
    Ok(vec![
        Plot { caption: below.to_owned(), ..reliability },
        Plot::new("Rejection", told("Accuracy over the share of samples kept", &kept), &rejection)?,
    ])
}

fn curve(style: usize, name: &str, points: Vec<Point>, markers: bool) -> Curve {
    Curve { style, name: name.to_owned(), runs: vec![points], means: Vec::new(), faint: false, markers }
}

/// A sample's picture, or its numbers as text.
#[allow(clippy::type_complexity, reason = "a picture with its size, and a text")]
fn sample(
    (set, parts): Shown<'_>,
    mut sample: usize,
) -> Result<(Option<(String, (usize, usize))>, String), DrawingError> {
    for (_, rows) in parts {
        if sample < rows.len() {
            let own = rows.slice(sample, sample + 1);
            let picture = picture(set, own.x(), SIDE)?;
            let text = if picture.is_some() { String::new() } else { numbers(set, own.x())? };
            return Ok((picture.map(|(png, size)| (BASE64_STANDARD.encode(png), size)), text));
        }
        sample -= rows.len();
    }
    Ok((None, String::new()))
}

/// The first numbers of one sample, with their columns' names where each column is one number.
fn numbers(set: &DataSet, x: &Features<f64>) -> Result<String, DrawingError> {
    let row = x.to_floats()?;
    let names = set.columns().filter(|columns| columns.header && columns.inputs.len() == row.len());
    let number = |(place, &number): (usize, &f64)| match names.and_then(|columns| columns.inputs.get(place)) {
        Some(name) => format!("{name} {}", float(number)),
        None => float(number),
    };
    let shown = joined(row.iter().take(NUMBERS).enumerate().map(number), ", ");
    Ok(if row.len() > NUMBERS { format!("{shown}, ...") } else { shown })
}
