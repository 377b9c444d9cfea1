//! Images (PNG, JPEG, WebP, GIF, BMP, TIFF) in one folder per class: `cat/1.png`, `dog/1.jpg`, ... Above these there
//! may be folders for training, validation and test images: `train/cat/1.png`, `test/cat/2.png`, ...
//!
//! Images become 8-bit. They are grey if all of them are grey, otherwise red, green and blue, without transparency.
//! They are rotated as the camera recorded (EXIF orientation). If there are several frames or pages, the first is
//! read. All must have the same size, or be resized to one (bilinear; averaged when they shrink).
//!
//! A file that is not an image, by its name and its content, is skipped with a note.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::{Display, Path, PathBuf};

use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use ndarray::Array2;
use rayon::prelude::*;

use crate::data::files::archive::brief;
use crate::data::files::kind::{entries, head};
use crate::data::files::labels::class_name;
use crate::data::{DataSet, Format, Pixels, ReadOptions, Rows, limits};
use crate::error::{Error, Result, ensure};

/// Names of the folders of the three parts.
const PARTS: [&[&str]; 3] = [&["train", "training"], &["val", "valid", "validation"], &["test"]];

/// File extensions of images, including kinds that are not supported: such a file is never skipped silently.
const ENDINGS: [&str; 29] = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "dib", "tif", "tiff", "avif", "heic",
    "heif", "jp2", "j2k", "jxl", "svg", "ppm", "pgm", "pbm", "pnm", "tga", "ico", "psd", "exr", "dng", "qoi",
];

/// The header of an image file, before it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Pixels from left to right, after EXIF rotation; the same holds for the height.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Whether it is greyscale.
    pub grey: bool,
}

/// Whether a file begins like an image of a supported kind.
pub(crate) fn is_image(head: &[u8]) -> bool {
    let read = image::guess_format(head).is_ok_and(is_read);
    // Only two letters mark a BMP, and a text may begin with them; in a BMP, four zero bytes follow its size.
    read && (!head.starts_with(b"BM") || head.get(6..10) == Some(&[0; 4]))
}

fn is_read(format: ImageFormat) -> bool {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    matches!(format, Bmp | Gif | Jpeg | Png | Tiff | WebP)
}

/// Reads an image's header.
///
/// # Errors
/// [`Error::Data`] for another format and for a damaged header.
pub fn read_header(stream: impl BufRead + Seek) -> Result<Header> {
    let mut decoder = reader(stream)?.into_decoder().map_err(|error| broken(&error))?;
    let (mut width, mut height) = decoder.dimensions();
    let turned = [
        Orientation::Rotate90,
        Orientation::Rotate270,
        Orientation::Rotate90FlipH,
        Orientation::Rotate270FlipH,
    ];
    if turned.contains(&decoder.orientation().map_err(|error| broken(&error))?) {
        (width, height) = (height, width);
    }
    Ok(Header { width, height, grey: !decoder.color_type().has_color() })
}

/// Decodes an image into bytes, channel first: (1, H, W) in grey, (3, H, W) in colour. An image is resized if its
/// size is not `width` x `height`.
///
/// # Errors
/// [`Error::Data`] for another format, for damage, and for an image beyond [`limits::IMAGE_SIDE`] or
/// [`limits::IMAGE_MEMORY`].
pub fn read_pixels(bytes: &[u8], width: u32, height: u32, grey: bool) -> Result<Vec<u8>> {
    let image = decoded(reader(Cursor::new(bytes))?).map_err(|error| broken(&error))?;
    let image = if (image.width(), image.height()) == (width, height) {
        image
    } else {
        image.resize_exact(width, height, FilterType::Triangle)
    };
    if grey {
        return Ok(image.into_luma8().into_raw());
    }
    Ok(super::channel_first(image.into_rgb8().into_raw(), &[3, height as usize, width as usize], Some(3)))
}

