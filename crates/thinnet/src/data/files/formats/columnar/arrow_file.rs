//! Arrow's file format, whose footer says where the batches are (Apache Arrow columnar format 1.5, "IPC File
//! Format"). Feather version 2 is the same.

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::{Block, root_as_footer};
use arrow_schema::SchemaRef;

use super::messages::{check_buffers, message_of};
use crate::data::files::archive::{brief, damage};
use crate::data::files::guard::broken;
use crate::data::limits;
use crate::error::{Error, Result, ensure};

/// The last bytes of a file, after the size of its footer.
const MAGIC: &[u8] = b"ARROW1";

/// The batches of a file.
pub(super) struct Batches<R> {
    file: R,
    /// The file's size in bytes.
    size: u64,
    decoder: FileDecoder,
    blocks: VecDeque<Block>,
    /// How many bytes the rest may still unpack to.
    left: u64,
}

impl<R: Read + Seek> Batches<R> {
    /// The file's batches and their columns.
    ///
    /// # Errors
    /// [`Error::Data`] if it is not such a file.
    pub(super) fn open(mut file: R) -> Result<(SchemaRef, Self)> {
        let size = file.seek(SeekFrom::End(0)).map_err(damage)?;
        let end = 4 + MAGIC.len() as u64;
        ensure!(size > 2 * end, Error::data("it is cut short"));
        let tail = part(&mut file, size - end, end)?;
        let (footer, magic) = tail.split_at(4);
        ensure!(magic == MAGIC, Error::data("it is cut short"));
        let long = footer.first_chunk().map_or(0, |&bytes| u64::from(u32::from_le_bytes(bytes)));
        ensure!(long < size - end, Error::data("it is damaged: its footer is longer than itself"));
        let footer = part(&mut file, size - end - long, long)?;
        let footer = root_as_footer(&footer).map_err(|error| {
            Error::data(format!("it is damaged: its footer is not valid: {}", brief(&error)))
        })?;
        let schema = footer.schema().filter(|schema| schema.endianness().equals_to_target_endianness());
        let schema = schema.ok_or_else(|| {
            Error::data("it does not name its columns, or their bytes are in another order")
        })?;
        let schema = Arc::new(try_fb_to_schema(schema).map_err(broken)?);
        let decoder = FileDecoder::new(Arc::clone(&schema), footer.version());
        let blocks =
            footer.recordBatches().map(|blocks| blocks.iter().copied().collect()).unwrap_or_default();
        let words: Vec<Block> =
            footer.dictionaries().map(|blocks| blocks.iter().copied().collect()).unwrap_or_default();
        let mut batches = Self { file, size, decoder, blocks, left: limits::unpacked(size) };
        for block in words {
            let bytes = batches.block(&block)?;
            batches.decoder.read_dictionary(&block, &bytes).map_err(broken)?;
        }
        Ok((schema, batches))
    }

    /// A block: a message and its body.
    fn block(&mut self, block: &Block) -> Result<Buffer> {
        let outside = || Error::data("it is damaged: a block is outside the file");
        let [at, body] = [block.offset(), block.bodyLength()].map(u64::try_from);
        let head =
            u64::try_from(block.metaDataLength()).ok().filter(|&head| head >= 8).ok_or_else(outside)?;
        let (at, body) = (at.map_err(|_| outside())?, body.map_err(|_| outside())?);
        let end = at.checked_add(head).and_then(|end| end.checked_add(body));
        ensure!(end.is_some_and(|end| end <= self.size), outside());
        let bytes = part(&mut self.file, at, head + body)?;
        let (head, body) = bytes.split_at(usize::try_from(head).map_err(|_| outside())?);
        let begin = if head[..4] == [0xff; 4] { 8 } else { 4 };
        check_buffers(message_of(&head[begin..])?, body, &mut self.left)?;
        Ok(Buffer::from_vec(bytes))
    }
}

impl<R: Read + Seek> Iterator for Batches<R> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = self.blocks.pop_front()?;
        let batch = self.block(&block).and_then(|bytes| {
            let batch = self.decoder.read_record_batch(&block, &bytes).map_err(broken)?;
            batch.ok_or_else(|| Error::data("it is damaged: a block is not a batch"))
        });
        Some(batch)
    }
}

/// Reads `count` bytes of a file from `at` on; they must exist.
fn part(file: &mut (impl Read + Seek), at: u64, count: u64) -> Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at)).map_err(damage)?;
    let mut bytes = Vec::new();
    file.take(count).read_to_end(&mut bytes).map_err(damage)?;
    ensure!(bytes.len() as u64 == count, Error::data("it is cut short"));
    Ok(bytes)
}
