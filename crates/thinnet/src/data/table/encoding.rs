//! How a column becomes numbers for a network, as determined by the training rows.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::cells::{Cells, GAP};
use super::field::{sort_words, weekday_and_month};
use super::kind::Kind;

/// How many categories of a column have their own number; the rarer ones share one.
pub const MOST_CATEGORIES: usize = 50;

/// Days of the week, and months.
const PARTS: [usize; 2] = [7, 12];

/// How a column's fields become numbers of a sample. If `gaps` is set, the training rows had gaps, and the last of
/// these numbers is 1 for a gap, otherwise 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Encoding {
    /// The number itself.
    Number {
        /// The value for a gap: the median of the training rows.
        fill: f64,
        /// Whether gaps have a number.
        gaps: bool,
    },
    /// 0 for the first word, 1 for the second.
    Truth {
        /// The words, in lower case.
        words: [String; 2],
        /// The value for a gap, as for numbers.
        fill: f64,
        /// Whether gaps have a number.
        gaps: bool,
    },
    /// Days from 1970-01-01.
    Date {
        /// The value for a gap, as for numbers.
        fill: f64,
        /// Whether gaps have a number.
        gaps: bool,
        /// Whether the day comes before the month, if both are numbers and the year comes last.
        day_first: bool,
        /// Whether weekday and month follow, one-hot, as 7 and 12 numbers.
        parts: bool,
    },
    /// One number per category, one-hot: 1 for the row's category, otherwise 0. If there are only two categories, one
    /// number: 1 for the second.
    Category {
        /// The categories, sorted.
        words: Vec<String>,
        /// Whether one more number is 1 for all others.
        other: bool,
        /// Whether gaps have a number.
        gaps: bool,
    },
}

impl Encoding {
    /// The encoding determined by some rows of a column.
    pub(super) fn fit(kind: &Kind, cells: &Cells, rows: impl Iterator<Item = usize>, parts: bool) -> Self {
        match (kind, cells) {
            (_, Cells::Words { codes, words }) => categories(words, rows.map(|row| codes[row])),
            (kind, cells) => {
                let (fill, gaps) = median(rows.map(|row| cells.number(row)));
                match kind {
                    Kind::Truth(words) => Self::Truth { words: words.clone(), fill: fill.round(), gaps },
                    &Kind::Date(day_first) => Self::Date { fill, gaps, day_first, parts },
                    Kind::Number | Kind::Category => Self::Number { fill, gaps },
                }
            }
        }
    }

