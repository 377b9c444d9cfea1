//! The page: one HTML file that needs nothing else, with plots, tables and how to repeat the run.

use std::fmt::Write as _;

use askama::Template;

use super::figures::{Figures, Tenths, labels};
use super::panels::{Images, Panel};
use super::plot::{self, COLORS, DrawingError, GRID, INK, PLOT, SVG_SCALE, SWATCH};
use super::summary;
use crate::experiment::Outcome;
use crate::float::Dtype;

/// What the template is filled with; it escapes all but the drawings.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    headline: String,
    sentences: Vec<String>,
    legend: Vec<Entry>,
    plots: Vec<Plot>,
    rows: Vec<Row>,
    settings: Vec<(&'static str, String)>,
    seconds: String,
    command: Option<String>,
    float32: bool,
    version: &'static str,
    colors: Vec<(String, &'static str)>,
    ink: String,
    grid: String,
    view: (u32, u32),
    swatch: (u32, u32),
}

/// A network's name in a legend, with its line.
struct Entry {
    label: String,
    drawing: String,
}

/// A plot with its title, its caption and what it shows in words.
struct Plot {
    title: &'static str,
    caption: &'static str,
    words: String,
    drawing: String,
}

/// A row of the table of gaps.
struct Row {
    label: String,
    cells: [String; 7],
}

/// The page's HTML.
pub(crate) fn html(outcome: &Outcome, command: Option<&str>) -> Result<Vec<u8>, DrawingError> {
    let figures = Figures::of(outcome);
    let mut sentences = summary::sentences(&figures, outcome.settings.num_val).into_iter();
    let legend: Result<Vec<Entry>, DrawingError> = labels(outcome)
        .into_iter()
        .enumerate()
        .map(|(network, label)| Ok(Entry { label, drawing: plot::swatch(network)? }))
        .collect();
    let scaled = |(width, height): (u32, u32)| (width * SVG_SCALE, height * SVG_SCALE);
    let page = Page {
        headline: sentences.next().unwrap_or_default(),
        sentences: sentences.collect(),
        legend: legend?,
        plots: plots(outcome)?,
        rows: figures.iter().map(row).collect(),
        settings: settings(outcome),
        seconds: seconds(outcome.seconds),
        command: command.map(str::to_owned),
        float32: outcome.settings.dtype == Dtype::F32,
        version: super::VERSION,
        colors: COLORS.iter().map(|(light, dark)| (hex(*light), *dark)).collect(),
        ink: hex(INK),
        grid: hex(GRID),
        view: scaled(PLOT),
        swatch: scaled(SWATCH),
    };
    Ok(page.render()?.into_bytes())
}

/// A colour as the SVG writes it.
fn hex(color: plotters::style::RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2)
}

fn plots(outcome: &Outcome) -> Result<Vec<Plot>, DrawingError> {
    let histories = || outcome.networks.iter().map(|n| &n.history);
    let percent = |v: f64| format!("{}%", Tenths::of(v));
    let loss = Panel::losses(outcome);
    Ok(vec![
        Plot {
            title: "Train accuracy",
            caption: "",
            words: words(
                outcome,
                "Training accuracy over epochs",
                histories().map(|h| &h.train_accuracy),
                percent,
            ),
            drawing: plot::svg(&Panel::accuracies(outcome, Images::Train))?,
        },
        Plot {
            title: "Val accuracy",
            caption: "",
            words: words(
                outcome,
                "Validation accuracy over epochs",
                histories().map(|h| &h.val_accuracy),
                percent,
            ),
            drawing: plot::svg(&Panel::accuracies(outcome, Images::Val))?,
        },
        Plot {
            title: "Training loss",
            caption: if loss.is_smoothed() {
                "Pale: the loss of every mini-batch. Strong: its moving average over a twentieth of the run."
            } else {
                ""
            },
            words: words(outcome, "Training loss over iterations", histories().map(|h| &h.loss), float),
            drawing: plot::svg(&loss)?,
        },
    ])
}

/// A plot for who cannot see it: where each curve starts and ends, and between what it moves.
fn words<'a>(
    outcome: &Outcome,
    what: &str,
    curves: impl Iterator<Item = &'a Vec<f64>>,
    show: impl Fn(f64) -> String,
) -> String {
    let mut words = what.to_owned();
    for (i, (label, curve)) in labels(outcome).into_iter().zip(curves).enumerate() {
        words.push_str(if i == 0 { ": " } else { "; " });
        let finite: Vec<f64> = curve.iter().copied().filter(|v| v.is_finite()).collect();
        let (Some(&first), Some(&last)) = (finite.first(), finite.last()) else {
            let _ = write!(words, "keep {label} has no finite values"); // writing to a String cannot fail
            continue;
        };
        let (low, high) = finite.iter().fold((first, first), |(low, high), &v| (low.min(v), high.max(v)));
        let (first, last, low, high) = (show(first), show(last), show(low), show(high));
        let _ = write!(words, "keep {label} from {first} to {last}, lowest {low}, highest {high}");
    }
    words.push('.');
    words
}

fn row(figures: &Figures) -> Row {
    let none = || "not finite".to_owned();
    let percent = |v: Option<f64>| v.map_or_else(none, |v| format!("{}%", Tenths::of(v)));
    Row {
        label: figures.label.clone(),
        cells: [
            percent(figures.train),
            percent(figures.val),
            figures.gap().map_or_else(none, |gap| gap.to_string()),
            percent(figures.best.map(|(_, accuracy)| accuracy)),
            figures.best.map_or_else(none, |(epoch, _)| epoch.to_string()),
            figures.loss.map_or_else(none, float),
            seconds(figures.seconds),
        ],
    }
}

/// Four significant digits.
fn float(value: f64) -> String {
    let size = value.abs();
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

fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}")
}

fn settings(outcome: &Outcome) -> Vec<(&'static str, String)> {
    let settings = &outcome.settings;
    let list =
        |items: Vec<String>, none: &str| if items.is_empty() { none.to_owned() } else { items.join(", ") };
    let keep = settings.keep.iter().map(ToString::to_string).collect();
    let hidden = settings.hidden.iter().map(ToString::to_string).collect();
    let dtype = match settings.dtype {
        Dtype::F32 => "float32",
        Dtype::F64 => "float64",
    };
    vec![
        ("Data", settings.data.clone()),
        ("Classes", classes(&settings.classes)),
        ("Training samples", settings.num_train.to_string()),
        ("Validation samples", settings.num_val.to_string()),
        ("Keep probabilities", list(keep, "none")),
        ("Hidden layers", list(hidden, "none")),
        ("Epochs", settings.epochs.to_string()),
        ("Batch size", settings.batch_size.to_string()),
        ("Update rule", settings.update_rule.clone()),
        ("Learning rate", settings.learning_rate.to_string()),
        ("L2 strength", settings.reg.to_string()),
        ("Seed", settings.seed.to_string()),
        ("Number type", dtype.to_owned()),
        ("Threads", settings.threads.to_string()),
        ("Engine", settings.engine.name().to_owned()),
    ]
}

/// How many classes there are, and their names as far as a line takes them.
fn classes(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    format!("{}: {}{more}", names.len(), shown.join(", "))
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
        let shown: Vec<String> =
            [17.045_781, 0.033_582, 5.454_909, 0.0, 123_456.7, 1e-9, 0.5].into_iter().map(float).collect();
        assert_eq!(shown, ["17.05", "0.03358", "5.455", "0.00000", "123457", "1.000e-9", "0.5000"]);
    }
}
