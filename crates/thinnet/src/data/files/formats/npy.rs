//! NumPy's own formats: NPY, one array per file, and NPZ, a zip archive of such files (NEP 1).
//!
//! An archive is a data set if it has `X_train` and `y_train` (and `X_val`, `y_val`, `X_test`, `y_test`), or `X` and
//! `y`; the first dimension counts the samples. Names are compared without case. `images` and `labels`, `data` and
//! `target` also work, and so does the part's name in front (`train_images`). Two arrays that were saved without
//! names, `arr_0` and `arr_1`, are samples and labels. It may have `classes`, the classes' names by label, and
//! `mean_image`, which is subtracted from every sample instead of the training samples' mean. For regression, the
//! labels' arrays hold numbers (N) or (N, K), and `target_names` their names.

use std::io::{self, Read, Seek};

use ndarray::Array1;
use ndarray_npy::npy::header::Header;

use super::supervision::{Supervision, parts as rows_of};
use super::{ArrayHeader, Content, Numbers, check_promise};
use crate::data::files::archive::{Bounded, Seekable, broken, damage, read_all, unzip};
use crate::data::files::labels::class_names;
use crate::data::shape::shown;
use crate::data::{DataSet, Format, Part, ReadOptions, limits};
use crate::error::{Error, Result, ensure};

/// The first bytes of an NPY file.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// Names of the samples' array, each with the name of its labels.
pub(crate) const NAMES: [(&str, &str); 5] =
    [("x", "y"), ("images", "labels"), ("data", "target"), ("data", "labels"), UNNAMED];

/// How NumPy names arrays that are saved without names.
const UNNAMED: (&str, &str) = ("arr_0", "arr_1");

/// Names of the three parts; an array's name begins or ends with one.
const PARTS: [&[&str]; 3] = [&["train", "training"], &["val", "valid", "validation"], &["test"]];

/// The first pair of names of samples and labels for which `find` finds something: those of a part with these names,
/// or those of all samples.
fn pair<T>(part: Option<&[&str]>, find: impl Fn(&str, &str) -> Option<T>) -> Option<T> {
    let Some(words) = part else { return NAMES.iter().find_map(|(x, y)| find(x, y)) };
    NAMES.iter().find_map(|(x, y)| {
        words.iter().find_map(|word| {
            find(&format!("{x}_{word}"), &format!("{y}_{word}"))
                .or_else(|| find(&format!("{word}_{x}"), &format!("{word}_{y}")))
        })
    })
}

/// Reads an array.
///
/// # Errors
/// [`Error::Data`] for another format, if there are fewer or more numbers than the header says, and for types other
/// than booleans, whole numbers up to 64 bits, floats of 16, 32 and 64 bits, and strings.
pub fn read(bytes: Vec<u8>) -> Result<Numbers> {
    let (header, start) = parsed_header(&bytes)?;
    let array = Array::new(&header, (bytes.len() - start) as u64)?;
    let content = content(bytes, start, array.kind)?;
    array.of(content)
}

/// The same for a file of `length` bytes in a stream.
fn read_stream(stream: &mut impl Read, length: u64) -> Result<Numbers> {
    let (header, start) = header_of(stream)?;
    let array = Array::new(&header, length.saturating_sub(start as u64))?;
    let content = content_of(stream, array.count, array.kind)?;
    let more = io::copy(stream, &mut io::sink()).map_err(damage)?;
    ensure!(more == 0, Error::data("it has more bytes than its archive says"));
    array.of(content)
}

/// An array as its header describes it.
struct Array<'a> {
    descriptor: &'a str,
    kind: (bool, u8, usize),
    shape: Vec<usize>,
    count: usize,
    by_column: bool,
}

impl<'a> Array<'a> {
    /// The array of this header; `found` bytes follow it.
    fn new(header: &'a Header, found: u64) -> Result<Self> {
        let descriptor = header.type_descriptor.as_string().map_or("record", String::as_str);
        let kind = parse_descriptor(descriptor).ok_or_else(|| no_data(descriptor))?;
        let shape = header.shape.clone();
        if shape.len() > limits::DIMENSIONS {
            return Err(Error::data(format!("its array has {} dimensions", shape.len())));
        }
        let found = usize::try_from(found).unwrap_or(usize::MAX);
        check_promise(&shape, kind.2, "values", found)?;
        let by_column = header.layout.is_fortran() && shape.len() > 1;
        Ok(Self { descriptor, kind, shape, count: found / kind.2.max(1), by_column })
    }

