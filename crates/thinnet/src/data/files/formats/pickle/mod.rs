//! Python's pickle format, as far as data sets need it (protocols 2 to 5; PEP 307, PEP 3154, PEP 574).
//!
//! A pickle is a program for a stack machine. This reader never calls Python functions: calls are stored
//! ([`Value::Call`]) and a data reader may interpret them. A function that no array of numbers needs stops the
//! reading. Values are in one list and refer to each other by number, so sharing, nesting and dropping cost nothing;
//! strings stay in the file's bytes. Existing pickle crates copy shared values, which a hostile file can double at
//! every opcode, follow nesting by recursion, and copy the 30 MB of a batch more than once.

mod machine;
mod value;

use std::borrow::Cow;

use machine::Machine;
pub use value::{Id, Value};

use crate::data::limits;
use crate::error::{Error, Result, ensure};

/// A parsed pickle: its values, and which one is the result.
#[derive(Debug, Clone)]
pub struct Pickle<'a> {
    values: Vec<Value<'a>>,
    root: Id,
}

/// An array of bytes within a pickle.
#[derive(Debug, Clone, PartialEq)]
pub struct ByteArray<'a> {
    /// The size of each dimension.
    pub shape: Vec<usize>,
    /// Its bytes, row-major.
    pub bytes: Cow<'a, [u8]>,
}

impl<'a> Pickle<'a> {
    /// Reads one pickle; bytes may follow its end.
    ///
    /// # Errors
    /// [`Error::Data`] for bytes that are not a pickle, for functions that no array of numbers needs, and for more
    /// than [`limits::PICKLE_VALUES`] values.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut machine = Machine::new(bytes);
        let root = machine.run().map_err(|reason| {
            Error::data(format!("the pickle cannot be read at byte {}: {reason}", machine.position()))
        })?;
        Ok(Self { values: machine.into_values(), root })
    }

    /// The value that the pickle stands for.
    pub fn root(&self) -> &Value<'a> {
        &self.values[self.root]
    }

    /// The value with this number.
    pub fn value(&self, id: Id) -> &Value<'a> {
        &self.values[id]
    }

    /// The value for a key in a dictionary, the last one if there are several.
    pub fn get(&self, dict: &Value<'a>, key: &str) -> Option<&Value<'a>> {
        let Value::Dict(entries) = dict else { return None };
        let entries = entries.chunks_exact(2).rev();
        entries.map(|entry| (&self.values[entry[0]], entry[1])).find_map(|(name, value)| {
            let found = match name {
                Value::Bytes(name) => *name == key.as_bytes(),
                Value::Text(name) => *name == key,
                _ => false,
            };
            found.then(|| &self.values[value])
        })
    }

    /// Whole numbers of a list or tuple.
    pub fn integers(&self, list: &Value<'a>) -> Option<Vec<i64>> {
        let Value::Items(items) = list else { return None };
        let integer = |&id: &Id| match self.values[id] {
            Value::Int(number) => Some(number),
            _ => None,
        };
        items.iter().map(integer).collect()
    }

    /// Strings of a list or tuple. Bytes that are not UTF-8 are replaced.
    pub fn texts(&self, list: &Value<'a>) -> Option<Vec<Cow<'a, str>>> {
        let Value::Items(items) = list else { return None };
        let text = |&id: &Id| match self.values[id] {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        };
        items.iter().map(text).collect()
    }

    /// A NumPy array of type `uint8`, in row-major order.
    ///
    /// # Errors
    /// [`Error::Data`] for anything else, and for an array whose bytes do not match its shape.
    pub fn byte_array(&self, value: &Value<'a>) -> Result<ByteArray<'a>> {
        let found = self.array_parts(value).ok_or_else(|| Error::data("it is not a NumPy array"))?;
        let (shape, dtype, fortran, bytes) = found;
        ensure!(dtype, Error::data("its array is not of the type uint8"));
        let shape: Option<Vec<usize>> = self
            .integers(shape)
            .unwrap_or_default()
            .into_iter()
            .map(|size| usize::try_from(size).ok())
            .collect();
        let shape = shape
            .filter(|shape| (1..=limits::DIMENSIONS).contains(&shape.len()))
            .ok_or_else(|| Error::data("its array has an impossible shape"))?;
        if fortran && shape.len() > 1 {
            return Err(Error::data("its array is stored by column, which a batch never is"));
        }
        let bytes = bytes.ok_or_else(|| Error::data("its array has no bytes"))?;
        if crate::data::formats::count(&shape) != Some(bytes.len()) {
            return Err(Error::data(format!(
                "its array of shape {} has {} bytes",
                crate::data::shape::shown(&shape),
                bytes.len()
            )));
        }
        Ok(ByteArray { shape, bytes })
    }

    /// Shape, whether the type is `uint8`, whether it is stored by column, and the bytes of an array, from either way
    /// in which NumPy pickles one.
    #[allow(clippy::type_complexity)] // four values that are used at once
    fn array_parts(&self, value: &Value<'a>) -> Option<(&Value<'a>, bool, bool, Option<Cow<'a, [u8]>>)> {
        let Value::Call { function, arguments, state } = value else { return None };
        let Value::Global(_, name) = self.value(*function) else { return None };
        match *name {
            // (version, shape, dtype, is_fortran, bytes)
            "_reconstruct" => {
                let Value::Items(state) = self.value((*state)?) else { return None };
                let &[_, shape, dtype, fortran, bytes] = state.as_slice() else { return None };
                let fortran = matches!(self.value(fortran), Value::Bool(true) | Value::Int(1));
                Some((self.value(shape), self.is_uint8(dtype), fortran, self.bytes(bytes)))
            }
            // (bytes, dtype, shape, order)
            "_frombuffer" => {
                let Value::Items(arguments) = self.value(*arguments) else { return None };
                let &[bytes, dtype, shape, order] = arguments.as_slice() else { return None };
                let fortran = matches!(self.value(order), Value::Text("F"));
                Some((self.value(shape), self.is_uint8(dtype), fortran, self.bytes(bytes)))
            }
            _ => None,
        }
    }

    /// Whether this is `dtype('u1', ...)`.
    fn is_uint8(&self, dtype: Id) -> bool {
        let Value::Call { function, arguments, .. } = self.value(dtype) else { return false };
        let Value::Items(arguments) = self.value(*arguments) else { return false };
        matches!(self.value(*function), Value::Global("numpy", "dtype"))
            && arguments.first().is_some_and(|&name| {
                matches!(self.value(name), Value::Text("u1" | "|u1") | Value::Bytes(b"u1" | b"|u1"))
            })
    }

    /// A byte string; `_codecs.encode(text, 'latin1')` and `bytearray(...)` count as well.
    fn bytes(&self, id: Id) -> Option<Cow<'a, [u8]>> {
        match self.value(id) {
            Value::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
            Value::Call { function, arguments, .. } => {
                let Value::Items(arguments) = self.value(*arguments) else { return None };
                let &[first, ref rest @ ..] = arguments.as_slice() else { return None };
                match (self.value(*function), self.value(first)) {
                    (Value::Global("_codecs", "encode"), Value::Text(text)) if matches!(rest, &[name] if *self.value(name) == Value::Text("latin1")) => {
                        text.chars()
                            .map(|c| u8::try_from(u32::from(c)).ok())
                            .collect::<Option<Vec<_>>>()
                            .map(Cow::Owned)
                    }
                    (Value::Global(_, "bytearray"), Value::Bytes(bytes)) => Some(Cow::Borrowed(bytes)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