/// The image after EXIF rotation.
fn decoded(reader: ImageReader<Cursor<&[u8]>>) -> image::ImageResult<DynamicImage> {
    let mut decoder = reader.into_decoder()?;
    bounds().reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// The maximum size of an image.
fn bounds() -> Limits {
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(limits::IMAGE_SIDE);
    bounds.max_image_height = Some(limits::IMAGE_SIDE);
    bounds.max_alloc = Some(limits::IMAGE_MEMORY);
    bounds
}

/// A reader with limits.
fn reader<R: BufRead + Seek>(stream: R) -> Result<ImageReader<R>> {
    let mut reader =
        ImageReader::new(stream).with_guessed_format().map_err(|error| Error::data(brief(&error)))?;
    ensure!(reader.format().is_some_and(is_read), none_of_them());
    reader.limits(bounds());
    Ok(reader)
}

fn none_of_them() -> Error {
    Error::data("it is not PNG, JPEG, WebP, GIF, BMP or TIFF")
}

fn broken(error: &image::ImageError) -> Error {
    Error::data(format!("the image cannot be read: {}", brief(error)))
}

/// The images of a part: files with the names of their classes.
type Files = Vec<(PathBuf, String)>;

/// Whether a folder holds folders of images.
pub(crate) fn is_folder(root: &Path) -> Result<bool> {
    let folders = PARTS[0].iter().map(|name| root.join(name)).find(|folder| folder.is_dir());
    Ok(folders.map_or(Ok(false), |train| has_classes(&train))? || has_classes(root)?)
}

/// The files of each part, class by class; files that are not images go to `strays`.
fn files(root: &Path, strays: &mut Vec<PathBuf>) -> Result<[Option<Files>; 3]> {
    let part = |names: &[&str]| names.iter().map(|name| root.join(name)).find(|folder| folder.is_dir());
    match PARTS.map(part) {
        [Some(train), val, test] if has_classes(&train)? => {
            let mut files =
                |folder: Option<PathBuf>| folder.map(|folder| class_files(&folder, strays)).transpose();
            Ok([files(Some(train))?, files(val)?, files(test)?])
        }
        _ => Ok([Some(class_files(root, strays)?), None, None]),
    }
}

/// Reads a folder for which [`is_folder`] is true.
pub(crate) fn read_folder(root: &Path, options: &ReadOptions) -> Result<DataSet> {
    let mut strays = Vec::new();
    let files = files(root, &mut strays)?;
    let mut set = read_files(root, files, options)?;
    if let [first, more @ ..] = strays.as_slice() {
        let first = below(root, first);
        set.note(match more.len() {
            0 => format!("1 file is not an image and was skipped: {first}"),
            more => {
                format!("{} files are not images and were skipped, the first of them {first}", more + 1)
            }
        });
    }
    Ok(set)
}

/// Passes on the images of such a folder, `rows` at a time, as images of this shape `[channels, height, width]`, with
/// the share of them that is done. Images of another size are resized if `resize` is set, otherwise refused.
pub(crate) fn each_block(
    root: &Path,
    (shape, resize): (&[usize], bool),
    rows: usize,
    each: &mut dyn FnMut(Pixels, f64) -> Result<()>,
) -> Result<()> {
    let &[channels, height, width] = shape else {
        return Err(Error::data("the model does not take images"));
    };
    let all: Vec<(PathBuf, String)> = files(root, &mut Vec::new())?.into_iter().flatten().flatten().collect();
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
                    "it is {found_width} x {found_height} pixels, but the model takes images of {width} x {height}"
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

/// Whether a file is an image or should be one, by its extension or else by its first bytes.
fn is_meant(path: &Path) -> Result<bool> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    Ok(ENDINGS.contains(&ending.as_str()) || is_image(&head(path)?))
}

/// Every image in a folder of classes, class by class; other files go to `strays`.
fn class_files(root: &Path, strays: &mut Vec<PathBuf>) -> Result<Files> {
    let mut files = Vec::new();
    for folder in entries(root)? {
        if folder.is_file() && !is_meant(&folder)? {
            strays.push(folder);
            continue;
        }
        if !folder.is_dir() {
            return Err(Error::data(format!(
                "{} is next to the classes' folders; images belong in one of them",
                below(root, &folder)
            )));
        }
        let class = class_name(&folder.file_name().unwrap_or_default().to_string_lossy());
        for path in entries(&folder)? {
            if !path.is_file() {
                return Err(Error::data(format!(
                    "{} is not an image but a folder or device",
                    below(root, &path)
                )));
            }
            if is_meant(&path)? {
                files.push((path, class.clone()));
            } else {
                strays.push(path);
            }
        }
    }
    Ok(files)
}

/// A file's path relative to a folder above it.
fn below<'a>(root: &Path, path: &'a Path) -> Display<'a> {
    path.strip_prefix(root).unwrap_or(path).display()
}

/// Images that could not be read.
#[derive(Default)]
struct Broken {
    count: usize,
    /// Why the first of them could not be read.
    first: Option<Error>,
}