    /// The array with its content, if its type is supported.
    fn of(self, content: Option<Content>) -> Result<Numbers> {
        let content = content.ok_or_else(|| no_data(self.descriptor))?;
        if self.by_column { content.by_row(&self.shape) } else { Ok(Numbers { shape: self.shape, content }) }
    }
}

/// The numbers or words from `start` on. The kind says whether they are big-endian, their kind as in NumPy, and the
/// bytes per number. `None` for a kind that is not supported.
pub(super) fn content(mut bytes: Vec<u8>, start: usize, kind: (bool, u8, usize)) -> Result<Option<Content>> {
    if let (_, b'b' | b'u', 1) = kind {
        bytes.drain(..start);
        return Ok(Some(Content::Bytes(bytes)));
    }
    let mut rest = &bytes[start..];
    let count = rest.len() / kind.2.max(1);
    content_of(&mut rest, count, kind)
}

/// The same for this many numbers or words in a stream; they are never in memory both as bytes and as values.
fn content_of(
    stream: &mut dyn Read,
    count: usize,
    (big, kind, size): (bool, u8, usize),
) -> Result<Option<Content>> {
    Ok(Some(match (kind, size) {
        (b'b' | b'u', 1) => Content::Bytes(numbers(stream, count, |[byte]: [u8; 1]| byte)?),
        (b'i', 1) => Content::Integers(numbers(stream, count, |b| i8::from_le_bytes(b).into())?),
        (b'i', 2) => {
            Content::Integers(numbers(stream, count, |b| i16::from_le_bytes(ordered(b, big)).into())?)
        }
        (b'i', 4) => {
            Content::Integers(numbers(stream, count, |b| i32::from_le_bytes(ordered(b, big)).into())?)
        }
        (b'i', 8) => Content::Integers(numbers(stream, count, |b| i64::from_le_bytes(ordered(b, big)))?),
        (b'u', 2) => {
            Content::Integers(numbers(stream, count, |b| u16::from_le_bytes(ordered(b, big)).into())?)
        }
        (b'u', 4) => {
            Content::Integers(numbers(stream, count, |b| u32::from_le_bytes(ordered(b, big)).into())?)
        }
        (b'u', 8) => {
            let mut beyond = false;
            let signed = |b| {
                let number = i64::try_from(u64::from_le_bytes(ordered(b, big)));
                beyond |= number.is_err();
                number.unwrap_or_default()
            };
            let signed = numbers(stream, count, signed)?;
            ensure!(!beyond, Error::data("a whole number is beyond 63 bits"));
            Content::Integers(signed)
        }
        (b'f', 2) => Content::Singles(numbers(stream, count, |b| half(u16::from_le_bytes(ordered(b, big))))?),
        (b'f', 4) => Content::Singles(numbers(stream, count, |b| f32::from_le_bytes(ordered(b, big)))?),
        (b'f', 8) => Content::Floats(numbers(stream, count, |b| f64::from_le_bytes(ordered(b, big)))?),
        (b'S' | b'U', 1..) => {
            let bytes = read_all(stream, 0).map_err(damage)?;
            let word = |bytes: &[u8]| match kind {
                b'S' => String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned(),
                _ => utf32(bytes, big),
            };
            Content::Texts(bytes.chunks_exact(size).map(word).collect())
        }
        _ => return Ok(None),
    }))
}

/// The header of an NPY file; `None` if its numbers are stored by column, so that rows are not contiguous.
pub(crate) fn read_header(stream: &mut impl Read) -> Result<Option<ArrayHeader>> {
    let (header, _) = header_of(stream)?;
    let descriptor = header.type_descriptor.as_string().map_or("record", String::as_str);
    let (_, _, size) = parse_descriptor(descriptor).ok_or_else(|| no_data(descriptor))?;
    if header.layout.is_fortran() {
        return Ok(None);
    }
    let shape = header.shape.clone();
    let head = move |rows: usize| {
        let mut header = header.clone();
        header.shape[0] = rows;
        let mut head = Vec::new();
        let written = header.write(&mut head);
        if written.is_ok() { head } else { Vec::new() } // writing to memory cannot fail; an empty header would be refused later
    };
    Ok(Some(ArrayHeader { shape, size, head: Box::new(head), read }))
}

