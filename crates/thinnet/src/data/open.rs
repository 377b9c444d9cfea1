//! Finds out what a file holds, by what is in it, and has it read.

use std::fs::{self, File};
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use super::folder::open_folder;
use super::formats::supervision::{Supervision, splits};
use super::formats::{Numbers, cifar, csv, idx, npy};
use super::{DataSet, Format, Part, Split, archive};
use crate::error::{Error, Result};

/// Bytes that are looked at to recognise a file: a tar archive says what it is at byte 257.
pub(super) const HEAD: usize = 512;

/// What may be said of how to read a data set, where its content leaves it open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// The column of a table that holds the labels: its name, or its number counted from 1. By default the one named label,
    /// class or target, or else the last.
    pub label: Option<String>,
    /// Whether a table's first line names the columns; by default it does if no field of it is a number.
    pub header: Option<bool>,
    /// The width and height that images of a folder are resized to.
    pub resize: Option<(u32, u32)>,
    /// Whether targets are numbers, for a regression, and not labels: [`Split::targets`] then holds them. A table's are in the
    /// one column that else holds labels; NPY and NPZ have them as arrays (N) or (N, K). Other formats hold classes alone.
    pub regression: bool,
}

impl ReadOptions {
    /// Refuses a format that holds classes alone where numbers are asked for as targets.
    ///
    /// # Errors
    /// [`Error::Data`].
    pub fn check_format(&self, format: Format) -> Result<()> {
        if self.regression && !format.may_have_targets() {
            return Err(Error::data(format!(
                "it holds classes, and no numbers to predict ({format}); targets for regression are read from tables, NPZ and NPY"
            )));
        }
        Ok(())
    }
}

/// What a file is, as far as its beginning tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gzip,
    Tar,
    Zip,
    Npy,
    Pickle,
    Idx,
    Image,
    Text,
    Unknown,
}

impl Kind {
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] => Self::Image,
            [0x80, 2..=5, ..] => Self::Pickle,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Self::Text, // in UTF-16
            _ if head.starts_with(npy::MAGIC) => Self::Npy,
            _ if head.get(257..262) == Some(b"ustar") => Self::Tar,
            _ if idx::is_idx(head) => Self::Idx,
            _ if !head.is_empty() && head.iter().copied().all(is_text) => Self::Text,
            _ => Self::Unknown,
        }
    }
}

/// Whether a byte may be one of a text, in any encoding that keeps ASCII.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b | 0x20..)
}

/// A file's name without its folder.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl DataSet {
    /// Reads the data set in a file or folder, whose format it recognises from what is in it:
    ///
    /// - CIFAR-10 or CIFAR-100, python or binary version: the archive (`.tar.gz`, `.tar`), the folder that it unpacks to or
    ///   the one above it, or a single batch
    /// - IDX, packed with gzip or not: a folder with images and labels, or a file of images whose labels lie beside it
    /// - NPZ; NPY, with labels beside it
    /// - a table, packed with gzip or not
    /// - a folder of images by class (feature `images`)
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read; [`Error::Data`] for one that is none of these, damaged, beyond the
    /// [`limits`](super::limits), or without numbers as targets where they are asked for.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self> {
        let found = fs::metadata(path).map_err(Error::io("read", path))?;
        let set = if found.is_dir() {
            open_folder(path, options)
        } else if found.is_file() {
            open_file(path, options)
        } else {
            // A device or a pipe may never end.
            Err(Error::data("it is neither a file nor a folder"))
        };
        let set = set.and_then(|set| options.check_format(set.format).map(|()| set));
        set.map_err(|error| error.within(path.display()))
    }

    /// Reads the data set in a file that is in memory already: any of [`DataSet::open`] that is one file alone.
    ///
    /// # Errors
    /// [`Error::Data`], as those of [`DataSet::open`].
    pub fn from_bytes(bytes: Vec<u8>, options: &ReadOptions) -> Result<Self> {
        let packed = bytes.len() as u64;
        let set = match Kind::of(&bytes[..bytes.len().min(HEAD)]) {
            Kind::Gzip => unpack(Cursor::new(bytes), packed, options, None),
            Kind::Tar => cifar::read_archive(Cursor::new(bytes)),
            Kind::Zip => npy::read_npz(Cursor::new(bytes), packed, options),
            kind => read_unpacked(bytes, kind, options, None),
        }?;
        options.check_format(set.format)?;
        Ok(set)
    }
}

/// The beginning of a file.
pub(super) fn head(path: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    file.take(HEAD as u64).read_to_end(&mut head).map_err(Error::io("read", path))?;
    Ok(head)
}

pub(super) fn open_file(path: &Path, options: &ReadOptions) -> Result<DataSet> {
    let kind = Kind::of(&head(path)?);
    let file = File::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    match kind {
        Kind::Gzip => unpack(BufReader::with_capacity(1 << 18, file), size, options, Some(path)),
        Kind::Tar => cifar::read_archive(BufReader::new(file)),
        Kind::Zip => npy::read_npz(BufReader::new(file), size, options),
        Kind::Text if !cifar::may_be_binary(size) => csv::read(file, options),
        kind => read_unpacked(fs::read(path).map_err(Error::io("read", path))?, kind, options, Some(path)),
    }
}

