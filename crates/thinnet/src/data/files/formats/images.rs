//! Images, PNG or JPEG, in a folder for each class: `cat/1.png`, `dog/1.jpg`, ... There may be such folders for training,
//! validation and test images above them: `train/cat/1.png`, `test/cat/2.png`, ...
//!
//! Images are read as they are stored: 8 bits, in grey if all of them are grey and else in red, green and blue, without
//! transparency, and without turning them as their camera may ask. All must be of one size, or be resized to one (bilinear,
//! averaged where they shrink).

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::{Display, Path, PathBuf};

use image::imageops::FilterType;
use image::{ImageDecoder, ImageFormat, ImageReader, Limits};
use ndarray::Array2;
use rayon::prelude::*;

use crate::data::files::archive::brief;
use crate::data::files::kind::{entries, head};
use crate::data::files::labels::class_name;
use crate::data::{DataSet, Format, Pixels, ReadOptions, Rows, limits};
use crate::error::{Error, Result, ensure};

/// Names of the folders of the three parts.
const PARTS: [&[&str]; 3] = [&["train", "training"], &["val", "valid", "validation"], &["test"]];

/// What an image file says of itself before it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Whether it has no colours.
    pub grey: bool,
}

/// Whether a file begins like an image of a kind that is read.
pub(crate) fn is_image(head: &[u8]) -> bool {
    image::guess_format(head).is_ok_and(is_read)
}

fn is_read(format: ImageFormat) -> bool {
    matches!(format, ImageFormat::Png | ImageFormat::Jpeg)
}

/// Reads an image's header.
///
/// # Errors
/// [`Error::Data`] for another format and for a damaged header.
pub fn read_header(stream: impl BufRead + Seek) -> Result<Header> {
    let decoder = reader(stream)?.into_decoder().map_err(|error| broken(&error))?;
    let (width, height) = decoder.dimensions();
    Ok(Header { width, height, grey: !decoder.color_type().has_color() })
}

/// Decodes an image into bytes, channel first: (1, H, W) in grey, (3, H, W) in colours. An image of another size than
/// `width` x `height` is resized.
///
/// # Errors
/// [`Error::Data`] for another format, for damage, and for an image beyond [`limits::IMAGE_SIDE`] or
/// [`limits::IMAGE_MEMORY`].
pub fn read_pixels(bytes: &[u8], width: u32, height: u32, grey: bool) -> Result<Vec<u8>> {
    let image = reader(Cursor::new(bytes))?.decode().map_err(|error| broken(&error))?;
    let image = if (image.width(), image.height()) == (width, height) {
        image
    } else {
        image.resize_exact(width, height, FilterType::Triangle)
    };
    if grey {
        return Ok(image.into_luma8().into_raw());
    }
    Ok(super::channel_first(image.into_rgb8().into_raw(), &[3, height as usize, width as usize], true))
}

/// A reader within bounds.
fn reader<R: BufRead + Seek>(stream: R) -> Result<ImageReader<R>> {
    let mut reader =
        ImageReader::new(stream).with_guessed_format().map_err(|error| Error::data(brief(&error)))?;
    ensure!(reader.format().is_some_and(is_read), Error::data("it is neither PNG nor JPEG"));
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(limits::IMAGE_SIDE);
    bounds.max_image_height = Some(limits::IMAGE_SIDE);
    bounds.max_alloc = Some(limits::IMAGE_MEMORY);
    reader.limits(bounds);
    Ok(reader)
}

fn broken(error: &image::ImageError) -> Error {
    Error::data(format!("the image cannot be read: {}", brief(error)))
}

/// The images of a part: files with their classes' names.
type Files = Vec<(PathBuf, String)>;

/// Whether a folder holds folders of images.
pub(crate) fn is_folder(root: &Path) -> Result<bool> {
    let folders = PARTS[0].iter().map(|name| root.join(name)).find(|folder| folder.is_dir());
    Ok(folders.map_or(Ok(false), |train| has_classes(&train))? || has_classes(root)?)
}

