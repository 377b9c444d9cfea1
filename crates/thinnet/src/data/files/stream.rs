//! Reads the samples of a file or folder in blocks, with constant memory: what prediction needs. No labels are read.

use std::borrow::Cow;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use super::archive::{self, broken, unzip};
#[cfg(not(feature = "columnar"))]
use super::file::columnar;
use super::file::mat_7_3;
#[cfg(not(feature = "hdf5"))]
use super::file::no_hdf5;
use super::folder::{Found, find, part_of, read_file};
use super::formats::cifar::{self, Member};
#[cfg(feature = "columnar")]
use super::formats::columnar::Source;
#[cfg(feature = "hdf5")]
use super::formats::hdf5;
#[cfg(feature = "images")]
use super::formats::images;
use super::formats::{Blocks, csv, idx, mat, npy, svmlight};
use super::kind::{self, Kind, file_name, head};
#[cfg(feature = "images")]
use crate::data::Pixels;
use crate::data::shape::{check_shape, shown};
use crate::data::{Columns, Features};
use crate::error::{Error, Result, ensure};

/// Samples per block: at 3072 bytes each they take 3 MiB.
const ROWS: usize = 1024;

/// What the samples must be like.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The shape of one sample: `[channels, height, width]` for images, `[numbers]` for others.
    pub shape: &'a [usize],
    /// The columns of a table; by default `shape` gives their number.
    pub columns: Option<&'a Columns>,
    /// Whether images in folders are resized to that size, and not refused.
    pub resize: bool,
}

/// A block of consecutive samples.
#[derive(Debug, Clone)]
pub struct Block {
    /// Its place among the files of the data set, in the order in which their samples count. Archives may store them
    /// in another order.
    pub file: usize,
    /// The samples.
    pub x: Features<f64>,
    /// The share of the input that is read, if known: 0..=1.
    pub done: Option<f64>,
}

/// Receives blocks; it can stop the reading with an error.
type Each<'a> = &'a mut dyn FnMut(Block) -> Result<()>;

/// Calls `each` with all samples of a file or folder, in any format that
/// [`DataSet::open`](crate::data::DataSet::open) reads: first the training part, then validation and test parts.
/// Labels may be missing.
///
/// # Errors
/// As [`DataSet::open`](crate::data::DataSet::open); [`Error::Data`] for samples of another shape or with other
/// columns, with both sides named; errors of `each`.
pub fn stream(path: &Path, wanted: Wanted<'_>, each: Each<'_>) -> Result<()> {
    if !path.is_dir() {
        return stream_file(path, 0, wanted, each).map_err(|error| error.within(path.display()));
    }
    let within = |error: Error| error.within(path.display());
    match find(path).map_err(within)?.0 {
        Found::Cifar(mut members) => {
            members.retain(|(member, _)| *member != Member::Names);
            members.sort_by_key(|(member, _)| file_number(*member));
            let (mut content, count) = (Vec::new(), members.len());
            for (number, (member, file)) in members.iter().enumerate() {
                read_file(file, &mut content)?;
                let batch = cifar_blocks(&content, *member, wanted, &mut share_of((number, count), each));
                batch.map_err(|error| within(error.within(file_name(file))))?;
            }
            Ok(())
        }
        Found::Idx(mut files) | Found::Npy(mut files) => {
            files.sort_by_key(|file| part_of(&file_name(file)) as usize);
            let count = files.len();
            files.iter().enumerate().try_for_each(|(number, file)| {
                let read = stream_file(file, number, wanted, &mut share_of((number, count), each));
                read.map_err(|error| within(error.within(file_name(file))))
            })
        }
        #[cfg(feature = "images")]
        Found::Images => {
            let mut block = |x: Pixels, done| each(Block { file: 0, x: x.into(), done: Some(done) });
            images::each_block(path, (wanted.shape, wanted.resize), ROWS, &mut block).map_err(within)
        }
        #[cfg(not(feature = "images"))]
        Found::Images => Err(within(Error::data("images are not supported without the feature `images`"))),
        Found::Tables(train, test) => [train, test].iter().enumerate().try_for_each(|(number, file)| {
            let read = stream_file(file, number, wanted, &mut share_of((number, 2), each));
            read.map_err(|error| within(error.within(file_name(file))))
        }),
        Found::File(file) => stream(&file, wanted, each),
    }
}

/// The same for a table from a stream.
///
/// # Errors
/// As [`stream`].
pub fn stream_table(table: impl Read, wanted: Wanted<'_>, each: Each<'_>) -> Result<()> {
    table_blocks(table, None, wanted, each)
}

