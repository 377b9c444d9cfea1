//! IDX, the format of MNIST and its kin: a magic number with type and dimensions, the sizes, the numbers; all big-endian
//! (<http://yann.lecun.com/exdb/mnist/>).

use super::{Content, Numbers, count};
use crate::data::limits;
use crate::data::shape::shown;
use crate::error::{Error, Result};

/// Whether a file that begins like this is IDX.
pub fn is_idx(head: &[u8]) -> bool {
    matches!(head, [0, 0, 0x08 | 0x09 | 0x0b..=0x0e, dimensions, ..]
        if (1..=limits::DIMENSIONS).contains(&usize::from(*dimensions)))
}

/// How many dimensions a file that begins like this has.
pub(crate) fn dimensions(head: &[u8]) -> usize {
    head.get(3).copied().map_or(0, usize::from)
}

/// Reads a file that is unpacked.
///
/// # Errors
/// [`Error::Data`] for another format, and for numbers that are fewer or more than the header says.
pub fn read(mut bytes: Vec<u8>) -> Result<Numbers> {
    if !is_idx(&bytes) {
        return Err(Error::data("it is no IDX file"));
    }
    let dimensions = usize::from(bytes[3]);
    let start = 4 + 4 * dimensions;
    let sizes = bytes.get(4..start).ok_or_else(|| Error::data("it is cut short within its header"))?;
    let (shape, kind) = (shape(sizes), bytes[2]);
    let width = width(kind);
    let promised = count(&shape).and_then(|count| count.checked_mul(width));
    let found = bytes.len() - start;
    if promised != Some(found) {
        return Err(Error::data(format!(
            "its header promises {} numbers of {} bits, and {found} bytes follow",
            shown(&shape),
            8 * width
        )));
    }
    let content = match kind {
        0x08 => {
            bytes.drain(..start);
            Content::Bytes(bytes)
        }
        0x09 => Content::Integers(bytes[start..].iter().map(|&byte| i64::from(byte.cast_signed())).collect()),
        0x0b => Content::Integers(numbers(&bytes[start..], |b| i16::from_be_bytes(b).into())),
        0x0c => Content::Integers(numbers(&bytes[start..], |b| i32::from_be_bytes(b).into())),
        0x0d => Content::Floats(numbers(&bytes[start..], |b| f32::from_be_bytes(b).into())),
        _ => Content::Floats(numbers(&bytes[start..], f64::from_be_bytes)),
    };
    Ok(Numbers { shape, content })
}

/// What an IDX file says of itself: its shape, the bytes of a number, and its first bytes, up to the numbers.
pub(crate) fn read_header(stream: &mut impl std::io::Read) -> Result<super::ArrayHeader> {
    let cut = |_| Error::data("it is cut short within its header");
    let mut head = vec![0; 4];
    stream.read_exact(&mut head).map_err(cut)?;
    if !is_idx(&head) {
        return Err(Error::data("it is no IDX file"));
    }
    head.resize(4 + 4 * usize::from(head[3]), 0);
    stream.read_exact(&mut head[4..]).map_err(cut)?;
    let shape = shape(&head[4..]);
    let size = width(head[2]);
    let head = move |rows: usize| {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX).to_be_bytes();
        [&head[..4], &rows, &head[8..]].concat()
    };
    Ok(super::ArrayHeader { shape, size, head: Box::new(head), read })
}

/// Sizes of four bytes each.
fn shape(sizes: &[u8]) -> Vec<usize> {
    sizes
        .chunks_exact(4)
        .map(|size| size.iter().fold(0, |value, &byte| value << 8 | usize::from(byte)))
        .collect()
}

/// The bytes of a number of this kind.
fn width(kind: u8) -> usize {
    match kind {
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        _ => 1,
    }
}

/// Numbers of `N` bytes each.
pub(super) fn numbers<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&chunk| number(chunk)).collect()
}
