//! A picture of a data set: a row of images for each class, as courses show them.
//!
//! Images are enlarged pixel by pixel, or averaged where they are large. Bytes are shown as they are, other numbers from
//! the training samples' least (black) to their greatest (white).

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use tiny_skia::{ColorU8, Pixmap};

use super::canvas::{Canvas, png};
use super::fonts::{INK, font, register, text};
use super::plot::DrawingError;
use super::weights::SizedPng;
use crate::data::{DataSet, Features};
use crate::error::{Error, Result};
use crate::files;

/// Images of each class.
const COLUMNS: usize = 10;
/// Rows; classes beyond are left out, and a line says so.
pub const MOST_CLASSES: usize = 100;
/// Pixels that an image's longer side comes close to, with few classes and with many.
const SIDE: (usize, usize) = (96, 64);
/// So many classes are few.
const FEW_CLASSES: usize = 20;
/// Pixels between images.
const GAP: usize = 4;
/// Pixels around all of it.
const MARGIN: usize = 24;
/// Pixels of a line of text.
const LINE: usize = 44;
/// Points of text, of which one is two pixels.
const POINTS: u32 = 10;
/// Pixels that the name of a class may take.
const LONGEST_LABEL: u32 = 320;

/// Draws the first ten training images of each class, the classes in rows with their names before them, as a PNG.
///
/// # Errors
/// [`Error::Configuration`] for samples that are no images of 1 or 3 channels, and for samples without classes.
pub fn png_of(set: &DataSet) -> Result<Vec<u8>> {
    if set.is_regression() {
        return Err(Error::configuration(
            "a montage shows images by class, and this data set has numbers as targets",
        ));
    }
    let &[channels @ (1 | 3), height, width] = set.shape() else {
        return Err(Error::configuration(format!(
            "a montage shows images, grey or in three colours, and a sample of this data set has the shape {:?}",
            set.shape()
        )));
    };
    let source = Images::new(set, [channels, height, width])?;
    draw(set, &source).map_err(Error::report("the montage"))
}

/// Writes what [`png_of`] draws into `file`, whole or not at all.
///
/// # Errors
/// Those of [`png_of`], and [`Error::Io`] if the file cannot be written.
pub fn save(set: &DataSet, file: &Path) -> Result<()> {
    let picture = png_of(set)?;
    files::write_one(file, true, |out| out.write_all(&picture))
}

/// The training images, and how they are shown.
struct Images<'a> {
    x: Cow<'a, Features<f64>>,
    /// Channels, height, width.
    shape: [usize; 3],
    /// The numbers that are black and white.
    range: (f64, f64),
}

impl<'a> Images<'a> {
    fn new(set: &'a DataSet, shape: [usize; 3]) -> Result<Self> {
        let x = set.train().x().loaded()?;
        let range = match &*x {
            Features::Pixels(_) => (0.0, 255.0),
            x => x.range()?.unwrap_or_default(),
        };
        Ok(Self { x, shape, range })
    }

    /// Height and width of an image in the picture, whose longer side comes close to `side`.
    fn size(&self, side: usize) -> (usize, usize) {
        let [_, height, width] = self.shape;
        let longer = height.max(width).max(1);
        let times = (side + longer / 2) / longer;
        if times >= 1 {
            return (height * times, width * times);
        }
        ((height * side / longer).max(1), (width * side / longer).max(1))
    }

    /// A pixel of the image at `index` when that is drawn `size` large: the one that is there, or the mean of those that are.
    fn pixel(&self, index: usize, (y, x): (usize, usize), size: (usize, usize)) -> ColorU8 {
        let [channels, height, width] = self.shape;
        let part = |at: usize, source: usize, shown: usize| {
            let from = at * source / shown;
            from..((at + 1) * source / shown).max(from + 1)
        };
        let (rows, columns) = (part(y, height, size.0), part(x, width, size.1));
        let count = (rows.len() * columns.len()) as f64;
        let level = |channel: usize| {
            let plane = channel * height * width;
            let at = |row: usize, column: usize| [index, plane + row * width + column];
            let sum: f64 = rows
                .clone()
                .flat_map(|row| columns.clone().map(move |column| (row, column)))
                .map(|(row, column)| match &*self.x {
                    Features::Pixels(pixels) => {
                        pixels.view().get(at(row, column)).copied().map_or(0.0, f64::from)
                    }
                    Features::Floats(values) => values.get(at(row, column)).copied().unwrap_or(0.0),
                    Features::Singles(values) => values.get(at(row, column)).copied().map_or(0.0, f64::from),
                    // No format of images reads as these, and what is stored was loaded.
                    Features::Sparse(_) | Features::Table(_) | Features::Stored(_) => 0.0,
                })
                .sum();
            let (black, white) = self.range;
            let share = if white > black { (sum / count - black) / (white - black) } else { 0.0 };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0..=255
            let level = (share.clamp(0.0, 1.0) * 255.0).round() as u8;
            level
        };
        let [red, green, blue] = if channels == 3 { [0, 1, 2].map(level) } else { [level(0); 3] };
        ColorU8::from_rgba(red, green, blue, u8::MAX)
    }

