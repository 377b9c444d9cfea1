//! A bitmap that plots are drawn on: lines of any width and text with smooth edges, and its PNG.

use std::convert::Infallible;

use ab_glyph::{Font, FontRef, OutlineCurve};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontTransform,
};
use tiny_skia::{FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform};

use super::fonts::em;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// Pixels and the font to write on them.
pub(crate) struct Canvas<'a> {
    pixels: &'a mut Pixmap,
    font: FontRef<'static>,
}

impl<'a> Canvas<'a> {
    /// A canvas over `pixels`, in `font`.
    pub(crate) fn new(pixels: &'a mut Pixmap, font: FontRef<'static>) -> Self {
        Self { pixels, font }
    }

    fn fill(&mut self, path: Option<Path>, color: BackendColor, transform: Transform) {
        if let Some(path) = path {
            self.pixels.fill_path(&path, &paint(color), FillRule::Winding, transform, None);
        }
    }

    fn stroke<S: BackendStyle>(&mut self, path: Option<Path>, style: &S) {
        if let Some(path) = path {
            let stroke = Stroke {
                width: style.stroke_width() as f32,
                line_join: LineJoin::Round,
                ..Stroke::default()
            };
            self.pixels.stroke_path(&path, &paint(style.color()), &stroke, Transform::identity(), None);
        }
    }

    /// The outline of a line of text, in the font's units from its start on the base line, and its width.
    fn outline(&self, text: &str) -> (Option<Path>, f32) {
        let mut builder = PathBuilder::new();
        let (mut x, mut before) = (0.0, None);
        for glyph in text.chars().map(|c| self.font.glyph_id(c)) {
            if let Some(before) = before {
                x += self.font.kern_unscaled(before, glyph);
            }
            let mut at = None;
            let curves = self.font.outline(glyph).map(|o| o.curves).unwrap_or_default();
            for curve in curves {
                let (start, end) = match curve {
                    OutlineCurve::Line(a, b)
                    | OutlineCurve::Quad(a, _, b)
                    | OutlineCurve::Cubic(a, _, _, b) => (a, b),
                };
                if at != Some(start) {
                    builder.move_to(x + start.x, -start.y);
                }
                match curve {
                    OutlineCurve::Line(_, b) => builder.line_to(x + b.x, -b.y),
                    OutlineCurve::Quad(_, c, b) => builder.quad_to(x + c.x, -c.y, x + b.x, -b.y),
                    OutlineCurve::Cubic(_, c, d, b) => {
                        builder.cubic_to(x + c.x, -c.y, x + d.x, -d.y, x + b.x, -b.y);
                    }
                }
                at = Some(end);
            }
            x += self.font.h_advance_unscaled(glyph);
            before = Some(glyph);
        }
        (builder.finish(), x)
    }
}

fn paint(color: BackendColor) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    let (red, green, blue) = color.rgb;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0..=255
    paint.set_color_rgba8(red, green, blue, (color.alpha.clamp(0.0, 1.0) * 255.0).round() as u8);
    paint
}

fn line(points: impl IntoIterator<Item = BackendCoord>) -> PathBuilder {
    let mut builder = PathBuilder::new();
    for (i, (x, y)) in points.into_iter().enumerate() {
        if i == 0 { builder.move_to(x as f32, y as f32) } else { builder.line_to(x as f32, y as f32) }
    }
    builder
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.pixels.width(), self.pixels.height())
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        let pixel = Rect::from_xywh(x as f32, y as f32, 1.0, 1.0).map(PathBuilder::from_rect);
        self.fill(pixel, color, Transform::identity());
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let rect = Rect::from_ltrb(left as f32, top as f32, right as f32, bottom as f32);
        let path = rect.map(PathBuilder::from_rect);
        if fill {
            self.fill(path, style.color(), Transform::identity());
        } else {
            self.stroke(path, style);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        self.stroke(line(path).finish(), style);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let path = PathBuilder::from_circle(x as f32, y as f32, radius as f32);
        if fill {
            self.fill(path, style.color(), Transform::identity());
        } else {
            self.stroke(path, style);
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        points: I,
        style: &S,
    ) -> Drawn {
        let mut path = line(points);
        path.close();
        self.fill(path.finish(), style.color(), Transform::identity());
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn {
        let (path, width) = self.outline(text);
        #[allow(clippy::cast_possible_truncation)]
        let em = em(style.size()) as f32;
        let scale = em / self.font.units_per_em().unwrap_or(2048.0);
        let right = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -width * scale / 2.0,
            HPos::Right => -width * scale,
        };
        // Where the base line is: capitals and digits of the font are 0.73 em high, descenders 0.24 em deep.
        let down = match style.anchor().v_pos {
            VPos::Top => 0.76 * em,
            VPos::Center => 0.365 * em,
            VPos::Bottom => -0.24 * em,
        };
        let turn = match style.transform() {
            FontTransform::None => 0.0,
            FontTransform::Rotate90 => 90.0,
            FontTransform::Rotate180 => 180.0,
            FontTransform::Rotate270 => 270.0,
        };
        let transform = Transform::from_translate(x as f32, y as f32)
            .pre_concat(Transform::from_rotate(turn))
            .pre_translate(right, down)
            .pre_scale(scale, scale);
        self.fill(path, style.color(), transform);
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let em = em(style.size());
        let scale = em / f64::from(self.font.units_per_em().unwrap_or(2048.0));
        let width = f64::from(self.outline(text).1) * scale;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        Ok((width.ceil() as u32, em.ceil() as u32))
    }
}

/// The PNG file of opaque pixels, with `scale` pixels a point of 1/72 inch; made for speed.
pub(crate) fn png(pixels: &Pixmap, scale: u32) -> Result<Vec<u8>, png::EncodingError> {
    let rgb: Vec<u8> = pixels.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut bytes = Vec::with_capacity(1 << 17);
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let per_metre = 2835 * scale; // 72 an inch
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(bytes)
}
