//! Recognises what a file or folder holds by its content, and reads it.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use super::file::{open_file_watched, read_unpacked, unpack};
use super::folder::{open_folder, with_test};
use super::formats::{cifar, npy};
use super::kind::{HEAD, Kind};
use super::{ReadOptions, ReadProgress};
use crate::data::DataSet;
use crate::error::{Error, Result};

impl DataSet {
    /// Reads the data set in a file or folder. The format is recognised from the content:
    ///
    /// - CIFAR-10 or CIFAR-100, python or binary version: the archive (`.tar.gz`, `.tar`), the unpacked folder or the
    ///   one above it, or a single batch
    /// - IDX, compressed or not: a folder with images and labels, or a file of images with its labels next to it
    /// - NPZ; NPY, with labels next to it
    /// - a table as text (CSV and similar, JSON, ARFF), Parquet or Arrow (feature `columnar`), compressed or not
    /// - svmlight, compressed or not, which stays sparse; MATLAB files up to version 7; HDF5 (feature `hdf5`)
    /// - a folder of images by class (feature `images`)
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read; [`Error::Data`] for one that is none of these, is damaged,
    /// exceeds the [`limits`](super::limits), or has no numbers as targets although they are requested.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self> {
        Self::open_watched(path, options, &|_, _| {})
    }

    /// Reads the data set in a file or folder as [`DataSet::open`] does, and reports to `progress` how much of the
    /// file is read. There are no reports for folders, and for files that are read at once: IDX, NPY, and batches of
    /// CIFAR.
    ///
    /// # Errors
    /// As [`DataSet::open`].
    pub fn open_watched(path: &Path, options: &ReadOptions, progress: ReadProgress<'_>) -> Result<Self> {
        let found = fs::metadata(path).map_err(Error::io("read", path))?;
        let set = if found.is_dir() {
            open_folder(path, options)
        } else if found.is_file() {
            open_file_watched(path, options, progress)
        } else {
            // A device or a pipe may never end.
            Err(Error::data("it is neither a file nor a folder"))
        };
        let set = set.and_then(|set| options.check_format(set.format).map(|()| set));
        let set = set.map_err(|error| error.within(path.display()))?;
        match &options.test {
            Some(test) => with_test(set, test, options),
            None => Ok(set),
        }
    }

    /// Reads a data set from a file in memory: any format of [`DataSet::open`] that is a single file.
    ///
    /// # Errors
    /// [`Error::Data`], as for [`DataSet::open`].
    pub fn from_bytes(bytes: Vec<u8>, options: &ReadOptions) -> Result<Self> {
        let packed = bytes.len() as u64;
        let set = match Kind::of(&bytes[..bytes.len().min(HEAD)]) {
            Kind::Packed(packing) => unpack(packing, Cursor::new(bytes), packed, options, None),
            Kind::Tar => cifar::read_archive(Cursor::new(bytes)),
            Kind::Zip => npy::read_npz(Cursor::new(bytes), packed, options),
            kind => read_unpacked(bytes, kind, options, None),
        }?;
        options.check_format(set.format)?;
        Ok(set)
    }
}
