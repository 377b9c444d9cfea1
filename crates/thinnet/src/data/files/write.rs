//! Writes data sets as NPZ archives. NumPy's `np.load` reads them without pickle, and so does [`DataSet::open`].

use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use ndarray::{ArrayView1, ArrayView2, ArrayViewD};
use ndarray_npy::npy::header::{Header, Layout};
use ndarray_npy::{WritableElement, WriteNpyError, WriteNpyExt};
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::data::{DataSet, Features};
use crate::error::Result;
use crate::files;

/// From this many bytes, an archive's entry is written with 64-bit sizes; the margin below the 32-bit limit leaves
/// room for a header.
const LARGE: usize = u32::MAX as usize - (1 << 16);

impl DataSet {
    /// Writes all parts into the NPZ archive `path`: `X_train` (N, C, H, W) or (N, D), as bytes (`uint8`) or
    /// `float64`; `y_train` (N), labels as `int64`; the same with `_val` and `_test` for those parts, if they exist;
    /// `classes`, the names by label; and `mean_image` (D), if the data set has its own mean. If targets are numbers,
    /// `y_train` is (N, K), or (N) for one target, in `float64`, and `target_names` replaces `classes`. Like NumPy's
    /// `savez`, it does not compress them.
    ///
    /// The file is written completely or not at all. Its folder must exist.
    ///
    /// - `replace`: whether an existing file may be replaced
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if it cannot be written, or if it exists and may not be replaced.
    pub fn save_npz(&self, path: &Path, replace: bool) -> Result<()> {
        files::write_one(path, replace, |out| self.write_npz(out))
    }

    /// The archive's bytes.
    fn write_npz(&self, out: impl Write + Seek) -> io::Result<()> {
        let mut out = Latch::new(out);
        let mut zip = ZipWriter::new(&mut out);
        for (part, rows) in self.parts() {
            let name = format!("X_{part}");
            match rows.x() {
                Features::Pixels(pixels) => write_samples(&mut zip, &name, pixels.view(), &self.shape)?,
                x => {
                    let x = x.to_floats().map_err(io::Error::other)?;
                    write_samples(&mut zip, &name, x.view(), &self.shape)?;
                }
            }
            let name = format!("y_{part}");
            if let Some(targets) = rows.numbers() {
                let one = targets.ncols() == 1;
                let targets = if one { targets.column(0).into_dyn() } else { targets.view().into_dyn() };
                write_array(&mut zip, &name, targets)?;
                continue;
            }
            let labels = rows.labels().iter().map(|&label| i64::try_from(label).map_err(io::Error::other));
            let labels = labels.collect::<io::Result<Vec<_>>>()?;
            write_array(&mut zip, &name, ArrayView1::from(&labels).into_dyn())?;
        }
        let names = if self.is_regression() { "target_names" } else { "classes" };
        write_words(&mut zip, names, &self.names)?;
        if let Some(mean) = &self.mean {
            write_array(&mut zip, "mean_image", mean.view().into_dyn())?;
        }
        zip.finish()?;
        out.finish()
    }
}

/// Starts an array of this many bytes.
fn start<W: Write + Seek>(zip: &mut ZipWriter<W>, name: &str, bytes: usize) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .large_file(bytes >= LARGE);
    Ok(zip.start_file(format!("{name}.npy"), options)?)
}

/// Writes samples (N, D) in their shape: (N, C, H, W) for images.
fn write_samples<W: Write + Seek, T: WritableElement>(
    zip: &mut ZipWriter<W>,
    name: &str,
    values: ArrayView2<'_, T>,
    shape: &[usize],
) -> io::Result<()> {
    let shape: Vec<usize> = std::iter::once(values.nrows()).chain(shape.iter().copied()).collect();
    write_array(zip, name, values.into_shape_with_order(shape).map_err(io::Error::other)?)
}