/// The header at the start of a stream, and its size in bytes.
fn header_of(stream: &mut impl Read) -> Result<(Header, usize)> {
    let cut = |_| Error::data("it is cut short within its header");
    let mut head = Vec::new();
    stream.take(12).read_to_end(&mut head).map_err(damage)?;
    let (length_end, length) = header_length(&head)?;
    head.resize(length_end + length, 0);
    stream.read_exact(&mut head[12..]).map_err(cut)?;
    parsed_header(&head)
}

/// The names of the samples' arrays in an archive with these names, in lower case, in the order of the parts.
pub(crate) fn sample_arrays<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let find = |x: &str, _: &str| names.iter().find(|&&name| name == x).copied();
    let parts: Vec<&str> = PARTS.into_iter().filter_map(|words| pair(Some(words), find)).collect();
    if parts.is_empty() { pair(None, find).into_iter().collect() } else { parts }
}

/// Why an array's samples cannot be read one after another.
pub(crate) fn by_column() -> Error {
    Error::data(
        "its array is stored by column, so that its samples do not follow one another; save numpy.ascontiguousarray of it",
    )
}

fn no_data(descriptor: &str) -> Error {
    if descriptor.ends_with('O') {
        return Error::data(
            "it is an array of Python objects, which are not supported; save it as numbers or words: numpy.asarray(x, dtype=float), \
             or dtype=str",
        );
    }
    Error::data(format!(
        "its type, {descriptor:.30}, is not supported; whole numbers, floats, booleans and words are"
    ))
}

/// The header of an NPY file, and where it ends.
fn parsed_header(bytes: &[u8]) -> Result<(Header, usize)> {
    let (length_end, length) = header_length(bytes)?;
    let end = length_end + length;
    let text = bytes.get(length_end..end).ok_or_else(|| Error::data("it is cut short within its header"))?;
    let mut depth = 0usize;
    for byte in text {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limits::NPY_NESTING {
            return Err(Error::data("the brackets of its header are nested deeper than NumPy ever writes"));
        }
    }
    let header = Header::from_reader(&mut &bytes[..end])
        .map_err(|_| Error::data("it is not an NPY file: its header is not one that NumPy writes"))?;
    Ok((header, end))
}

/// The start of the header's text, and its length in bytes.
fn header_length(bytes: &[u8]) -> Result<(usize, usize)> {
    let no_npy = || Error::data("it is not an NPY file");
    let (length_end, length) = match bytes.get(..12).ok_or_else(no_npy)? {
        [magic @ .., 1, _, a, b, _, _] if magic == MAGIC => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        [magic @ .., 2 | 3, _, a, b, c, d] if magic == MAGIC => {
            (12, usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX))
        }
        _ => return Err(no_npy()),
    };
    if length > limits::NPY_HEADER {
        return Err(Error::data(format!("its header of {length} bytes is longer than NumPy ever writes")));
    }
    Ok((length_end, length))
}

/// Whether the numbers are big-endian, the kind of number, and its bytes, from a descriptor such as `<f8`.
fn parse_descriptor(descriptor: &str) -> Option<(bool, u8, usize)> {
    let [order @ (b'<' | b'>' | b'|'), kind, size @ ..] = descriptor.as_bytes() else { return None };
    let size: usize = std::str::from_utf8(size).ok()?.parse().ok()?;
    let size = if *kind == b'U' { size.checked_mul(4)? } else { size };
    Some((*order == b'>', *kind, size))
}

