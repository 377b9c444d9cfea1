//! `thinnet check`: the figures of the course's dropout exercise, compared with the course's own.

use std::collections::BTreeMap;

use serde::Serialize;
use thinnet::course::{self, Comparison, DropoutStatistics, Figures};

use crate::args::CheckArguments;
use crate::failure::Failure;
use crate::output::{Output, Paint};

/// Computes and prints the figures; returns whether all agree.
pub(crate) fn run(arguments: &CheckArguments, output: &Output) -> Result<bool, Failure> {
    let figures = course::figures()?;
    let comparisons = figures.compare();
    if arguments.json {
        output.pretty_json(&Json::new(&figures))?;
    } else {
        let layout = Layout::new(&comparisons, output.width());
        for line in table(&comparisons, &layout, |paint, text| output.paint(paint, text)) {
            output.line(&line)?;
        }
    }
    Ok(comparisons.iter().all(|comparison| comparison.agrees))
}

/// The output of `--json`.
#[derive(Serialize)]
struct Json<'a> {
    dropout: &'a [DropoutStatistics],
    dropout_backward_rel_error: f64,
    networks: Vec<JsonNetwork<'a>>,
}

/// One network of [`Json`].
#[derive(Serialize)]
struct JsonNetwork<'a> {
    keep: f64,
    initial_loss: f64,
    rel_errors: BTreeMap<&'a str, f64>,
}

impl<'a> Json<'a> {
    fn new(figures: &'a Figures) -> Self {
        let networks = figures.networks.iter().map(|network| JsonNetwork {
            keep: network.keep,
            initial_loss: network.initial_loss,
            rel_errors: network.checks.iter().map(|check| (check.name.as_str(), check.rel_error)).collect(),
        });
        Self {
            dropout: &figures.dropout,
            dropout_backward_rel_error: figures.dropout_backward_rel_error,
            networks: networks.collect(),
        }
    }
}

/// Widths of the table's columns.
struct Layout {
    what: usize,
    ours: usize,
    course: usize,
    /// Whether the figures are on their own line, below their name.
    stacked: bool,
}

impl Layout {
    /// The widths that these figures need; stacked if a terminal is narrower.
    fn new(comparisons: &[Comparison], terminal: Option<usize>) -> Self {
        let widest = |text: fn(&Comparison) -> String| {
            comparisons.iter().map(|comparison| text(comparison).len()).max().unwrap_or(0)
        };
        let what = widest(|comparison| split(&comparison.what).1.to_owned()).max(Self::HEAD[0].len());
        let ours = widest(|comparison| show(comparison.value)).max(Self::HEAD[1].len());
        let course = widest(|comparison| comparison.course.clone()).max(Self::HEAD[2].len());
        let verdict = 5;
        let stacked = terminal.is_some_and(|width| width < 2 + what + 2 + ours + 2 + course + 2 + verdict);
        Self { what, ours, course, stacked }
    }

    const HEAD: [&'static str; 3] = ["", "thinnet", "course"];

    /// One line, or two if stacked.
    fn lines(&self, what: &str, ours: &str, course: &str) -> (Option<String>, String) {
        let Self { what: width, ours: ours_width, course: course_width, stacked } = *self;
        let figures = format!("{ours:<ours_width$}  {course:<course_width$}");
        if stacked {
            (Some(format!("  {what}")), format!("    {figures}"))
        } else {
            (None, format!("  {what:<width$}  {figures}"))
        }
    }
}

/// The table, line by line: a heading for each group of figures, and the result at the end.
fn table(comparisons: &[Comparison], layout: &Layout, paint: impl Fn(Paint, &str) -> String) -> Vec<String> {
    let [head, ours, course] = Layout::HEAD;
    let mut lines = vec![paint(Paint::Faint, layout.lines(head, ours, course).1.trim_end())];
    let mut group = "";
    for comparison in comparisons {
        let (of, what) = split(&comparison.what);
        if of != group {
            lines.push(paint(Paint::Strong, of));
            group = of;
        }
        let (above, figures) = layout.lines(what, &show(comparison.value), &comparison.course);
        let verdict = if comparison.agrees { paint(Paint::Good, "ok") } else { paint(Paint::Bad, "OFF") };
        lines.extend(above);
        lines.push(format!("{figures}  {verdict}"));
        if !comparison.remark.is_empty() {
            lines.push(paint(Paint::Faint, &format!("    {}", comparison.remark)));
        }
    }
    let off = comparisons.iter().filter(|comparison| !comparison.agrees).count();
    lines.push(match (off, comparisons.len()) {
        (0, all) => paint(Paint::Good, &format!("all {all} figures agree")),
        (1, all) => paint(Paint::Bad, &format!("1 of {all} figures is off")),
        (off, all) => paint(Paint::Bad, &format!("{off} of {all} figures are off")),
    });
    lines
}

/// "p = 0.25: mean of input" is a figure of "p = 0.25".
fn split(what: &str) -> (&str, &str) {
    what.split_once(": ").unwrap_or(("", what))
}

/// A figure as in NumPy, and an error with three digits.
fn show(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:.2e}") } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(what: &str, value: f64, agrees: bool) -> Comparison {
        Comparison { what: what.into(), value, course: "1.5".into(), agrees, remark: String::new() }
    }

    fn plain(comparisons: &[Comparison], terminal: Option<usize>) -> Vec<String> {
        table(comparisons, &Layout::new(comparisons, terminal), |_, text| text.to_owned())
    }

    #[test]
    fn a_figure_that_is_off_is_shown_and_counted() {
        let mut comparisons =
            vec![comparison("p = 1: mean", 1.5, true), comparison("p = 1: loss", 1.25, false)];
        let lines = plain(&comparisons, None);
        assert_eq!(
            lines[1..],
            ["p = 1", "  mean  1.5      1.5     ok", "  loss  1.25     1.5     OFF", "1 of 2 figures is off"]
        );
        comparisons[0].agrees = false;
        assert_eq!(plain(&comparisons, None).last().unwrap(), "2 of 2 figures are off");
    }

    #[test]
    fn a_narrow_terminal_stacks() {
        let comparisons = [comparison("p = 1: mean", 1.5, true)];
        let lines = plain(&comparisons, Some(20));
        assert_eq!(lines[1..4], ["p = 1", "  mean", "    1.5      1.5     ok"]);
    }

    #[test]
    fn errors_are_short_and_figures_whole() {
        assert_eq!(show(5.445_608_1e-11), "5.45e-11");
        assert_eq!(show(10.000_207_878_477_502), "10.000207878477502");
        assert_eq!(show(0.0), "0");
    }
}