/// The files of each part, class by class.
fn files(root: &Path) -> Result<[Option<Files>; 3]> {
    let part = |names: &[&str]| names.iter().map(|name| root.join(name)).find(|folder| folder.is_dir());
    match PARTS.map(part) {
        [Some(train), val, test] if has_classes(&train)? => {
            let files = |folder: Option<PathBuf>| folder.map(|folder| class_files(&folder)).transpose();
            Ok([files(Some(train))?, files(val)?, files(test)?])
        }
        _ => Ok([Some(class_files(root)?), None, None]),
    }
}

/// Reads a folder for which [`is_folder`] holds.
pub(crate) fn read_folder(root: &Path, options: &ReadOptions) -> Result<DataSet> {
    read_files(root, files(root)?, options)
}

/// Hands on the images of such a folder, `rows` at a time, as images of this shape `[channels, height, width]`, with the share
/// of them that is done. Those of another size are resized if `resize` is set, and else refused.
pub(crate) fn each_block(
    root: &Path,
    (shape, resize): (&[usize], bool),
    rows: usize,
    each: &mut dyn FnMut(Pixels, f64) -> Result<()>,
) -> Result<()> {
    let &[channels, height, width] = shape else {
        return Err(Error::data("images are not what is wanted here"));
    };
    let all: Vec<(PathBuf, String)> = files(root)?.into_iter().flatten().flatten().collect();
    let size = channels * height * width;
    let mut done = 0;
    for files in all.chunks(rows) {
        let mut pixels = vec![0u8; files.len() * size];
        pixels.par_chunks_exact_mut(size.max(1)).zip(files).try_for_each(|(out, (path, _))| {
            let bytes = fs::read(path).map_err(Error::io("read", path))?;
            let within = |error: Error| error.within(below(root, path));
            let found = read_header(Cursor::new(&bytes)).map_err(within)?;
            let (found_width, found_height) = (found.width as usize, found.height as usize);
            if !resize && (found_width, found_height) != (width, height) {
                return Err(within(Error::data(format!(
                    "it is {found_width} x {found_height} pixels, and images of {width} x {height} are wanted"
                ))));
            }
            let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
            let read = read_pixels(&bytes, side(width), side(height), channels == 1).map_err(within)?;
            out.copy_from_slice(&read);
            Ok::<(), Error>(())
        })?;
        done += files.len();
        let pixels = super::rows(files.len(), size, pixels)?;
        each(Pixels::plain(pixels), done as f64 / all.len() as f64)?;
    }
    Ok(())
}