/// Writes an array.
pub(crate) fn write_array<W: Write + Seek, T: WritableElement>(
    zip: &mut ZipWriter<W>,
    name: &str,
    array: ArrayViewD<'_, T>,
) -> io::Result<()> {
    start(zip, name, array.len().saturating_mul(size_of::<T>()))?;
    array.write_npy(zip).map_err(|error| match error {
        WriteNpyError::Io(error) => error,
        error => io::Error::other(error),
    })
}

/// Writes a matrix of 16-bit floats, given by their bits.
#[cfg(feature = "export")]
pub(crate) fn write_halves<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    name: &str,
    bits: ArrayView2<'_, u16>,
) -> io::Result<()> {
    let header = Header {
        type_descriptor: "'<f2'".parse().map_err(io::Error::other)?,
        layout: Layout::Standard,
        shape: bits.shape().to_vec(),
    };
    let content: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    start(zip, name, content.len())?;
    header.write(&mut *zip).map_err(io::Error::other)?;
    zip.write_all(&content)
}

/// Writes words as NumPy stores them: each in UTF-32, padded with zeros to the length of the longest.
pub(crate) fn write_words<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    name: &str,
    words: &[String],
) -> io::Result<()> {
    let longest = words.iter().map(|word| word.chars().count()).max().unwrap_or(0).max(1);
    let mut content = Vec::with_capacity(words.len() * longest * 4);
    for word in words {
        let characters = word.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest);
        content.extend(characters.flat_map(u32::to_le_bytes));
    }
    let header = Header {
        type_descriptor: format!("'<U{longest}'").parse().map_err(io::Error::other)?,
        layout: Layout::Standard,
        shape: vec![words.len()],
    };
    start(zip, name, content.len())?;
    header.write(&mut *zip).map_err(io::Error::other)?;
    zip.write_all(&content)
}

/// A stream that keeps its first failure and then accepts everything: the zip library itself writes to standard error
/// if it cannot finish an archive.
struct Latch<W> {
    inner: W,
    failed: Option<io::Error>,
    position: u64,
    end: u64,
}

impl<W: Write + Seek> Latch<W> {
    fn new(inner: W) -> Self {
        Self { inner, failed: None, position: 0, end: 0 }
    }

    /// The first failure, if there was one.
    fn finish(self) -> io::Result<()> {
        self.failed.map_or(Ok(()), Err)
    }

    /// Runs `act`, unless something failed before.
    fn unless_failed(&mut self, act: impl FnOnce(&mut W) -> io::Result<()>) {
        if self.failed.is_none() {
            self.failed = act(&mut self.inner).err();
        }
    }
}

impl<W: Write + Seek> Write for Latch<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_failed(|inner| inner.write_all(bytes));
        self.position += bytes.len() as u64;
        self.end = self.end.max(self.position);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_failed(Write::flush);
        Ok(())
    }
}

impl<W: Write + Seek> Seek for Latch<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
        };
        let position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        if position != self.position {
            self.unless_failed(|inner| inner.seek(SeekFrom::Start(position)).map(drop));
            self.position = position;
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::data::ReadOptions;
    use crate::data::files::formats::npy;

    #[test]
    fn the_embedded_sample_comes_back_as_it_was() {
        let set = DataSet::embedded_sample().unwrap();
        let mut bytes = Cursor::new(Vec::new());
        set.write_npz(&mut bytes).unwrap();
        let size = bytes.get_ref().len() as u64;
        let back = npy::read_npz(bytes, size, &ReadOptions::default()).unwrap();
        assert_eq!(DataSet { format: set.format, ..back }, set);
    }

    #[test]
    fn a_stream_that_fails_anywhere_is_an_error() {
        let set = DataSet::embedded_sample().unwrap();
        let mut whole = Cursor::new(Vec::new());
        set.write_npz(&mut whole).unwrap();
        let size = whole.get_ref().len();
        for room in [0, 10, 1000, size / 2, size - 100, size - 1] {
            let mut bytes = vec![0; room];
            let error = set.write_npz(Cursor::new(bytes.as_mut_slice())).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WriteZero, "{room} of {size} bytes");
        }
        set.write_npz(Cursor::new(vec![0; size].as_mut_slice())).unwrap();
    }
}
