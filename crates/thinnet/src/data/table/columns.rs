//! A table's columns by name, and their content.

use serde::{Deserialize, Serialize};

use super::cells::{Cells, Column};
use super::encoding::Encoding;
use super::field::{self, sort_words};
use super::kind::Kind;
use super::rows::Table;

/// The columns of a table, by their names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Columns {
    /// The inputs, in order: D of them if all are numbers without gaps.
    pub inputs: Vec<String>,
    /// The label or target column.
    pub target: String,
    /// Its place among all columns, from 0.
    pub target_at: usize,
    /// Whether the table has a header; otherwise names are numbers, from 1.
    pub header: bool,
    /// How each input becomes numbers, D in total; empty if all are numbers without gaps, which need no encoding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encodings: Vec<Encoding>,
    /// The place of each input among all columns, from 0; empty if they are all columns except the target's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<usize>,
    /// The total number of columns, if `places` is given.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub width: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde requires it")]
fn is_zero(width: &usize) -> bool {
    *width == 0
}

impl Columns {
    /// D: how many numbers a sample has.
    pub fn input_dim(&self) -> usize {
        if self.encodings.is_empty() {
            self.inputs.len()
        } else {
            self.encodings.iter().map(Encoding::width).sum()
        }
    }

    /// Whether each of a sample's D numbers is a quantity that is scaled; `None` if all are numbers without gaps.
    #[cfg_attr(
        not(all(feature = "columnar", feature = "streams")),
        allow(dead_code, reason = "other tables are in memory")
    )]
    pub(crate) fn quantities(&self) -> Option<Vec<bool>> {
        let of = |encoding: &Encoding| {
            (0..encoding.width()).map(|number| number == 0 && encoding.is_quantity()).collect::<Vec<_>>()
        };
        (!self.encodings.is_empty()).then(|| self.encodings.iter().flat_map(of).collect())
    }

    /// The names of a sample's D numbers: `age`, `city = Rome`, `age is missing`.
    pub fn numbers(&self) -> Vec<String> {
        if self.encodings.is_empty() {
            return self.inputs.clone();
        }
        self.inputs.iter().zip(&self.encodings).flat_map(|(name, encoding)| encoding.names(name)).collect()
    }
}

/// The content of a table's column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnSummary {
    /// Its name.
    pub name: String,
    /// `numbers`, `yes or no`, `dates` or `categories`.
    pub kind: &'static str,
    /// The min and the max, or the categories, as text.
    pub holds: String,
    /// Rows without a value.
    pub gaps: usize,
    /// The first value that is not missing.
    pub example: String,
}

impl Table {
    /// The content of the columns, which have these names, over the rows of this table.
    pub(crate) fn summaries(&self, names: &[String]) -> Vec<ColumnSummary> {
        self.columns().iter().zip(names).map(|(column, name)| self.summary(column, name)).collect()
    }

    fn summary(&self, column: &Column, name: &str) -> ColumnSummary {
        let (kind, holds, gaps, example) = match (&column.kind, &column.cells) {
            (_, cells @ Cells::Words { .. }) => {
                let mut words: Vec<String> = Vec::new();
                let mut seen = std::collections::HashSet::new();
                let (mut gaps, mut example) = (0, String::new());
                for word in self.places().map(|row| cells.word(row)) {
                    let Some(word) = word else {
                        gaps += 1;
                        continue;
                    };
                    if seen.insert(word) {
                        words.push(word.to_owned());
                    }
                    if example.is_empty() {
                        word.clone_into(&mut example);
                    }
                }
                sort_words(&mut words);
                ("categories", shown_words(&words), gaps, example)
            }
            (kind, cells) => {
                let show = |number: f64| match kind {
                    Kind::Date(_) => field::shown(number),
                    Kind::Truth([no, yes]) => if number > 0.0 { yes } else { no }.clone(),
                    _ => number.to_string(),
                };
                let numbers = || self.places().map(|row| cells.number(row)).filter(|number| !number.is_nan());
                let ends = numbers().fold(None, |ends, number: f64| {
                    let (least, greatest) = ends.unwrap_or((number, number));
                    Some((least.min(number), greatest.max(number)))
                });
                let holds = match (kind, ends) {
                    (_, None) => "nothing".to_owned(),
                    (Kind::Truth([no, yes]), _) => format!("{no}, {yes}"),
                    (_, Some((least, greatest))) => format!("{} to {}", show(least), show(greatest)),
                };
                let kind = match kind {
                    Kind::Date(_) => "dates",
                    Kind::Truth(_) => "yes or no",
                    _ => "numbers",
                };
                let gaps = self.dim().0 - numbers().count();
                (kind, holds, gaps, numbers().next().map(show).unwrap_or_default())
            }
        };
        ColumnSummary { name: name.to_owned(), kind, holds, gaps, example }
    }
}

/// How many categories are listed.
const LISTED: usize = 4;

/// `3: a, b, c`; if there are many, only the first ones.
fn shown_words(words: &[String]) -> String {
    let short = |word: &String| {
        let cut: String = word.chars().take(20).collect();
        if cut.len() < word.len() { cut + "…" } else { cut }
    };
    let first: Vec<String> = words.iter().take(LISTED).map(short).collect();
    let more = if words.len() > LISTED { ", ..." } else { "" };
    format!("{}: {}{more}", words.len(), first.join(", "))
}
