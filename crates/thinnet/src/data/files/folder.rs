//! Recognises what a folder holds by its files' names and first bytes, and reads it.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::file::open_file;
use super::formats::cifar::{self, Collector, Member};
#[cfg(feature = "columnar")]
use super::formats::columnar::Source;
#[cfg(feature = "images")]
use super::formats::images;
use super::formats::{Numbers, csv, idx, npy};
use super::kind::{self, HEAD, Kind, entries, file_name, head, unpacked_file};
use super::packing::ENDINGS;
use super::pairs::{Samples, from_pairs, labels_beside, not_stored, stored_samples};
use super::{ReadOptions, archive, limits};
use crate::data::{DataSet, Format, Part, Rows};
use crate::error::{Error, Result};

/// The files and folders in a folder.
struct Folder {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Folder {
    fn list(path: &Path) -> Result<Self> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in entries(path)? {
            // A device or a pipe is not data, and neither is a broken link.
            match fs::metadata(&entry) {
                Ok(kind) if kind.is_dir() => folders.push(entry),
                Ok(kind) if kind.is_file() => files.push(entry),
                _ => {}
            }
        }
        Ok(Self { files, folders })
    }
}

/// The content of a folder.
pub(super) enum Found {
    /// Batches of CIFAR, and the names of its classes.
    Cifar(Vec<(Member, PathBuf)>),
    /// Files of samples with label files next to them.
    Idx(Vec<PathBuf>),
    /// The same in NumPy's format.
    Npy(Vec<PathBuf>),
    /// A folder of images for each class.
    #[cfg_attr(not(feature = "images"), allow(dead_code, reason = "not searched for without it"))]
    Images,
    /// A table of training samples, and one of test samples.
    Tables(PathBuf, PathBuf),
    /// A single file.
    File(PathBuf),
}

/// What a folder or one of its subfolders holds; the name of that subfolder is put before messages.
pub(super) fn find(path: &Path) -> Result<(Found, Option<String>)> {
    let folder = Folder::list(path)?;
    if let Some(found) = recognise(&folder.files)? {
        return Ok((found, None));
    }
    let mut below = Vec::new();
    for path in folder.folders.iter().take(limits::FOLDER_LOOKS) {
        if let Some(found) = recognise(&Folder::list(path)?.files)? {
            below.push((file_name(path), found));
        }
    }
    if below.len() > 1 {
        let names: Vec<_> = below.into_iter().map(|(name, _)| name).collect();
        return Err(Error::data(format!(
            "it holds several data sets; name one of them: {}",
            names.join(", ")
        )));
    }
    if let Some((name, found)) = below.pop() {
        return Ok((found, Some(name)));
    }
    #[cfg(feature = "images")]
    if images::is_folder(path)? {
        return Ok((Found::Images, None));
    }
    if let (Some(train), Some(test)) =
        (table_named(&folder.files, "train")?, table_named(&folder.files, "test")?)
    {
        return Ok((Found::Tables(train, test), None));
    }
    if let ([file], []) = (folder.files.as_slice(), folder.folders.as_slice()) {
        return Ok((Found::File(file.clone()), Some(file_name(file))));
    }
    Err(Error::data(
        "the folder holds no data set in a supported format: CIFAR-10 or CIFAR-100 (data_batch_1 and so on, python or binary), \
         IDX or NPY files of samples and labels, a folder of images for each class, or one file alone",
    ))
}

pub(super) fn open_folder(path: &Path, options: &ReadOptions) -> Result<DataSet> {
    let (found, name) = find(path)?;
    let set = match found {
        Found::Cifar(_) | Found::Images if options.stored.is_some() => Err(not_stored()),
        Found::Cifar(members) => {
            let (mut collector, mut content) = (Collector::default(), Vec::new());
            for (member, path) in members {
                read_file(&path, &mut content)?;
                collector.add(member, &file_name(&path), &content)?;
            }
            collector.finish()
        }
        Found::Idx(files) => from_pairs(Format::Idx, pairs(files, true, options)?, options),
        Found::Npy(files) => from_pairs(Format::Npy, pairs(files, false, options)?, options),
        #[cfg(feature = "images")]
        Found::Images => images::read_folder(path, options),
        #[cfg(not(feature = "images"))]
        Found::Images => Err(Error::data("images are not supported without the feature `images`")),
        Found::Tables(train, test) => {
            let mut set = open_file(&train, options).map_err(|error| error.within(file_name(&train)))?;
            match set.columns().filter(|columns| columns.header).map(|columns| columns.target.clone()) {
                Some(label) if !column_names(&test)?.contains(&label) => {
                    let test = file_name(&test);
                    set.note(format!(
                        "{test} has no column {label} and is left out; use it with thinnet predict"
                    ));
                    Ok(set)
                }
                _ => with_test(set, &test, options),
            }
        }
        Found::File(file) => open_file(&file, options),
    };
    set.map_err(|error| match name {
        Some(name) => error.within(name),
        None => error,
    })
}

