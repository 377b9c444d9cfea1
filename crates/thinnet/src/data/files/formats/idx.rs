//! IDX, the format of MNIST and similar data sets: a magic number with type and dimensions, the sizes, the numbers;
//! all big-endian (<http://yann.lecun.com/exdb/mnist/>).

use super::{ArrayHeader, Numbers, check_promise, npy};
use crate::data::limits;
use crate::error::{Error, Result, ensure};

/// Whether a file with this beginning is IDX.
pub fn is_idx(head: &[u8]) -> bool {
    matches!(head, [0, 0, 0x08 | 0x09 | 0x0b..=0x0e, dimensions, ..]
        if (1..=limits::DIMENSIONS).contains(&usize::from(*dimensions)))
}

/// How many dimensions a file with this beginning has.
pub(crate) fn dimensions(head: &[u8]) -> usize {
    head.get(3).copied().map_or(0, usize::from)
}

/// Reads an uncompressed file.
///
/// # Errors
/// [`Error::Data`] for another format, or if there are fewer or more numbers than the header says.
pub fn read(bytes: Vec<u8>) -> Result<Numbers> {
    ensure!(is_idx(&bytes), no_idx());
    let mut rest = bytes.as_slice();
    let ArrayHeader { shape, size, .. } = read_header(&mut rest)?;
    check_promise(&shape, size, "numbers", rest.len())?;
    let (start, kind) = (bytes.len() - rest.len(), kind(bytes[2]));
    let content = npy::content(bytes, start, kind)?.ok_or_else(no_idx)?;
    Ok(Numbers { shape, content })
}

/// The header of an IDX file: its shape, the bytes per number, and the file's first bytes, up to the numbers.
pub(crate) fn read_header(stream: &mut impl std::io::Read) -> Result<ArrayHeader> {
    let cut = |_| Error::data("it is cut short within its header");
    let mut head = vec![0; 4];
    stream.read_exact(&mut head).map_err(cut)?;
    ensure!(is_idx(&head), no_idx());
    head.resize(4 + 4 * usize::from(head[3]), 0);
    stream.read_exact(&mut head[4..]).map_err(cut)?;
    let shape = shape(&head[4..]);
    let (_, _, size) = kind(head[2]);
    let head = move |rows: usize| {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX).to_be_bytes();
        [&head[..4], &rows, &head[8..]].concat()
    };
    Ok(ArrayHeader { shape, size, head: Box::new(head), read })
}

/// Sizes of four bytes each.
fn shape(sizes: &[u8]) -> Vec<usize> {
    sizes
        .chunks_exact(4)
        .map(|size| size.iter().fold(0, |value, &byte| value << 8 | usize::from(byte)))
        .collect()
}

/// The type of the numbers as in NumPy: whether they are big-endian, their kind, and the bytes per number.
fn kind(kind: u8) -> (bool, u8, usize) {
    match kind {
        0x09 => (true, b'i', 1),
        0x0b => (true, b'i', 2),
        0x0c => (true, b'i', 4),
        0x0d => (true, b'f', 4),
        0x0e => (true, b'f', 8),
        _ => (true, b'u', 1),
    }
}

fn no_idx() -> Error {
    Error::data("it is not an IDX file")
}
