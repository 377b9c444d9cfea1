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

use std::borrow::Cow;
use std::io::Read;

use super::pickle::{Pickle, Value};
use crate::data::files::archive;
use crate::data::files::labels::class_names;
use crate::data::set::numbered;
use crate::data::shape::shown;
use crate::data::{CIFAR10_CLASSES, DataSet, Format, Pixels, Rows};
use crate::error::{Error, Result, ensure};

/// Numbers per image.
pub const PIXELS: usize = 3 * 32 * 32;

/// The maximum number of training files.
const TRAIN_FILES: usize = 5;

/// A file of the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Member {
    /// A batch of training images, counted from 0; CIFAR-100 has only one.
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

/// A batch, as stored in its file.
struct Batch<'a> {
    /// Images, each after its label bytes.
    records: Cow<'a, [u8]>,
    /// Label bytes before each image.
    before: usize,
    labels: Vec<usize>,
}

impl Batch<'_> {
    /// Copies the images' pixels from image `first` on, as many as fit in `out`.
    fn copy_to(&self, out: &mut [u8], first: usize) {
        let images = self.records.chunks_exact(self.before + PIXELS).skip(first);
        let places = out.chunks_exact_mut(PIXELS);
        places.zip(images).for_each(|(place, image)| place.copy_from_slice(&image[self.before..]));
    }

    /// The pixels of `count` images from image `first` on.
    fn images(&self, first: usize, count: usize) -> Vec<u8> {
        let mut pixels = vec![0; count * PIXELS];
        self.copy_to(&mut pixels, first);
        pixels
    }

    fn into_part(self) -> Stored {
        Stored { pixels: self.images(0, self.labels.len()), labels: self.labels }
    }
}

/// Images of a part with their labels.
struct Stored {
    pixels: Vec<u8>,
    labels: Vec<usize>,
}

/// Training batches. Each one goes directly to its place, so that none is in memory twice.
#[derive(Default)]
struct Training {
    pixels: Vec<u8>,
    labels: Vec<usize>,
    /// Images per batch.
    images: usize,
    there: [bool; TRAIN_FILES],
}

impl Training {
    /// Takes one of `files` batches; all have the same size.
    fn place(&mut self, index: usize, files: usize, batch: &Batch<'_>) -> Result<()> {
        let images = batch.labels.len();
        if self.images == 0 {
            self.images = images;
            self.pixels = vec![0; files * images * PIXELS];
            self.labels = vec![0; files * images];
        }
        if images != self.images {
            return Err(Error::data(format!("it has {images} images, unlike the {} before it", self.images)));
        }
        ensure!(index < files, Error::data("this data set has no such batch"));
        if std::mem::replace(&mut self.there[index], true) {
            return Err(Error::data("it comes twice"));
        }
        self.labels[index * images..][..images].copy_from_slice(&batch.labels);
        batch.copy_to(&mut self.pixels[index * images * PIXELS..][..images * PIXELS], 0);
        Ok(())
    }
}

/// A data set, assembled file by file in any order.
#[derive(Default)]
pub(crate) struct Collector {
    train: Training,
    test: Option<Stored>,
    names: Option<Vec<String>>,
    format: Option<Format>,
}

/// The number of training batches in a data set of this format.
fn train_files(format: Format) -> usize {
    if matches!(format, Format::Cifar10Python | Format::Cifar10Binary) { TRAIN_FILES } else { 1 }
}

impl Collector {
    /// Takes a file of the data set.
    pub(crate) fn add(&mut self, member: Member, name: &str, content: &[u8]) -> Result<()> {
        self.add_unnamed(member, content).map_err(|error| error.within(name))
    }

    fn add_unnamed(&mut self, member: Member, content: &[u8]) -> Result<()> {
        let twice = Err(Error::data("it comes twice"));
        if member == Member::Names {
            return if self.names.replace(read_names(content)?).is_some() { twice } else { Ok(()) };
        }
        let (format, batch) = read_batch(content)?;
        if self.format.is_some_and(|other| other != format) {
            return Err(Error::data(format!("it is {format}, unlike the files before it")));
        }
        self.format = Some(format);
        match member {
            Member::Train(index) => self.train.place(index, train_files(format), &batch),
            _ if self.test.replace(batch.into_part()).is_some() => twice,
            _ => Ok(()),
        }
    }

    /// The data set, if all its files were added.
    pub(crate) fn finish(self) -> Result<DataSet> {
        let format =
            self.format.ok_or_else(|| Error::data("there is no batch of CIFAR-10 or CIFAR-100 in it"))?;
        let files = train_files(format);
        let missing: Vec<String> = (0..files)
            .filter(|&index| !self.train.there[index])
            .map(|index| if files == 1 { "train".to_owned() } else { format!("data_batch_{}", index + 1) })
            .collect();
        if !missing.is_empty() {
            return Err(Error::data(format!("it is {format}, and {} is missing", missing.join(", "))));
        }
        let Training { pixels, labels, .. } = self.train;
        finished(format, self.names, Stored { pixels, labels }, self.test)
    }
}

/// Reads the data set in an uncompressed tar archive.
///
/// # Errors
/// [`Error::Data`] for an archive that is damaged, has links or names that point outside, or lacks a batch, and for
/// errors in a batch.
pub fn read_archive(stream: impl Read) -> Result<DataSet> {
    let mut collector = Collector::default();
    archive::tar_files(stream, member, |member, name, content| collector.add(member, name, content))?;
    collector.finish()
}

