//! CIFAR-10 and CIFAR-100 (<https://www.cs.toronto.edu/~kriz/cifar.html>), python version and binary version.
//!
//! | | CIFAR-10 | CIFAR-100 |
//! |---|---|---|
//! | python | `data_batch_1` to `_5`, `test_batch`, `batches.meta` | `train`, `test`, `meta` |
//! | binary | the same with `.bin`; `batches.meta.txt` | `train.bin`, `test.bin`, `fine_label_names.txt` |
//!
//! A pickled batch is a dictionary with `data`, an array (N, 3072), and `labels` or `fine_labels`. A binary record is one
//! byte of label (CIFAR-100: the coarse one, then the fine one) and 3072 bytes of pixels. Images are 3 x 32 x 32, channel
//! first, in both.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use super::pickle::{Pickle, Value};
use super::split;
use crate::data::archive;
use crate::data::labels::{class_names, numbered};
use crate::data::{CIFAR10_CLASSES, DataSet, Format, Split, Values};
use crate::error::{Error, Result};

/// Numbers of an image.
pub const PIXELS: usize = 3 * 32 * 32;

/// The greatest number of training files.
const TRAIN_FILES: usize = 5;

/// A file of the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Member {
    /// A batch of training images, counted from 0; the only one of CIFAR-100.
    Train(usize),
    /// The test images.
    Test,
    /// The names of the classes.
    Names,
}

/// Which file of the data set has this name, if any.
pub(crate) fn member(name: &str) -> Option<Member> {
    match name {
        "batches.meta" | "meta" | "batches.meta.txt" | "fine_label_names.txt" => return Some(Member::Names),
        "train" | "train.bin" => return Some(Member::Train(0)),
        "test" | "test.bin" | "test_batch" | "test_batch.bin" => return Some(Member::Test),
        _ => {}
    }
    let number: usize = name.strip_prefix("data_batch_")?.trim_end_matches(".bin").parse().ok()?;
    (1..=TRAIN_FILES).contains(&number).then(|| Member::Train(number - 1))
}

/// A batch: the file, where its pixels lie, and its labels.
struct Batch {
    content: Vec<u8>,
    pixels: Pixels,
    labels: Vec<usize>,
}

/// Where the pixels lie in a batch's file.
enum Pixels {
    /// One after the other.
    Together(Range<usize>),
    /// In records with so many labels before them.
    Records(usize),
    /// In memory of their own: a pickle may write bytes as text.
    Apart(Vec<u8>),
}

/// A data set that is put together file by file, in any order.
#[derive(Default)]
pub(crate) struct Collector {
    batches: BTreeMap<Member, Batch>,
    names: Option<Vec<String>>,
    format: Option<Format>,
}

impl Collector {
    /// Takes a file of the data set.
    pub(crate) fn add(&mut self, member: Member, name: &str, content: Vec<u8>) -> Result<()> {
        let read = || -> Result<()> {
            if member == Member::Names {
                let names = read_names(&content)?;
                if self.names.replace(names).is_some() {
                    return Err(Error::data("the names of the classes come twice"));
                }
                return Ok(());
            }
            let (format, batch) = read_batch(content)?;
            if self.format.is_some_and(|other| other != format) {
                return Err(Error::data(format!("it is {format}, unlike the files before it")));
            }
            self.format = Some(format);
            if self.batches.insert(member, batch).is_some() {
                return Err(Error::data("it comes twice"));
            }
            Ok(())
        };
        read().map_err(|error| error.within(name))
    }

    /// The data set, if all of it has come.
    pub(crate) fn finish(mut self) -> Result<DataSet> {
        let format =
            self.format.ok_or_else(|| Error::data("there is no batch of CIFAR-10 or CIFAR-100 in it"))?;
        let files = match format {
            Format::Cifar10Python | Format::Cifar10Binary => TRAIN_FILES,
            _ => 1,
        };
        let missing: Vec<String> = (0..files)
            .filter(|&index| !self.batches.contains_key(&Member::Train(index)))
            .map(|index| if files == 1 { "train".to_owned() } else { format!("data_batch_{}", index + 1) })
            .collect();
        if !missing.is_empty() {
            return Err(Error::data(format!("it is {format}, and {} is missing", missing.join(", "))));
        }
        let test = self.batches.remove(&Member::Test).map(|batch| join(vec![batch])).transpose()?;
        let train = join(self.batches.into_values().collect())?;
        finished(format, self.names, train, test)
    }
}

/// The data set in a tar archive, which is not packed.
///
/// # Errors
/// [`Error::Data`] for an archive that is damaged, has links or names outside, or lacks a batch, and for
/// what is wrong with a batch.
pub fn read_archive(stream: impl Read) -> Result<DataSet> {
    let mut collector = Collector::default();
    archive::tar_files(
        stream,
        |name| member(name).is_some(),
        |name, content| member(name).map_or(Ok(()), |member| collector.add(member, name, content)),
    )?;
    collector.finish()
}

/// One batch alone, as a data set in one part.
///
/// # Errors
/// [`Error::Data`] for bytes that are no batch, of the wrong size, or with a label that is no class.
pub fn read(content: Vec<u8>) -> Result<DataSet> {
    let (format, batch) = read_batch(content)?;
    finished(format, None, join(vec![batch])?, None)
}

/// Whether bytes could be the binary version: a whole number of records, whose labels are classes.
pub(crate) fn is_binary(content: &[u8]) -> bool {
    read_records(content, 1).is_some() || read_records(content, 2).is_some()
}

