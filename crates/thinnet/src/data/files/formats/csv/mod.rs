//! Tables of text: one sample per line, fields separated by commas, tabs, semicolons or bars, quoted if necessary
//! (RFC 4180).

mod forms;
mod lines;
mod records;

use std::io::Read;

use super::tabular::{Build, INDEX_NAMES, Inputs, LABEL_NAMES, Layout};
use crate::data::files::labels::class_name;
use crate::data::table::field::{Field, Origin, number};
use crate::data::{Columns, DataSet, Features, ReadOptions};
use crate::error::{Error, Result, ensure};
use lines::Lines;
use records::{check_length, each_record};

/// Reads a table as a data set with one part. If all numbers are whole and in 0..=255, they stay bytes; a column with
/// words, gaps or dates makes the inputs a [`Table`](crate::data::Table).
///
/// # Errors
/// [`Error::Data`], with the line and, if there is one, the column: a few words in a column of numbers, a line with
/// more or fewer fields than the first, a line longer than [`limits::TABLE_LINE`](crate::data::limits::TABLE_LINE),
/// or no column with a requested name. If [`ReadOptions::regression`] asks for targets, also for a label that is not
/// a finite number.
pub fn read(table: impl Read, options: &ReadOptions) -> Result<DataSet> {
    let mut lines = Lines::new(table)?;
    let (names, header) = head(&mut lines, options)?;
    let layout = match &options.known {
        Some(known) => Layout::of_model(&names, header, known)?.with_label(known)?,
        None => Layout::new(&names, header, options)?,
    };
    let mut build = Build::new(layout, options, Origin::text(lines.comma()));
    each_record(&mut lines, names.len(), |record, line| {
        build.push(|place| Field::Text(record.get(place).unwrap_or_default()), line)
    })?;
    let mut set = build.finish(lines.format())?;
    for note in lines.all_notes() {
        set.note(note);
    }
    Ok(set)
}

/// The names in a table's first line, which is a header.
///
/// # Errors
/// [`Error::Data`] if it is not a table.
pub(crate) fn column_names(table: impl Read) -> Result<Vec<String>> {
    let first = Lines::new(table)?.peek(1)?.into_iter().next().unwrap_or_default();
    Ok(first.iter().map(|name| class_name(name)).collect())
}

/// Passes on a table's inputs, `rows` at a time, with the bytes of it that were read. The inputs are the columns that
/// a model was trained on. They are found by name if both have a header. Otherwise they are all columns, without the
/// target column if there is one more.
///
/// # Errors
/// [`Error::Data`] as for [`read`], and for columns that are not the model's, with the names of both sides.
pub(crate) fn each_block(
    table: impl Read,
    wanted: &Columns,
    rows: usize,
    each: &mut dyn FnMut(Features<f64>, u64) -> Result<()>,
) -> Result<()> {
    let mut lines = Lines::new(table)?;
    ensure!(lines.next()?, Error::data("it is empty"));
    let comma = lines.comma();
    let first: Vec<String> = lines.record().iter().map(str::to_owned).collect();
    let header = wanted.header && (lines.is_named() || is_header(&first, &[], comma));
    let layout = Layout::of_model(&names(&first, header), header, wanted)?;
    let columns = first.len();
    if header {
        ensure!(lines.next()?, Error::data("it has a header and nothing below it"));
    }
    let origin = Origin::text(comma);
    let mut inputs = Inputs::of_model(wanted, origin);
    let mut hand_on = |inputs: &mut Inputs, read| {
        let read_so_far = std::mem::replace(inputs, Inputs::of_model(wanted, origin));
        each(read_so_far.into_features(wanted)?, read)
    };
    loop {
        check_length(&lines, columns)?;
        let record = lines.record();
        let field = |place: usize| Field::Text(record.get(place).unwrap_or_default());
        inputs.push(&layout, &field, lines.line())?;
        // A program that writes to a pipe may wait for an answer to the lines so far.
        let (read, more) = lines.read_bytes();
        if !more || inputs.len() == rows {
            hand_on(&mut inputs, read)?;
        }
        if !lines.next()? {
            break;
        }
    }
    if inputs.len() == 0 { Ok(()) } else { hand_on(&mut inputs, lines.read_bytes().0) }
}

/// The names of the columns, and whether they come from a header. If so, `lines` are at the header, and the next line
/// is the first sample.
fn head(lines: &mut Lines<'_>, options: &ReadOptions) -> Result<(Vec<String>, bool)> {
    let (comma, named) = (lines.comma(), lines.is_named());
    let mut ahead = lines.peek(2)?.into_iter();
    let first = &ahead.next().ok_or_else(|| Error::data("it is empty"))?;
    let second = &ahead.next().unwrap_or_default();
    let header = named || options.header.unwrap_or_else(|| is_header(first, second, comma));
    // A separator at the end of every line is not a column.
    let open = |fields: &[String]| fields.last().is_some_and(String::is_empty);
    let trailing = open(first) && first.len() > 2 && (second.is_empty() || open(second));
    let names = names(&first[..first.len() - usize::from(trailing)], header);
    if header {
        lines.next()?;
    }
    Ok((names, header))
}

/// Whether a first line names the columns: none of its fields is a number, or all of them count from 0, as pandas
/// names columns without names. If the second line has no numbers either, all names must differ.
fn is_header(first: &[String], second: &[String], comma: bool) -> bool {
    let is_number = |field: &String| number(field, comma).is_some();
    let numbers: Vec<&String> = first.iter().filter(|field| is_number(field)).collect();
    if numbers.is_empty() {
        let mut sorted: Vec<&String> = first.iter().filter(|name| !name.is_empty()).collect();
        sorted.sort_unstable();
        let different = sorted.windows(2).all(|pair| pair[0] != pair[1]);
        return different || second.iter().any(is_number);
    }
    let known = |field: &&String| {
        let lower = field.to_lowercase();
        LABEL_NAMES.contains(&lower.as_str()) || INDEX_NAMES.contains(&lower.as_str())
    };
    let mut words = first.iter().filter(|field| !is_number(field)).peekable();
    let counts =
        |from: usize| numbers.iter().enumerate().all(|(at, field)| **field == (at + from).to_string());
    words.peek().is_some() && words.all(|word| known(&word)) && (counts(0) || counts(1))
}

/// The names of the columns: the first line's fields if it is a header, otherwise numbers from 1.
fn names(first: &[String], header: bool) -> Vec<String> {
    if header { first.to_vec() } else { (1..=first.len()).map(|column| column.to_string()).collect() }
}
