//! Arrays whose samples stay in their file: NPY and IDX, where samples are contiguous.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::{ArrayHeader, count, idx, npy};
use crate::data::files::archive::damage;
use crate::data::shape::shown;
use crate::data::stored::{Source, Stored};
use crate::data::{Features, limits};
use crate::error::{Error, Result, ensure};

/// The number of blocks whose samples are mixed. A window of 128 MiB has blocks of 1 MiB: reading one takes longer
/// than a disk's seek.
const WINDOW: usize = 128;

/// An array of samples in a file.
struct Array {
    file: Mutex<File>,
    header: ArrayHeader,
    /// Where the numbers begin.
    start: u64,
    /// Bytes per sample.
    row: usize,
    width: usize,
    is_bytes: bool,
    /// Samples per block.
    rows: usize,
    ends: Vec<usize>,
}

/// The samples (N, D) of a file, which stay there, and the shape of one. Samples are mixed within about `window`
/// bytes.
///
/// # Errors
/// [`Error::Data`] for an array that is stored by column, and for a file that is shorter or longer than its header
/// says.
pub(crate) fn open(path: &Path, is_idx: bool, window: usize) -> Result<(Features<f64>, Vec<usize>)> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    let mut begin = BufReader::new(&file);
    let header = if is_idx { Some(idx::read_header(&mut begin)?) } else { npy::read_header(&mut begin)? };
    let header = header.ok_or_else(npy::by_column)?;
    let start = begin.stream_position().map_err(Error::io("read", path))?;
    let promised = || {
        Error::data(format!("its header promises {} numbers, but it has {size} bytes", shown(&header.shape)))
    };
    let [samples, rest @ ..] = header.shape.as_slice() else {
        return Err(Error::data("it holds one number"));
    };
    let (samples, row) =
        (*samples, count(rest).and_then(|row| row.checked_mul(header.size)).unwrap_or(usize::MAX));
    let numbers = (row as u64).checked_mul(samples as u64).and_then(|numbers| numbers.checked_add(start));
    ensure!(numbers == Some(size), promised());
    ensure!(row as u64 <= limits::UNPACKED_BASE, promised());
    ensure!(samples > 0 && row > 0, Error::data("there is nothing in it"));
    let last = u32::try_from(samples)
        .map_err(|_| Error::data(format!("it has {samples} samples; at most {} are read", u32::MAX)))?;
    let rows = (window / WINDOW / row).max(1);
    let ends = (1..=samples.div_ceil(rows)).map(|block| (block * rows).min(samples)).collect();
    let mut array =
        Array { file: Mutex::new(file), header, start, row, width: 0, is_bytes: false, rows, ends };
    // One sample shows the kind of all of them.
    let (first, shape) = array.samples(0, 1)?;
    array.width = first.dim().1;
    array.is_bytes = matches!(first, Features::Pixels(_));
    let all = Stored::new(Arc::new(array), &path.display().to_string(), (0..last).collect());
    Ok((Features::Stored(all), shape))
}

impl Array {
    /// `count` samples from `first` on, and the shape of one.
    fn samples(&self, first: usize, count: usize) -> Result<(Features<f64>, Vec<usize>)> {
        let mut bytes = (self.header.head)(count);
        let numbers = bytes.len();
        bytes.resize(numbers + count * self.row, 0);
        let from = SeekFrom::Start(self.start + first as u64 * self.row as u64);
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(from).and_then(|_| file.read_exact(&mut bytes[numbers..])).map_err(damage)?;
        }
        (self.header.read)(bytes)?.into_samples()
    }
}

impl Source<Features<f64>> for Array {
    fn width(&self) -> usize {
        self.width
    }

    fn ends(&self) -> &[usize] {
        &self.ends
    }

    fn window(&self) -> usize {
        WINDOW
    }

    fn is_bytes(&self) -> bool {
        self.is_bytes
    }

    fn read(&self, block: usize) -> Result<Features<f64>> {
        let first = block * self.rows;
        let (x, _) = self.samples(first, self.ends[block] - first)?;
        match x.first_not_finite() {
            None => Ok(x),
            Some((row, column)) => {
                Err(Error::data(format!("number {column} of sample {} is not finite", first + row)))
            }
        }
    }
}