fn finished(
    format: Format,
    names: Option<Vec<String>>,
    train: Split,
    test: Option<Split>,
) -> Result<DataSet> {
    let cifar10 = matches!(format, Format::Cifar10Python | Format::Cifar10Binary);
    let classes = names
        .unwrap_or_else(|| if cifar10 { CIFAR10_CLASSES.map(str::to_owned).to_vec() } else { numbered(100) });
    DataSet { format, classes, shape: vec![3, 32, 32], train, val: None, test, mean: None }.checked()
}

/// Batches, one after the other. Each is dropped once it is copied, so that no second data set fills the memory.
fn join(batches: Vec<Batch>) -> Result<Split> {
    let images: usize = batches.iter().map(|batch| batch.labels.len()).sum();
    let (mut all, mut labels) = (Vec::with_capacity(images * PIXELS), Vec::with_capacity(images));
    for batch in batches {
        match batch.pixels {
            Pixels::Together(range) => all.extend_from_slice(&batch.content[range]),
            Pixels::Apart(pixels) => all.extend_from_slice(&pixels),
            Pixels::Records(before) => {
                for record in batch.content.chunks_exact(before + PIXELS) {
                    all.extend_from_slice(&record[before..]);
                }
            }
        }
        labels.extend(batch.labels);
    }
    Ok(split(Values::Bytes(super::rows(images, PIXELS, all)?), labels))
}

/// Reads a batch, pickled or binary as its first byte says: no record begins with label 128.
fn read_batch(content: Vec<u8>) -> Result<(Format, Batch)> {
    if content.first() == Some(&0x80) {
        let (format, pixels, labels) = read_pickle(&content)?;
        return Ok((format, Batch { content, pixels, labels }));
    }
    for (labels, format) in [(1, Format::Cifar10Binary), (2, Format::Cifar100Binary)] {
        if let Some(labels_read) = read_records(&content, labels) {
            return Ok((format, Batch { content, pixels: Pixels::Records(labels), labels: labels_read }));
        }
    }
    Err(no_records(&content))
}

/// The labels of records, the last of each; `None` unless the bytes are records whose labels are classes.
fn read_records(content: &[u8], labels: usize) -> Option<Vec<usize>> {
    let record = labels + PIXELS;
    let below: &[u8] = if labels == 1 { &[10] } else { &[20, 100] };
    let whole = !content.is_empty() && content.len().is_multiple_of(record);
    let records = || content.chunks_exact(record).map(|record| &record[..labels]);
    let valid = whole && records().all(|labels| labels.iter().zip(below).all(|(label, below)| label < below));
    valid.then(|| records().map(|labels| usize::from(labels[labels.len() - 1])).collect())
}

/// Why bytes are no records.
fn no_records(content: &[u8]) -> Error {
    let record = 1 + PIXELS;
    if content.is_empty() || !content.len().is_multiple_of(record) {
        return Error::data(format!(
            "it is no batch of CIFAR: its {} bytes are neither a pickle nor whole records of {record} or {}",
            content.len(),
            record + 1
        ));
    }
    let wrong =
        content.chunks_exact(record).map(|record| record[0]).enumerate().find(|&(_, label)| label >= 10);
    let (image, label) = wrong.unwrap_or_default();
    Error::data(format!("image {image} has label {label}, and labels go from 0 to 9"))
}

/// A pickled batch: its format, where its pixels lie, and its labels.
fn read_pickle(content: &[u8]) -> Result<(Format, Pixels, Vec<usize>)> {
    let pickle = Pickle::read(content)?;
    let root = pickle.root();
    let (format, labels) = match (pickle.get(root, "labels"), pickle.get(root, "fine_labels")) {
        (Some(labels), _) => (Format::Cifar10Python, labels),
        (None, Some(labels)) => (Format::Cifar100Python, labels),
        (None, None) => {
            return Err(Error::data(
                "it is a pickle, but not of a batch: there is nothing named labels in it",
            ));
        }
    };
    let labels = pickle.integers(labels).ok_or_else(|| Error::data("its labels are no whole numbers"))?;
    let data = pickle.get(root, "data").unwrap_or(&Value::None);
    let array = pickle.byte_array(data).map_err(|error| error.within("data"))?;
    let &[images, PIXELS] = array.shape.as_slice() else {
        return Err(Error::data(format!(
            "its data have the shape {}, and images have {PIXELS} numbers",
            super::shown(&array.shape)
        )));
    };
    if images != labels.len() {
        return Err(Error::data(format!("it has {images} images, but {} labels", labels.len())));
    }
    let label = |(image, &label): (usize, &i64)| {
        usize::try_from(label).map_err(|_| Error::data(format!("image {image} has label {label}")))
    };
    let labels = labels.iter().enumerate().map(label).collect::<Result<_>>()?;
    // Where the array's bytes are the file's own, their place is enough.
    let pixels = match array.bytes {
        std::borrow::Cow::Borrowed(bytes) => {
            let start = bytes.as_ptr().addr() - content.as_ptr().addr();
            Pixels::Together(start..start + bytes.len())
        }
        std::borrow::Cow::Owned(bytes) => Pixels::Apart(bytes),
    };
    Ok((format, pixels, labels))
}

/// The names of the classes: a pickle with `label_names` or `fine_label_names`, or a name a line.
fn read_names(content: &[u8]) -> Result<Vec<String>> {
    if content.first() == Some(&0x80) {
        let pickle = Pickle::read(content)?;
        let root = pickle.root();
        let names = pickle.get(root, "fine_label_names").or_else(|| pickle.get(root, "label_names"));
        let names = names.and_then(|names| pickle.texts(names));
        let names = names.ok_or_else(|| Error::data("there is no list of names in it"))?;
        return class_names(names.iter().map(AsRef::as_ref));
    }
    let text =
        std::str::from_utf8(content).map_err(|_| Error::data("the names of the classes are not UTF-8"))?;
    class_names(text.lines().filter(|line| !line.trim().is_empty()))
}
