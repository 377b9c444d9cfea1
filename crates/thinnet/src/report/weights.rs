//! The first layer's weights as images, as courses draw them: what each unit looks for in a picture.
//!
//! Source: cs231n's `vis_utils.py`, `visualize_grid`: each unit's weights are scaled to 0..255 for themselves, and laid
//! out in a square of rows with a pixel between them.

use ndarray::{ArrayView1, ArrayView2};
use tiny_skia::{ColorU8, Pixmap};

use super::axis::range;
use super::canvas::png;
use super::noise::Neighbours;
use crate::error::{Error, Result};

/// Units that are drawn, at most.
pub const MOST_UNITS: usize = 100;
/// Pixels between units.
const GAP: usize = 1;
/// Of large images fewer units are drawn: the picture's sides stay below this, unless one unit's image is larger.
const LONGEST: usize = 2048;

/// A PNG with its height and width in pixels.
pub type SizedPng = (Vec<u8>, (usize, usize));

/// Draws the weights that lead into the first layer's units as a PNG; gives it with its height and width in pixels. Units
/// are those with the largest weight norms, the largest first, row by row.
///
/// - `w1`: the first layer's weights (D, H)
/// - `shape`: of one sample; `[channels, height, width]` of an image, channel first
///
/// `None` where the samples are no images of 1 or 3 channels.
///
/// # Errors
/// [`Error::Shape`] if a sample of that shape does not have D numbers.
pub fn weights_png(w1: ArrayView2<'_, f64>, shape: &[usize]) -> Result<Option<SizedPng>> {
    let &[channels @ (1 | 3), height, width] = shape else { return Ok(None) };
    let size = shape.iter().try_fold(1, |size: usize, side| size.checked_mul(*side));
    if size != Some(w1.nrows()) {
        return Err(Error::shape("the first layer's weights, of a sample's shape", shape, w1.shape()));
    }
    if w1.is_empty() {
        return Ok(None);
    }
    let units = drawn(w1, height, width);
    let columns = (units.len() as f64).sqrt().ceil();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 10
    let columns = columns as usize;
    let rows = units.len().div_ceil(columns);
    let size = (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP);
    let too_large = || Error::report("weights.png")("the picture is too large");
    let side = |pixels: usize| u32::try_from(pixels).map_err(|_| too_large());
    let mut pixels = Pixmap::new(side(size.1)?, side(size.0)?).ok_or_else(too_large)?;
    pixels.fill(tiny_skia::Color::BLACK);
    for (place, &unit) in units.iter().enumerate() {
        let (top, left) = (place / columns * (height + GAP), place % columns * (width + GAP));
        let levels = levels(w1.column(unit));
        for y in 0..height {
            for x in 0..width {
                let level = |channel: usize| levels[(channel * height + y) * width + x];
                let [red, green, blue] = if channels == 3 { [0, 1, 2].map(level) } else { [level(0); 3] };
                if let Some(pixel) = pixels.pixels_mut().get_mut((top + y) * size.1 + left + x) {
                    *pixel = ColorU8::from_rgba(red, green, blue, u8::MAX).premultiply();
                }
            }
        }
    }
    let bytes = png(&pixels, 1).map_err(Error::report("weights.png"))?;
    Ok(Some((bytes, size)))
}

/// The units that are drawn, the first first.
fn drawn(w1: ArrayView2<'_, f64>, height: usize, width: usize) -> Vec<usize> {
    let most = LONGEST / (height.max(width) + GAP);
    largest(w1, MOST_UNITS.min(most * most).max(1))
}

/// A sentence on weights that look like noise when they are drawn; `None` where they show something, or are not drawn.
pub(super) fn noise(w1: ArrayView2<'_, f64>, shape: &[usize]) -> Option<String> {
    let &[1 | 3, height, width] = shape else { return None };
    let found = Neighbours::of(w1, shape, &drawn(w1, height, width)).filter(|found| found.are_noise())?;
    Some(format!(
        "These weights look like noise: neighbouring pixels have a correlation of {}, and random weights have 0. The \
         network may still work, but its units do not look for shapes. More epochs or a stronger penalty on weights (L2) \
         often bring shapes out.",
        format!("{:.2}", found.correlation).replace('-', "\u{2212}")
    ))
}

/// The `most` units with the largest weight norms, the largest first; equal ones as they stand. A norm that is not a
/// number is the smallest.
fn largest(w1: ArrayView2<'_, f64>, most: usize) -> Vec<usize> {
    let norms: Vec<f64> = w1
        .columns()
        .into_iter()
        .map(|weights| weights.iter().map(|weight| weight * weight).sum())
        .map(|norm: f64| if norm.is_nan() { -1.0 } else { norm })
        .collect();
    let mut units: Vec<usize> = (0..norms.len()).collect();
    units.sort_by(|&a, &b| norms[b].total_cmp(&norms[a]));
    units.truncate(most);
    units
}

