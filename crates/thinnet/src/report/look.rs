//! What pages have in common: colours, curves with their legend, and numbers as text.

use std::fmt::Write as _;

use super::data;
use super::figures::Tenths;
use super::fonts::INK;
use super::panels::Panel;
use super::plot::{self, COLORS, DrawingError, GRID, Label, PLOT, SVG_SCALE, SWATCH, hex};
use crate::float::Dtype;
use crate::text::first_of;

/// The version that reports name.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a page can do beyond being read. It is no template: its braces are its own.
const SCRIPT: &str = concat!(
    include_str!("../../templates/script/numbers.js"),
    include_str!("../../templates/script/plot.js"),
    include_str!("../../templates/script/page.js"),
);

/// What `base.html` and `curves.html` take.
pub(crate) struct Look {
    pub version: &'static str,
    /// The page's script, which stands in it as it is.
    pub script: &'static str,
    /// Each curve's colour on a light page, which the drawings have, and on a dark one.
    pub colors: Vec<(String, &'static str)>,
    pub ink: String,
    pub grid: String,
    /// Width and height of a plot, and of a legend's line, in units of their drawing.
    pub view: (u32, u32),
    pub swatch: (u32, u32),
}

impl Look {
    pub(crate) fn new() -> Self {
        let scaled = |(width, height): (u32, u32)| (width * SVG_SCALE, height * SVG_SCALE);
        Self {
            version: VERSION,
            script: SCRIPT,
            colors: COLORS.iter().map(|(light, dark)| (hex(*light), *dark)).collect(),
            ink: hex(INK),
            grid: hex(GRID),
            view: scaled(PLOT),
            swatch: scaled(SWATCH),
        }
    }
}

/// A curve's name in a legend, with its line.
pub(crate) struct Entry {
    /// Which curves it names.
    pub style: usize,
    pub label: String,
    pub drawing: String,
}

/// The legend of curves.
pub(crate) fn legend(labels: &[Label]) -> Result<Vec<Entry>, DrawingError> {
    let entry = |(style, label): &Label| {
        Ok(Entry { style: *style, label: label.clone(), drawing: plot::swatch(*style)? })
    };
    labels.iter().map(entry).collect()
}

/// A plot with its title, its caption and what it shows in words.
pub(crate) struct Plot {
    pub title: &'static str,
    pub caption: String,
    pub words: String,
    pub drawing: String,
    /// Its figures as JSON, for the page's script.
    pub data: String,
}

impl Plot {
    pub(crate) fn new(title: &'static str, words: String, panel: &Panel) -> Result<Self, DrawingError> {
        let caption = if panel.is_smoothed() {
            "Pale: every mini-batch. Strong: the moving average over 5% of the run.".to_owned()
        } else if let (Some(chance), None) = (&panel.chance, panel.chance_line()) {
            let side = if chance.at < panel.y.low { "below" } else { "above" };
            format!("The accuracy of guessing ({}) is {side} this plot.", chance.text)
        } else {
            String::new()
        };
        let (drawing, frame) = plot::svg(panel)?;
        Ok(Self { title, caption, words, drawing, data: data::of_panel(panel, frame)? })
    }
}

/// A plot for who cannot see it: where each curve starts and ends, and between what it moves.
pub(crate) fn words<'a>(
    what: &str,
    curves: impl Iterator<Item = (&'a str, Vec<f64>)>,
    show: impl Fn(f64) -> String,
) -> String {
    let mut words = what.to_owned();
    for (i, (label, curve)) in curves.enumerate() {
        words.push_str(if i == 0 { ": " } else { "; " });
        let finite: Vec<f64> = curve.into_iter().filter(|v| v.is_finite()).collect();
        let (Some(&first), Some(&last)) = (finite.first(), finite.last()) else {
            let _ = write!(words, "{label} has no finite values"); // writing to a String cannot fail
            continue;
        };
        let (low, high) = finite.iter().fold((first, first), |(low, high), &v| (low.min(v), high.max(v)));
        let (first, last, low, high) = (show(first), show(last), show(low), show(high));
        let _ = write!(words, "{label} from {first} to {last}, lowest {low}, highest {high}");
    }
    words.push('.');
    words
}

/// A share as a percentage with one decimal.
pub(crate) fn percent(share: f64) -> String {
    if share.is_finite() { format!("{}%", Tenths::of(share)) } else { NOT_FINITE.to_owned() }
}

/// What stands for a figure that is NaN or infinite.
pub(crate) const NOT_FINITE: &str = "not finite";

/// Four significant digits.
pub(crate) fn float(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return NOT_FINITE.to_owned();
    }
    if value < 0.0 {
        return format!("\u{2212}{}", float(size));
    }
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals = match size {
        s if s >= 1000.0 => 0,
        s if s >= 100.0 => 1,
        s if s >= 10.0 => 2,
        s if s >= 1.0 => 3,
        s if s >= 0.1 => 4,
        _ => 5,
    };
    format!("{value:.decimals$}")
}

/// Seconds to the millisecond.
pub(crate) fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}")
}

/// A number type as NumPy calls it.
pub(crate) fn dtype(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F32 => "float32",
        Dtype::F64 => "float64",
    }
}

/// How many classes there are, and their names as far as a line takes them.
pub(crate) fn classes(names: &[String]) -> String {
    const SHOWN: usize = 12;
    format!("{}: {}", names.len(), first_of(names, SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_the_names_of_a_few_classes() {
        let names: Vec<String> = (0..13).map(|class| class.to_string()).collect();
        assert_eq!(classes(&names[..2]), "2: 0, 1");
        assert_eq!(classes(&names), "13: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...");
    }

    #[test]
    fn floats_have_four_digits() {
        let shown: Vec<String> = [17.045_781, 0.033_582, 5.454_909, 0.0, 123_456.7, 1e-9, -0.5, f64::NAN]
            .into_iter()
            .map(float)
            .collect();
        assert_eq!(
            shown,
            ["17.05", "0.03358", "5.455", "0.00000", "123457", "1.000e-9", "\u{2212}0.5000", "not finite"]
        );
    }

    #[test]
    fn curves_are_told_in_words() {
        let curves = [("a", vec![f64::NAN, 0.5, 0.25, 0.75]), ("b", vec![f64::INFINITY])];
        assert_eq!(
            words("Loss", curves.into_iter(), percent),
            "Loss: a from 50.0% to 75.0%, lowest 25.0%, highest 75.0%; b has no finite values."
        );
    }
}
