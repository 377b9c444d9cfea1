//! The stack machine that a pickle is a program for; it cannot run anything else.

use std::collections::HashMap;

use super::{Id, Value};
use crate::data::limits;
use crate::error::ensure;

/// The functions and classes that pickled arrays of numbers use.
pub(super) const KNOWN: [(&str, &str); 9] = [
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    ("__builtin__", "bytearray"),
    ("builtins", "bytearray"),
];

/// The stack machine.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value<'a>>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<usize, Id>,
}

/// An error message; the place is added later.
pub(super) type Step<T> = Result<T, String>;

impl<'a> Machine<'a> {
    /// The machine before its first opcode.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, values: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() }
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// All values that were created.
    pub(super) fn into_values(self) -> Vec<Value<'a>> {
        self.values
    }

    /// Runs to the end; returns the result's id.
    pub(super) fn run(&mut self) -> Step<Id> {
        loop {
            match self.byte()? {
                b'.' => return self.pop(),
                // PROTO, FRAME
                0x80 => match self.byte()? {
                    0..=5 => {}
                    version => return Err(format!("there is no protocol {version}")),
                },
                0x95 => self.skip(8)?,
                opcode => self.step(opcode)?,
            }
        }
    }

    /// Executes an opcode.
    fn step(&mut self, opcode: u8) -> Step<()> {
        match opcode {
            // MARK, POP, POP_MARK, DUP
            b'(' => self.marks.push(self.stack.len()),
            b'0' if self.marks.last().is_some_and(|&mark| mark == self.stack.len()) => drop(self.marks.pop()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => self.stack.push(self.top()?),
            // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
            b'q' => self.keep(1)?,
            b'r' => self.keep(4)?,
            0x94 => self.keep_as(self.memo.len())?,
            b'h' => self.recall(1)?,
            b'j' => self.recall(4)?,
            // SHORT_BINSTRING, BINSTRING, SHORT_BINBYTES, BINBYTES, BINBYTES8, BYTEARRAY8
            b'U' | b'C' => self.bytes(1)?,
            b'T' | b'B' => self.bytes(4)?,
            0x8e | 0x96 => self.bytes(8)?,
            // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8
            0x8c => self.text(1)?,
            b'X' => self.text(4)?,
            0x8d => self.text(8)?,
            // EMPTY_TUPLE, EMPTY_LIST, EMPTY_SET, TUPLE1 to TUPLE3, TUPLE, LIST, FROZENSET
            b')' | b']' | 0x8f => self.push(Value::Items(Vec::new()))?,
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b't' | b'l' | 0x91 => {
                let items = self.pop_mark()?;
                self.push(Value::Items(items))?;
            }
            // APPEND, APPENDS, ADDITEMS
            b'a' => {
                let item = vec![self.pop()?];
                self.extend(item)?;
            }
            b'e' | 0x90 => {
                let items = self.pop_mark()?;
                self.extend(items)?;
            }
            // EMPTY_DICT, DICT, SETITEM, SETITEMS
            b'}' => self.push(Value::Dict(Vec::new()))?,
            b'd' => {
                let items = self.pop_mark()?;
                self.push(Value::Dict(Vec::new()))?;
                self.set(items)?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set(vec![key, value])?;
            }
            b'u' => {
                let items = self.pop_mark()?;
                self.set(items)?;
            }
            // GLOBAL, STACK_GLOBAL, REDUCE, BUILD
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(module, name)?;
            }
            0x93 => self.stack_global()?,
            b'R' => self.call()?,
            b'b' => self.build()?,
            opcode => {
                let value = self.scalar(opcode)?;
                self.push(value)?;
            }
        }
        Ok(())
    }

    /// A value without parts.
    fn scalar(&mut self, opcode: u8) -> Step<Value<'a>> {
        Ok(match opcode {
            // NONE, NEWTRUE, NEWFALSE
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            // BININT, BININT1, BININT2, LONG1, BINFLOAT
            b'J' => Value::Int(i32::from_le_bytes(self.array()?).into()),
            b'K' => Value::Int(self.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.array()?).into()),
            0x8a => {
                let length = usize::from(self.byte()?);
                Value::Int(long(self.take(length)?).ok_or("a whole number is beyond 64 bits")?)
            }
            b'G' => Value::Float(f64::from_be_bytes(self.array()?)),
            opcode => return Err(format!("no data set needs the opcode {:?}", char::from(opcode))),
        })
    }

    /// REDUCE: a call, which is recorded but not executed.
    fn call(&mut self) -> Step<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        ensure!(
            matches!(self.values[function], Value::Global(..)),
            "what is called is not a function".into()
        );
        self.push(Value::Call { function, arguments, state: None })
    }

    /// BUILD: the state for the result of a call.
    fn build(&mut self) -> Step<()> {
        let state = self.pop()?;
        let object = self.top()?;
        match &mut self.values[object] {
            Value::Call { state: old @ None, .. } => *old = Some(state),
            _ => return Err("a state is given to a value that takes none".into()),
        }
        Ok(())
    }

    /// STACK_GLOBAL: a function whose module and name are on the stack.
    fn stack_global(&mut self) -> Step<()> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (&self.values[module], &self.values[name]) {
            (&Value::Text(module), &Value::Text(name)) => self.global(module, name),
            _ => Err("a function has no name".into()),
        }
    }

    fn take(&mut self, count: usize) -> Step<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..count).ok_or_else(|| {
            format!("{count} more bytes are expected, but the file ends after {}", rest.len())
        })?;
        self.at += count;
        Ok(taken)
    }

    fn skip(&mut self, count: usize) -> Step<()> {
        self.take(count).map(drop)
    }

    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| "the file ends".to_owned())
    }

    fn byte(&mut self) -> Step<u8> {
        self.array().map(|[byte]| byte)
    }

    /// A size of 1, 4 or 8 bytes.
    fn size(&mut self, width: usize) -> Step<usize> {
        let mut wide = [0; 8];
        wide[..width].copy_from_slice(self.take(width)?);
        usize::try_from(u64::from_le_bytes(wide)).map_err(|_| "a size is larger than any memory".to_owned())
    }

    /// A byte string, after its length in `width` bytes.
    fn bytes(&mut self, width: usize) -> Step<()> {
        let length = self.size(width)?;
        let bytes = self.take(length)?;
        self.push(Value::Bytes(bytes))
    }

    /// The same for text.
    fn text(&mut self, width: usize) -> Step<()> {
        let length = self.size(width)?;
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| "a text is not UTF-8")?;
        self.push(Value::Text(text))
    }

    /// Text up to the end of the line.
    fn line(&mut self) -> Step<&'a str> {
        // The name of a module or function; longer ones are never needed.
        const LONGEST: usize = 256;
        let rest = &self.bytes[self.at..];
        let end = rest.iter().take(LONGEST).position(|&byte| byte == b'\n').ok_or("a name has no end")?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| "a name is not UTF-8".to_owned())
    }

    fn push(&mut self, value: Value<'a>) -> Step<()> {
        if self.values.len() >= limits::PICKLE_VALUES {
            return Err(format!("it has more than {} values", limits::PICKLE_VALUES));
        }
        self.stack.push(self.values.len());
        self.values.push(value);
        Ok(())
    }

    /// The lowest place on the stack that an opcode may take from; everything below belongs to an open mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Step<Id> {
        match self.stack.last() {
            Some(&top) if self.stack.len() > self.floor() => Ok(top),
            _ => Err("the stack is empty".into()),
        }
    }

    fn pop(&mut self) -> Step<Id> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_mark(&mut self) -> Step<Vec<Id>> {
        let mark = self.marks.pop().ok_or("there is no mark")?;
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, count: usize) -> Step<()> {
        let from = self.stack.len().checked_sub(count).filter(|&from| from >= self.floor());
        let items = self.stack.split_off(from.ok_or("the stack is empty")?);
        self.push(Value::Items(items))
    }

    /// Stores the top value under a key of `width` bytes.
    fn keep(&mut self, width: usize) -> Step<()> {
        let key = self.size(width)?;
        self.keep_as(key)
    }

    fn keep_as(&mut self, key: usize) -> Step<()> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    /// Fetches the value that was stored under a key of `width` bytes.
    fn recall(&mut self, width: usize) -> Step<()> {
        let key = self.size(width)?;
        let id = *self.memo.get(&key).ok_or_else(|| format!("nothing was kept as {key}"))?;
        self.stack.push(id);
        Ok(())
    }

    fn extend(&mut self, more: Vec<Id>) -> Step<()> {
        let list = self.top()?;
        match &mut self.values[list] {
            Value::Items(items) => items.extend(more),
            _ => return Err("items are added to what is not a list".into()),
        }
        Ok(())
    }

    fn set(&mut self, more: Vec<Id>) -> Step<()> {
        let dict = self.top()?;
        match &mut self.values[dict] {
            Value::Dict(entries) if more.len().is_multiple_of(2) => entries.extend(more),
            _ => return Err("entries are added to what is not a dictionary, or a key has no value".into()),
        }
        Ok(())
    }

    fn global(&mut self, module: &'a str, name: &'a str) -> Step<()> {
        if KNOWN.contains(&(module, name)) {
            return self.push(Value::Global(module, name));
        }
        let asked: String = format!("{module}.{name}").chars().take(limits::CLASS_NAME).collect();
        Err(format!("it asks for {asked:?}, which no data set needs; nothing was executed"))
    }
}

/// A little-endian number of up to 8 bytes, in two's complement.
fn long(bytes: &[u8]) -> Option<i64> {
    let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
    let mut wide = if negative { [0xff; 8] } else { [0; 8] };
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(wide))
}