/// Reads `count` numbers of `N` bytes each.
fn numbers<const N: usize, T>(
    stream: &mut dyn Read,
    count: usize,
    mut number: impl FnMut([u8; N]) -> T,
) -> Result<Vec<T>> {
    const AT_ONCE: usize = 8192;
    let mut buffer = vec![0; N * AT_ONCE.min(count)];
    let mut numbers = Vec::new();
    // Reserves memory for what was read so far, and as much again.
    let first = usize::try_from(limits::UNPACKED_BASE).unwrap_or(usize::MAX) / size_of::<T>().max(1);
    while numbers.len() < count {
        let left = count - numbers.len();
        if numbers.len() == numbers.capacity() {
            numbers.reserve_exact(left.min(numbers.len().max(first)));
        }
        let room = (numbers.capacity() - numbers.len()).min(left).min(AT_ONCE);
        let part = &mut buffer[..N * room];
        stream.read_exact(part).map_err(damage)?;
        numbers.extend(part.as_chunks().0.iter().map(|&chunk| number(chunk)));
    }
    Ok(numbers)
}

/// The bytes of a number, lowest first.
fn ordered<const N: usize>(mut bytes: [u8; N], big: bool) -> [u8; N] {
    if big {
        bytes.reverse();
    }
    bytes
}

/// A 16-bit float (IEEE 754-2019, section 3.4, binary16), exactly.
pub(super) fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f32.powi(-24),
        0x1f if fraction > 0.0 => f32::NAN,
        0x1f => f32::INFINITY,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// Characters of four bytes each, up to trailing zeros.
fn utf32(bytes: &[u8], big: bool) -> String {
    let character = |&chunk: &[u8; 4]| char::from_u32(u32::from_le_bytes(ordered(chunk, big)));
    let characters = bytes.as_chunks().0.iter().map(character);
    let text: String = characters.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.trim_end_matches('\0').to_owned()
}

impl Content {
    /// Converts an array that is stored by column to row order.
    pub(super) fn by_row(self, shape: &[usize]) -> Result<Numbers> {
        fn turned<T: Clone>(values: Vec<T>, shape: &[usize]) -> Result<Vec<T>> {
            use ndarray::{ArrayD, IxDyn, ShapeBuilder};
            let array = ArrayD::from_shape_vec(IxDyn(shape).f(), values)
                .map_err(|error| Error::data(format!("its array has an impossible shape: {error}")))?;
            Ok(array.iter().cloned().collect())
        }
        let content = match self {
            Self::Bytes(values) => Self::Bytes(turned(values, shape)?),
            Self::Integers(values) => Self::Integers(turned(values, shape)?),
            Self::Floats(values) => Self::Floats(turned(values, shape)?),
            Self::Singles(values) => Self::Singles(turned(values, shape)?),
            Self::Texts(values) => Self::Texts(turned(values, shape)?),
        };
        Ok(Numbers { shape: shape.to_vec(), content })
    }
}

/// Reads an NPZ archive of `packed` bytes as a data set.
///
/// # Errors
/// [`Error::Data`] for an archive that is damaged, unpacks to too much, or has no samples with labels; also if
/// [`ReadOptions::regression`] asks for targets and they are not numbers.
pub fn read_npz(mut stream: impl Read + Seek, packed: u64, options: &ReadOptions) -> Result<DataSet> {
    read_zip(&mut stream, packed, options)
}

fn read_zip(stream: &mut dyn Seekable, packed: u64, options: &ReadOptions) -> Result<DataSet> {
    let (mut archive, names) = unzip(stream)?;
    let mut left = limits::unpacked(packed);
    let mut load = |name: &str| -> Result<Numbers> {
        let entry = archive.by_name(name).map_err(broken)?;
        let claimed = entry.size();
        if claimed > left {
            return Err(Error::data(format!(
                "it unpacks to {claimed} bytes, too much for a file of its size"
            )));
        }
        left -= claimed;
        read_stream(&mut Bounded::new(entry, claimed), claimed)
    };
    let arrays: Vec<(String, &String)> = names
        .iter()
        .filter_map(|name| Some((name.strip_suffix(".npy")?.to_ascii_lowercase(), name)))
        .collect();
    let lower: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
    assemble(Format::Npz, &lower, options, |index, _| {
        let (_, name) = &arrays[index];
        load(name).map_err(|error| error.within(name.chars().take(limits::CLASS_NAME).collect::<String>()))
    })
}

