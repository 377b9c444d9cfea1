//! Compressed files and archives, unpacked in memory and within limits.

use std::fmt;
use std::io::{self, Read, Seek};
use std::path::Component;

use zip::ZipArchive;
use zip::result::{ZipError, ZipResult};

use super::limits;
use crate::error::{Error, Result, ensure};

/// A stream that ends with an error once it exceeds its limit.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
    bound: u64,
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(inner: R, bound: u64) -> Self {
        Self { inner, left: bound, bound }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(Error::data(format!(
                "it unpacks to more than {} bytes, too much for a file of its size",
                self.bound
            )))
        })?;
        Ok(count)
    }
}

/// A stream with random access. As a trait object, the archive reader is compiled once and not once per stream type.
pub(super) trait Seekable: Read + Seek {}

impl<T: Read + Seek> Seekable for T {}

/// A zip archive and the names in it.
pub(super) fn unzip<R: Read + Seek>(stream: R) -> Result<(ZipArchive<R>, Vec<String>)> {
    let archive = ZipArchive::new(stream).map_err(broken)?;
    let names = archive.file_names().map(|name| Ok(name?.into_owned()));
    let names = names.collect::<ZipResult<_>>().map_err(broken)?;
    Ok((archive, names))
}

/// Why a zip archive could not be read.
pub(super) fn broken(error: ZipError) -> Error {
    Error::data(format!("it is not a readable zip archive: {}", brief(&error)))
}

/// Reads a whole stream. Reserves `claimed` bytes at once, unless the claim is too large.
pub(super) fn read_all(stream: impl Read, claimed: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read_into(&mut bytes, stream, claimed)?;
    Ok(bytes)
}

/// The same, into existing memory; its old content is lost.
pub(super) fn read_into(bytes: &mut Vec<u8>, mut stream: impl Read, claimed: u64) -> io::Result<()> {
    bytes.clear();
    bytes.reserve(usize::try_from(claimed.min(limits::UNPACKED_BASE)).unwrap_or(0));
    stream.read_to_end(bytes).map(drop)
}

/// Another library's message about a file, as one line that can be shown anywhere.
pub(super) fn brief(reason: &dyn fmt::Display) -> String {
    const LONGEST: usize = 200;
    let text = reason.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(LONGEST).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Why expected bytes could not be read. As far as a decoder can tell, the data are at fault.
pub(super) fn damage(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Error::data("it is cut short"),
        Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
            Error::data("unpacking it would take more memory than is allowed")
        }
        Err(error) => Error::data(format!("it is damaged: {}", brief(&error))),
    }
}

/// Calls `each`, in order, for every regular file in a tar archive for which `wanted` returns something. `wanted`
/// gets the name without folders; `each` gets that result, the name and the content.
///
/// Links, devices and names that point outside are refused: no data set has any.
pub(super) fn tar_files<T>(
    stream: impl Read,
    wanted: impl Fn(&str) -> Option<T>,
    mut each: impl FnMut(T, &str, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut archive = tar::Archive::new(stream);
    let mut content = Vec::new(); // reused for every file: new memory costs as much as unpacking
    for entry in archive.entries().map_err(damage)? {
        let entry = entry.map_err(damage)?;
        let path = entry.path().map_err(damage)?.into_owned();
        let shown = path.to_string_lossy().chars().take(limits::CLASS_NAME).collect::<String>();
        if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(Error::data(format!("its entry {shown:?} points outside the archive")));
        }
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        if !kind.is_file() {
            return Err(Error::data(format!(
                "its entry {shown:?} is not a regular file but a link or device"
            )));
        }
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        let Some(file) = wanted(&name) else { continue };
        let claimed = entry.size();
        read_into(&mut content, entry, claimed).map_err(|error| damage(error).within(&name))?;
        ensure!(content.len() as u64 == claimed, Error::data("it is cut short").within(&name));
        each(file, &name, &content)?;
    }
    Ok(())
}