/// Passes on the blocks of file `number` of `count`, with the share of all files that is read.
fn share_of((number, count): (usize, usize), each: Each<'_>) -> impl FnMut(Block) -> Result<()> {
    move |block| {
        let done = block.done.map(|done| (number as f64 + done) / count.max(1) as f64);
        each(Block { done, ..block })
    }
}

/// A file that counts how much of it was read, so that a compressed one has a share too.
struct Counted<'a> {
    file: File,
    read: &'a Cell<u64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read.set(self.read.get().saturating_add(read as u64));
        Ok(read)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

fn stream_file(path: &Path, number: usize, wanted: Wanted<'_>, each: Each<'_>) -> Result<()> {
    let kind = Kind::of(&head(path)?);
    let file = File::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    #[cfg(feature = "columnar")]
    if matches!(kind, Kind::Parquet | Kind::Arrow) {
        return typed_blocks(Source::open(file, size, path)?, wanted, number, each);
    }
    #[cfg(feature = "hdf5")]
    if kind == Kind::Hdf5 {
        return hdf5_blocks(&hdf5::Arrays::of_file(file)?, wanted, each);
    }
    let read = Cell::new(0);
    let mut file = BufReader::with_capacity(1 << 18, Counted { file, read: &read });
    let each = &mut |block| {
        let done = Some((read.get() as f64 / size.max(1) as f64).min(1.0));
        each(Block { done, ..block })
    };
    match kind {
        Kind::Packed(packing) => match kind::unpack(packing, file, size)? {
            (Kind::Zip, _) => Err(Error::data("it is compressed twice")),
            (Kind::Svmlight, content) => {
                let again = BufReader::new(File::open(path).map_err(Error::io("read", path))?);
                let zero_based = svmlight::is_zero_based(kind::unpack(packing, again, size)?.1)?;
                sparse_blocks(content, zero_based, number, wanted, each)
            }
            (Kind::Mat, content) => {
                let bytes = archive::read_all(content, 0).map_err(archive::damage)?;
                let size = bytes.len() as u64;
                mat_blocks(Cursor::new(bytes), size, wanted, each)
            }
            #[cfg(feature = "columnar")]
            (Kind::Parquet | Kind::Arrow, content) => {
                typed_blocks(Source::of_stream(content, size)?, wanted, number, each)
            }
            (kind, mut content) => unpacked(&mut content, kind, (number, None), wanted, each),
        },
        Kind::Zip => archive_blocks(file, wanted, each),
        Kind::Svmlight => {
            let again = File::open(path).map_err(Error::io("read", path))?;
            sparse_blocks(file, svmlight::is_zero_based(again)?, number, wanted, each)
        }
        Kind::Mat => mat_blocks(file, size, wanted, each),
        Kind::Text if cifar::may_be_binary(size) && is_binary(path)? => {
            unpacked(&mut file, Kind::Unknown, (number, Some(size)), wanted, each)
        }
        kind => unpacked(&mut file, kind, (number, Some(size)), wanted, each),
    }
}

/// Whether a file that could be a text is the binary version of CIFAR.
fn is_binary(path: &Path) -> Result<bool> {
    let mut content = Vec::new();
    read_file(path, &mut content)?;
    Ok(cifar::is_binary(&content))
}

/// The samples of an uncompressed file; `size` is its length in bytes, if known.
fn unpacked(
    content: &mut impl Read,
    kind: Kind,
    (file, size): (usize, Option<u64>),
    wanted: Wanted<'_>,
    each: Each<'_>,
) -> Result<()> {
    let mut blocks = |x: Features<f64>, shape: &[usize], done: f64| {
        check_shape(shape, wanted.shape)?;
        each(Block { file, x, done: Some(done) })
    };
    match kind {
        Kind::Tar => archive::tar_files(
            content,
            |name| cifar::member(name).filter(|member| *member != Member::Names),
            |member, name, content| {
                cifar_blocks(content, member, wanted, each).map_err(|error| error.within(name))
            },
        ),
        Kind::Text => table_blocks(content, size, wanted, each),
        Kind::Idx => idx::read_header(content)?.each_block(content, ROWS, &mut blocks),
        Kind::Npy => npy_blocks(content, &mut blocks),
        #[cfg(not(feature = "columnar"))]
        Kind::Parquet | Kind::Arrow => Err(columnar()),
        #[cfg(feature = "hdf5")]
        Kind::Hdf5 => {
            let bytes = archive::read_all(content, size.unwrap_or(0)).map_err(archive::damage)?;
            hdf5_blocks(&hdf5::Arrays::of_bytes(bytes)?, wanted, each)
        }
        #[cfg(not(feature = "hdf5"))]
        Kind::Hdf5 => Err(no_hdf5()),
        Kind::Mat73 => Err(mat_7_3()),
        _ => {
            let bytes = archive::read_all(content, size.unwrap_or(0)).map_err(archive::damage)?;
            cifar_blocks(&bytes, Member::Train(0), wanted, each)
        }
    }
}

