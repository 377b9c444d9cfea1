//! Compressed streams: gzip, and with the feature `compression` also bzip2, xz and zstd.

use std::io::{BufRead, Read};

use flate2::bufread::MultiGzDecoder;

use super::archive::Bounded;
use super::limits;
use crate::error::{Error, Result};

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

/// File name extensions of compressed files.
pub(super) const ENDINGS: [&str; 4] = ["gz", "bz2", "xz", "zst"];

impl Packing {
    /// How a stream with this beginning is compressed, if it is.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, 0x41 | 0x72, ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The content of a stream of `packed` bytes.
    ///
    /// # Errors
    /// [`Error::Data`] without the feature that this needs.
    pub(super) fn unpack<'a>(
        self,
        stream: impl BufRead + 'a,
        packed: u64,
    ) -> Result<Bounded<Box<dyn Read + 'a>>> {
        let content: Box<dyn Read + 'a> = match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(stream)),
            #[cfg(feature = "compression")]
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(stream)),
            #[cfg(feature = "compression")]
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(stream, true, limits::XZ_MEMORY)),
            #[cfg(feature = "compression")]
            Self::Zstd => {
                let decoder = zstd::Decoder::with_buffer(stream);
                Box::new(decoder.map_err(|error| Error::data(format!("zstd cannot begin: {error}")))?)
            }
            #[cfg(not(feature = "compression"))]
            other => {
                return Err(Error::data(format!(
                    "it is compressed with {other:?}, which is not supported here; decompress it, or compress it with gzip"
                )));
            }
        };
        Ok(Bounded::new(content, limits::unpacked(packed)))
    }
}
