//! Finds out what a file or folder holds, by what is in it, and has it read.

use std::fs::{self, File};
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use super::formats::cifar::{self, Collector, Member};
#[cfg(feature = "images")]
use super::formats::images;
use super::formats::{Numbers, csv, idx, npy, split};
use super::{DataSet, Format, Part, Split, archive, limits};
use crate::error::{Error, Result};

/// Bytes that are looked at to recognise a file: a tar archive says what it is at byte 257.
const HEAD: usize = 512;

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
}

/// What a file is, as far as its beginning tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
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
    fn of(head: &[u8]) -> Self {
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
fn file_name(path: &Path) -> String {
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
    /// [`Error::Io`] for a file that cannot be read; [`Error::Data`] for one that is none of these, damaged, or beyond the
    /// [`limits`].
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
        set.map_err(|error| error.within(path.display()))
    }

    /// Reads the data set in a file that is in memory already: any of [`DataSet::open`] that is one file alone.
    ///
    /// # Errors
    /// [`Error::Data`], as those of [`DataSet::open`].
    pub fn from_bytes(bytes: Vec<u8>, options: &ReadOptions) -> Result<Self> {
        let packed = bytes.len() as u64;
        match Kind::of(&bytes[..bytes.len().min(HEAD)]) {
            Kind::Gzip => unpack(Cursor::new(bytes), packed, options, None),
            Kind::Tar => cifar::read_archive(Cursor::new(bytes)),
            Kind::Zip => npy::read_npz(Cursor::new(bytes), packed),
            kind => read_unpacked(bytes, kind, options, None),
        }
    }
}

/// The beginning of a file.
pub(super) fn head(path: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    file.take(HEAD as u64).read_to_end(&mut head).map_err(Error::io("read", path))?;
    Ok(head)
}

fn open_file(path: &Path, options: &ReadOptions) -> Result<DataSet> {
    let kind = Kind::of(&head(path)?);
    let file = File::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    match kind {
        Kind::Gzip => unpack(BufReader::with_capacity(1 << 18, file), size, options, Some(path)),
        Kind::Tar => cifar::read_archive(BufReader::new(file)),
        Kind::Zip => npy::read_npz(BufReader::new(file), size),
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
                return npy::read_npz(Cursor::new(bytes), unpacked);
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
            from_pairs(format, vec![(Part::Train, samples, labels)])
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
fn unpacked_file(path: &Path) -> Result<Vec<u8>> {
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
fn labels_beside(path: &Path) -> Result<PathBuf> {
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

/// A data set out of samples and labels for each part, of which there is at most one each.
fn from_pairs(format: Format, pairs: Vec<(Part, Numbers, Numbers)>) -> Result<DataSet> {
    let (mut shape, mut parts, mut labels) = (None, Vec::new(), Vec::new());
    for (part, samples, own_labels) in pairs {
        labels.push(own_labels.into_labels().map_err(|error| error.within(part))?);
        let (values, found) = samples.into_samples().map_err(|error| error.within(part))?;
        if shape.get_or_insert_with(|| found.clone()) != &found {
            return Err(Error::data(format!(
                "its parts have samples of different shapes, {:?} and {found:?}",
                shape.unwrap_or_default()
            )));
        }
        parts.push((part, values));
    }
    let (classes, labels) = npy::indices(labels, None)?;
    let [mut train, mut val, mut test]: [Option<Split>; 3] = [None, None, None];
    for ((part, values), labels) in parts.into_iter().zip(labels) {
        let place = match part {
            Part::Train => &mut train,
            Part::Val => &mut val,
            Part::Test => &mut test,
        };
        if place.replace(split(values, labels)).is_some() {
            return Err(Error::data(format!(
                "it has more than one file of {part} samples; one of them has to be named"
            )));
        }
    }
    let train = train.ok_or_else(|| Error::data("it has no training samples"))?;
    DataSet { format, classes, shape: shape.unwrap_or_default(), train, val, test, mean: None }.checked()
}

/// The names in a folder, sorted, without hidden ones.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                paths.push(entry.path());
            }
        }
        paths.sort();
        Ok(paths)
    };
    read().map_err(Error::io("read the folder", folder))
}

/// A folder's files and folders.
struct Folder {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Folder {
    fn list(path: &Path) -> Result<Self> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in entries(path)? {
            // A device or a pipe is no data, and neither is a link to nothing.
            match fs::metadata(&entry) {
                Ok(kind) if kind.is_dir() => folders.push(entry),
                Ok(kind) if kind.is_file() => files.push(entry),
                _ => {}
            }
        }
        Ok(Self { files, folders })
    }
}

/// What a folder's own files make up.
enum Content {
    Cifar(Vec<(Member, PathBuf)>),
    Idx(Vec<PathBuf>),
    Npy(Vec<PathBuf>),
}

