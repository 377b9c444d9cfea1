//! `thinnet data info`: shows what a data set contains.

use std::collections::BTreeMap;

use serde::Serialize;
use thinnet::data::{ColumnSummary, Format, SplitSummary, Summary, TargetSummary};
use thinnet::report::montage;
use thinnet::text::{aligned, joined};

use crate::args::data::InfoArguments;
use crate::failure::Failure;
use crate::figures::{part_name, thousands};
use crate::folder;
use crate::output::{Output, Paint};

/// How many numbers of the mean are shown.
const MEAN_HEAD: usize = 4;
/// Up to this many classes are shown; if there are more, only the first [`FEW_CLASSES`].
const MANY_CLASSES: usize = 100;
/// How many classes are shown if there are too many.
const FEW_CLASSES: usize = 20;
/// The texts after a target's name in the rows of its figures.
const TARGET_ROWS: [&str; 3] = [" min", " max", " mean"];
/// In the table, a class's name is cut to this many characters.
const NAME: usize = 40;

/// Reads the data set, and prints or draws it, as requested.
pub(crate) fn run(arguments: &InfoArguments, output: &Output) -> Result<(), Failure> {
    if let Some(file) = &arguments.montage {
        folder::check_file("--montage ", file, "png", true)?;
    }
    let set = arguments.read.open(&arguments.path)?;
    if let Some(file) = &arguments.montage {
        montage::save(&set, file)?;
        output.note(&format!("picture in {}", file.display()));
    }
    let summary = set.summary()?;
    if arguments.json {
        return output.pretty_json(&Json::new(&summary));
    }
    for line in page(&summary, |text| output.paint(Paint::Strong, text)) {
        output.line(&line)?;
    }
    Ok(())
}

/// The output of `--json`.
#[derive(Serialize)]
struct Json<'a> {
    format: Format,
    splits: BTreeMap<String, JsonSplit<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<&'a [String]>,
    mean_image_head: Vec<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    columns: &'a [ColumnSummary],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
}

/// A part in [`Json`].
#[derive(Serialize)]
struct JsonSplit<'a> {
    images: usize,
    shape: &'a [usize],
    dtype: &'static str,
    range: (f64, f64),
    #[serde(skip_serializing_if = "Option::is_none")]
    class_counts: Option<&'a [usize]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    targets: &'a [TargetSummary],
}

impl<'a> Json<'a> {
    fn new(summary: &'a Summary) -> Self {
        let split = |split: &'a SplitSummary| {
            let json = JsonSplit {
                images: split.samples,
                shape: &summary.shape,
                dtype: split.dtype,
                range: split.range,
                class_counts: split.targets.is_empty().then_some(&split.class_counts),
                targets: &split.targets,
            };
            (split.part.to_string(), json)
        };
        Self {
            format: summary.format,
            splits: summary.splits.iter().map(split).collect(),
            classes: (!is_regression(summary)).then_some(&summary.classes),
            mean_image_head: summary.mean.iter().copied().take(MEAN_HEAD).collect(),
            columns: &summary.columns,
            notes: &summary.notes,
        }
    }
}

/// Whether the targets are numbers.
fn is_regression(summary: &Summary) -> bool {
    summary.splits.iter().any(|split| !split.targets.is_empty())
}

/// The figures as text: a description, and a table with a column for each part.
fn page(summary: &Summary, strong: impl Fn(&str) -> String) -> Vec<String> {
    let what = if summary.shape.len() == 3 { "images" } else { "samples" };
    let mut names = vec![String::new(), what.to_owned(), "min".to_owned(), "max".to_owned()];
    let shown = if summary.classes.len() > MANY_CLASSES { FEW_CLASSES } else { summary.classes.len() };
    let (kind, rows): (_, &[&str]) = match (is_regression(summary), summary.classes.len()) {
        (true, 1) => ("target", &TARGET_ROWS),
        (true, _) => ("targets", &TARGET_ROWS),
        (false, _) => ("classes", &[""]),
    };
    for name in summary.classes.iter().take(shown) {
        names.extend(rows.iter().map(|row| short(name) + row));
    }
    let columns: Vec<Vec<String>> = summary.splits.iter().map(column).collect();
    let cells = |(row, name): (usize, String)| {
        let numbers = columns.iter().map(|column| column.get(row).cloned().unwrap_or_default());
        [name].into_iter().chain(numbers).collect()
    };
    let rows: Vec<Vec<String>> = names.into_iter().enumerate().map(cells).collect();
    let mut table = aligned(&rows, |column| column == 0);
    table[0] = strong(&table[0]);
    table.insert(4, strong(&format!("{} {kind}", thousands(summary.classes.len()))));
    let mut lines = vec![strong(&summary.format.to_string()), shape(summary), mean(summary), String::new()];
    lines.extend(table);
    if shown < summary.classes.len() {
        lines.push(format!("and {} more, which --json lists", thousands(summary.classes.len() - shown)));
    }
    lines.extend(column_lines(&summary.columns, &strong));
    if !summary.notes.is_empty() {
        lines.push(String::new());
        lines.extend(summary.notes.iter().cloned());
    }
    lines
}

