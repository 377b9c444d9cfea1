//! Tables of text: a sample a line, its fields separated by commas, tabs, semicolons or bars, quoted where need be (RFC
//! 4180). One column holds the labels, words or numbers, or a regression's targets; all others are numbers.

use std::collections::HashMap;
use std::io::{self, Read};

use csv::{ByteRecord, Reader, ReaderBuilder, Trim};

use crate::data::files::archive::{brief, damage};
use crate::data::files::labels::class_name;
use crate::data::{Columns as Named, DataSet, Features, Format, Pixels, ReadOptions, Rows, limits};
use crate::error::{Error, Result, ensure};
use crate::text::first_of;

/// Bytes in which the separator is looked for, if the first line is no shorter.
const HEAD: usize = 64 << 10;

/// What separates fields: the one that the first line has most of, the first of equals.
const SEPARATORS: [u8; 4] = [b'\t', b',', b';', b'|'];

/// Names, in lower case, of a column that holds the labels unless one asks for another. Without such a name it is the last.
const LABEL_NAMES: [&str; 3] = ["label", "class", "target"];

/// Reads a table as a data set in one part. Numbers that are all whole and 0..=255 stay bytes.
///
/// # Errors
/// [`Error::Data`] with the line, and the column where there is one: a field that is no finite number, a line with more or
/// fewer fields than the first, a line longer than [`limits::TABLE_LINE`], no label column of the name asked for. Where
/// [`ReadOptions::regression`] asks for targets, a field of the label column as well that is no finite number.
pub fn read(table: impl Read, options: &ReadOptions) -> Result<DataSet> {
    let (mut reader, first) = opened(table)?;
    let columns = Columns::new(&first, options)?;
    let mut samples = Samples::new(options);
    each_line(&mut reader, first, &columns, |record, _| samples.add(record, &columns))?;
    samples.finish(&columns)
}

/// Hands on the inputs of a table, `rows` at a time, with the bytes that were read of it. The inputs are the columns that a
/// model was trained on: found by their names where both have a header, and else all columns, but for that of the target
/// where there is one more.
///
/// # Errors
/// [`Error::Data`] as [`read`]'s, and for columns that are not those of the model, with both sides' names.
pub(crate) fn each_block(
    table: impl Read,
    wanted: &Named,
    rows: usize,
    each: &mut dyn FnMut(Features<f64>, u64) -> Result<()>,
) -> Result<()> {
    let (mut reader, first) = opened(table)?;
    let header = wanted.header && is_header(&first);
    let columns = Columns { names: names(&first, header), header, label: 0 };
    let inputs = if header { by_name(&columns.names, wanted)? } else { by_place(first.len(), wanted)? };
    let why = |_: &str| "the model takes numbers alone".to_owned();
    let mut numbers = Vec::with_capacity(rows * inputs.len());
    let mut hand_on = |numbers: &mut Vec<f64>, read| {
        let count = numbers.len() / inputs.len().max(1);
        each(super::rows(count, inputs.len(), std::mem::take(numbers))?.into(), read)
    };
    each_line(&mut reader, first, &columns, |record, reader| {
        for &column in &inputs {
            numbers.push(finite(record, &columns, column, why)?);
        }
        let read = reader.position().byte();
        // Whoever writes to a pipe may wait for an answer to what there is. A line feed may be left of the last line's end.
        let waits = read + 1 >= reader.get_ref().given;
        if waits || numbers.len() == rows * inputs.len() { hand_on(&mut numbers, read) } else { Ok(()) }
    })?;
    if numbers.is_empty() { Ok(()) } else { hand_on(&mut numbers, reader.position().byte()) }
}

/// The places of the wanted columns among those of a table with these names.
fn by_name(fields: &[String], wanted: &Named) -> Result<Vec<usize>> {
    let place = |name: &String| fields.iter().position(|field| field == name);
    let found: Vec<Option<usize>> = wanted.inputs.iter().map(place).collect();
    match found.iter().position(Option::is_none) {
        None => Ok(found.into_iter().flatten().collect()),
        Some(missing) => Err(Error::data(format!(
            "the model takes the columns {}, and the table has {}: {} is missing",
            some(&wanted.inputs),
            some(fields),
            wanted.inputs[missing]
        ))),
    }
}