/// Reads a single batch as a data set with one part.
///
/// # Errors
/// [`Error::Data`] for bytes that are not a batch, have the wrong size, or have an invalid label.
pub fn read(content: &[u8]) -> Result<DataSet> {
    let (format, batch) = read_batch(content)?;
    finished(format, None, batch.into_part(), None)
}

/// Passes on a batch's images, `rows` at a time, with the share of them that is done.
pub(crate) fn each_block(
    content: &[u8],
    rows: usize,
    each: &mut dyn FnMut(Pixels, f64) -> Result<()>,
) -> Result<()> {
    let (_, batch) = read_batch(content)?;
    let images = batch.labels.len();
    for first in (0..images).step_by(rows) {
        let count = rows.min(images - first);
        let block = super::rows(count, PIXELS, batch.images(first, count))?;
        each(Pixels::plain(block), (first + count) as f64 / images as f64)?;
    }
    Ok(())
}

/// Whether a file of this size could be the binary version.
pub(crate) fn may_be_binary(size: u64) -> bool {
    [1, 2].into_iter().any(|labels| size.is_multiple_of((labels + PIXELS) as u64))
}

/// Whether bytes could be the binary version: whole records with valid labels.
pub(crate) fn is_binary(content: &[u8]) -> bool {
    read_records(content, 1).is_some() || read_records(content, 2).is_some()
}

fn finished(
    format: Format,
    names: Option<Vec<String>>,
    train: Stored,
    test: Option<Stored>,
) -> Result<DataSet> {
    let cifar10 = matches!(format, Format::Cifar10Python | Format::Cifar10Binary);
    let names = names
        .unwrap_or_else(|| if cifar10 { CIFAR10_CLASSES.map(str::to_owned).to_vec() } else { numbered(100) });
    let rows = |Stored { pixels, labels }: Stored| {
        let images = super::rows(labels.len(), PIXELS, pixels)?;
        Rows::with_classes(Pixels::plain(images), labels, names.len())
    };
    let (train, test) = (rows(train)?, test.map(rows).transpose()?);
    let (columns, shape) = (None, vec![3, 32, 32]);
    DataSet { format, names, columns, shape, train, val: None, test, mean: None, notes: Vec::new() }.checked()
}

/// Reads a batch, pickled or binary. The first byte decides: no record begins with label 128.
fn read_batch(content: &[u8]) -> Result<(Format, Batch<'_>)> {
    if content.first() == Some(&0x80) {
        return read_pickle(content);
    }
    for (before, format) in [(1, Format::Cifar10Binary), (2, Format::Cifar100Binary)] {
        if let Some(labels) = read_records(content, before) {
            return Ok((format, Batch { records: content.into(), before, labels }));
        }
    }
    Err(no_records(content))
}

/// The labels of the records, the last one of each. `None` if the bytes are not records with valid labels.
fn read_records(content: &[u8], labels: usize) -> Option<Vec<usize>> {
    let record = labels + PIXELS;
    let below: &[u8] = if labels == 1 { &[10] } else { &[20, 100] };
    let whole = !content.is_empty() && content.len().is_multiple_of(record);
    let records = || content.chunks_exact(record).map(|record| &record[..labels]);
    let valid = whole && records().all(|labels| labels.iter().zip(below).all(|(label, below)| label < below));
    valid.then(|| records().map(|labels| usize::from(labels[labels.len() - 1])).collect())
}

/// Why bytes are not records.
fn no_records(content: &[u8]) -> Error {
    let record = 1 + PIXELS;
    if content.is_empty() || !content.len().is_multiple_of(record) {
        return Error::data(format!(
            "it is not a batch of CIFAR: its {} bytes are neither a pickle nor whole records of {record} or {}",
            content.len(),
            record + 1
        ));
    }
    let wrong =
        content.chunks_exact(record).map(|record| record[0]).enumerate().find(|&(_, label)| label >= 10);
    let (image, label) = wrong.unwrap_or_default();
    Error::data(format!("image {image} has label {label}, and labels go from 0 to 9"))
}

/// A pickled batch.
fn read_pickle(content: &[u8]) -> Result<(Format, Batch<'_>)> {
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
    let labels = pickle.integers(labels).ok_or_else(|| Error::data("its labels are not whole numbers"))?;
    let data = pickle.get(root, "data").unwrap_or(&Value::None);
    let array = pickle.byte_array(data).map_err(|error| error.within("data"))?;
    let &[images, PIXELS] = array.shape.as_slice() else {
        return Err(Error::data(format!(
            "its data have the shape {}, and images have {PIXELS} numbers",
            shown(&array.shape)
        )));
    };
    if images != labels.len() {
        return Err(Error::data(format!("it has {images} images, but {} labels", labels.len())));
    }
    let label = |(image, &label): (usize, &i64)| {
        usize::try_from(label).map_err(|_| Error::data(format!("image {image} has label {label}")))
    };
    let labels = labels.iter().enumerate().map(label).collect::<Result<_>>()?;
    Ok((format, Batch { records: array.bytes, before: 0, labels }))
}

/// The names of the classes: a pickle with `label_names` or `fine_label_names`, or one name per line.
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
