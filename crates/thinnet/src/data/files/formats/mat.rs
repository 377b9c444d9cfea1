//! MATLAB's level 5 files (`save -v6` and `-v7`, SciPy's `savemat`), as SVHN uses: named arrays, which may be
//! compressed ("MAT-File Format", The MathWorks). Numeric arrays are read, everything else is skipped.
//!
//! Arrays have the same names as in an NPZ archive. The number of labels, (N, 1) or (1, N), is the number of samples.
//! In the samples' array they are the first dimension or, as in SVHN (H, W, C, N), the last. SVHN's label 10 is the
//! digit 0.
//!
//! MATLAB 7.3 writes HDF5, which is not read here.

use std::io::{Read, Seek, SeekFrom};

use flate2::read::ZlibDecoder;

use super::npy::{self, assemble};
use super::{Content, Numbers, check_promise, count};
use crate::data::files::archive::{Bounded, damage, read_all};
use crate::data::shape::shown;
use crate::data::{DataSet, Features, Format, ReadOptions, limits};
use crate::error::{Error, Result, ensure};

/// Bytes of the file's header: a text, the version and the byte order.
const HEADER: usize = 128;
/// Kinds of elements (`miMATRIX`, `miCOMPRESSED`).
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
/// The size of SVHN's images, as in MATLAB.
const SVHN: [usize; 3] = [32, 32, 3];

/// Whether a file with this beginning is one, in either byte order.
pub(crate) fn is_mat(head: &[u8]) -> bool {
    version(head) == Some(1)
}

/// Whether it is MATLAB 7.3, which is HDF5.
pub(crate) fn is_7_3(head: &[u8]) -> bool {
    version(head) == Some(2)
}

fn version(head: &[u8]) -> Option<u8> {
    match head.get(124..HEADER)? {
        [_, version, b'I', b'M'] | [version, _, b'M', b'I'] => Some(*version),
        _ => None,
    }
}

/// Reads a file of `size` bytes.
///
/// # Errors
/// [`Error::Data`] for damage, for an array that unpacks to too much, and for a file without samples and labels.
pub fn read(stream: impl Read + Seek, size: u64, options: &ReadOptions) -> Result<DataSet> {
    let mut file = File::open(stream, size)?;
    let names = file.names();
    let svhn = file.arrays.iter().any(|array| array.shape.len() == 4 && array.shape.starts_with(&SVHN));
    let mut digits = false;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut set = assemble(Format::Mat, &names, options, |index, samples| {
        let within = |error: Error| error.within(names[index]);
        let array = file.load(index).map_err(within)?;
        if let Some(samples) = samples {
            return array.with_samples_first(samples).map_err(within);
        }
        let mut array = array.by_row()?;
        if svhn && !options.regression {
            digits |= ten_is_zero(&mut array.content);
        }
        Ok(array)
    })?;
    if digits {
        set.note("label 10 is read as the digit 0, as in SVHN".to_owned());
    }
    Ok(set)
}

/// Receives samples of a part, the shape of one, and the share of the part that is done.
type Parts<'a> = &'a mut dyn FnMut(usize, Features<f64>, &[usize], f64) -> Result<()>;

/// Passes on the samples of all parts of a file, `rows` at a time, with the number of their part, the shape of one,
/// and the share of the part that is done. A sample should have `width` numbers; labels may be missing. The file's
/// arrays are read whole.
pub(crate) fn each_block(
    stream: impl Read + Seek,
    size: u64,
    (width, rows): (usize, usize),
    each: Parts<'_>,
) -> Result<()> {
    let mut file = File::open(stream, size)?;
    let names = file.names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted = npy::sample_arrays(&names);
    ensure!(!wanted.is_empty(), Error::data("it has no array X_train, X_test or X"));
    for (part, name) in wanted.into_iter().enumerate() {
        let Some(index) = names.iter().position(|known| *known == name) else { continue };
        let array = file.load(index).map_err(|error| error.within(name))?;
        let samples = match array.shape.as_slice() {
            [before @ .., last]
                if count(before) == Some(width) && (before.len() > 1 || before == [width]) =>
            {
                *last
            }
            [first, ..] => *first,
            [] => 0,
        };
        let read = array.with_samples_first(samples).and_then(Numbers::into_samples);
        let (x, shape) = read.map_err(|error| error.within(name))?;
        for from in (0..samples).step_by(rows) {
            let to = samples.min(from + rows);
            each(part, x.slice(from, to), &shape, to as f64 / samples as f64)?;
        }
    }
    Ok(())
}

