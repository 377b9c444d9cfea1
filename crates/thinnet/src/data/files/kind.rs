//! Recognises files by their first bytes.

use std::fs::{self, File};
use std::io::{BufRead, Cursor, Read};
use std::path::{Path, PathBuf};

use super::archive;
use super::formats::{idx, mat, npy, svmlight};
use super::packing::Packing;
use crate::error::{Error, Result};

/// How many bytes are used to recognise a file: a tar archive has its magic at byte 257.
pub(super) const HEAD: usize = 512;

/// The kind of a file, judged by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Packed(Packing),
    Tar,
    Zip,
    Npy,
    Pickle,
    Idx,
    Image,
    Mat,
    Hdf5,
    /// MATLAB 7.3, which is HDF5 with its dimensions reversed.
    Mat73,
    Parquet,
    Arrow,
    Svmlight,
    Text,
    Unknown,
}

impl Kind {
    pub(super) fn of(head: &[u8]) -> Self {
        if let Some(packing) = Packing::of(head) {
            return Self::Packed(packing);
        }
        match head {
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            [0x89, b'P', b'N', b'G', ..]
            | [0xff, 0xd8, 0xff, ..]
            | [b'G', b'I', b'F', b'8', ..]
            | [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..]
            | [b'I', b'I', b'*', 0, ..]
            | [b'M', b'M', 0, b'*', ..]
            | [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Self::Image,
            [0x89, b'H', b'D', b'F', ..] => Self::Hdf5,
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..]
            | [0xff, 0xff, 0xff, 0xff, ..]
            | [b'F', b'E', b'A', b'1', ..] => Self::Arrow,
            _ if mat::is_7_3(head) => Self::Mat73,
            _ if mat::is_mat(head) => Self::Mat,
            [0x80, 2..=5, ..] => Self::Pickle,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Self::Text, // in UTF-16
            _ if head.starts_with(npy::MAGIC) => Self::Npy,
            _ if head.get(257..262) == Some(b"ustar") => Self::Tar,
            _ if idx::is_idx(head) => Self::Idx,
            _ if svmlight::is_svmlight(head) => Self::Svmlight,
            _ if !head.is_empty() && head.iter().copied().all(is_text) => Self::Text,
            _ => Self::Unknown,
        }
    }
}

/// Whether a byte may occur in a text, in any encoding that extends ASCII.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b | 0x20..)
}

/// A file's name without its folder.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The first bytes of a file.
pub(super) fn head(path: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    file.take(HEAD as u64).read_to_end(&mut head).map_err(Error::io("read", path))?;
    Ok(head)
}

/// The content of a compressed stream of `packed` bytes, and its kind.
pub(super) fn unpack<'a>(
    packing: Packing,
    stream: impl BufRead + 'a,
    packed: u64,
) -> Result<(Kind, impl Read + 'a)> {
    let mut content = packing.unpack(stream, packed)?;
    let mut head = Vec::new();
    content.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(archive::damage)?;
    match Kind::of(&head) {
        Kind::Packed(_) => Err(Error::data("it is compressed twice")),
        kind => Ok((kind, Cursor::new(head).chain(content))),
    }
}

/// The content of a file, which may be compressed.
pub(super) fn unpacked_file(path: &Path) -> Result<Vec<u8>> {
    let content = fs::read(path).map_err(Error::io("read", path))?;
    let Some(packing) = Packing::of(&content) else { return Ok(content) };
    let unpacked = packing.unpack(content.as_slice(), content.len() as u64);
    unpacked
        .and_then(|unpacked| archive::read_all(unpacked, 0).map_err(archive::damage))
        .map_err(|error| error.within(file_name(path)))
}

/// The entries of a folder, sorted, without hidden ones.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                paths.push(entry.path());
            }
        }
        paths.sort_unstable();
        Ok(paths)
    };
    read().map_err(Error::io("read the folder", folder))
}