    /// Draws the image at `index`, `size` large, with its first pixel at a row and a column of the picture.
    fn paint(&self, pixels: &mut Pixmap, index: usize, (top, left): (usize, usize), size: (usize, usize)) {
        let width = pixels.width() as usize;
        for y in 0..size.0 {
            for x in 0..size.1 {
                if let Some(pixel) = pixels.pixels_mut().get_mut((top + y) * width + left + x) {
                    *pixel = self.pixel(index, (y, x), size).premultiply();
                }
            }
        }
    }
}

/// The first of these samples of `set` as a picture whose longer side comes close to `side` pixels; `None` if they are no
/// images of 1 or 3 channels.
pub(super) fn picture(
    set: &DataSet,
    x: &Features<f64>,
    side: usize,
) -> std::result::Result<Option<SizedPng>, DrawingError> {
    let &[channels @ (1 | 3), height, width] = set.shape() else { return Ok(None) };
    let images = Images { x: x.loaded()?, ..Images::new(set, [channels, height, width])? };
    let size = images.size(side);
    let mut pixels =
        Pixmap::new(u32::try_from(size.1)?, u32::try_from(size.0)?).ok_or("the picture is too large")?;
    images.paint(&mut pixels, 0, (0, 0), size);
    Ok(Some((png(&pixels, 1)?, size)))
}

/// The first [`COLUMNS`] training samples of each of the first `rows` classes.
fn chosen(set: &DataSet, rows: usize) -> Vec<Vec<usize>> {
    let mut chosen = vec![Vec::with_capacity(COLUMNS); rows];
    for (index, &label) in set.train().labels().iter().enumerate() {
        if let Some(row) = chosen.get_mut(label).filter(|row| row.len() < COLUMNS) {
            row.push(index);
        }
    }
    chosen
}

/// Draws images and text.
fn draw(set: &DataSet, images: &Images<'_>) -> std::result::Result<Vec<u8>, DrawingError> {
    register()?;
    let rows = set.names().len().min(MOST_CLASSES);
    let size = images.size(if rows > FEW_CLASSES { SIDE.1 } else { SIDE.0 });
    let chosen = chosen(set, rows);
    let columns = chosen.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let pitch = ((size.0 + GAP).max(LINE), size.1 + GAP);

    let style = text(POINTS, 2);
    let mut scratch = Pixmap::new(1, 1).ok_or("a pixel is too large")?;
    let canvas = Canvas::new(&mut scratch, font()?);
    let width_of = |text: &str| -> std::result::Result<u32, DrawingError> {
        Ok(canvas.estimate_text_size(text, &style)?.0)
    };
    let labels: Vec<String> = set
        .names()
        .iter()
        .take(rows)
        .map(|name| fitted(name, &width_of))
        .collect::<std::result::Result<_, _>>()?;
    let widths = labels.iter().map(|label| width_of(label)).collect::<std::result::Result<Vec<_>, _>>()?;
    let title = format!("{}: the first {columns} training images of each class", set.format());
    let left = MARGIN + widths.into_iter().max().unwrap_or(0) as usize + MARGIN / 2;
    let bottom = MARGIN + LINE + rows * pitch.0;
    let left_out = set.names().len() - rows;
    let note = (left_out > 0).then(|| format!("and {left_out} more classes"));
    let width = (left + columns * pitch.1 - GAP).max(MARGIN + width_of(&title)? as usize) + MARGIN;
    let height = bottom + if note.is_some() { LINE } else { 0 } + MARGIN - GAP;

    let mut pixels =
        Pixmap::new(u32::try_from(width)?, u32::try_from(height)?).ok_or("the picture is too large")?;
    pixels.fill(tiny_skia::Color::WHITE);
    for (row, indices) in chosen.iter().enumerate() {
        let top = MARGIN + LINE + row * pitch.0 + (pitch.0 - GAP - size.0) / 2;
        for (column, &index) in indices.iter().enumerate() {
            images.paint(&mut pixels, index, (top, left + column * pitch.1), size);
        }
    }

    let mut canvas = Canvas::new(&mut pixels, font()?);
    let mut write = |text: &str, anchor: HPos, x: usize, y: usize| -> std::result::Result<(), DrawingError> {
        let style = style.pos(Pos::new(anchor, VPos::Center)).color(&INK);
        Ok(canvas.draw_text(text, &style, (i32::try_from(x)?, i32::try_from(y)?))?)
    };
    write(&title, HPos::Left, MARGIN, MARGIN + LINE / 2 - GAP)?;
    for (row, label) in labels.iter().enumerate() {
        write(label, HPos::Right, left - MARGIN / 2, MARGIN + LINE + row * pitch.0 + (pitch.0 - GAP) / 2)?;
    }
    if let Some(note) = note {
        write(&note, HPos::Left, MARGIN, bottom + LINE / 2)?;
    }
    drop(canvas);
    Ok(png(&pixels, 2)?)
}