/// The arrays of an NPZ archive in memory, by their names; other files in it are left out.
///
/// # Errors
/// [`Error::Data`] for an archive that is damaged or unpacks to too much.
#[cfg(feature = "import")]
pub(crate) fn read_arrays(bytes: &[u8]) -> Result<std::collections::BTreeMap<String, Numbers>> {
    let (mut archive, names) = unzip(io::Cursor::new(bytes))?;
    let mut left = limits::unpacked(bytes.len() as u64);
    let mut arrays = std::collections::BTreeMap::new();
    for name in &names {
        let Some(own) = name.strip_suffix(".npy") else { continue };
        let entry = archive.by_name(name).map_err(broken)?;
        let claimed = entry.size();
        left = left.checked_sub(claimed).ok_or_else(|| {
            Error::data(format!("it unpacks to {claimed} bytes, too much for a file of its size"))
        })?;
        let array = read_stream(&mut Bounded::new(entry, claimed), claimed);
        let shown = || own.chars().take(limits::CLASS_NAME).collect::<String>();
        arrays.insert(own.to_owned(), array.map_err(|error| error.within(shown()))?);
    }
    Ok(arrays)
}

/// Builds a data set from named arrays; the names are in lower case. `load` reads the array at an index. For samples
/// it gets their number, which is the number of labels.
pub(crate) fn assemble(
    format: Format,
    names: &[&str],
    options: &ReadOptions,
    mut load: impl FnMut(usize, Option<usize>) -> Result<Numbers>,
) -> Result<DataSet> {
    let find = |wanted: &str| names.iter().position(|&name| name == wanted);
    let both = |x: &str, y: &str| Some((find(x)?, find(y)?));
    let [train, val, test] = PARTS.map(|words| pair(Some(words), both));
    let whole = pair(None, both);
    if train.is_none() && whole.is_some_and(|(x, _)| names[x] == UNNAMED.0) && find("arr_2").is_some() {
        return Err(Error::data(
            "its arrays have no names, so with more than two it is unclear which are the samples; save them with names: \
             numpy.savez(file, X_train=..., y_train=..., X_test=..., y_test=...)",
        ));
    }
    let Some(train) = train.or(whole) else {
        let names = names.join(", ").chars().take(limits::CLASS_NAME).collect::<String>();
        return Err(Error::data(format!(
            "it has no arrays X_train and y_train, and no X and y; it has {}",
            if names.is_empty() { "none" } else { &names }
        )));
    };
    let (mut shape, mut parts) = (None, Vec::new());
    let pairs = [(Part::Train, Some(train)), (Part::Val, val), (Part::Test, test)];
    for (part, pair) in pairs {
        let Some((x, y)) = pair else { continue };
        let labels = load(y, None)?;
        let samples = labels.shape.first().copied();
        let wanted = Supervision::of(labels, options).map_err(|error| error.within(names[y]))?;
        let (values, found) =
            load(x, Some(samples.unwrap_or(0)))?.into_samples().map_err(|error| error.within(names[x]))?;
        if shape.get_or_insert_with(|| found.clone()) != &found {
            return Err(Error::data(format!(
                "samples of {} have the shape {}, unlike those of the training samples",
                names[x],
                shown(&found)
            )));
        }
        parts.push((part, values, wanted));
    }
    let mean = match find("mean_image").map(|index| load(index, None)).transpose()?.map(Numbers::widened) {
        Some(Numbers { content: Content::Floats(mean), .. }) => {
            ensure!(mean.iter().all(|value| value.is_finite()), Error::data("its mean_image is not finite"));
            Some(Array1::from(mean))
        }
        Some(_) => return Err(Error::data("its mean_image is not an array of floats")),
        None => None,
    };
    let names_array = if options.regression { "target_names" } else { "classes" };
    let given = match find(names_array).map(|index| load(index, None)).transpose()? {
        Some(Numbers { content: Content::Texts(names), .. }) => {
            Some(class_names(names.iter().map(String::as_str))?)
        }
        Some(_) => return Err(Error::data(format!("its {names_array} are not words"))),
        None => None,
    };
    let (names, rows) = rows_of(parts, given)?;
    let mut rows = rows.into_iter();
    let train = rows.next().ok_or_else(|| Error::data("it has no training samples"))?;
    let (val, test) = (val.and_then(|_| rows.next()), test.and_then(|_| rows.next()));
    let (columns, shape) = (None, shape.unwrap_or_default());
    DataSet { format, names, columns, shape, train, val, test, mean, notes: Vec::new() }.checked()
}
