//! HDF5, as h5py writes it: named arrays, at the top level or in groups (HDF5 File Format Specification, version
//! 3.0). An array `x` in a group `train` counts as `train_x`; otherwise the names are the same as in NPZ archives.

use std::sync::Arc;

use hdf5_reader::{
    BytesStorage, Dataset, Datatype, FileStorage, H5Type, Hdf5File, OpenOptions, SliceInfo, SliceInfoElem,
    Storage,
};

use super::npy::{self, assemble, sample_arrays};
use super::{Content, Numbers, count};
use crate::data::files::archive::brief;
use crate::data::files::guard::{broken, guarded};
use crate::data::shape::shown;
use crate::data::{DataSet, Format, ReadOptions, limits};
use crate::error::{Error, Result, ensure};

/// Bytes of unpacked chunks that are kept for the next slice.
const CACHE: usize = 16 << 20;

/// The arrays of a file.
pub(crate) struct Arrays {
    sets: Vec<Dataset>,
    /// Their names in lower case.
    names: Vec<String>,
    /// How many bytes they may take together.
    left: u64,
}

impl Arrays {
    /// The arrays of a file on disk.
    ///
    /// # Errors
    /// [`Error::Data`] if it is not such a file, or is damaged.
    pub(crate) fn of_file(file: std::fs::File) -> Result<Self> {
        Self::open(FileStorage::from_file(file).map_err(broken)?)
    }

    /// The arrays of a file in memory.
    ///
    /// # Errors
    /// As [`Arrays::of_file`].
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Result<Self> {
        Self::open(BytesStorage::new(bytes))
    }

    fn open(storage: impl Storage + 'static) -> Result<Self> {
        let left = limits::unpacked(storage.len());
        let most = usize::try_from(left).unwrap_or(usize::MAX);
        let options = OpenOptions::default().with_chunk_cache_bytes(CACHE).with_max_read_bytes(most);
        guarded(|| {
            let file = Hdf5File::from_storage_with_options(Arc::new(storage), options).map_err(broken)?;
            let (groups, mut sets) = file.root_group().and_then(|root| root.members()).map_err(broken)?;
            let mut names: Vec<String> = sets.iter().map(|set| set.name().to_lowercase()).collect();
            for group in groups.iter().take(limits::FOLDER_LOOKS) {
                for set in group.datasets().map_err(broken)? {
                    names.push(format!("{}_{}", group.name(), set.name()).to_lowercase());
                    sets.push(set);
                }
            }
            ensure!(
                sets.len() <= limits::MAT_ARRAYS,
                Error::data(format!("it has more than {} arrays", limits::MAT_ARRAYS))
            );
            Ok(Self { sets, names, left })
        })
    }

    /// The arrays as a data set.
    ///
    /// # Errors
    /// As [`npy::read_npz`].
    pub(crate) fn read(mut self, options: &ReadOptions) -> Result<DataSet> {
        let names = self.names.clone();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assemble(Format::Hdf5, &names, options, |index, _| {
            self.load(index).map_err(|error| error.within(self.shown(index)))
        })
    }

    /// Passes on the samples of all parts, `rows` at a time, with the place of their array, their shape, and the
    /// share of them that is done.
    ///
    /// # Errors
    /// As [`Arrays::read`], and errors of `each`.
    pub(crate) fn each_block(&self, rows: usize, each: &mut EachBlock<'_>) -> Result<()> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let samples = sample_arrays(&names);
        ensure!(!samples.is_empty(), Error::data("it has no array X_train, X_test or X"));
        for (file, array) in samples.into_iter().enumerate() {
            let Some(index) = names.iter().position(|&name| name == array) else { continue };
            let within = |error: Error| error.within(self.shown(index));
            let count = self.sets[index].shape().first().copied().unwrap_or(0);
            for first in (0..count).step_by(rows) {
                let end = count.min(first + rows as u64);
                let part = guarded(|| numbers(&self.sets[index], Some((first, end)))).map_err(within)?;
                let (x, shape) = part.into_samples().map_err(within)?;
                each(file, x, &shape, end as f64 / count as f64)?;
            }
        }
        Ok(())
    }

    fn load(&mut self, index: usize) -> Result<Numbers> {
        let set = &self.sets[index];
        let bytes = set.raw_byte_len().map_err(broken)? as u64;
        self.left = self
            .left
            .checked_sub(bytes)
            .ok_or_else(|| Error::data(format!("it has {bytes} bytes, too much for a file of its size")))?;
        guarded(|| numbers(set, None))
    }