/// Turns labels 1 to 10 into digits: 10 becomes 0. Returns whether there was one.
fn ten_is_zero(labels: &mut Content) -> bool {
    match labels {
        Content::Bytes(labels) if labels.iter().all(|label| (1..=10).contains(label)) => turn(labels, &10, 0),
        Content::Integers(labels) if labels.iter().all(|label| (1..=10).contains(label)) => {
            turn(labels, &10, 0)
        }
        Content::Floats(labels) if labels.iter().all(|label| (1.0..=10.0).contains(label)) => {
            turn(labels, &10.0, 0.0)
        }
        Content::Singles(labels) if labels.iter().all(|label| (1.0..=10.0).contains(label)) => {
            turn(labels, &10.0, 0.0)
        }
        _ => false,
    }
}

/// Replaces every `from` by `to`; returns whether there was one.
fn turn<T: PartialEq + Copy>(values: &mut [T], from: &T, to: T) -> bool {
    let mut found = false;
    for value in values.iter_mut().filter(|value| *value == from) {
        *value = to;
        found = true;
    }
    found
}

/// An array in a file, before its numbers are read.
struct ArrayHead {
    name: String,
    /// In MATLAB's order: numbers along the first dimension are adjacent.
    shape: Vec<usize>,
    /// The class of its numbers (`mxDOUBLE_CLASS` and so on).
    class: u8,
    complex: bool,
}

/// The position of an array.
struct Place {
    start: u64,
    size: u64,
    packed: bool,
}

/// A file whose arrays are known.
struct File<R> {
    stream: R,
    big: bool,
    /// How many bytes the arrays may still unpack to.
    left: u64,
    arrays: Vec<ArrayHead>,
    places: Vec<Place>,
}

impl<R: Read + Seek> File<R> {
    /// Finds the arrays in a file.
    fn open(mut stream: R, size: u64) -> Result<Self> {
        let mut header = [0; HEADER];
        stream.read_exact(&mut header).map_err(damage)?;
        ensure!(is_mat(&header), Error::data("it is not a MATLAB file of level 5"));
        let big = header.ends_with(b"MI");
        let mut file =
            Self { stream, big, left: limits::unpacked(size), arrays: Vec::new(), places: Vec::new() };
        let mut at = HEADER as u64;
        while at < size {
            let Tag { kind, size: bytes, small } = Tag::read(&mut file.stream, big)?;
            let start = at + 8;
            let bytes = u64::from(bytes);
            ensure!(small.is_none() && bytes <= size - start.min(size), Error::data("it is cut short"));
            if matches!(kind, MATRIX | COMPRESSED) {
                ensure!(
                    file.places.len() < limits::MAT_ARRAYS,
                    Error::data(format!("it has more than {} arrays", limits::MAT_ARRAYS))
                );
                let place = Place { start, size: bytes, packed: kind == COMPRESSED };
                if let Some(head) = file.within(&place, |stream| ArrayHead::read(stream, big))? {
                    file.arrays.push(head);
                    file.places.push(place);
                }
            }
            at = start + bytes;
            file.stream.seek(SeekFrom::Start(at)).map_err(damage)?;
        }
        Ok(file)
    }

    /// The arrays' names in lower case.
    fn names(&self) -> Vec<String> {
        self.arrays.iter().map(|array| array.name.to_ascii_lowercase()).collect()
    }