impl Broken {
    /// What was read; `None` if it could not be read and may be skipped.
    fn sift<T>(&mut self, read: Result<T>, skip: bool) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) if skip => {
                self.count += 1;
                self.first.get_or_insert(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The note about them for the user.
    fn note(&self) -> Option<String> {
        let first = self.first.as_ref()?;
        Some(match self.count {
            1 => format!("1 broken image was skipped: {first}"),
            count => format!("{count} broken images were skipped, the first of them {first}"),
        })
    }
}

fn read_files(root: &Path, parts: [Option<Files>; 3], options: &ReadOptions) -> Result<DataSet> {
    let (mut broken, mut headers) = (Broken::default(), Vec::new());
    let mut sound = |files: Files| -> Result<Files> {
        let read: Vec<_> = files.par_iter().map(|(path, _)| header_of(root, path)).collect();
        let mut sound = Vec::with_capacity(files.len());
        for (file, read) in files.into_iter().zip(read) {
            if let Some(header) = broken.sift(read, options.skip_broken)? {
                headers.push(header);
                sound.push(file);
            }
        }
        Ok(sound)
    };
    let [train, val, test] = parts.map(|files| files.map(&mut sound).transpose());
    let parts = [train?, val?, test?];
    let all: Vec<&PathBuf> = parts.iter().flatten().flatten().map(|(path, _)| path).collect();
    let Some(&(first, _)) = headers.first() else {
        return Err(broken.first.unwrap_or_else(|| Error::data("there are no images in it")));
    };
    let grey = headers.iter().all(|(header, _)| header.grey);
    let (width, height) = options.resize.unwrap_or((first.width, first.height));
    if options.resize.is_none() {
        let same = |header: &Header| (header.width, header.height) == (width, height);
        if let Some(index) = headers.iter().position(|(header, _)| !same(header)) {
            let other = headers[index].0;
            return Err(Error::data(format!(
                "{} is {} x {} pixels, but {} is {width} x {height}; resize images of different sizes to one size",
                below(root, all[index]),
                other.width,
                other.height,
                below(root, all[0])
            )));
        }
    }
    if width == 0 || height == 0 || width.max(height) > limits::IMAGE_SIDE {
        return Err(Error::data(format!(
            "images must be 1 to {} pixels wide and high, but these would be {width} x {height}",
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
    let size = [channels, height as usize, width as usize];
    let [train, val, test] = parts.map(|files| {
        let mut read = |files| read_part(root, files, &classes, size, options.skip_broken, &mut broken);
        files.map(&mut read).transpose()
    });
    let train = train?.ok_or_else(|| Error::data("there are no training images in it"))?;
    let (format, names, columns, shape) = (Format::Images, classes, None, size.to_vec());
    let notes = broken.note().into_iter().collect();
    DataSet { format, names, columns, shape, train, val: val?, test: test?, mean: None, notes }.checked()
}

fn header_of(root: &Path, path: &Path) -> Result<(Header, u64)> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let stored = file.metadata().map_err(Error::io("read", path))?.len();
    let header = read_header(BufReader::new(file)).map_err(|error| error.within(below(root, path)))?;
    Ok((header, stored))
}

/// The images of a part in this shape `[channels, height, width]`.
fn read_part(
    root: &Path,
    files: Files,
    classes: &[String],
    [channels, height, width]: [usize; 3],
    skip: bool,
    broken: &mut Broken,
) -> Result<Rows<f64>> {
    let samples = files.len();
    let too_large =
        || Error::data(format!("{samples} images of {width} x {height} pixels do not fit in memory"));
    let size = channels * height * width;
    let total = samples.checked_mul(size).ok_or_else(too_large)?;
    let mut pixels: Vec<u8> = Vec::new();
    pixels.try_reserve_exact(total).map_err(|_| too_large())?;
    pixels.resize(total, 0);
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let decode = |(out, (path, _)): (&mut [u8], &(PathBuf, String))| {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        let read = read_pixels(&bytes, side(width), side(height), channels == 1)
            .map_err(|error| error.within(below(root, path)))?;
        ensure!(
            read.len() == out.len(),
            Error::data(format!("{} changed while it was read", path.display()))
        );
        out.copy_from_slice(&read);
        Ok(())
    };
    let read: Vec<Result<()>> = pixels.par_chunks_exact_mut(size).zip(&files).map(decode).collect();
    let mut labels = Vec::with_capacity(samples);
    for (index, (read, (_, class))) in read.into_iter().zip(&files).enumerate() {
        if broken.sift(read, skip)?.is_some() {
            pixels.copy_within(index * size..(index + 1) * size, labels.len() * size);
            labels.push(classes.binary_search(class).unwrap_or(usize::MAX));
        }
    }
    pixels.truncate(labels.len() * size);
    let pixels = Array2::from_shape_vec((labels.len(), size), pixels).map_err(|_| too_large())?;
    Rows::with_classes(Pixels::plain(pixels), labels, classes.len())
}
