//! TFRecord: how records lie in a file, one after the other.
//!
//! ```text
//! u64  length of the record, little-endian like all of these
//! u32  masked CRC-32C of the eight bytes above
//! ...  the record
//! u32  masked CRC-32C of the record
//! ```
//!
//! Source: TensorFlow's guide "TFRecord and tf.train.Example", section "TFRecords format details".

use std::io::{self, Read, Write};

/// Bytes before a record, and after it.
const HEAD: usize = 12;
const TAIL: usize = 4;

/// The checksum of `bytes` as it is stored: turned and shifted, so that a checksum of bytes that hold checksums stays a
/// good one.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// Writes a record.
pub(super) fn write(out: &mut impl Write, record: &[u8]) -> io::Result<()> {
    let length = (record.len() as u64).to_le_bytes();
    out.write_all(&length)?;
    out.write_all(&masked_crc(&length).to_le_bytes())?;
    out.write_all(record)?;
    out.write_all(&masked_crc(record).to_le_bytes())
}

/// Reads records one after the other, as far as they are whole.
pub(super) struct Records<R> {
    source: R,
    /// How many bytes of the source have not been read.
    left: u64,
}

impl<R: Read> Records<R> {
    /// The records of a source of `length` bytes.
    pub(super) fn new(source: R, length: u64) -> Self {
        Self { source, left: length }
    }

    /// The next record with the number of bytes that it takes in the file; `None` where the source ends or what follows is
    /// no whole record.
    pub(super) fn next(&mut self) -> io::Result<Option<(Vec<u8>, u64)>> {
        let frame = (HEAD + TAIL) as u64;
        if self.left < frame {
            return Ok(None);
        }
        let mut head = [0; HEAD];
        self.source.read_exact(&mut head)?;
        let (length, crc) = head.split_at(8);
        let whole = masked_crc(length).to_le_bytes() == crc;
        let length = u64::from_le_bytes(length.try_into().unwrap_or_default());
        // The length is believed only as far as there are bytes for it: it decides how much memory is taken.
        if !whole || length > self.left - frame {
            return Ok(None);
        }
        let Ok(size) = usize::try_from(length) else { return Ok(None) };
        let (mut record, mut tail) = (vec![0; size], [0; TAIL]);
        self.source.read_exact(&mut record)?;
        self.source.read_exact(&mut tail)?;
        if masked_crc(&record).to_le_bytes() != tail {
            return Ok(None);
        }
        self.left -= frame + length;
        Ok(Some((record, frame + length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(records: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for record in records {
            write(&mut bytes, record).unwrap();
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut records = Records::new(bytes, bytes.len() as u64);
        std::iter::from_fn(|| records.next().unwrap()).map(|(record, _)| record).collect()
    }

    #[test]
    fn checksums_are_the_published_ones() {
        // RFC 3720, appendix B.4: CRC-32C of 32 bytes of zeros, of ones, and ascending.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c::crc32c(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(crc32c::crc32c(&(0..32).collect::<Vec<u8>>()), 0x46DD_794E);
        // LevelDB's crc32c.h, from which TensorFlow has its mask: ((crc >> 15) | (crc << 17)) + 0xa282ead8.
        assert_eq!(masked_crc(&[0; 32]), 0x0FD7_FFFA);
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let records: [&[u8]; 3] = [b"", b"one", &[7; 1000]];
        assert_eq!(read(&framed(&records)), records);
        let bytes = framed(&[b"one"]);
        assert_eq!(bytes.len(), HEAD + 3 + TAIL);
        assert_eq!(bytes[..8], 3u64.to_le_bytes());
    }

    #[test]
    fn reading_stops_at_the_first_damage() {
        let sound = framed(&[b"first", b"second"]);
        let second = framed(&[b"first"]).len();
        for cut in second..sound.len() {
            assert_eq!(read(&sound[..cut]), [b"first"], "cut to {cut}");
        }
        for bit in second * 8..sound.len() * 8 {
            let mut damaged = sound.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&damaged), [b"first"], "bit {bit}");
        }
        // A length that is sound by its checksum, but of more than any memory.
        let mut endless = u64::MAX.to_le_bytes().to_vec();
        endless.extend(masked_crc(&u64::MAX.to_le_bytes()).to_le_bytes());
        endless.extend([0; 64]);
        assert_eq!(read(&endless), [[0u8; 0]; 0]);
    }
}
