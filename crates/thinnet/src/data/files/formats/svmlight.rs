//! svmlight, the format of LIBSVM's data sets: one sample per line, its label and the nonzero numbers with their
//! columns, `-1 3:0.5 7:2 # a comment`.
//!
//! `qid:` and comments are ignored. Columns are counted from 0 if a column 0 occurs or a comment says so as
//! scikit-learn writes it ("Column indices are zero-based"), otherwise from 1. Labels are whole numbers, or any
//! numbers for a regression. The rows stay sparse.

use std::io::{BufRead, BufReader, Read};

use super::supervision::{Supervision, parts as rows_of};
use super::{Content, Numbers};
use crate::data::files::archive::damage;
use crate::data::{DataSet, Features, Format, Part, ReadOptions, SparseRows, limits};
use crate::error::{Error, Result, ensure};

/// Whether a file begins with such lines; the last of these bytes may be an incomplete line.
pub(crate) fn is_svmlight(head: &[u8]) -> bool {
    let Some(end) = head.iter().rposition(u8::is_ascii_whitespace) else { return false };
    let mut pairs = 0usize;
    for line in head[..end].split(|&byte| byte == b'\n') {
        let mut tokens = tokens(line);
        let Some(label) = tokens.next() else { continue };
        // A line with several labels, as in `1,5 3:0.5`, is not a table; it is refused later with a message.
        if !label.split(|&byte| byte == b',').all(|label| number(label).is_some()) {
            return false;
        }
        for token in tokens {
            match pair(token) {
                Some(_) => pairs += 1,
                None if token.starts_with(b"qid:") => {}
                None => return false,
            }
        }
    }
    pairs > 0
}

/// Reads a file.
///
/// # Errors
/// [`Error::Data`], with its number, for a line that is not valid; for columns above [`limits::SPARSE_COLUMNS`], and
/// for labels that are not classes unless [`ReadOptions::regression`] asks for numbers.
pub fn read(stream: impl Read, options: &ReadOptions) -> Result<DataSet> {
    let mut lines = Lines::new(stream);
    let (mut labels, mut rows) = (Vec::new(), Entries::new());
    while let Some(label) = lines.next(&mut rows)? {
        labels.push(label);
    }
    ensure!(!rows.columns.is_empty(), Error::data("no line of it has a number after its label"));
    let first = u32::from(!lines.is_zero_based());
    let width = lines.greatest as usize + 1 - first as usize;
    let x = rows.into_features(width, first)?;
    let labels = Numbers { shape: vec![labels.len()], content: Content::Floats(labels) };
    let (names, mut rows) = rows_of(vec![(Part::Train, x, Supervision::of(labels, options)?)], None)?;
    let train = rows.pop().ok_or_else(|| Error::data("it has no samples"))?;
    let (format, shape, notes) = (Format::Svmlight, vec![width], Vec::new());
    DataSet { format, names, columns: None, shape, train, val: None, test: None, mean: None, notes }.checked()
}