/// A unit's weights from their least (0) to their greatest (255); grey if they are equal, black where not finite.
fn levels(weights: ArrayView1<'_, f64>) -> Vec<u8> {
    let (low, high) = range(weights.iter().copied()).unwrap_or_default();
    let level = |weight: f64| {
        if !weight.is_finite() {
            return 0;
        }
        // Halves, so that the span of the greatest floats is finite.
        let share = if high > low { (weight / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 0.5 };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0..=255
        let level = (255.0 * share).round() as u8;
        level
    };
    weights.iter().copied().map(level).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    /// The picture's pixels, row by row.
    fn pixels(png: &[u8]) -> Vec<[u8; 3]> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        bytes.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect()
    }

    #[test]
    fn units_stand_by_their_norms_each_scaled_for_itself() {
        // Images of 1 x 2 pixels; the second of three units has the largest weights, the third the next.
        let w1 = array![[0.0, 10.0, -2.0], [0.1, -30.0, 2.0]];
        let (png, size) = weights_png(w1.view(), &[1, 1, 2]).unwrap().unwrap();
        assert_eq!(size, (3, 5), "two rows of two, with a pixel between");
        let (black, white) = ([0; 3], [255; 3]);
        let row = |left: [[u8; 3]; 2], right: [[u8; 3]; 2]| [left[0], left[1], black, right[0], right[1]];
        let expected =
            [row([white, black], [black, white]), [black; 5], row([black, white], [black, black])].concat();
        assert_eq!(pixels(&png), expected);
    }

    #[test]
    fn channels_are_colours() {
        let w1 = array![[-1.0], [0.0], [1.0]];
        let (png, size) = weights_png(w1.view(), &[3, 1, 1]).unwrap().unwrap();
        assert_eq!((size, pixels(&png)), ((1, 1), vec![[0, 128, 255]]));
    }

    #[test]
    fn the_largest_hundred_are_drawn_and_fewer_of_large_images() {
        let w1 = Array2::from_shape_fn((4, 300), |(_, unit)| unit as f64);
        assert_eq!(weights_png(w1.view(), &[1, 2, 2]).unwrap().unwrap().1, (29, 29));
        assert_eq!(largest(w1.view(), 3), [299, 298, 297]);
        let w1 = Array2::from_shape_fn((1000, 8), |(_, unit)| unit as f64);
        assert_eq!(weights_png(w1.view(), &[1, 1000, 1]).unwrap().unwrap().1, (2001, 3), "four");
        let w1 = Array2::from_shape_fn((5000, 8), |(_, unit)| unit as f64);
        assert_eq!(weights_png(w1.view(), &[1, 5000, 1]).unwrap().unwrap().1, (5000, 1), "one");
    }

    #[test]
    fn noise_is_called_so_and_shapes_are_not() {
        let mut state = crate::random::RandomState::new(1);
        let random = Array2::from_shape_simple_fn((64, 5), || state.normal(0.0, 1.0));
        let sentence = noise(random.view(), &[1, 8, 8]).unwrap();
        assert!(
            sentence.starts_with("These weights look like noise: neighbouring pixels have a correlation of ")
        );
        let slope = Array2::from_shape_fn((64, 5), |(pixel, _)| (pixel % 8) as f64);
        assert_eq!(noise(slope.view(), &[1, 8, 8]), None);
        assert_eq!(noise(random.view(), &[64]), None, "no image");
        assert_eq!(noise(Array2::zeros((64, 0)).view(), &[1, 8, 8]), None);
    }

    #[test]
    fn what_is_no_image_has_no_picture() {
        let w1 = Array2::<f64>::zeros((8, 2));
        for shape in [&[8][..], &[2, 2, 2], &[4, 2]] {
            assert_eq!(weights_png(w1.view(), shape).unwrap(), None);
        }
        assert_eq!(weights_png(Array2::zeros((8, 0)).view(), &[1, 2, 4]).unwrap(), None);
        let error = weights_png(w1.view(), &[1, 3, 3]).unwrap_err();
        assert!(matches!(error, Error::Shape { .. }), "{error}");
        assert!(weights_png(w1.view(), &[1, usize::MAX, 2]).is_err());
    }

    #[test]
    fn weights_that_are_not_finite_are_drawn_too() {
        let w1 = array![[f64::NAN, f64::MAX, 0.0], [1.0, f64::MIN, 0.0], [f64::INFINITY, 0.0, 0.0]];
        assert_eq!(largest(w1.view(), 3), [1, 2, 0]);
        let levels = |unit| levels(w1.column(unit));
        assert_eq!([levels(0), levels(1), levels(2)], [[0, 128, 0], [255, 0, 128], [128; 3]]);
    }
}
