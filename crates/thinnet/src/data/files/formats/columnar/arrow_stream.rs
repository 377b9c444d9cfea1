//! Arrow's stream format, message by message (Apache Arrow columnar format 1.5, "IPC Streaming Format").

use std::io::Read;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::SchemaRef;

use super::messages::{check_buffers, message_of};
use crate::data::files::archive::damage;
use crate::data::files::guard::broken;
use crate::data::limits;
use crate::error::{Error, Result, ensure};

/// The first bytes of each message.
const CONTINUES: [u8; 4] = [0xff; 4];

/// The batches of a stream.
pub(super) struct Batches<R> {
    stream: R,
    decoder: StreamDecoder,
    /// How many bytes the rest may still unpack to.
    left: u64,
}

impl<R: Read> Batches<R> {
    /// The batches of a stream of `size` bytes, and their columns.
    ///
    /// # Errors
    /// [`Error::Data`] if it is not such a stream.
    pub(super) fn open(mut stream: R, size: u64) -> Result<(SchemaRef, Self)> {
        let mut start = [0; 4];
        stream.read_exact(&mut start).map_err(damage)?;
        ensure!(start == CONTINUES, Error::data("its messages are those of Arrow before version 0.15"));
        let mut batches = Self { stream, decoder: StreamDecoder::new(), left: limits::unpacked(size) };
        batches.decoder.decode(&mut Buffer::from_vec(CONTINUES.to_vec())).map_err(broken)?;
        let _ = batches.message()?;
        let schema = batches.decoder.schema();
        Ok((schema.ok_or_else(|| Error::data("its first message does not tell its columns"))?, batches))
    }

    /// The next batch; `None` at the end.
    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let mut start = [0; 4];
            // A stream may end without an end mark.
            if self.stream.read(&mut start[..1]).map_err(damage)? == 0 {
                return Ok(None);
            }
            self.stream.read_exact(&mut start[1..]).map_err(damage)?;
            ensure!(start == CONTINUES, Error::data("it is damaged: a message begins with wrong bytes"));
            match self.message()? {
                Said::Batch(batch) => return Ok(Some(batch)),
                Said::Other => {}
                Said::End => return Ok(None),
            }
        }
    }

    /// The next message; its mark was read already.
    fn message(&mut self) -> Result<Said> {
        let mut size = [0; 4];
        self.stream.read_exact(&mut size).map_err(damage)?;
        if size == [0; 4] {
            return Ok(Said::End);
        }
        let head = self.bytes(u64::from(u32::from_le_bytes(size)))?;
        let message = message_of(&head)?;
        let long =
            u64::try_from(message.bodyLength()).map_err(|_| Error::data("it is damaged: a negative size"))?;
        let body = self.bytes(long)?;
        check_buffers(message, &body, &mut self.left)?;
        let mut found = Said::Other;
        // A message without a body is only processed at the mark of the next one.
        for part in [size.to_vec(), head, body, CONTINUES.to_vec()] {
            if let Some(batch) = self.decoder.decode(&mut Buffer::from_vec(part)).map_err(broken)? {
                found = Said::Batch(batch);
            }
        }
        Ok(found)
    }

    /// Reads `count` bytes, or as many as there are.
    fn bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.stream.by_ref().take(count).read_to_end(&mut bytes).map_err(damage)?;
        ensure!(bytes.len() as u64 == count, Error::data("it is cut short"));
        Ok(bytes)
    }
}

impl<R: Read> Iterator for Batches<R> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

/// The kind of a message.
enum Said {
    Batch(RecordBatch),
    Other,
    End,
}
