//! The shapes of samples: parses and prints them.

use crate::error::{Error, Result};
use crate::text::joined;

/// Parses a width and a height, as in `32x32`; `None` for any other text.
pub fn parse_size(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// A shape for messages: "60000 x 28 x 28".
pub(super) fn shown(shape: &[usize]) -> String {
    joined(shape, " x ")
}

/// Refuses samples of another shape.
///
/// # Errors
/// [`Error::Data`], which names both shapes.
pub(crate) fn check_shape(found: &[usize], wanted: &[usize]) -> Result<()> {
    // A flat sample may stand for an image with the same number of values, and the other way round.
    let flat = found.len() == 1 || wanted.len() == 1;
    if found == wanted || (flat && found.iter().product::<usize>() == wanted.iter().product::<usize>()) {
        return Ok(());
    }
    let what = |shape: &[usize]| if shape.len() == 3 { "images of" } else { "samples of" };
    Err(Error::data(format!(
        "the model takes {} {}, but these are {} {}",
        what(wanted),
        sized(wanted),
        what(found),
        sized(found)
    )))
}

fn sized(shape: &[usize]) -> String {
    shown(shape) + if shape.len() == 1 { " numbers" } else { "" }
}
