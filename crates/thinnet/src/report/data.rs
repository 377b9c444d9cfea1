//! A plot's figures as JSON beside its drawing: what the page's script shows under the pointer, zooms into and smooths.

use serde::Serialize;

use super::axis::{Axis, Reads};
use super::chance::Chance;
use super::panels::{Curve, Panel, Point};
use super::plot::{self, COLORS, DASHES, DrawingError, Frame, SVG_SCALE, hex};

/// A plot's figures.
#[derive(Debug, Serialize)]
pub(crate) struct PlotData<'a> {
    /// Left, top, right and bottom of the axes in the drawing.
    pub frame: Frame,
    /// Units of the drawing to a point.
    pub unit: u32,
    pub x: Scale<'a>,
    pub y: Scale<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chance: Option<&'a Chance>,
    pub series: Vec<Line<'a>>,
}

/// An axis.
#[derive(Debug, Serialize)]
pub(crate) struct Scale<'a> {
    pub text: &'a str,
    pub low: f64,
    pub high: f64,
    pub reads: Reads,
    pub ticks: &'a [(f64, String)],
}

impl<'a> Scale<'a> {
    /// The axis with its text.
    pub(crate) fn new(text: &'a str, axis: &'a Axis) -> Self {
        Self { text, low: axis.low, high: axis.high, reads: axis.reads, ticks: &axis.ticks }
    }
}

/// A curve, all that has one style.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    pub name: &'a str,
    pub style: usize,
    pub color: String,
    /// Lengths of a dash and a gap; none for a full line.
    pub dash: Vec<i32>,
    /// Corners of its marker around a point; none for a circle.
    pub marker: Vec<(i32, i32)>,
    pub markers: bool,
    /// Whether points are joined by a line.
    pub joined: bool,
    /// How far to the right of its place it is drawn.
    pub aside: i32,
    /// Runs of finite points.
    pub runs: Vec<Vec<Point>>,
    /// The same before smoothing, lowest and highest points where there are many.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub raw: Vec<Vec<Point>>,
    /// What is smoothed anew: the same before smoothing, means where there are many.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub means: Vec<Vec<Point>>,
    /// Places with the lower and the upper edge of the strip behind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub band: Vec<(f64, f64, f64)>,
    /// Deviation above and below each point.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<Option<f64>>,
}

impl<'a> Line<'a> {
    /// A curve in a style.
    pub(crate) fn new(name: &'a str, style: usize, runs: Vec<Vec<Point>>) -> Self {
        let units = SVG_SCALE.cast_signed();
        let dash = DASHES[style % DASHES.len()].map_or_else(Vec::new, |(dash, gap)| vec![dash, gap]);
        Self {
            name,
            style,
            color: hex(COLORS[style % COLORS.len()].0),
            dash: dash.into_iter().map(|length| length * units).collect(),
            marker: plot::corners(style, units),
            markers: true,
            joined: true,
            aside: 0,
            runs,
            raw: Vec::new(),
            means: Vec::new(),
            band: Vec::new(),
            deviations: Vec::new(),
        }
    }

    fn of(curve: &'a Curve, panel: &'a Panel) -> Self {
        let raw = panel.curves.iter().find(|other| other.faint && other.style == curve.style);
        Self {
            markers: curve.markers,
            raw: raw.map_or_else(Vec::new, |raw| rounded(&raw.runs)),
            means: rounded(&curve.means),
            band: panel
                .bands
                .iter()
                .filter(|band| band.style == curve.style)
                .flat_map(|band| band.edges.iter().map(|&(x, low, high)| (x, short(low), short(high))))
                .collect(),
            ..Self::new(&curve.name, curve.style, rounded(&curve.runs))
        }
    }
}

