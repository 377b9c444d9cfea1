//! The lines of a text as records of fields, with any separator and any supported encoding.

use std::borrow::Cow;
use std::io::{self, Read};

use csv::{Reader, ReaderBuilder, StringRecord};
#[cfg(feature = "encodings")]
use encoding_rs::WINDOWS_1252;
#[cfg(feature = "encodings")]
use encoding_rs_io::DecodeReaderBytesBuilder;

use super::forms::Form;
use crate::data::files::archive::{brief, damage};
use crate::data::{Format, limits};
use crate::error::{Error, Result};

/// The separator is looked for in this many bytes, unless the first line is longer.
const HEAD: usize = 64 << 10;

/// Possible separators. The one that occurs most often in the first line counts; of equals, the first.
const SEPARATORS: [u8; 4] = [b'\t', b',', b';', b'|'];

/// Spreadsheets put this before a table to name its separator.
const SEPARATOR_LINE: &[u8] = b"sep=";

/// The lines of a table that are not empty.
pub(super) struct Lines<'a> {
    reader: Reader<PerLine<'a>>,
    record: StringRecord,
    /// The line where the record begins, counted from 1.
    line: u64,
    /// The first two records, which are read a second time.
    ahead: Vec<(StringRecord, u64)>,
    separator: u8,
    /// What the user should know about how it was read.
    pub(super) notes: Vec<String>,
    skipped: u64,
    form: Option<Form>,
    latin: bool,
}

impl<'a> Lines<'a> {
    /// The lines of a text. Reads only as much as is needed to find the separator.
    pub(super) fn new(text: impl Read + 'a) -> Result<Self> {
        let mut text: Box<dyn Read + 'a> = Box::new(text);
        let mut head = first_line(&mut text).map_err(damage)?;
        let mut notes = Vec::new();
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            text = from_utf16(io::Cursor::new(head).chain(text))?;
            head = first_line(&mut text).map_err(damage)?;
            notes.push("its text is UTF-16, and was converted".to_owned());
        }
        let form = Form::of(&head);
        if let Some(form) = form {
            text = form.separated(io::Cursor::new(head).chain(text));
            head = first_line(&mut text).map_err(damage)?;
        }
        let (separator, skipped) = match named_separator(&head) {
            _ if form.is_some() => (b',', 0),
            Some((separator, bytes)) => {
                head.drain(..bytes);
                if !head.contains(&b'\n') {
                    head.extend(first_line(&mut text).map_err(damage)?);
                }
                (separator, 1)
            }
            None => (separator(&head)?, 0),
        };
        let inner: Box<dyn Read + 'a> = Box::new(io::Cursor::new(head).chain(text));
        let stream = PerLine { inner, left: limits::TABLE_LINE, given: 0, last: 0 };
        let mut settings = ReaderBuilder::new();
        settings.has_headers(false).flexible(true).delimiter(separator);
        Ok(Self {
            reader: settings.from_reader(stream),
            record: StringRecord::new(),
            line: 0,
            ahead: Vec::new(),
            separator,
            notes,
            skipped,
            form,
            latin: false,
        })
    }

    /// Goes to the next line that is not empty; `false` after the last.
    pub(super) fn next(&mut self) -> Result<bool> {
        if self.ahead.is_empty() {
            return self.read();
        }
        (self.record, self.line) = self.ahead.remove(0);
        Ok(true)
    }

    fn read(&mut self) -> Result<bool> {
        self.reader.get_mut().left = limits::TABLE_LINE;
        let mut record = std::mem::take(&mut self.record).into_byte_record(); // its memory is reused
        let read = self.reader.read_byte_record(&mut record).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => damage(error),
            kind => Error::data(format!("it is not a table: {}", brief(&format!("{kind:?}")))),
        })?;
        if !read {
            return Ok(false);
        }
        // Looking for a space in all fields is faster than looking at the ends of each field.
        if record.as_slice().iter().fold(false, |found, byte| found | byte.is_ascii_whitespace()) {
            record.trim();
        }
        self.record = StringRecord::from_byte_record(record).unwrap_or_else(|error| {
            self.latin = true;
            error.into_byte_record().iter().map(decoded).collect::<Vec<_>>().into()
        });
        let text = self.record.as_slice();
        // Most have none, which is quick to check.
        let breaks = if text.as_bytes().contains(&b'\n') { text.matches('\n').count() as u64 } else { 0 };
        // The reader counts empty lines before a record as part of the record, but not those after it.
        let added = self.form.map_or(0, Form::added_lines);
        let position = self.reader.position();
        let stream = self.reader.get_ref();
        let unended = position.byte() == stream.given && !matches!(stream.last, b'\r' | b'\n');
        self.line = (position.line() + self.skipped + u64::from(unended)).saturating_sub(1 + breaks + added);
        Ok(true)
    }

    /// The fields of at most `count` following records, without moving forward.
    pub(super) fn peek(&mut self, count: usize) -> Result<Vec<Vec<String>>> {
        let now = (std::mem::take(&mut self.record), self.line);
        while self.ahead.len() < count && self.read()? {
            self.ahead.push((std::mem::take(&mut self.record), self.line));
        }
        (self.record, self.line) = now;
        Ok(self.ahead.iter().map(|(record, _)| record.iter().map(str::to_owned).collect()).collect())
    }

    /// The fields of this line.
    pub(super) fn record(&self) -> &StringRecord {
        &self.record
    }

    /// The fields of this line, to be taken out; the record put there instead is reused for the next line.
    pub(super) fn record_mut(&mut self) -> &mut StringRecord {
        &mut self.record
    }

    /// The number of this line, counted from 1 as in an editor.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether the first line certainly names the columns.
    pub(super) fn is_named(&self) -> bool {
        self.form.is_some()
    }

    /// How the table is written.
    pub(super) fn format(&self) -> Format {
        self.form.map_or(Format::Csv, Form::format)
    }

    /// Whether decimal points may be commas: where semicolons separate fields.
    pub(super) fn comma(&self) -> bool {
        self.separator == b';'
    }

    /// Bytes read so far, and whether more are available already.
    pub(super) fn read_bytes(&self) -> (u64, bool) {
        // A line feed of the last line's end may remain.
        let read = self.reader.position().byte();
        (read, read + 1 < self.reader.get_ref().given || !self.ahead.is_empty())
    }

    /// What the user should know about how the whole table was read.
    pub(super) fn all_notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        if self.latin {
            notes.push("its text is not UTF-8; it was read as Latin-1 (Windows-1252)".to_owned());
        }
        notes
    }
}