/// Whether a folder in this one has an image among its first files.
fn has_classes(root: &Path) -> Result<bool> {
    for folder in entries(root)?.into_iter().filter(|path| path.is_dir()).take(limits::FOLDER_LOOKS) {
        for path in entries(&folder)?.into_iter().filter(|path| path.is_file()).take(limits::FOLDER_LOOKS) {
            if is_image(&head(&path)?) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Every file below a folder of classes, class by class.
fn class_files(root: &Path) -> Result<Files> {
    let mut files = Vec::new();
    for folder in entries(root)? {
        if !folder.is_dir() {
            return Err(Error::data(format!(
                "{} lies beside the classes' folders; images belong into one of them",
                below(root, &folder)
            )));
        }
        let class = class_name(&folder.file_name().unwrap_or_default().to_string_lossy());
        files.extend(entries(&folder)?.into_iter().map(|path| (path, class.clone())));
    }
    Ok(files)
}

/// A file's path as seen from a folder above it.
fn below<'a>(root: &Path, path: &'a Path) -> Display<'a> {
    path.strip_prefix(root).unwrap_or(path).display()
}

fn read_files(root: &Path, parts: [Option<Files>; 3], options: &ReadOptions) -> Result<DataSet> {
    let all: Vec<&PathBuf> = parts.iter().flatten().flatten().map(|(path, _)| path).collect();
    let headers: Vec<(Header, u64)> =
        all.par_iter().map(|path| header_of(root, path)).collect::<Result<_>>()?;
    let Some(&(first, _)) = headers.first() else { return Err(Error::data("there is no image in it")) };
    let grey = headers.iter().all(|(header, _)| header.grey);
    let (width, height) = options.resize.unwrap_or((first.width, first.height));
    if options.resize.is_none() {
        let same = |header: &Header| (header.width, header.height) == (width, height);
        if let Some(index) = headers.iter().position(|(header, _)| !same(header)) {
            let other = headers[index].0;
            return Err(Error::data(format!(
                "{} is {} x {} pixels and {} is {width} x {height}; images of different sizes have to be resized to one",
                below(root, all[index]),
                other.width,
                other.height,
                below(root, all[0])
            )));
        }
    }
    if width == 0 || height == 0 || width.max(height) > limits::IMAGE_SIDE {
        return Err(Error::data(format!(
            "images have to be 1 to {} pixels wide and high, and these would be {width} x {height}",
            limits::IMAGE_SIDE
        )));
    }
    let channels = if grey { 1 } else { 3 };
    let size = channels * width as usize * height as usize;
    let stored: u64 = headers.iter().map(|(_, stored)| stored).sum();
    if options.resize.is_none() && (size as u64).saturating_mul(all.len() as u64) > limits::unpacked(stored) {
        return Err(Error::data(format!(
            "images of {width} x {height} pixels, {} in all, are too much for files of {stored} bytes together",
            all.len()
        )));
    }
    let mut classes: Vec<String> = parts.iter().flatten().flatten().map(|(_, class)| class.clone()).collect();
    classes.sort();
    classes.dedup();
    if classes.len() > limits::CLASSES {
        return Err(Error::data(format!("it has more than {} classes", limits::CLASSES)));
    }
    let [train, val, test] = parts.map(|files| {
        files.map(|files| read_part(root, &files, &classes, (width, height), size, grey)).transpose()
    });
    let train = train?.ok_or_else(|| Error::data("there are no training images in it"))?;
    let shape = vec![channels, height as usize, width as usize];
    let (format, names, columns) = (Format::Images, classes, None);
    DataSet { format, names, columns, shape, train, val: val?, test: test?, mean: None, notes: Vec::new() }
        .checked()
}

fn header_of(root: &Path, path: &Path) -> Result<(Header, u64)> {
    let found = fs::metadata(path).map_err(Error::io("read", path))?;
    if !found.is_file() {
        return Err(Error::data(format!("{} is no image but a folder or device", below(root, path))));
    }
    let file = File::open(path).map_err(Error::io("read", path))?;
    let header = read_header(BufReader::new(file)).map_err(|error| error.within(below(root, path)))?;
    Ok((header, found.len()))
}

fn read_part(
    root: &Path,
    files: &[(PathBuf, String)],
    classes: &[String],
    (width, height): (u32, u32),
    size: usize,
    grey: bool,
) -> Result<Rows<f64>> {
    let too_large =
        || Error::data(format!("{} images of {width} x {height} pixels do not fit in memory", files.len()));
    let total = files.len().checked_mul(size).ok_or_else(too_large)?;
    let mut pixels: Vec<u8> = Vec::new();
    pixels.try_reserve_exact(total).map_err(|_| too_large())?;
    pixels.resize(total, 0);
    pixels.par_chunks_exact_mut(size).zip(files).try_for_each(|(out, (path, _))| {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        let read =
            read_pixels(&bytes, width, height, grey).map_err(|error| error.within(below(root, path)))?;
        if read.len() != out.len() {
            return Err(Error::data(format!("{} changed while it was read", path.display())));
        }
        out.copy_from_slice(&read);
        Ok(())
    })?;
    let labels = files.iter().map(|(_, class)| classes.binary_search(class).unwrap_or(usize::MAX)).collect();
    let pixels = Array2::from_shape_vec((files.len(), size), pixels).map_err(|_| too_large())?;
    Rows::with_classes(Pixels::plain(pixels), labels, classes.len())
}