/// The places of the inputs in a table of so many columns without names.
fn by_place(columns: usize, wanted: &Named) -> Result<Vec<usize>> {
    let inputs = wanted.inputs.len();
    match columns {
        _ if columns == inputs => Ok((0..inputs).collect()),
        _ if columns == inputs + 1 => Ok((0..columns).filter(|&column| column != wanted.target_at).collect()),
        _ => Err(Error::data(format!(
            "the model takes {inputs} columns ({}), and the table has {columns}",
            some(&wanted.inputs)
        ))),
    }
}

/// The first of some names.
fn some(names: &[String]) -> String {
    first_of(names, 8)
}

/// A table's lines, whatever its separator, and the first of them.
fn opened<R: Read>(mut table: R) -> Result<(Reader<PerLine<impl Read>>, ByteRecord)> {
    let head = first_line(&mut table).map_err(damage)?;
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(Error::data("it is a text in UTF-16; tables are read in UTF-8"));
    }
    let separator = separator(&head)?;
    let stream = PerLine { inner: io::Cursor::new(head).chain(table), left: limits::TABLE_LINE, given: 0 };
    let mut settings = ReaderBuilder::new();
    settings.has_headers(false).flexible(true).trim(Trim::All).delimiter(separator);
    let (mut reader, mut first) = (settings.from_reader(stream), ByteRecord::new());
    if next(&mut reader, &mut first)? { Ok((reader, first)) } else { Err(Error::data("it is empty")) }
}

/// Calls `each` with every line of samples, all of as many fields, where `record` is the table's first line.
fn each_line<R: Read>(
    reader: &mut Reader<PerLine<R>>,
    mut record: ByteRecord,
    columns: &Columns,
    mut each: impl FnMut(&ByteRecord, &Reader<PerLine<R>>) -> Result<()>,
) -> Result<()> {
    if columns.header && !next(reader, &mut record)? {
        return Err(Error::data("it has a header and nothing below it"));
    }
    loop {
        columns.check_length(&record)?;
        each(&record, reader)?;
        if !next(reader, &mut record)? {
            return Ok(());
        }
    }
}

/// What a table begins with: its first line, up to [`HEAD`] bytes of it, and what came along. It waits for no more.
fn first_line(table: &mut impl Read) -> io::Result<Vec<u8>> {
    let (mut head, mut len) = (vec![0; HEAD], 0);
    while len < HEAD && !head[..len].contains(&b'\n') {
        match table.read(&mut head[len..]) {
            Ok(0) => break,
            Ok(count) => len += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(len);
    Ok(head)
}

/// The separator that the first line has most of.
fn separator(head: &[u8]) -> Result<u8> {
    let (mut counts, mut quoted) = ([0usize; SEPARATORS.len()], false);
    for &byte in head.iter().take_while(|&&byte| byte != b'\n') {
        quoted ^= byte == b'"';
        if let Some(index) = SEPARATORS.iter().position(|&separator| separator == byte && !quoted) {
            counts[index] += 1;
        }
    }
    let most = counts.into_iter().max().unwrap_or(0);
    let first = counts.iter().position(|&count| count == most && count > 0);
    first.map(|index| SEPARATORS[index]).ok_or_else(|| {
        Error::data("it looks like text, but is no table: its first line has no comma, tab, semicolon or bar between fields")
    })
}

/// The next line that is not empty.
fn next<R: Read>(reader: &mut Reader<PerLine<R>>, record: &mut ByteRecord) -> Result<bool> {
    reader.get_mut().left = limits::TABLE_LINE;
    reader.read_byte_record(record).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => damage(error),
        kind => Error::data(format!("it is no table: {}", brief(&format!("{kind:?}")))),
    })
}

/// A stream that ends with an error where a line is too long: a quote that is never closed makes one of a whole file.
struct PerLine<R> {
    inner: R,
    left: usize,
    /// Bytes that were read of it.
    given: u64,
}

impl<R: Read> Read for PerLine<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.given += count as u64;
        self.left = self.left.checked_sub(count).ok_or_else(|| {
            io::Error::other(Error::data(format!(
                "a line has more than {} bytes; is a quote left open?",
                limits::TABLE_LINE
            )))
        })?;
        Ok(count)
    }
}