/// One line per column of a table: its kind, its content, how many rows have no value, and the first value.
fn column_lines(columns: &[ColumnSummary], strong: impl Fn(&str) -> String) -> Vec<String> {
    if columns.is_empty() {
        return Vec::new();
    }
    let head = ["column", "kind", "holds", "gaps", "example"].map(str::to_owned).to_vec();
    let row = |column: &ColumnSummary| {
        let gaps = if column.gaps == 0 { String::new() } else { thousands(column.gaps) };
        vec![short(&column.name), column.kind.to_owned(), column.holds.clone(), gaps, short(&column.example)]
    };
    let shown = if columns.len() > MANY_CLASSES { FEW_CLASSES } else { columns.len() };
    let rows: Vec<Vec<String>> = [head].into_iter().chain(columns.iter().take(shown).map(row)).collect();
    let mut lines = aligned(&rows, |column| column != 3);
    lines[0] = strong(&lines[0]);
    lines.insert(0, String::new());
    if shown < columns.len() {
        lines.push(format!("and {} more, which --json lists", thousands(columns.len() - shown)));
    }
    lines
}

/// A part's column: its name, the number of samples, their range, and the count of each class, or range and mean of
/// each target.
fn column(split: &SplitSummary) -> Vec<String> {
    let mut column = vec![part_name(split.part).to_owned(), thousands(split.samples)];
    column.extend([split.range.0, split.range.1].map(|number| number.to_string()));
    column.extend(split.class_counts.iter().map(|&count| thousands(count)));
    for target in &split.targets {
        column.extend([target.range.0, target.range.1].map(|number| number.to_string()));
        column.push(format!("{:.8}", target.mean));
    }
    column
}

/// A description of one sample: "uint8, 3 x 32 x 32 (channels x height x width)".
fn shape(summary: &Summary) -> String {
    let (sizes, dtype) =
        (joined(&summary.shape, " x "), summary.splits.first().map_or("", |split| split.dtype));
    match summary.shape.len() {
        3 => format!("an image is {sizes} (channels x height x width), {dtype}"),
        1 => format!("a sample is {sizes} numbers, {dtype}"),
        _ => format!("a sample is {sizes}, {dtype}"),
    }
}

/// The mean's first numbers, and the samples that it is computed from.
fn mean(summary: &Summary) -> String {
    let images = summary.shape.len() == 3;
    let numbers = joined(summary.mean.iter().take(MEAN_HEAD).map(|number| format!("{number:.8}")), " ");
    let more = if summary.mean.len() > MEAN_HEAD { " ..." } else { "" };
    let what = if images { "images" } else { "samples" };
    let of = match summary.mean_of {
        None => "from the data set itself".to_owned(),
        Some(count) => {
            let all = summary.splits.first().is_some_and(|train| train.samples == count);
            format!("of {} {} training {what}", if all { "all" } else { "the first" }, thousands(count))
        }
    };
    format!("the mean {} is {numbers}{more}, {of}", if images { "image" } else { "sample" })
}

/// A class's name, cut if it is too long for a table.
fn short(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    let cut: String = name.chars().take(NAME - 1).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use thinnet::data::DataSet;

    use super::*;

    #[test]
    fn a_page_has_a_column_for_each_part_and_not_too_many_classes() {
        let mut summary = DataSet::embedded_sample().unwrap().summary().unwrap();
        let lines = page(&summary, str::to_owned);
        assert_eq!(lines.len(), 4 + 4 + 1 + 10, "{lines:#?}");
        assert!(lines[2].contains("130.64189796 130.05569388 130.96055102 131.48467347 ..."), "{lines:#?}");
        summary.classes = (0..101).map(|class| "x".repeat(class)).collect();
        let lines = page(&summary, str::to_owned);
        assert_eq!(lines.last().unwrap(), "and 81 more, which --json lists");
        assert_eq!(lines.len(), 4 + 4 + 1 + 20 + 1);
        assert_eq!(short(&"x".repeat(41)).chars().count(), 40);
    }
}
