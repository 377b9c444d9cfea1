//! The page of a comparison.

use std::path::{Component, Path};

use askama::Template;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::curves::ComparedPlot;
use super::facts::{COMPARISON_CSV, PICTURE, RUNS_CSV};
use super::groups::{Figure, Groups};
use super::summary::{self, interval};
use crate::report::figures::Tenths;
use crate::report::look::{Entry, Look, NOT_FINITE, Plot, float, legend};
use crate::report::paired::Estimate;
use crate::report::plot::{DrawingError, Label};
use crate::sweep::{Measure, RunFigures, shown};
use crate::text::joined;

/// Rows of the table, at most.
const MOST_ROWS: usize = 500;

/// What the template is filled with; it escapes all but the drawings.
#[derive(Template)]
#[template(path = "comparison.html")]
struct Page<'a> {
    look: Look,
    headline: String,
    sentences: Vec<String>,
    legend: Vec<Entry>,
    plots: Vec<Plot>,
    /// Networks that are drawn, and all.
    drawn: (usize, usize),
    banded: bool,
    keys: &'a [String],
    heads: [&'static str; 8],
    rows: Vec<Row<'a>>,
    linked: bool,
    left_out: usize,
    reference: &'a str,
    differences: Vec<(&'a str, [String; 3])>,
    comparisons: usize,
    shared: String,
    command: Option<&'a str>,
    files: [&'static str; 3],
}

/// A row of the table.
struct Row<'a> {
    label: &'a str,
    values: Vec<String>,
    cells: [String; 8],
    /// Seeds of runs that have a page, and where that is.
    runs: Vec<(u32, String)>,
    best: bool,
}

/// The page's HTML.
///
/// - `folder`: where it will be, to link the runs' pages
pub(super) fn html(
    groups: &Groups<'_>,
    plots: &[ComparedPlot],
    labels: &[Label],
    command: Option<&str>,
    folder: Option<&Path>,
) -> Result<Vec<u8>, DrawingError> {
    let mut sentences = summary::sentences(groups).into_iter();
    let rows = rows(groups, folder);
    let page = Page {
        look: Look::new(),
        headline: sentences.next().unwrap_or_default(),
        sentences: sentences.collect(),
        legend: legend(labels)?,
        plots: plots
            .iter()
            .map(|plot| Plot::new(plot.title, plot.words.clone(), &plot.panel))
            .collect::<Result<_, _>>()?,
        drawn: (labels.len(), groups.all.len()),
        banded: plots.iter().any(|plot| !plot.panel.bands.is_empty()),
        // Names of settings say the same.
        keys: if groups.by_settings { &[] } else { &groups.keys },
        heads: groups.table(Vec::new(), |_| Vec::new()).heads(),
        linked: rows.iter().any(|row| !row.runs.is_empty()),
        rows,
        left_out: groups.all.len().saturating_sub(MOST_ROWS),
        reference: &groups.reference().label,
        differences: differences(groups),
        comparisons: groups.comparisons(),
        shared: joined(&groups.shared, "\n"),
        command,
        files: [PICTURE, COMPARISON_CSV, RUNS_CSV],
    };
    Ok(page.render()?.into_bytes())
}

fn rows<'a>(groups: &'a Groups<'_>, folder: Option<&Path>) -> Vec<Row<'a>> {
    let table = groups.table(Vec::new(), |_| Vec::new());
    let means = table.rows.iter().filter_map(|row| row.last).map(|last| last.mean);
    let best = means.fold(f64::NEG_INFINITY, f64::max);
    let folder = folder.and_then(|folder| std::path::absolute(folder).ok());
    let folder = folder.map(|folder| folder.canonicalize().unwrap_or(folder));
    let rows = groups.all.iter().zip(&table.rows).take(MOST_ROWS);
    rows.map(|(group, row)| Row {
        label: &group.label,
        values: group.values.iter().filter(|_| !groups.by_settings).map(shown).collect(),
        cells: table.cells(row),
        runs: group
            .runs
            .iter()
            .filter_map(|run| Some((run.config.train.seed, link(folder.as_deref()?, run.page.as_deref()?)?)))
            .collect(),
        best: row.last.is_some_and(|last| last.mean >= best),
    })
    .collect()
}

/// A page as a link from `folder`.
fn link(folder: &Path, page: &Path) -> Option<String> {
    /// What a part of a link holds as it is.
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    let path = pathdiff::diff_paths(page.canonicalize().ok()?, folder)?;
    let parts = path.components().map(|part| match part {
        Component::Normal(name) => Some(utf8_percent_encode(name.to_str()?, PLAIN).to_string()),
        Component::ParentDir => Some("..".to_owned()),
        _ => None,
    });
    Some(joined(parts.collect::<Option<Vec<_>>>()?, "/"))
}

/// How each other network differs from the first; none where no network has several seeds.
fn differences<'a>(groups: &'a Groups<'_>) -> Vec<(&'a str, [String; 3])> {
    let count = groups.comparisons();
    let score = |estimate: Estimate| {
        let mean = match groups.measure {
            Measure::Accuracy => Tenths::of(estimate.mean).to_string(),
            Measure::R2 => format!("{:.4}", estimate.mean),
        };
        format!("{mean} ({})", interval(groups.measure, estimate))
    };
    let loss = |Estimate { mean, low, high }: Estimate| {
        format!("{} ({} to {})", float(mean), float(low), float(high))
    };
    let rows = groups.all[1..].iter().take(MOST_ROWS).filter_map(|group| {
        let minus = |figure: Figure| group.minus(groups.reference(), figure, count);
        let told = |estimate: Option<Estimate>, show: &dyn Fn(Estimate) -> String| {
            estimate.map_or_else(|| NOT_FINITE.to_owned(), show)
        };
        let val = minus(|figures| figures.final_val_score)?;
        let gap = minus(RunFigures::gap);
        let val_loss = minus(|figures| figures.final_val_loss);
        Some((group.label.as_str(), [score(val), told(gap, &score), told(val_loss, &loss)]))
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_from_the_page_to_the_runs() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().canonicalize().unwrap();
        let page = place.join("a: b/50% \"é\"/report.html");
        std::fs::create_dir_all(page.parent().unwrap()).unwrap();
        std::fs::write(&page, "").unwrap();
        let expected = "../a%3A%20b/50%25%20%22%C3%A9%22/report.html";
        assert_eq!(link(&place.join("out"), &page).as_deref(), Some(expected));
        assert_eq!(link(&place, &place.join("gone.html")), None);
    }
}
