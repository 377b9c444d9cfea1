//! Reads one file of any format.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Cursor};
use std::path::Path;

use super::counted::{Counted, ReadProgress};
#[cfg(all(feature = "columnar", feature = "streams"))]
use super::formats::columnar;
#[cfg(feature = "columnar")]
use super::formats::columnar::Source;
#[cfg(feature = "hdf5")]
use super::formats::hdf5;
use super::formats::{cifar, csv, idx, mat, npy, svmlight};
use super::kind::{self, Kind, file_name, head, unpacked_file};
use super::packing::Packing;
use super::pairs::{Samples, from_pairs, labels_beside, not_stored, stored_samples};
use super::{ReadOptions, archive};
use crate::data::{DataSet, Format, Part};
use crate::error::{Error, Result};

pub(super) fn open_file(path: &Path, options: &ReadOptions) -> Result<DataSet> {
    open_file_watched(path, options, &|_, _| {})
}

/// Reads a file, and reports to `progress` if it is not read at once.
pub(super) fn open_file_watched(
    path: &Path,
    options: &ReadOptions,
    progress: ReadProgress<'_>,
) -> Result<DataSet> {
    let kind = Kind::of(&head(path)?);
    let file = File::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    let counted = |file| Counted::new(file, size, progress);
    if let Some(window) = options.stored {
        return match kind {
            Kind::Idx | Kind::Npy => {
                from_array(kind, stored_samples(path, kind == Kind::Idx, window)?, path, options)
            }
            #[cfg(all(feature = "columnar", feature = "streams"))]
            Kind::Parquet => columnar::open_stored(
                (file, &path.display().to_string()),
                (size, window),
                options,
                &|row, rows| {
                    progress(share(size, row, rows), size);
                },
            ),
            _ => Err(not_stored()),
        };
    }
    match kind {
        Kind::Packed(packing) => {
            unpack(packing, BufReader::with_capacity(1 << 18, counted(file)), size, options, Some(path))
        }
        Kind::Tar => cifar::read_archive(BufReader::new(counted(file))),
        Kind::Zip => npy::read_npz(BufReader::new(counted(file)), size, options),
        Kind::Mat => mat::read(BufReader::new(counted(file)), size, options),
        Kind::Svmlight => svmlight::read(counted(file), options),
        #[cfg(feature = "columnar")]
        Kind::Parquet | Kind::Arrow => {
            Source::open(file, size, path)?.read(options, &|row, rows| progress(share(size, row, rows), size))
        }
        #[cfg(feature = "hdf5")]
        Kind::Hdf5 => hdf5::Arrays::of_file(file)?.read(options),
        Kind::Text if !cifar::may_be_binary(size) => csv::read(counted(file), options),
        kind => read_unpacked(fs::read(path).map_err(Error::io("read", path))?, kind, options, Some(path)),
    }
}

/// The part of `size` bytes that `rows` of `all` rows take.
#[cfg(feature = "columnar")]
fn share(size: u64, rows: u64, all: u64) -> u64 {
    u64::try_from(u128::from(size) * u128::from(rows) / u128::from(all.max(1)))
        .map_or(size, |done| done.min(size))
}

/// Reads the content of a compressed stream of `packed` bytes.
pub(super) fn unpack(
    packing: Packing,
    mut stream: impl BufRead,
    packed: u64,
    options: &ReadOptions,
    path: Option<&Path>,
) -> Result<DataSet> {
    unpack_from(packing, &mut stream, packed, options, path)
}

fn unpack_from(
    packing: Packing,
    stream: &mut dyn BufRead,
    packed: u64,
    options: &ReadOptions,
    path: Option<&Path>,
) -> Result<DataSet> {
    let (kind, content) = kind::unpack(packing, stream, packed)?;
    match kind {
        Kind::Tar => cifar::read_archive(content),
        Kind::Text => csv::read(content, options),
        Kind::Svmlight => svmlight::read(content, options),
        #[cfg(feature = "columnar")]
        Kind::Parquet | Kind::Arrow => Source::of_stream(content, packed)?.read(options, &|_, _| {}),
        kind => {
            let bytes = archive::read_all(content, 0).map_err(archive::damage)?;
            if kind == Kind::Zip {
                let unpacked = bytes.len() as u64;
                return npy::read_npz(Cursor::new(bytes), unpacked, options);
            }
            read_unpacked(bytes, kind, options, path)
        }
    }
}