/// A name, cut where it is too long for its place.
fn fitted(
    name: &str,
    width_of: &impl Fn(&str) -> std::result::Result<u32, DrawingError>,
) -> std::result::Result<String, DrawingError> {
    if width_of(name)? <= LONGEST_LABEL {
        return Ok(name.to_owned());
    }
    let mut kept: Vec<char> = name.chars().collect();
    while kept.pop().is_some() {
        let text: String = kept.iter().chain(&['…']).collect();
        if width_of(&text)? <= LONGEST_LABEL {
            return Ok(text);
        }
    }
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use ndarray::ArcArray2;

    use super::*;
    use crate::data::{Pixels, Rows};

    /// Images of one channel, 1 x 2 pixels, of two classes in turn.
    fn set(x: impl Into<Features<f64>>, classes: usize) -> DataSet {
        let x = x.into();
        let labels = (0..x.dim().0).map(|sample| sample % 2).collect();
        named(x, labels, (0..classes).map(|class| format!("class {class}")).collect())
    }

    fn named(x: Features<f64>, labels: Vec<usize>, names: Vec<String>) -> DataSet {
        let set = DataSet::new(Rows::with_classes(x, labels, names.len()).unwrap()).unwrap();
        set.with_shape(vec![1, 1, 2]).unwrap().with_names(names).unwrap()
    }

    fn bytes(samples: usize) -> Pixels {
        Pixels::plain(ArcArray2::from_shape_fn((samples, 2), |(_, x)| if x == 0 { 0 } else { 200 }))
    }

    #[test]
    fn the_first_ten_of_each_class_are_chosen() {
        let chosen = chosen(&set(bytes(50), 3), 3);
        assert_eq!(chosen[0], (0..20).step_by(2).collect::<Vec<_>>());
        assert_eq!((chosen[1][9], chosen[2].len()), (19, 0));
    }

    #[test]
    fn images_without_classes_are_refused() {
        let rows = Rows::with_numbers(bytes(2), ArcArray2::from_elem((2, 1), 0.5)).unwrap();
        let set = DataSet::new(rows).unwrap().with_shape(vec![1, 1, 2]).unwrap();
        let error = png_of(&set).unwrap_err().to_string();
        assert!(error.contains("this data set has numbers as targets"), "{error}");
    }

    #[test]
    fn pixels_are_enlarged_averaged_and_scaled() {
        let set = set(bytes(2), 2);
        let grey = |images: &Images<'_>, at, size| images.pixel(0, at, size).red();
        let images = Images::new(&set, [1, 1, 2]).unwrap();
        assert_eq!(images.size(96), (48, 96));
        assert_eq!([47, 48].map(|x| grey(&images, (30, x), (48, 96))), [0, 200]);
        assert_eq!(grey(&images, (0, 0), (1, 1)), 100, "the mean of both");
        let large = Images { shape: [1, 1000, 2000], ..images };
        assert_eq!(large.size(96), (48, 96));
        let floats = ArcArray2::from_shape_fn((2, 2), |(_, x)| x as f64 - 0.5);
        let floats = self::set(floats, 2);
        let images = Images::new(&floats, [1, 1, 2]).unwrap();
        assert_eq!([0, 1].map(|x| grey(&images, (0, x), (1, 2))), [0, 255]);
    }

    #[test]
    fn many_classes_are_cut_and_long_names_as_well() {
        let mut names: Vec<String> = (0..300).map(|class| format!("class {class}")).collect();
        names[7] = "W".repeat(100);
        let many = named(bytes(300).into(), (0..300).collect(), names);
        let info = png::Decoder::new(std::io::Cursor::new(png_of(&many).unwrap())).read_info().unwrap();
        let (width, height) = info.info().size();
        assert!(width < 1000 && height < 6000, "{width} x {height}");
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for shape in [vec![2], vec![2, 1, 1]] {
            let error = png_of(&set(bytes(2), 2).with_shape(shape).unwrap()).unwrap_err().to_string();
            assert!(error.starts_with("a montage shows images"), "{error}");
        }
    }
}