    fn shown(&self, index: usize) -> String {
        self.names[index].chars().take(limits::CLASS_NAME).collect()
    }
}

/// Receives blocks: the place of their array, the samples, the shape of one, and the share that is done.
type EachBlock<'a> = dyn FnMut(usize, crate::data::Features<f64>, &[usize], f64) -> Result<()> + 'a;

/// The numbers or words of an array, or of some rows of it.
fn numbers(set: &Dataset, rows: Option<(u64, u64)>) -> Result<Numbers> {
    let mut shape = set.shape().to_vec();
    ensure!(
        shape.len() <= limits::DIMENSIONS,
        Error::data(format!("its array has {} dimensions", shape.len()))
    );
    if let (Some((from, to)), Some(count)) = (rows, shape.first_mut()) {
        *count = to - from;
    }
    let shape: Vec<usize> =
        shape.into_iter().map(|size| usize::try_from(size).unwrap_or(usize::MAX)).collect();
    ensure!(count(&shape).is_some(), Error::data(format!("its header promises {}", shown(&shape))));
    let content = match set.dtype() {
        Datatype::FixedPoint { size: 1, signed: false, .. } => Content::Bytes(values(set, rows)?),
        Datatype::FixedPoint { size: 1, .. } => integers::<i8>(set, rows)?,
        Datatype::FixedPoint { size: 2, signed: true, .. } => integers::<i16>(set, rows)?,
        Datatype::FixedPoint { size: 2, .. } => integers::<u16>(set, rows)?,
        Datatype::FixedPoint { size: 4, signed: true, .. } => integers::<i32>(set, rows)?,
        Datatype::FixedPoint { size: 4, .. } => integers::<u32>(set, rows)?,
        Datatype::FixedPoint { size: 8, signed: true, .. } => integers::<i64>(set, rows)?,
        Datatype::FixedPoint { size: 8, .. } => {
            let large = values::<u64>(set, rows)?;
            let signed = large.into_iter().map(|value| {
                i64::try_from(value).map_err(|_| Error::data(format!("{value} is too large a number")))
            });
            Content::Integers(signed.collect::<Result<_>>()?)
        }
        Datatype::FloatingPoint { size: 2, .. } if rows.is_none() => {
            let bytes = set.read_native_bytes().map_err(broken)?;
            let halves = bytes.as_chunks().0.iter().map(|&half| npy::half(u16::from_ne_bytes(half)));
            Content::Singles(halves.collect())
        }
        Datatype::FloatingPoint { size: 4, .. } => Content::Singles(values(set, rows)?),
        Datatype::FloatingPoint { size: 8, .. } => Content::Floats(values(set, rows)?),
        // Truth values, as h5py stores them.
        Datatype::Enum { base, .. }
            if matches!(**base, Datatype::FixedPoint { size: 1, .. }) && rows.is_none() =>
        {
            Content::Bytes(set.read_raw_bytes().map_err(broken)?)
        }
        Datatype::String { .. } | Datatype::VarLen { .. } if rows.is_none() => {
            Content::Texts(set.read_strings().map_err(broken)?)
        }
        other => {
            return Err(Error::data(format!(
                "its type, {}, is not supported; whole numbers, floats of 32 and 64 bits, and words are",
                brief(&format!("{other:?}")).chars().take(30).collect::<String>()
            )));
        }
    };
    Ok(Numbers { shape, content })
}

fn integers<T: H5Type + Into<i64>>(set: &Dataset, rows: Option<(u64, u64)>) -> Result<Content> {
    Ok(Content::Integers(values::<T>(set, rows)?.into_iter().map(Into::into).collect()))
}

fn values<T: H5Type>(set: &Dataset, rows: Option<(u64, u64)>) -> Result<Vec<T>> {
    let array = match rows {
        None => set.read_array::<T>(),
        Some((start, end)) => {
            let mut selection = SliceInfo::all(set.ndim());
            if let Some(first) = selection.selections.first_mut() {
                *first = SliceInfoElem::Slice { start, end, step: 1 };
            }
            set.read_slice::<T>(&selection)
        }
    };
    Ok(array.map_err(broken)?.into_iter().collect())
}