/// The samples of a file of sparse rows.
fn sparse_blocks(
    content: impl Read,
    zero_based: bool,
    file: usize,
    wanted: Wanted<'_>,
    each: Each<'_>,
) -> Result<()> {
    let width = wanted.shape.iter().product();
    svmlight::each_block(content, zero_based, (width, ROWS), &mut |x| each(Block { file, x, done: None }))
}

/// The samples of a MATLAB file.
fn mat_blocks(content: impl Read + Seek, size: u64, wanted: Wanted<'_>, each: Each<'_>) -> Result<()> {
    let width = wanted.shape.iter().product();
    mat::each_block(content, size, (width, ROWS), &mut |file, x, shape, done| {
        check_shape(shape, wanted.shape)?;
        each(Block { file, x, done: Some(done) })
    })
}

/// The samples of an HDF5 file.
#[cfg(feature = "hdf5")]
fn hdf5_blocks(arrays: &hdf5::Arrays, wanted: Wanted<'_>, each: Each<'_>) -> Result<()> {
    arrays.each_block(ROWS, &mut |file, x, shape, done| {
        check_shape(shape, wanted.shape)?;
        each(Block { file, x, done: Some(done) })
    })
}

fn npy_blocks(content: &mut impl Read, blocks: Blocks<'_>) -> Result<()> {
    match npy::read_header(content)? {
        Some(header) => header.each_block(content, ROWS, blocks),
        None => Err(npy::by_column()),
    }
}

/// The samples of an NPZ archive.
fn archive_blocks(stream: impl BufRead + Seek, wanted: Wanted<'_>, each: Each<'_>) -> Result<()> {
    let (mut archive, names) = unzip(stream)?;
    let lower: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    let arrays: Vec<&str> = lower.iter().filter_map(|name| name.strip_suffix(".npy")).collect();
    let samples = npy::sample_arrays(&arrays);
    ensure!(!samples.is_empty(), Error::data("it has no array X_train, X_test or X"));
    for (file, array) in samples.into_iter().enumerate() {
        let own = |name: &String| name.strip_suffix(".npy") == Some(array);
        let Some(name) = lower.iter().position(own).map(|at| &names[at]) else { continue };
        let mut entry = archive.by_name(name).map_err(broken)?;
        let mut blocks = |x: Features<f64>, shape: &[usize], done: f64| {
            check_shape(shape, wanted.shape)?;
            each(Block { file, x, done: Some(done) })
        };
        npy_blocks(&mut entry, &mut blocks).map_err(|error| error.within(array))?;
    }
    Ok(())
}

/// The columns of a table that are wanted.
fn wanted_columns(wanted: Wanted<'_>) -> Result<Cow<'_, Columns>> {
    match (wanted.columns, wanted.shape) {
        (Some(columns), _) => Ok(Cow::Borrowed(columns)),
        (None, &[inputs]) => {
            let inputs: Vec<String> = (1..=inputs).map(|column| column.to_string()).collect();
            let (target, target_at) = ("target".to_owned(), inputs.len());
            Ok(Cow::Owned(Columns { inputs, target, target_at, ..Columns::default() }))
        }
        (None, shape) => {
            Err(Error::data(format!("the model takes images of {}, but this is a table", shown(shape))))
        }
    }
}

/// The samples of a Parquet or Arrow table.
#[cfg(feature = "columnar")]
fn typed_blocks(table: Source, wanted: Wanted<'_>, file: usize, each: Each<'_>) -> Result<()> {
    let columns = wanted_columns(wanted)?;
    table.each_block(&columns, ROWS, &mut |x, done| each(Block { file, x, done }))
}

fn table_blocks(table: impl Read, size: Option<u64>, wanted: Wanted<'_>, each: Each<'_>) -> Result<()> {
    let columns = wanted_columns(wanted)?;
    let share = |read: u64| size.map(|size| (read as f64 / size.max(1) as f64).min(1.0));
    csv::each_block(table, &columns, ROWS, &mut |x, read| each(Block { file: 0, x, done: share(read) }))
}

fn cifar_blocks(content: &[u8], member: Member, wanted: Wanted<'_>, each: Each<'_>) -> Result<()> {
    check_shape(&[3, 32, 32], wanted.shape)?;
    let file = file_number(member);
    cifar::each_block(content, ROWS, &mut |x, done| each(Block { file, x: x.into(), done: Some(done) }))
}

/// The place of a batch among all files.
fn file_number(member: Member) -> usize {
    match member {
        Member::Train(index) => index,
        Member::Test => usize::MAX - 1,
        Member::Names => usize::MAX,
    }
}