    /// Passes the unpacked content of an array to `read`.
    fn within<T>(&mut self, place: &Place, read: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
        self.stream.seek(SeekFrom::Start(place.start)).map_err(damage)?;
        let content = self.stream.by_ref().take(place.size);
        if !place.packed {
            return read(&mut { content });
        }
        let mut content = Bounded::new(ZlibDecoder::new(content), self.left);
        let tag = Tag::read(&mut content, self.big)?;
        ensure!(tag.kind == MATRIX, Error::data("its compressed content is not an array"));
        read(&mut content)
    }

    /// Reads the numbers of an array.
    fn load(&mut self, index: usize) -> Result<Columns> {
        let (Some(head), Some(place)) = (self.arrays.get(index), self.places.get(index)) else {
            return Err(Error::data("there is no such array"));
        };
        let shape = head.shape.clone();
        head.check()?;
        let (place, big, left) = (Place { ..*place }, self.big, self.left);
        let content = self.within(&place, |stream| {
            ArrayHead::read(stream, big)?;
            let Tag { kind, size, small } = Tag::read(stream, big)?;
            let (sort, bytes) =
                number(kind).ok_or_else(|| Error::data("its numbers have an unknown type"))?;
            check_promise(&shape, bytes, "numbers", size as usize)?;
            ensure!(u64::from(size) <= left, Error::data("it is too much for a file of its size"));
            let numbers = match small {
                Some(small) => small[..size as usize].to_vec(),
                None => read_all(stream.take(size.into()), size.into()).map_err(damage)?,
            };
            ensure!(numbers.len() == size as usize, Error::data("it is cut short"));
            npy::content(numbers, 0, (big, sort, bytes))?.ok_or_else(|| Error::data("it holds no numbers"))
        })?;
        if place.packed {
            let bytes = count(&shape).unwrap_or(usize::MAX) as u64;
            self.left = self.left.saturating_sub(bytes);
        }
        Ok(Columns { shape, content })
    }
}

/// Numbers in MATLAB's order: those along the first dimension are adjacent.
struct Columns {
    shape: Vec<usize>,
    content: Content,
}

impl Columns {
    /// Row by row; a single row, (1, N), is treated as a column.
    fn by_row(self) -> Result<Numbers> {
        match *self.shape.as_slice() {
            [1, samples] if samples > 1 => Ok(Numbers { shape: vec![samples], content: self.content }),
            _ => self.content.by_row(&self.shape),
        }
    }

    /// Puts `samples` samples one after another, whether the first or the last dimension counts them.
    fn with_samples_first(self, samples: usize) -> Result<Numbers> {
        let (first, last) = (self.shape.first() == Some(&samples), self.shape.last() == Some(&samples));
        let pictures = matches!(self.shape.as_slice(), [_, _, 1 | 3 | 4, _]);
        if last && (!first || pictures) {
            return Ok(self.by_sample());
        }
        if !first {
            return Err(Error::data(format!(
                "its shape is {}, and neither its first nor its last dimension is {samples}, the number of labels",
                shown(&self.shape)
            )));
        }
        self.content.by_row(&self.shape)
    }

    /// Puts the samples of the last dimension first. The numbers of a sample are adjacent already. Those of an image
    /// run down its columns and are transposed to run along its rows.
    fn by_sample(self) -> Numbers {
        let mut shape = self.shape;
        shape.reverse();
        let rank = shape.len();
        let mut content = self.content;
        if rank > 2 {
            shape.swap(rank - 2, rank - 1);
            let (height, width) = (shape[rank - 2], shape[rank - 1]);
            match &mut content {
                Content::Bytes(values) => turn_planes(values, height, width),
                Content::Integers(values) => turn_planes(values, height, width),
                Content::Floats(values) => turn_planes(values, height, width),
                Content::Singles(values) => turn_planes(values, height, width),
                Content::Texts(_) => {}
            }
        }
        Numbers { shape, content }
    }
}