/// The columns: their names or numbers, and which of them holds the labels.
struct Columns {
    names: Vec<String>,
    header: bool,
    label: usize,
}

impl Columns {
    fn new(first: &ByteRecord, options: &ReadOptions) -> Result<Self> {
        let columns = first.len();
        if !(2..=limits::TABLE_COLUMNS).contains(&columns) {
            return Err(Error::data(format!(
                "its first line has {columns} fields, and a table of samples has 2 to {}",
                limits::TABLE_COLUMNS
            )));
        }
        let header = options.header.unwrap_or_else(|| is_header(first));
        let names = names(first, header);
        let named = |name: &str| header.then(|| names.iter().position(|column| column == name)).flatten();
        let label = match options.label.as_deref().map(str::trim) {
            Some(wanted) => named(wanted)
                .or_else(|| {
                    wanted
                        .parse()
                        .ok()
                        .filter(|column| (1..=columns).contains(column))
                        .map(|column| column - 1)
                })
                .ok_or_else(|| {
                    Error::data(format!(
                        "it has no label column {wanted:?}; its {columns} columns are {}",
                        some(&names)
                    ))
                })?,
            None => LABEL_NAMES
                .iter()
                .find_map(|name| names.iter().position(|column| column.eq_ignore_ascii_case(name)))
                .unwrap_or(columns - 1),
        };
        Ok(Self { names, header, label })
    }

    /// Refuses a line of more or fewer fields.
    fn check_length(&self, record: &ByteRecord) -> Result<()> {
        if record.len() == self.names.len() {
            return Ok(());
        }
        Err(Error::data(format!(
            "line {} has {} fields, and the first has {}",
            line(record),
            record.len(),
            self.names.len()
        )))
    }

    /// The names as a data set keeps them.
    fn named(&self) -> Named {
        let mut inputs = self.names.clone();
        let target = inputs.remove(self.label);
        Named { inputs, target, target_at: self.label, header: self.header }
    }
}

/// Whether a first line names the columns: no field of it is a number.
fn is_header(first: &ByteRecord) -> bool {
    first.iter().all(|field| number(field).is_none())
}

/// The names of the columns, which are the first line's fields where it is a header, or else their numbers from 1.
fn names(first: &ByteRecord, header: bool) -> Vec<String> {
    if header {
        first.iter().map(|field| class_name(&String::from_utf8_lossy(field))).collect()
    } else {
        (1..=first.len()).map(|column| column.to_string()).collect()
    }
}

/// A finite number.
fn number(field: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(field).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}

/// A field that has to be a finite number; if it is none, the error names its place and ends with `why`, which is given the
/// label column's name.
fn finite(record: &ByteRecord, columns: &Columns, column: usize, why: fn(&str) -> String) -> Result<f64> {
    let field = record.get(column).unwrap_or_default();
    number(field).ok_or_else(|| {
        let shown: String = String::from_utf8_lossy(field).chars().take(30).collect();
        let shown = if shown.is_empty() { "an empty field".to_owned() } else { format!("{shown:?}") };
        Error::data(format!(
            "line {}, column {}: {shown} is no finite number; {}",
            line(record),
            columns.names[column],
            why(&columns.names[columns.label])
        ))
    })
}

