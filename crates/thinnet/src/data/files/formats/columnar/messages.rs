//! The messages of Arrow's files and streams (Apache Arrow columnar format 1.5, "Encapsulated message format").

use arrow_ipc::{Message, root_as_message};

use crate::data::files::archive::brief;
use crate::error::{Error, Result};

/// Parses the bytes of a message, without the size before them.
pub(super) fn message_of(bytes: &[u8]) -> Result<Message<'_>> {
    root_as_message(bytes)
        .map_err(|error| Error::data(format!("it is damaged: a message is not valid: {}", brief(&error))))
}

/// Refuses a message with buffers outside its body, and compressed buffers that promise more than the `left` bytes
/// that a file of this size may still unpack to: the promised memory would be allocated.
pub(super) fn check_buffers(message: Message<'_>, body: &[u8], left: &mut u64) -> Result<()> {
    let batch = message.header_as_record_batch();
    let batch = batch.or_else(|| message.header_as_dictionary_batch().and_then(|words| words.data()));
    let Some(batch) = batch else { return Ok(()) };
    let packed = batch.compression().is_some();
    for buffer in batch.buffers().into_iter().flatten() {
        let (at, length) = (usize::try_from(buffer.offset()).ok(), usize::try_from(buffer.length()).ok());
        let range = at.zip(length).and_then(|(at, length)| Some(at..at.checked_add(length)?));
        let bytes = range.and_then(|range| body.get(range));
        let bytes = bytes.ok_or_else(|| Error::data("it is damaged: a buffer is outside its message"))?;
        let Some(prefix) = bytes.first_chunk().filter(|_| packed) else { continue };
        // -1 means that a buffer is not compressed.
        let promised = i64::from_le_bytes(*prefix).max(0).unsigned_abs();
        *left = left.checked_sub(promised).ok_or_else(|| {
            Error::data("it unpacks to more than 64 MiB and 100 bytes for each of its bytes, too much for a file of its size")
        })?;
    }
    Ok(())
}