/// Converts UTF-16 text, which begins with its byte-order mark, to UTF-8.
#[cfg(feature = "encodings")]
#[allow(clippy::unnecessary_wraps, reason = "without the feature it is refused")]
fn from_utf16<'a>(text: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
    Ok(Box::new(DecodeReaderBytesBuilder::new().build(text)))
}

#[cfg(not(feature = "encodings"))]
fn from_utf16<'a>(_: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
    Err(Error::data("it is a text in UTF-16; tables are read in UTF-8"))
}

/// A field in UTF-8, otherwise in Latin-1.
#[cfg(feature = "encodings")]
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

#[cfg(not(feature = "encodings"))]
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into()
}

/// The beginning of a table: its first line that is not empty, up to [`HEAD`] bytes of it, and whatever was read with
/// it. It does not wait for more.
fn first_line(table: &mut impl Read) -> io::Result<Vec<u8>> {
    let (mut head, mut len) = (vec![0; HEAD], 0);
    while len < HEAD && !without_breaks(&head[..len]).contains(&b'\n') {
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

/// The bytes without leading line breaks.
fn without_breaks(head: &[u8]) -> &[u8] {
    &head[head.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()..]
}

/// The separator that the first line names, and that line's length in bytes.
fn named_separator(head: &[u8]) -> Option<(u8, usize)> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let &[separator, ref rest @ ..] = text
        .get(..SEPARATOR_LINE.len())
        .filter(|start| start.eq_ignore_ascii_case(SEPARATOR_LINE))
        .and(text.get(SEPARATOR_LINE.len()..))?
    else {
        return None;
    };
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let empty = rest[..end].iter().all(u8::is_ascii_whitespace);
    (empty && separator.is_ascii() && !separator.is_ascii_alphanumeric())
        .then_some((separator, head.len() - rest.len() + end + 1))
}

/// The separator that occurs most often in the first line.
fn separator(head: &[u8]) -> Result<u8> {
    let (mut counts, mut quoted) = ([0usize; SEPARATORS.len()], false);
    for &byte in without_breaks(head).iter().take_while(|&&byte| byte != b'\n') {
        quoted ^= byte == b'"';
        if let Some(index) = SEPARATORS.iter().position(|&separator| separator == byte && !quoted) {
            counts[index] += 1;
        }
    }
    let most = counts.into_iter().max().unwrap_or(0);
    let first = counts.iter().position(|&count| count == most && count > 0);
    first.map(|index| SEPARATORS[index]).ok_or_else(|| {
        Error::data("it looks like text, but is not a table: its first line has no comma, tab, semicolon or bar between fields")
    })
}

/// A stream that ends with an error if a line is too long: an unclosed quote turns a whole file into one line. Line
/// ends of two characters become one, so that lines can be counted.
struct PerLine<'a> {
    inner: Box<dyn Read + 'a>,
    left: usize,
    /// Bytes of the line that were returned already.
    given: u64,
    /// The last of them.
    last: u8,
}

impl PerLine<'_> {
    /// Counts returned bytes.
    fn count(&mut self, bytes: usize) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            io::Error::other(Error::data(format!(
                "a line has more than {} bytes; is a quote left open?",
                limits::TABLE_LINE
            )))
        })?;
        self.given += bytes as u64;
        Ok(bytes)
    }
}

impl Read for PerLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.inner.read(buffer)?;
            if self.last != b'\r' && !buffer[..read].contains(&b'\r') {
                self.last = buffer[..read].last().copied().unwrap_or(self.last);
                return self.count(read);
            }
            let mut kept = 0;
            for at in 0..read {
                let byte = buffer[at];
                // \r\n becomes \n. For the record reader, a lone \r (old Macintosh files) also ends a line.
                if byte == b'\n' && self.last == b'\r' {
                    self.last = byte;
                    continue;
                }
                self.last = byte;
                buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
            // Only the second half of a line end was read: this is not the end of the file.
            if kept > 0 || read == 0 || buffer.is_empty() {
                return self.count(kept);
            }
        }
    }
}