/// Whether a file counts its columns from 0.
pub(crate) fn is_zero_based(stream: impl Read) -> Result<bool> {
    let (mut lines, mut entries) = (Lines::new(stream), Entries::new());
    while lines.next(&mut entries)?.is_some() {
        entries = Entries::new();
        if lines.is_zero_based() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Passes on the samples of a file, `rows` at a time, as rows of `width` columns; labels may be any numbers.
pub(crate) fn each_block(
    stream: impl Read,
    zero_based: bool,
    (width, rows): (usize, usize),
    each: &mut dyn FnMut(Features<f64>) -> Result<()>,
) -> Result<()> {
    let first = u32::from(!zero_based);
    let (mut lines, mut entries) = (Lines::new(stream), Entries::new());
    while lines.next(&mut entries)?.is_some() {
        let beyond = |&column: &u32| column.checked_sub(first).is_none_or(|column| column as usize >= width);
        if let Some(column) = entries.row().iter().find(|column| beyond(column)) {
            let wanted = format!("the model takes {width} columns, from {first}");
            return Err(lines.error(format!("it has a column {column}, but {wanted}")));
        }
        if entries.len() == rows {
            each(std::mem::replace(&mut entries, Entries::new()).into_features(width, first)?)?;
        }
    }
    if entries.len() > 0 { each(entries.into_features(width, first)?) } else { Ok(()) }
}

/// The rows read so far, as [`SparseRows`] stores them, with columns as counted in the file.
struct Entries {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

impl Entries {
    fn new() -> Self {
        Self { starts: vec![0], columns: Vec::new(), values: Vec::new() }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The columns of the last row.
    fn row(&self) -> &[u32] {
        match self.starts.as_slice() {
            [.., from, to] => &self.columns[*from..*to],
            _ => &[],
        }
    }

    /// The rows; the file counts columns from `first`.
    fn into_features(mut self, width: usize, first: u32) -> Result<Features<f64>> {
        self.columns.iter_mut().for_each(|column| *column = column.saturating_sub(first));
        self.columns.shrink_to_fit();
        self.values.shrink_to_fit();
        Ok(SparseRows::new(width, self.starts, self.columns, self.values)?.into())
    }
}

/// The lines of a file, and what its columns look like so far.
struct Lines<R> {
    stream: BufReader<R>,
    line: Vec<u8>,
    number: u64,
    /// Whether a column 0 occurred, or a comment says that columns are counted from it.
    zero: bool,
    /// The largest column.
    greatest: u32,
}

impl<R: Read> Lines<R> {
    fn new(stream: R) -> Self {
        let stream = BufReader::with_capacity(1 << 18, stream);
        Self { stream, line: Vec::new(), number: 0, zero: false, greatest: 0 }
    }

    fn is_zero_based(&self) -> bool {
        self.zero
    }

    fn error(&self, what: impl std::fmt::Display) -> Error {
        Error::data(format!("line {}: {what}", self.number))
    }

    /// Appends the next sample to `entries` and returns its label; `None` at the end.
    fn next(&mut self, entries: &mut Entries) -> Result<Option<f64>> {
        loop {
            self.line.clear();
            let mut bounded = self.stream.by_ref().take(limits::TABLE_LINE as u64 + 1);
            if bounded.read_until(b'\n', &mut self.line).map_err(damage)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.len() > limits::TABLE_LINE {
                return Err(self.error(format!("it has more than {} bytes", limits::TABLE_LINE)));
            }
            self.zero |= self.line.starts_with(b"#") && says_zero_based(&self.line);
            let mut tokens = tokens(&self.line);
            let Some(label) = tokens.next() else { continue };
            if label.contains(&b',') {
                return Err(self.error("it has several labels, but a sample may only have one"));
            }
            let Some(label) = number(label) else {
                return Err(self.error(format!("its label must be a number, but it is {}", shown(label))));
            };
            for token in tokens {
                if token.starts_with(b"qid:") {
                    continue;
                }
                let Some((column, value)) = pair(token) else {
                    return Err(self.error(format!(
                        "a column and its number should look like 3:0.5, but this is {}",
                        shown(token)
                    )));
                };
                let Some(column) = u32::try_from(column).ok().filter(|&c| c <= limits::SPARSE_COLUMNS) else {
                    let most = limits::SPARSE_COLUMNS;
                    return Err(
                        self.error(format!("its column {column} is above {most}, the largest supported one"))
                    );
                };
                self.zero |= column == 0;
                self.greatest = self.greatest.max(column);
                entries.columns.push(column);
                entries.values.push(value);
            }
            entries.starts.push(entries.columns.len());
            return Ok(Some(label));
        }
    }
}

/// Whether a comment says that columns are zero-based, in scikit-learn's words.
fn says_zero_based(comment: &[u8]) -> bool {
    const WORDS: &[u8] = b"zero-based";
    comment.windows(WORDS.len()).any(|words| words.eq_ignore_ascii_case(WORDS))
}

/// The words of a line up to its comment.
fn tokens(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = line.iter().position(|&byte| byte == b'#').unwrap_or(line.len());
    line[..end].split(u8::is_ascii_whitespace).filter(|token| !token.is_empty())
}

/// A finite number.
fn number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A column and its number.
fn pair(token: &[u8]) -> Option<(u64, f64)> {
    let colon = token.iter().position(|&byte| byte == b':')?;
    let column = &token[..colon];
    let digits = column.iter().all(u8::is_ascii_digit);
    let column = std::str::from_utf8(column).ok().filter(|_| digits)?.parse().ok()?;
    Some((column, number(&token[colon + 1..])?))
}

/// A word of a file in quotes, shortened if it is long.
fn shown(token: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(token).chars().take(30).collect::<String>())
}