fn open_folder(path: &Path, options: &ReadOptions) -> Result<DataSet> {
    let folder = Folder::list(path)?;
    if let Some(content) = recognise(&folder.files)? {
        return content.read();
    }
    let mut below = Vec::new();
    for path in folder.folders.iter().take(limits::FOLDER_LOOKS) {
        if let Some(content) = recognise(&Folder::list(path)?.files)? {
            below.push((path, content));
        }
    }
    if below.len() > 1 {
        let names: Vec<_> = below.iter().map(|(path, _)| file_name(path)).collect();
        return Err(Error::data(format!(
            "it holds several data sets, one of which has to be named: {}",
            names.join(", ")
        )));
    }
    if let Some((path, content)) = below.pop() {
        return content.read().map_err(|error| error.within(file_name(path)));
    }
    #[cfg(feature = "images")]
    if let Some(set) = images::read_folder(path, options)? {
        return Ok(set);
    }
    if let ([file], []) = (folder.files.as_slice(), folder.folders.as_slice()) {
        return open_file(file, options).map_err(|error| error.within(file_name(file)));
    }
    Err(Error::data(
        "the folder holds no data set that is read: CIFAR-10 or CIFAR-100 (data_batch_1 and so on, python or binary), \
         IDX or NPY files of samples and labels, a folder of images for each class, or one file alone",
    ))
}

/// What the files of a folder make up, if they are a data set.
fn recognise(files: &[PathBuf]) -> Result<Option<Content>> {
    let members: Vec<(Member, PathBuf)> =
        files.iter().filter_map(|path| Some((cifar::member(&file_name(path))?, path.clone()))).collect();
    if members.iter().any(|(member, _)| matches!(member, Member::Train(_))) {
        return Ok(Some(Content::Cifar(members)));
    }
    // A packed file beside the unpacked one is the same file.
    let doubled = |path: &&PathBuf| {
        path.extension().is_some_and(|end| end == "gz") && files.contains(&path.with_extension(""))
    };
    let (mut idx, mut npy) = (Vec::new(), Vec::new());
    for path in files.iter().filter(|path| !doubled(path)).take(limits::FOLDER_LOOKS) {
        let mut head = head(path)?;
        if Kind::of(&head) == Kind::Gzip {
            let mut unpacked = Vec::new();
            // What cannot be unpacked is not IDX; whoever names the file itself is told more.
            let _ = archive::gunzip(head.as_slice(), head.len() as u64)
                .take(HEAD as u64)
                .read_to_end(&mut unpacked);
            head = unpacked;
        }
        match Kind::of(&head) {
            Kind::Idx if idx::dimensions(&head) > 1 && !file_name(path).contains("labels") => {
                idx.push(path.clone());
            }
            Kind::Npy if !file_name(path).starts_with('y') => npy.push(path.clone()),
            _ => {}
        }
    }
    Ok(match (idx.is_empty(), npy.is_empty()) {
        (false, _) => Some(Content::Idx(idx)),
        (true, false) => Some(Content::Npy(npy)),
        (true, true) => None,
    })
}

impl Content {
    fn read(self) -> Result<DataSet> {
        match self {
            Self::Cifar(members) => {
                let (mut collector, mut content) = (Collector::default(), Vec::new());
                for (member, path) in members {
                    let file = File::open(&path).map_err(Error::io("read", &path))?;
                    let size = file.metadata().map_err(Error::io("read", &path))?.len();
                    archive::read_into(&mut content, file, size).map_err(Error::io("read", &path))?;
                    collector.add(member, &file_name(&path), &content)?;
                }
                collector.finish()
            }
            Self::Idx(files) => from_pairs(Format::Idx, pairs(files, idx::read)?),
            Self::Npy(files) => from_pairs(Format::Npy, pairs(files, npy::read)?),
        }
    }
}

/// Reads files of samples, each with its labels.
fn pairs(files: Vec<PathBuf>, read: fn(Vec<u8>) -> Result<Numbers>) -> Result<Vec<(Part, Numbers, Numbers)>> {
    let mut pairs = Vec::new();
    for path in files {
        let name = file_name(&path);
        let within = |error: Error| error.within(&name);
        let lower = name.to_ascii_lowercase();
        let part = if lower.contains("t10k") || lower.contains("test") {
            Part::Test
        } else if lower.contains("val") {
            Part::Val
        } else {
            Part::Train
        };
        let labels = labels_beside(&path).map_err(within)?;
        let samples = read(unpacked_file(&path)?).map_err(within)?;
        let labels = read(unpacked_file(&labels)?).map_err(|error| error.within(file_name(&labels)))?;
        pairs.push((part, samples, labels));
    }
    Ok(pairs)
}
