//! One file per format. Each reads bytes that may be damaged, truncated or hostile, and returns the data or a
//! one-sentence error: no panic, no endless loop, no more memory than [`limits`] allow.
//!
//! These read bytes in memory; [`DataSet::open`](crate::data::DataSet::open) finds the files.

pub mod cifar;
#[cfg(feature = "columnar")]
pub(crate) mod columnar;
pub mod csv;
#[cfg(feature = "hdf5")]
pub(crate) mod hdf5;
pub mod idx;
#[cfg(feature = "images")]
pub mod images;
pub mod mat;
pub mod npy;
pub mod pickle;
#[cfg(feature = "streams")]
pub(crate) mod stored;
pub(crate) mod supervision;
pub mod svmlight;
pub(crate) mod tabular;

use std::fmt;

use ndarray::{ArcArray2, Array2};

use super::limits;
use crate::data::shape::shown;
use crate::data::{Features, Pixels};
use crate::error::{Error, Result, ensure};

/// Numbers of any shape, row-major, as in a file.
#[derive(Clone, PartialEq)]
pub struct Numbers {
    /// The size of each dimension, the outermost first.
    pub shape: Vec<usize>,
    /// As many numbers as the shape has.
    pub content: Content,
}

/// The numbers themselves, or words.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Bytes, and booleans as 0 and 1.
    Bytes(Vec<u8>),
    /// Other whole numbers.
    Integers(Vec<i64>),
    /// Floating-point numbers of 64 bits.
    Floats(Vec<f64>),
    /// Floating-point numbers of 16 and 32 bits.
    Singles(Vec<f32>),
    /// Words; only labels and names of classes may be words.
    Texts(Vec<String>),
}

/// The header of a file with one array.
pub(crate) struct ArrayHeader {
    /// The shape of the whole array.
    pub(crate) shape: Vec<usize>,
    /// Bytes per number.
    pub(crate) size: usize,
    /// The header of a file with this many rows of the array.
    pub(crate) head: Box<dyn Fn(usize) -> Vec<u8> + Send + Sync>,
    /// The function that reads such a file.
    pub(crate) read: fn(Vec<u8>) -> Result<Numbers>,
}

/// Receives samples, the shape of one, and the share that is done.
pub(crate) type Blocks<'a> = &'a mut dyn FnMut(Features<f64>, &[usize], f64) -> Result<()>;

impl ArrayHeader {
    /// Passes on the array's samples, `rows` at a time, with the shape of one and the share of them that is done;
    /// `stream` contains the numbers.
    pub(crate) fn each_block(
        &self,
        stream: &mut impl std::io::Read,
        rows: usize,
        each: Blocks<'_>,
    ) -> Result<()> {
        let too_large = || Error::data(format!("its header promises {}", shown(&self.shape)));
        let [samples, rest @ ..] = self.shape.as_slice() else {
            return Err(Error::data("it holds one number"));
        };
        let row = count(rest).and_then(|row| row.checked_mul(self.size)).ok_or_else(too_large)?;
        ensure!(row as u64 <= limits::UNPACKED_BASE, too_large());
        for first in (0..*samples).step_by(rows) {
            let count = rows.min(samples - first);
            let mut bytes = (self.head)(count);
            let start = bytes.len();
            bytes.resize(start + count * row, 0);
            stream.read_exact(&mut bytes[start..]).map_err(super::archive::damage)?;
            let (x, shape) = (self.read)(bytes)?.into_samples()?;
            each(x, &shape, (first + count) as f64 / *samples as f64)?;
        }
        match std::io::copy(stream, &mut std::io::sink()).map_err(super::archive::damage)? {
            0 => Ok(()),
            more => Err(Error::data(format!("{more} bytes follow the last of its {samples} samples"))),
        }
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Numbers of shape {:?}", self.shape)
    }
}

/// Refuses a file whose header promises a different size than the `found` bytes after it.
fn check_promise(shape: &[usize], size: usize, numbers: &str, found: usize) -> Result<()> {
    if count(shape).and_then(|count| count.checked_mul(size)) == Some(found) {
        return Ok(());
    }
    Err(Error::data(format!(
        "its header promises {} {numbers} of {} bits, and {found} bytes follow",
        shown(shape),
        size.saturating_mul(8)
    )))
}

