//! The font of pictures and pages' plots: `DejaVu Sans`, which is built in, so that a picture is the same on every machine
//! (its licence, Bitstream Vera's with public-domain additions, lets it be built in and stands in the font itself).

use ab_glyph::{FontRef, InvalidFont};
use plotters::style::{FontStyle, IntoFont, RGBColor, TextStyle};

/// Text and axes; the page's style sheet gives them its own colours by these values.
pub(crate) const INK: RGBColor = RGBColor(0x22, 0x26, 0x2B);

/// The name that the font has in plots.
const FAMILY: &str = "DejaVu Sans";

/// Ems that plotters' size of a text counts, the space between lines among them.
const SIZE: f64 = 1.24;

/// The font, to draw with.
pub(crate) fn font() -> Result<FontRef<'static>, InvalidFont> {
    FontRef::try_from_slice(dejavu::sans::regular())
}

/// Makes the font known to plotters.
pub(crate) fn register() -> Result<(), &'static str> {
    plotters::style::register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| "the built-in font is broken")
}

/// The size of an em in text of plotters' size `size`.
pub(crate) fn em(size: f64) -> f64 {
    size / SIZE
}

/// Text of `points` to the em in an area where a point is `scale` units.
pub(crate) fn text(points: u32, scale: u32) -> TextStyle<'static> {
    (FAMILY, f64::from(points * scale) * SIZE).into_font().color(&INK)
}
