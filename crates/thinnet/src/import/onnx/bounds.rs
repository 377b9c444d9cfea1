//! What a file of a few bytes may ask for: each empty message takes two bytes there, and hundreds in memory.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::error::{Error, Result, ensure};

/// Fields of the file, its graph and its nodes. A chain of a thousand layers has about twenty thousand.
const FIELDS: usize = 1 << 17;

/// Where messages with many parts are: the number of a field in the file, and then in its graph.
const PATH: [u32; 2] = [7, 1];

/// Refuses bytes that are no protobuf message, or one with too many fields. Nothing is kept of them.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let mut left = FIELDS;
    count(bytes, &PATH, &mut left)
}

/// The error for bytes that are no such file.
pub(super) fn damaged() -> Error {
    Error::data("it is no ONNX file, or it is damaged or cut short")
}

fn count(mut bytes: &[u8], path: &[u32], left: &mut usize) -> Result<()> {
    while !bytes.is_empty() {
        let (field, wire) = decode_key(&mut bytes).map_err(|_| damaged())?;
        ensure!(
            *left > 0,
            Error::data(format!("its graph has more than {FIELDS} parts, more than any chain of layers"))
        );
        *left -= 1;
        if wire != WireType::LengthDelimited {
            skip_field(wire, field, &mut bytes, DecodeContext::default()).map_err(|_| damaged())?;
            continue;
        }
        let length = decode_varint(&mut bytes).map_err(|_| damaged())?;
        let length = usize::try_from(length).map_err(|_| damaged())?;
        let (part, rest) = bytes.split_at_checked(length).ok_or_else(damaged)?;
        if let Some((next, path)) = path.split_first()
            && *next == field
        {
            count(part, path, left)?;
        }
        bytes = rest;
    }
    Ok(())
}
