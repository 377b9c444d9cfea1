//! Converts tables in JSON or ARFF, line by line, to separated fields.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::data::files::archive::damage;
use crate::data::{Format, limits};
use crate::error::{Error, Result, ensure};

/// How a table is written, if not as separated fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Weka's format: a header of attributes, then fields.
    Arff,
    /// One object per line.
    JsonLines,
    /// A list of objects.
    Json,
}

impl Form {
    /// The form of a text with this beginning.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let is = |word: &[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        match text {
            _ if is(b"@relation") => Some(Self::Arff),
            [b'%', ..] => Some(Self::Arff),
            [b'{', ..] => Some(Self::JsonLines),
            [b'[', rest @ ..] if rest.trim_ascii_start().starts_with(b"{") => Some(Self::Json),
            _ => None,
        }
    }

    /// What a data set in this form is called.
    pub(super) fn format(self) -> Format {
        match self {
            Self::Arff => Format::Arff,
            Self::JsonLines | Self::Json => Format::Json,
        }
    }

    /// Lines that are ahead of the first object's, which has none of its own.
    pub(super) fn added_lines(self) -> u64 {
        u64::from(self != Self::Arff)
    }

    /// The table as lines of fields separated by commas; the first line names the columns. Lines of an ARFF file that
    /// are not data become empty, so that line numbers stay the same.
    pub(super) fn separated<'a>(self, text: impl Read + 'a) -> Box<dyn Read + 'a> {
        let source = BufReader::new(text);
        Box::new(match self {
            Self::Arff => Lines { source, next: Box::new(Arff::default()), ready: Vec::new(), given: 0 },
            Self::JsonLines | Self::Json => {
                let objects = Objects { names: Vec::new(), whole: self == Self::Json, number: 0 };
                Lines { source, next: Box::new(objects), ready: Vec::new(), given: 0 }
            }
        })
    }
}

/// Converts text to lines of fields.
trait Next {
    /// Converts the next part of the text and appends it; `false` at the end.
    fn next(&mut self, source: &mut dyn BufRead, out: &mut Vec<u8>) -> Result<bool>;
}

/// A stream of the converted lines.
struct Lines<R> {
    source: BufReader<R>,
    next: Box<dyn Next>,
    ready: Vec<u8>,
    /// Bytes of `ready` that were returned already.
    given: usize,
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            self.ready.clear();
            self.given = 0;
            if !self.next.next(&mut self.source, &mut self.ready).map_err(io::Error::other)? {
                return Ok(0);
            }
        }
        let count = buffer.len().min(self.ready.len() - self.given);
        buffer[..count].copy_from_slice(&self.ready[self.given..][..count]);
        self.given += count;
        Ok(count)
    }
}