    /// The kind of column that it encodes.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Number { .. } => Kind::Number,
            Self::Truth { words, .. } => Kind::Truth(words.clone()),
            Self::Date { day_first, .. } => Kind::Date(*day_first),
            Self::Category { .. } => Kind::Category,
        }
    }

    fn gaps(&self) -> bool {
        match self {
            Self::Number { gaps, .. }
            | Self::Truth { gaps, .. }
            | Self::Date { gaps, .. }
            | Self::Category { gaps, .. } => *gaps,
        }
    }

    /// Whether two categories share one number.
    fn is_pair(&self) -> bool {
        matches!(self, Self::Category { words, other: false, gaps: false } if words.len() == 2)
    }

    /// How many numbers it produces.
    pub fn width(&self) -> usize {
        let own = match self {
            Self::Number { .. } | Self::Truth { .. } => 1,
            Self::Date { parts, .. } => 1 + if *parts { PARTS.iter().sum() } else { 0 },
            Self::Category { words, other, .. } => {
                if self.is_pair() {
                    1
                } else {
                    words.len() + usize::from(*other)
                }
            }
        };
        own + usize::from(self.gaps())
    }

    /// Whether its first number is a quantity that is scaled; all others are 0 or 1 and are not scaled.
    pub(super) fn is_quantity(&self) -> bool {
        matches!(self, Self::Number { .. } | Self::Date { .. })
    }

    /// The names of its numbers, for a column with this name.
    pub fn names(&self, column: &str) -> Vec<String> {
        let mut names = match self {
            Self::Number { .. } | Self::Truth { .. } => vec![column.to_owned()],
            Self::Date { parts, .. } => {
                let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].map(str::to_owned);
                let months = (1..=PARTS[1]).map(|month| format!("month {month}"));
                let all = weekdays.into_iter().chain(months).map(|part| format!("{column}: {part}"));
                [column.to_owned()].into_iter().chain(all.filter(|_| *parts)).collect()
            }
            Self::Category { words, other, .. } => {
                let shown = if self.is_pair() { &words[1..] } else { words.as_slice() };
                let words = shown.iter().map(|word| format!("{column} = {word}"));
                words.chain(other.then(|| format!("{column} = other"))).collect()
            }
        };
        names.extend(self.gaps().then(|| format!("{column} is missing")));
        names
    }

    /// For each code of a column's words, the place of the number that is 1, if any.
    pub(super) fn places(&self, cells: &Cells) -> Vec<Option<u32>> {
        let (Self::Category { words: own, other, .. }, Cells::Words { words, .. }) = (self, cells) else {
            return Vec::new();
        };
        let known: HashMap<&str, u32> = own.iter().map(String::as_str).zip(0..).collect();
        #[allow(clippy::cast_possible_truncation, reason = "at most the categories of a model")]
        let rest = other.then_some(own.len() as u32);
        words.iter().map(|word| known.get(word.as_str()).copied().or(rest)).collect()
    }

    /// Calls `put` with the place and value of each nonzero number of a row.
    pub(super) fn each(
        &self,
        cells: &Cells,
        places: &[Option<u32>],
        row: usize,
        mut put: impl FnMut(usize, f64),
    ) {
        let gap_at = self.width().saturating_sub(1);
        match (self, cells) {
            (Self::Category { gaps, .. }, Cells::Words { codes, .. }) => match codes[row] {
                GAP if *gaps => put(gap_at, 1.0),
                GAP => {}
                code => match places.get(code as usize).copied().flatten() {
                    Some(place) if self.is_pair() => put(0, f64::from(place)),
                    Some(place) => put(place as usize, 1.0),
                    None => {}
                },
            },
            (Self::Category { .. }, _) | (_, Cells::Words { .. }) => {}
            (
                Self::Number { fill, gaps } | Self::Truth { fill, gaps, .. } | Self::Date { fill, gaps, .. },
                cells,
            ) => {
                let number = cells.number(row);
                let value = if number.is_nan() { *fill } else { number };
                put(0, value);
                if let Self::Date { parts: true, .. } = self
                    && let Some((weekday, month)) = weekday_and_month(value)
                {
                    put(1 + weekday, 1.0);
                    put(1 + PARTS[0] + month, 1.0);
                }
                if number.is_nan() && *gaps {
                    put(gap_at, 1.0);
                }
            }
        }
    }
}

/// The median of the numbers that are not missing (0 if there are none), and whether any are missing.
fn median(numbers: impl Iterator<Item = f64>) -> (f64, bool) {
    let mut gaps = false;
    let mut there: Vec<f64> = numbers
        .filter(|number| {
            gaps |= number.is_nan();
            !number.is_nan()
        })
        .collect();
    let middle = there.len() / 2;
    if there.is_empty() {
        return (0.0, gaps);
    }
    let even = there.len().is_multiple_of(2);
    let (below, &mut upper, _) = there.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| even).unwrap_or(upper);
    (lower + (upper - lower) / 2.0, gaps)
}

/// The categories of some rows: all of them, or the most frequent ones; of equals, the first in alphabetical order.
fn categories(words: &[String], codes: impl Iterator<Item = u32>) -> Encoding {
    let (mut counts, mut gaps) = (vec![0usize; words.len()], false);
    for code in codes {
        match counts.get_mut(code as usize) {
            Some(count) => *count += 1,
            None => gaps = true,
        }
    }
    let mut found: Vec<(usize, &String)> =
        counts.into_iter().zip(words).filter(|(count, _)| *count > 0).collect();
    let other = found.len() > MOST_CATEGORIES;
    if other {
        found.sort_unstable_by(|(a, one), (b, another)| b.cmp(a).then_with(|| one.cmp(another)));
        found.truncate(MOST_CATEGORIES);
    }
    let mut words: Vec<String> = found.into_iter().map(|(_, word)| word.clone()).collect();
    sort_words(&mut words);
    Encoding::Category { words, other, gaps }
}