/// How many numbers a shape has, unless that overflows. It is at least the product of any part of the shape, so no
/// size of an array of this shape overflows.
pub(super) fn count(shape: &[usize]) -> Option<usize> {
    let all = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size.max(1)))?;
    Some(if shape.contains(&0) { 0 } else { all })
}

impl Numbers {
    /// Floats of 32 bits become floats of 64 bits.
    pub(crate) fn widened(self) -> Self {
        Self { content: self.content.widened(), ..self }
    }

    /// One number per sample. Labels may also be stored as (N, C), one-hot.
    ///
    /// # Errors
    /// [`Error::Data`] for another shape, and for floats that are not whole numbers.
    pub fn into_labels(self) -> Result<Content> {
        if let [_, columns @ 2..=limits::CLASSES] = *self.shape.as_slice() {
            return match &self.content {
                Content::Bytes(values) => one_hot(values, columns, &0, &1),
                Content::Integers(values) => one_hot(values, columns, &0, &1),
                Content::Floats(values) => one_hot(values, columns, &0.0, &1.0),
                Content::Singles(values) => one_hot(values, columns, &0.0, &1.0),
                Content::Texts(_) => {
                    Err(Error::data("there must be one word per sample as its label, but these are several"))
                }
            };
        }
        if self.shape.len() != 1 && !matches!(self.shape.as_slice(), [_, 1]) {
            return Err(Error::data(format!(
                "there must be one label per sample, but these have the shape {}",
                shown(&self.shape)
            )));
        }
        Ok(match self.content.widened() {
            Content::Bytes(labels) => Content::Integers(labels.into_iter().map(i64::from).collect()),
            Content::Floats(labels) => {
                let whole = |label: f64| {
                    #[allow(clippy::cast_possible_truncation)] // within 2^53
                    let truncated = label as i64;
                    (label.fract().abs() <= 0.0 && label.abs() <= 2f64.powi(53)).then_some(truncated)
                };
                let wrong =
                    |label| Error::data(format!("a label must be a whole number, but {label} is not"));
                Content::Integers(
                    labels.iter().map(|&l| whole(l).ok_or_else(|| wrong(l))).collect::<Result<_>>()?,
                )
            }
            content => content,
        })
    }

    /// Targets (N, K) of a regression, which may be stored as (N) if K is 1.
    ///
    /// # Errors
    /// [`Error::Data`] for other shapes, if K is 0 or above [`limits::CLASSES`], and for words.
    pub fn into_targets(self) -> Result<ArcArray2<f64>> {
        let (samples, width) = match *self.shape.as_slice() {
            [samples] => (samples, 1),
            [samples, width @ 1..=limits::CLASSES] => (samples, width),
            _ => {
                return Err(Error::data(format!(
                    "targets must have the shape N or N x K, with K from 1 to {}, but these have {}",
                    limits::CLASSES,
                    if self.shape.is_empty() { "none".to_owned() } else { shown(&self.shape) }
                )));
            }
        };
        rows(samples, width, self.content.into_floats("targets")?)
    }