/// The line that a record begins on, from 1.
fn line(record: &ByteRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

/// The samples that were read so far.
struct Samples {
    numbers: Growing,
    column: LabelColumn,
}

/// The column of labels or targets, as far as it was read.
enum LabelColumn {
    Labels(Labels),
    Targets(Vec<f64>),
}

/// Labels that were read so far.
#[derive(Default)]
struct Labels {
    /// The index in `words` of each sample's label.
    indices: Vec<usize>,
    words: Vec<String>,
    known: HashMap<Vec<u8>, usize>,
}

impl Samples {
    fn new(options: &ReadOptions) -> Self {
        let column = if options.regression {
            LabelColumn::Targets(Vec::new())
        } else {
            LabelColumn::Labels(Labels::default())
        };
        Self { numbers: Growing::default(), column }
    }

    fn add(&mut self, record: &ByteRecord, columns: &Columns) -> Result<()> {
        let why: fn(&str) -> String = match self.column {
            LabelColumn::Labels(_) => |label| format!("only the label column ({label}) may hold words"),
            LabelColumn::Targets(_) => {
                |_| "a table that is read for regression holds numbers alone".to_owned()
            }
        };
        for column in (0..record.len()).filter(|&column| column != columns.label) {
            self.numbers.push(finite(record, columns, column, why)?);
        }
        match &mut self.column {
            LabelColumn::Labels(labels) => labels.add(record, columns)?,
            LabelColumn::Targets(targets) => {
                let why = |label: &str| format!("the targets of a regression (column {label}) are numbers");
                targets.push(finite(record, columns, columns.label, why)?);
            }
        }
        Ok(())
    }

    fn finish(self, columns: &Columns) -> Result<DataSet> {
        let width = columns.names.len() - 1;
        let (names, train) = match self.column {
            LabelColumn::Labels(labels) => {
                let (classes, labels) = labels.finish();
                let x = self.numbers.into_features(labels.len(), width)?;
                let rows = Rows::with_classes(x, labels, classes.len())?;
                (classes, rows)
            }
            LabelColumn::Targets(targets) => {
                let x = self.numbers.into_features(targets.len(), width)?;
                let name =
                    Some(&columns.names[columns.label]).filter(|name| columns.header && !name.is_empty());
                let name = name.cloned().unwrap_or_else(|| "target".to_owned());
                (vec![name], Rows::with_numbers(x, super::rows(targets.len(), 1, targets)?)?)
            }
        };
        let columns = Some(columns.named());
        let (shape, format) = (vec![width], Format::Csv);
        DataSet { format, names, columns, shape, train, val: None, test: None, mean: None, notes: Vec::new() }
            .checked()
    }
}

impl Labels {
    fn add(&mut self, record: &ByteRecord, columns: &Columns) -> Result<()> {
        let word = record.get(columns.label).unwrap_or_default();
        ensure!(!word.is_empty(), Error::data(format!("line {} has no label", line(record))));
        let label = match self.known.get(word) {
            Some(&label) => label,
            None if self.words.len() >= limits::CLASSES => {
                return Err(Error::data(format!(
                    "column {} has more than {} different values: it cannot be the label",
                    columns.names[columns.label],
                    limits::CLASSES
                )));
            }
            None => {
                self.known.insert(word.to_vec(), self.words.len());
                self.words.push(String::from_utf8_lossy(word).into_owned());
                self.words.len() - 1
            }
        };
        self.indices.push(label);
        Ok(())
    }

    /// The classes, and the labels as indices of them.
    fn finish(self) -> (Vec<String>, Vec<usize>) {
        let Self { indices, words, .. } = self;
        // Numbers go by size, words by the alphabet.
        let by_size: Option<Vec<f64>> = words.iter().map(|word| number(word.as_bytes())).collect();
        let mut order: Vec<usize> = (0..words.len()).collect();
        match by_size {
            Some(values) => order.sort_by(|&a, &b| values[a].total_cmp(&values[b])),
            None => order.sort_by(|&a, &b| words[a].cmp(&words[b])),
        }
        let mut class = vec![0; words.len()];
        order.iter().enumerate().for_each(|(index, &word)| class[word] = index);
        let labels = indices.into_iter().map(|word| class[word]).collect();
        (order.into_iter().map(|word| class_name(&words[word])).collect(), labels)
    }
}

/// Numbers that are kept as bytes for as long as all of them are.
enum Growing {
    Bytes(Vec<u8>),
    Floats(Vec<f64>),
}

impl Default for Growing {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl Growing {
    fn push(&mut self, number: f64) {
        if let Self::Bytes(bytes) = self {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // compared right after
            let byte = number as u8;
            if f64::from(byte).total_cmp(&number).is_eq() {
                bytes.push(byte);
                return;
            }
            *self = Self::Floats(bytes.iter().map(|&byte| f64::from(byte)).collect());
        }
        if let Self::Floats(floats) = self {
            floats.push(number);
        }
    }

    fn into_features(self, samples: usize, width: usize) -> Result<Features<f64>> {
        Ok(match self {
            Self::Bytes(bytes) => Pixels::plain(super::rows(samples, width, bytes)?).into(),
            Self::Floats(floats) => super::rows(samples, width, floats)?.into(),
        })
    }
}