/// The next line without its line end; `None` after the last.
fn line(source: &mut dyn BufRead) -> Result<Option<String>> {
    let mut bytes = Vec::new();
    let most = limits::TABLE_LINE as u64;
    let read = source.take(most + 1).read_until(b'\n', &mut bytes).map_err(damage)?;
    ensure!(read as u64 <= most, Error::data(format!("a line has more than {most} bytes")));
    let text = String::from_utf8_lossy(&bytes);
    Ok((read > 0).then(|| text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Appends fields as a line, quoted if necessary.
fn write<T: AsRef<str>>(out: &mut Vec<u8>, fields: impl IntoIterator<Item = T>) {
    for (place, field) in fields.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.push(b'"');
        out.extend(field.as_ref().replace('"', "\"\"").bytes());
        out.push(b'"');
    }
    out.push(b'\n');
}

/// The lines of an ARFF file; attribute names come before `@data`.
#[derive(Default)]
struct Arff {
    names: Vec<String>,
    in_data: bool,
    /// Lines read so far.
    number: u64,
}

impl Next for Arff {
    fn next(&mut self, source: &mut dyn BufRead, out: &mut Vec<u8>) -> Result<bool> {
        let Some(text) = line(source)? else {
            ensure!(self.in_data, Error::data("its ARFF header has no @data"));
            return Ok(false);
        };
        self.number += 1;
        let text = text.trim();
        let keyword = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        match keyword.as_str() {
            _ if text.is_empty() || text.starts_with('%') => out.push(b'\n'),
            _ if self.in_data => {
                let sparse = text.starts_with('{');
                ensure!(
                    !sparse,
                    Error::data("its ARFF data are sparse, which is not supported; write all values")
                );
                let fields = fields(text);
                write(
                    out,
                    fields
                        .ok_or_else(|| Error::data(format!("line {}: a quote is left open", self.number)))?,
                );
            }
            "@data" => {
                self.in_data = true;
                write(out, &self.names);
            }
            "@attribute" => {
                let rest = text.get(keyword.len()..).unwrap_or_default().trim();
                let name = match rest.chars().next() {
                    Some(quote @ ('\'' | '"')) => rest[1..].split(quote).next(),
                    _ => rest.split_whitespace().next(),
                };
                self.names.push(name.unwrap_or_default().to_owned());
                out.push(b'\n');
            }
            _ => out.push(b'\n'),
        }
        Ok(true)
    }
}

/// The fields of a line of ARFF data. They may be in single or double quotes, with a backslash before a quote; `None`
/// if a quote is left open.
fn fields(text: &str) -> Option<Vec<String>> {
    let (mut fields, mut field, mut quote, mut escaped) = (Vec::new(), String::new(), None, false);
    for c in text.chars() {
        match (quote, c) {
            _ if escaped => {
                field.push(c);
                escaped = false;
            }
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') if field.trim().is_empty() => quote = Some(c),
            (None, ',' | '\t') => fields.push(std::mem::take(&mut field).trim().to_owned()),
            _ => field.push(c),
        }
    }
    fields.push(field.trim().to_owned());
    quote.is_none().then_some(fields)
}

/// Objects as lines: the names of the first object, then each object's values.
struct Objects {
    names: Vec<String>,
    /// Whether they are all in one list.
    whole: bool,
    number: u64,
}

impl Next for Objects {
    fn next(&mut self, source: &mut dyn BufRead, out: &mut Vec<u8>) -> Result<bool> {
        if self.whole {
            let mut bytes = Vec::new();
            source.read_to_end(&mut bytes).map_err(damage)?;
            if bytes.is_empty() {
                return Ok(false);
            }
            let objects: Vec<Object> = serde_json::from_slice(&bytes)
                .map_err(|error| Error::data(format!("it is not a list of JSON objects: {error}")))?;
            for object in objects {
                self.add(object, out)?;
            }
            return Ok(true);
        }
        let Some(text) = line(source)? else { return Ok(false) };
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            self.number += 1;
            out.push(b'\n');
        } else {
            let place = format!("line {}", self.number + 1);
            let object = serde_json::from_str(text)
                .map_err(|error| Error::data(format!("{place} is not a JSON object: {error}")))?;
            self.add(object, out)?;
        }
        Ok(true)
    }
}

impl Objects {
    /// Where the last object that was read is.
    fn place(&self) -> String {
        format!("{} {}", if self.whole { "object" } else { "line" }, self.number)
    }

    fn add(&mut self, Object(pairs): Object, out: &mut Vec<u8>) -> Result<()> {
        self.number += 1;
        if self.names.is_empty() {
            self.names = pairs.iter().map(|(name, _)| name.clone()).collect();
            write(out, &self.names);
        }
        let mut fields = vec![String::new(); self.names.len()];
        for (name, value) in pairs {
            let place = self.names.iter().position(|own| *own == name).ok_or_else(|| {
                Error::data(format!(
                    "{} has the key {name:?}, but the first object does not; add it there too, with null for no value",
                    self.place()
                ))
            })?;
            fields[place] = match value {
                Value::Null => String::new(),
                Value::Bool(truth) => truth.to_string(),
                Value::Number(number) => number.to_string(),
                Value::String(text) => text,
                Value::Array(_) | Value::Object(_) => {
                    return Err(Error::data(format!(
                        "{}, key {name}: it is a list or an object, but a table takes only numbers and words",
                        self.place()
                    )));
                }
            };
        }
        write(out, fields);
        Ok(())
    }
}

/// An object's keys and values, in order.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Object, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