/// Seven digits, more than a plot or a label under the pointer shows.
pub(crate) fn short(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

fn rounded(runs: &[Vec<Point>]) -> Vec<Vec<Point>> {
    let round = |run: &Vec<Point>| run.iter().map(|&(x, y)| (x, short(y))).collect();
    runs.iter().map(round).collect()
}

/// The figures of a panel that was drawn with its axes at `frame`.
pub(crate) fn of_panel(panel: &Panel, frame: Frame) -> Result<String, DrawingError> {
    json(&PlotData {
        frame,
        unit: SVG_SCALE,
        x: Scale::new(panel.x_text, &panel.x),
        y: Scale::new(panel.y_text, &panel.y),
        chance: panel.chance.as_ref(),
        series: panel.curves.iter().filter(|c| !c.faint).map(|curve| Line::of(curve, panel)).collect(),
    })
}

/// The JSON, which stands as it is in a page's `script` and ends no tag: names are other people's text.
pub(crate) fn json(data: &PlotData<'_>) -> Result<String, DrawingError> {
    let json = serde_json::to_string(data)?;
    // Outside of strings JSON has none of these.
    Ok(json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::report::panels::{Images, Series};
    use crate::report::samples::outcome;

    fn parsed(text: &str) -> Value {
        assert!(!text.contains(['<', '>', '&']), "{text}");
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_plot_is_told_whole() {
        let outcome = outcome(&[(1.0, &[0.1, 0.25], &[0.1, f64::NAN]), (0.5, &[0.2, 0.3], &[0.1, 0.3])]);
        let panel = Panel::accuracies(&outcome, Images::Train);
        let data = parsed(&of_panel(&panel, [312, 40, 2159, 1095]).unwrap());
        assert_eq!(data["frame"], json!([312, 40, 2159, 1095]));
        assert_eq!((&data["x"]["text"], &data["x"]["reads"]), (&json!("Epoch"), &json!("count")));
        assert_eq!((&data["y"]["text"], &data["y"]["reads"]), (&json!("Accuracy"), &json!("percent")));
        assert_eq!(data["x"]["ticks"][0], json!([0.0, "0"]));
        assert_eq!(data["chance"], json!({ "at": 0.1, "text": "chance 10%" }));
        let series = data["series"].as_array().unwrap();
        assert_eq!(series.len(), 2);
        assert_eq!(series[0]["name"], "keep 1.00");
        assert_eq!(series[0]["runs"], json!([[[0.0, 0.1], [1.0, 0.25]]]));
        assert_eq!((&series[0]["color"], &series[0]["dash"]), (&json!("#0072B2"), &json!([])));
        assert_eq!((&series[1]["style"], &series[1]["dash"]), (&json!(1), &json!([36, 16])));
        let val = parsed(&of_panel(&Panel::accuracies(&outcome, Images::Val), [0; 4]).unwrap());
        assert_eq!(val["series"][0]["runs"], json!([[[0.0, 0.1]]]), "what is not finite is no point");
        assert_eq!(val["y"], data["y"], "training and validation on one scale");
    }

    #[test]
    fn smoothed_losses_bring_what_they_were_smoothed_from() {
        let losses: Vec<f64> = (0..2000u32).map(|i| 1.0 + f64::from(i % 2)).collect();
        let panel = Panel::step_losses("Step", vec![(2, "steps", &losses)]);
        let data = parsed(&of_panel(&panel, [0; 4]).unwrap());
        let series = data["series"].as_array().unwrap();
        assert_eq!((series.len(), &series[0]["name"]), (1, &json!("steps")));
        let points = |key: &str| series[0][key][0].as_array().unwrap().clone();
        assert!(points("raw").len() <= 602 && points("means").len() <= 602);
        // Buckets of four: steps 1 to 4 lie around 2.5, and have the mean 1.5.
        assert_eq!(points("means")[0], json!([2.5, 1.5]));
        assert!(points("raw").iter().all(|point| point[1] != json!(1.5)));
    }

    #[test]
    fn hostile_names_end_no_tag() {
        let hostile = "</script><!--&\"'\u{2028}";
        let series = vec![Series { style: 7, name: hostile.to_owned(), values: vec![(1, 1.0 / 3.0)] }];
        let axis = Axis::plain([0.0, 1.0].into_iter());
        let text = of_panel(&Panel::over_epochs("", 1, axis, series), [0; 4]).unwrap();
        let data = parsed(&text);
        assert_eq!(data["series"][0]["name"], hostile);
        assert_eq!(data["series"][0]["runs"], json!([[[1.0, 0.333_333_3]]]));
        assert_eq!(data["series"][0]["color"], "#D55E00", "styles go round");
    }
}