/// The table among these files whose name up to the first dot is `stem`.
fn table_named(files: &[PathBuf], stem: &str) -> Result<Option<PathBuf>> {
    for file in files {
        let name = file_name(file).to_lowercase();
        if name.split('.').next() == Some(stem)
            && matches!(Kind::of(&head(file)?), Kind::Text | Kind::Parquet | Kind::Arrow | Kind::Packed(_))
        {
            return Ok(Some(file.clone()));
        }
    }
    Ok(None)
}

/// The names of a table's columns; the table has a header.
fn column_names(path: &Path) -> Result<Vec<String>> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    let names = match Kind::of(&head(path)?) {
        Kind::Packed(packing) => {
            kind::unpack(packing, BufReader::new(file), size).and_then(|(_, table)| csv::column_names(table))
        }
        #[cfg(feature = "columnar")]
        Kind::Parquet | Kind::Arrow => Source::open(file, size, path).map(|table| table.names()),
        _ => csv::column_names(file),
    };
    names.map_err(|error| error.within(file_name(path)))
}

/// Adds another table's rows to a table as test samples. Its columns are read like the first table's.
pub(super) fn with_test(set: DataSet, path: &Path, options: &ReadOptions) -> Result<DataSet> {
    let Some(columns) = set.columns().cloned() else {
        return Err(Error::data(format!(
            "separate test samples are only for tables, but this is {}",
            set.format()
        )));
    };
    let within = |error: Error| error.within(path.display());
    let label = columns.header.then(|| columns.target.clone()).or_else(|| options.label.clone());
    let options = ReadOptions {
        label,
        regression: set.is_regression(),
        known: Some(columns),
        test: None,
        ..options.clone()
    };
    let test = open_file(path, &options).map_err(within)?;
    let rows = if set.is_regression() {
        test.train().clone()
    } else {
        let place = |name: &String| set.names().iter().position(|own| own == name);
        let places = test.names().iter().map(|name| {
            place(name).ok_or_else(|| {
                within(Error::data(format!(
                    "its class {name} is not among the classes of the training samples"
                )))
            })
        });
        let places = places.collect::<Result<Vec<_>>>()?;
        let labels = test.train().labels().iter().map(|&label| places[label]).collect();
        Rows::with_classes(test.train().x().clone(), labels, set.names().len())?
    };
    set.with_part(Part::Test, rows)
}

/// Reads a file into existing memory.
pub(super) fn read_file(path: &Path, content: &mut Vec<u8>) -> Result<()> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    archive::read_into(content, file, size).map_err(Error::io("read", path))
}

/// The part of a data set that a file's name stands for.
pub(super) fn part_of(name: &str) -> Part {
    let lower = name.to_ascii_lowercase();
    if lower.contains("t10k") || lower.contains("test") {
        Part::Test
    } else if lower.contains("val") {
        Part::Val
    } else {
        Part::Train
    }
}

/// Recognises the data set that a folder's files form, if any.
fn recognise(files: &[PathBuf]) -> Result<Option<Found>> {
    let members: Vec<(Member, PathBuf)> =
        files.iter().filter_map(|path| Some((cifar::member(&file_name(path))?, path.clone()))).collect();
    if members.iter().any(|(member, _)| matches!(member, Member::Train(_))) {
        return Ok(Some(Found::Cifar(members)));
    }
    // A compressed file next to the uncompressed one is the same file.
    let doubled = |path: &&PathBuf| {
        path.extension().is_some_and(|end| ENDINGS.iter().any(|packed| end == *packed))
            && files.contains(&path.with_extension(""))
    };
    let (mut idx, mut npy) = (Vec::new(), Vec::new());
    for path in files.iter().filter(|path| !doubled(path)).take(limits::FOLDER_LOOKS) {
        let mut head = head(path)?;
        if let Kind::Packed(packing) = Kind::of(&head) {
            let mut unpacked = Vec::new();
            // What cannot be unpacked is not IDX. If a user names the file itself, the message says more.
            if let Ok(stream) =
                packing.unpack(BufReader::new(File::open(path).map_err(Error::io("read", path))?), 0)
            {
                let _ = stream.take(HEAD as u64).read_to_end(&mut unpacked);
            }
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
        (false, _) => Some(Found::Idx(idx)),
        (true, false) => Some(Found::Npy(npy)),
        (true, true) => None,
    })
}

/// Reads files of samples, each with its labels.
fn pairs(files: Vec<PathBuf>, is_idx: bool, options: &ReadOptions) -> Result<Vec<(Part, Samples, Numbers)>> {
    let read = if is_idx { idx::read } else { npy::read };
    let mut pairs = Vec::new();
    for path in files {
        let name = file_name(&path);
        let within = |error: Error| error.within(&name);
        let part = part_of(&name);
        let labels = labels_beside(&path).map_err(within)?;
        let samples = match options.stored {
            Some(_) if matches!(Kind::of(&head(&path)?), Kind::Packed(_)) => Err(not_stored()),
            Some(window) => stored_samples(&path, is_idx, window),
            None => read(unpacked_file(&path)?).map(Samples::Read),
        };
        let samples = samples.map_err(within)?;
        let labels = read(unpacked_file(&labels)?).map_err(|error| error.within(file_name(&labels)))?;
        pairs.push((part, samples, labels));
    }
    Ok(pairs)
}