/// Reads a file that is neither compressed nor an archive.
pub(super) fn read_unpacked(
    bytes: Vec<u8>,
    kind: Kind,
    options: &ReadOptions,
    path: Option<&Path>,
) -> Result<DataSet> {
    match kind {
        Kind::Pickle => cifar::read(&bytes),
        Kind::Idx | Kind::Npy => {
            let read = if kind == Kind::Idx { idx::read } else { npy::read };
            let samples = read(bytes)?;
            let path = path.ok_or_else(|| Error::data("its labels are in another file"))?;
            if samples.shape.len() < 2 {
                return Err(Error::data("it holds labels; give the file of the samples"));
            }
            from_array(kind, Samples::Read(samples), path, options)
        }
        Kind::Image => {
            Err(Error::data("it is one image; a data set of images is a folder with a folder for each class"))
        }
        Kind::Mat => {
            let size = bytes.len() as u64;
            mat::read(Cursor::new(bytes), size, options)
        }
        #[cfg(feature = "columnar")]
        Kind::Parquet | Kind::Arrow => {
            let size = bytes.len() as u64;
            Source::of_stream(Cursor::new(bytes), size)?.read(options, &|_, _| {})
        }
        #[cfg(not(feature = "columnar"))]
        Kind::Parquet | Kind::Arrow => Err(columnar()),
        #[cfg(feature = "hdf5")]
        Kind::Hdf5 => hdf5::Arrays::of_bytes(bytes)?.read(options),
        #[cfg(not(feature = "hdf5"))]
        Kind::Hdf5 => Err(no_hdf5()),
        Kind::Mat73 => Err(mat_7_3()),
        Kind::Svmlight => svmlight::read(Cursor::new(bytes), options),
        _ if cifar::is_binary(&bytes) => cifar::read(&bytes),
        Kind::Text => csv::read(Cursor::new(bytes), options),
        _ => Err(unknown()),
    }
}

/// The samples of a file and the labels beside it.
fn from_array(kind: Kind, samples: Samples, path: &Path, options: &ReadOptions) -> Result<DataSet> {
    let (read, format): (fn(_) -> _, _) =
        if kind == Kind::Idx { (idx::read, Format::Idx) } else { (npy::read, Format::Npy) };
    let labels = labels_beside(path)?;
    let labels = read(unpacked_file(&labels)?).map_err(|error| error.within(file_name(&labels)))?;
    from_pairs(format, vec![(Part::Train, samples, labels)], options)
}

/// Why MATLAB 7.3 files are not read.
pub(super) fn mat_7_3() -> Error {
    Error::data(
        "it is MATLAB 7.3, which is not supported; in MATLAB save it with save(..., '-v7'), in Python as an NPZ archive with \
         numpy.savez",
    )
}

/// Why HDF5 is not read.
#[cfg(not(feature = "hdf5"))]
pub(super) fn no_hdf5() -> Error {
    Error::data(
        "it is HDF5, which is not supported here; in Python save its arrays as an NPZ archive with numpy.savez",
    )
}

/// Why Parquet and Arrow are not read.
#[cfg(not(feature = "columnar"))]
pub(super) fn columnar() -> Error {
    Error::data("it is Parquet or Arrow, which are not supported here; save the table as CSV")
}

fn unknown() -> Error {
    Error::data(
        "its format is not supported; these are: CIFAR-10 and CIFAR-100 (tar.gz, python, binary), IDX, NPZ, NPY, \
         tables (csv, tsv, json, arff, parquet, arrow), svmlight, MATLAB (mat), HDF5, folders of images by class",
    )
}