    /// Samples (N, D) and the shape of one: (C, H, W) for images, which may also be stored as (N, H, W) or (N, H, W,
    /// C); (D) for other samples. If four channels are stored last, the fourth is transparency and is left out.
    ///
    /// # Errors
    /// [`Error::Data`] for other shapes and for words.
    pub fn into_samples(self) -> Result<(Features<f64>, Vec<usize>)> {
        let colours = |size: usize| size == 1 || size == 3;
        let (shape, last) = match *self.shape.as_slice() {
            [_, width] => (vec![width], None),
            [_, height, width] => (vec![1, height, width], None),
            [_, height, width, channels] if colours(channels) && !colours(height) => {
                (vec![channels, height, width], Some(channels))
            }
            [_, height, width, 4] if !colours(height) && height != 4 => (vec![3, height, width], Some(4)),
            [_, channels, height, width] => (vec![channels, height, width], None),
            _ => {
                return Err(Error::data(format!(
                    "samples must have 2 to 4 dimensions, the first of which counts them, but these have the shape {}",
                    shown(&self.shape)
                )));
            }
        };
        let samples = self.shape.first().copied().unwrap_or(0);
        let width = shape.iter().product();
        let values = match self.content {
            // Without samples, a claimed width must not reserve memory for a mean image.
            Content::Bytes(bytes) if samples > 0 => {
                Pixels::plain(rows(samples, width, channel_first(bytes, &shape, last))?).into()
            }
            Content::Singles(singles) => {
                Features::Singles(rows(samples, width, channel_first(singles, &shape, last))?)
            }
            content => {
                let floats = content.into_floats("samples")?;
                rows(samples, width, channel_first(floats, &shape, last))?.into()
            }
        };
        Ok((values, shape))
    }
}

impl Content {
    /// Floats of 32 bits become floats of 64 bits.
    fn widened(self) -> Self {
        match self {
            Self::Singles(values) => Self::Floats(values.into_iter().map(f64::from).collect()),
            content => content,
        }
    }

    /// Numbers as floats; `what` names them in the error if they are words.
    fn into_floats(self, what: &str) -> Result<Vec<f64>> {
        match self.widened() {
            Self::Bytes(bytes) => Ok(bytes.into_iter().map(f64::from).collect()),
            Self::Integers(numbers) => Ok(numbers.into_iter().map(|number| number as f64).collect()),
            Self::Floats(floats) => Ok(floats),
            Self::Singles(_) => Ok(Vec::new()), // already converted to 64 bits
            Self::Texts(_) => Err(Error::data(format!("{what} must be numbers, but these are words"))),
        }
    }
}

/// Numbers as rows.
pub(super) fn rows<T>(samples: usize, width: usize, numbers: Vec<T>) -> Result<ArcArray2<T>> {
    let found = numbers.len();
    let rows = Array2::from_shape_vec((samples, width), numbers);
    rows.map(Into::into)
        .map_err(|_| Error::data(format!("{samples} samples of {width} numbers are not {found} numbers")))
}

/// Images of `shape` (C, H, W) that are stored as (H, W, `last`) are transposed; channels beyond C are left out.
fn channel_first<T: Copy>(mut numbers: Vec<T>, shape: &[usize], last: Option<usize>) -> Vec<T> {
    let (&[channels, height, width], Some(last)) = (shape, last) else { return numbers };
    if last == 1 {
        return numbers;
    }
    let plane = height * width;
    let (before, after) = ((last * plane).max(1), channels * plane);
    let (images, mut image) = (numbers.len() / before, Vec::with_capacity(before));
    // In place, one image at a time: it takes no more memory than before.
    for index in 0..images {
        image.clear();
        image.extend_from_slice(&numbers[index * before..][..before]);
        let turned = (0..channels).flat_map(|channel| image.iter().skip(channel).step_by(last));
        numbers[index * after..][..after].iter_mut().zip(turned).for_each(|(out, &value)| *out = value);
    }
    numbers.truncate(images * after);
    numbers
}

/// For each row of `columns` values, the column of the single `one`; all others must be `zero`.
fn one_hot<T: PartialEq>(values: &[T], columns: usize, zero: &T, one: &T) -> Result<Content> {
    let label = |(sample, row): (usize, &[T])| {
        let ones = row.iter().filter(|value| *value == one).count();
        let zeros = row.iter().filter(|value| *value == zero).count();
        let at = row.iter().position(|value| value == one).and_then(|at| i64::try_from(at).ok());
        at.filter(|_| ones == 1 && zeros + 1 == columns).ok_or_else(|| {
            Error::data(format!(
                "there must be one label per sample, but these have the shape {} x {columns}; rows of zeros with a single 1 also work, but \
                 that of sample {} is different",
                values.len() / columns,
                sample + 1
            ))
        })
    };
    values.chunks_exact(columns).enumerate().map(label).collect::<Result<_>>().map(Content::Integers)
}