/// Reads what a gzip stream of `packed` bytes holds.
fn unpack(
    stream: impl std::io::BufRead,
    packed: u64,
    options: &ReadOptions,
    path: Option<&Path>,
) -> Result<DataSet> {
    let mut content = archive::gunzip(stream, packed);
    let mut head = Vec::new();
    content.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(archive::damage)?;
    let kind = Kind::of(&head);
    let content = Cursor::new(head).chain(content);
    match kind {
        Kind::Gzip => Err(Error::data("it is packed twice")),
        Kind::Tar => cifar::read_archive(content),
        Kind::Text => csv::read(content, options),
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

/// Reads a file that is neither packed nor an archive.
fn read_unpacked(bytes: Vec<u8>, kind: Kind, options: &ReadOptions, path: Option<&Path>) -> Result<DataSet> {
    match kind {
        Kind::Pickle => cifar::read(&bytes),
        Kind::Idx | Kind::Npy => {
            let read = if kind == Kind::Idx { idx::read } else { npy::read };
            let samples = read(bytes)?;
            let path = path.ok_or_else(|| Error::data("its labels are in another file"))?;
            if samples.shape.len() < 2 {
                return Err(Error::data("it holds labels; what is read is the file of the samples"));
            }
            let labels = labels_beside(path)?;
            let labels = read(unpacked_file(&labels)?).map_err(|error| error.within(file_name(&labels)))?;
            let format = if kind == Kind::Idx { Format::Idx } else { Format::Npy };
            from_pairs(format, vec![(Part::Train, samples, labels)], options)
        }
        Kind::Image => {
            Err(Error::data("it is one image; a data set of images is a folder with a folder for each class"))
        }
        _ if cifar::is_binary(&bytes) => cifar::read(&bytes),
        Kind::Text => csv::read(Cursor::new(bytes), options),
        _ => Err(unknown()),
    }
}

fn unknown() -> Error {
    Error::data(
        "it is none of the formats that are read: CIFAR-10 and CIFAR-100 (tar.gz, python, binary), IDX, NPZ, NPY, \
         tables (csv, tsv), folders of images by class",
    )
}

/// The content of a file, which may be packed with gzip.
pub(super) fn unpacked_file(path: &Path) -> Result<Vec<u8>> {
    let content = fs::read(path).map_err(Error::io("read", path))?;
    if Kind::of(&content) != Kind::Gzip {
        return Ok(content);
    }
    let packed = content.len() as u64;
    archive::read_all(archive::gunzip(content.as_slice(), packed), 0)
        .map_err(|error| archive::damage(error).within(file_name(path)))
}

/// The file of the labels of a file of samples, in the same folder: `images` in its name becomes `labels` (and `idx3`
/// `idx1`), an `X` or `x` that it begins with `y`; otherwise `_labels` is added. It may be packed where the other is not.
pub(super) fn labels_beside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (stem, packed) = name.strip_suffix(".gz").map_or((name, false), |stem| (stem, true));
    let labels = match (stem.contains("images"), stem.as_bytes()) {
        (true, _) => stem.replace("images", "labels").replace("idx3", "idx1"),
        (false, [b'X' | b'x', ..]) => format!("y{}", &stem[1..]),
        _ => match stem.rsplit_once('.') {
            Some((stem, extension)) => format!("{stem}_labels.{extension}"),
            None => format!("{stem}_labels"),
        },
    };
    let both = if packed {
        [format!("{labels}.gz"), labels.clone()]
    } else {
        [labels.clone(), format!("{labels}.gz")]
    };
    both.iter()
        .map(|name| path.with_file_name(name))
        .find(|path| path.is_file())
        .ok_or_else(|| Error::data(format!("its labels should lie beside it as {labels}, and do not")))
}

/// A data set out of samples and labels (or targets) for each part, of which there is at most one each.
pub(super) fn from_pairs(
    format: Format,
    mut pairs: Vec<(Part, Numbers, Numbers)>,
    options: &ReadOptions,
) -> Result<DataSet> {
    options.check_format(format)?;
    pairs.sort_by_key(|(part, ..)| *part as usize); // the training samples first: they say what the others must be
    let (mut shape, mut names, mut parts) = (None, Vec::new(), Vec::new());
    for (part, samples, wanted) in pairs {
        let wanted = Supervision::of(wanted, options).map_err(|error| error.within(part))?;
        let (values, found) = samples.into_samples().map_err(|error| error.within(part))?;
        if shape.get_or_insert_with(|| found.clone()) != &found {
            return Err(Error::data(format!(
                "its parts have samples of different shapes, {:?} and {found:?}",
                shape.unwrap_or_default()
            )));
        }
        names.push(part);
        parts.push((values, wanted));
    }
    let (classes, splits) = splits(parts, None)?;
    let [mut train, mut val, mut test]: [Option<Split>; 3] = [None, None, None];
    for (part, split) in names.into_iter().zip(splits) {
        let place = match part {
            Part::Train => &mut train,
            Part::Val => &mut val,
            Part::Test => &mut test,
        };
        if place.replace(split).is_some() {
            return Err(Error::data(format!(
                "it has more than one file of {part} samples; one of them has to be named"
            )));
        }
    }
    let train = train.ok_or_else(|| Error::data("it has no training samples"))?;
    DataSet { format, classes, shape: shape.unwrap_or_default(), train, val, test, mean: None }.checked()
}