/// Transposes each plane (`width`, `height`) to (`height`, `width`), in place.
fn turn_planes<T: Copy>(values: &mut [T], height: usize, width: usize) {
    let mut aside = Vec::with_capacity(height * width);
    for plane in values.chunks_exact_mut((height * width).max(1)) {
        aside.clear();
        aside.extend_from_slice(plane);
        for (row, values) in plane.chunks_exact_mut(width.max(1)).enumerate() {
            for (value, from) in values.iter_mut().zip(aside.iter().skip(row).step_by(height.max(1))) {
                *value = *from;
            }
        }
    }
}

impl ArrayHead {
    /// The header before the numbers; `None` if it has no name.
    fn read(stream: &mut dyn Read, big: bool) -> Result<Option<Self>> {
        let flags = element(stream, big, 8)?;
        let &[a, b, c, d, ..] = flags.as_slice() else {
            return Err(Error::data("an array in it has no type"));
        };
        let flags = word([a, b, c, d], big).to_le_bytes();
        let sizes = element(stream, big, 4 * limits::DIMENSIONS)?;
        let sizes = sizes.as_chunks().0.iter().map(|&size| word(size, big) as usize);
        let name = element(stream, big, limits::CLASS_NAME)?;
        let name: String = String::from_utf8_lossy(&name)
            .chars()
            .map(|c| if c.is_ascii_graphic() { c } else { '?' })
            .collect();
        if name.is_empty() {
            return Ok(None);
        }
        let head = Self { name, shape: sizes.collect(), class: flags[0], complex: flags[1] & 8 != 0 };
        Ok(Some(head))
    }

    /// Refuses anything that is not an array of numbers.
    fn check(&self) -> Result<()> {
        let what = match self.class {
            6..=15 if self.complex => "complex numbers",
            6..=15 => return Ok(()),
            1 => "a cell array",
            2 | 3 => "a structure or object",
            4 => "text",
            5 => "a sparse matrix; save full(...) instead",
            _ => "of a class that is not supported",
        };
        Err(Error::data(format!("it must be an array of numbers, but it is {what}")))
    }
}

/// The tag before an element: its kind, its size in bytes, and the bytes themselves if there are at most four.
struct Tag {
    kind: u32,
    size: u32,
    small: Option<[u8; 4]>,
}

impl Tag {
    fn read(stream: &mut (impl Read + ?Sized), big: bool) -> Result<Self> {
        let mut bytes = [0; 8];
        stream.read_exact(&mut bytes).map_err(damage)?;
        let [a, b, c, d, rest @ ..] = bytes;
        let (kind, size) = (word([a, b, c, d], big), word(rest, big));
        if kind >> 16 == 0 {
            return Ok(Self { kind, size, small: None });
        }
        ensure!(kind >> 16 <= 4, Error::data("it is damaged: an element has an impossible size"));
        Ok(Self { kind: kind & 0xffff, size: kind >> 16, small: Some(rest) })
    }
}

/// A small element of at most `most` bytes; elements are padded to eight bytes.
fn element(stream: &mut dyn Read, big: bool, most: usize) -> Result<Vec<u8>> {
    let Tag { size, small, .. } = Tag::read(stream, big)?;
    let size = size as usize;
    if let Some(small) = small {
        return Ok(small[..size].to_vec());
    }
    ensure!(
        size <= most,
        Error::data(format!("an array in it has a header of {size} bytes, which is too long"))
    );
    let mut bytes = vec![0; size.next_multiple_of(8)];
    stream.read_exact(&mut bytes).map_err(damage)?;
    bytes.truncate(size);
    Ok(bytes)
}

fn word(bytes: [u8; 4], big: bool) -> u32 {
    if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

/// The kind of numbers as in NumPy, and the bytes per number, for a kind of element.
fn number(kind: u32) -> Option<(u8, usize)> {
    Some(match kind {
        1 => (b'i', 1),
        2 => (b'u', 1),
        3 => (b'i', 2),
        4 => (b'u', 2),
        5 => (b'i', 4),
        6 => (b'u', 4),
        7 => (b'f', 4),
        9 => (b'f', 8),
        12 => (b'i', 8),
        13 => (b'u', 8),
        _ => return None,
    })
}
