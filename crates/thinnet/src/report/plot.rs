//! How plots are drawn: the same code draws the page's SVG and the PNG.
//!
//! Colours are Okabe and Ito's, which people with any colour vision tell apart (Okabe & Ito, "Color Universal Design",
//! 2008); each style has its own dashes and marker besides.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use tiny_skia::Pixmap;

use super::axis::Axis;
use super::canvas::{Canvas, png};
use super::fonts::{INK, font, register, text};
use super::panels::Panel;

/// The styles' colours, on a light page and on a dark one.
pub(crate) const COLORS: [(RGBColor, &str); 6] = [
    (RGBColor(0x00, 0x72, 0xB2), "#56AEE4"), // blue
    (RGBColor(0xD5, 0x5E, 0x00), "#F2894A"), // vermillion
    (RGBColor(0x00, 0x9E, 0x73), "#2EC99E"), // bluish green
    (RGBColor(0xCC, 0x79, 0xA7), "#E5A3C8"), // reddish purple
    (RGBColor(0x56, 0xB4, 0xE9), "#9AD4F5"), // sky blue
    (RGBColor(0xE6, 0x9F, 0x00), "#F5C04A"), // orange
];

/// A colour as the SVG writes it.
pub(super) fn hex(color: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2)
}

/// Length of dashes and of the gaps between them; a full line first.
pub(super) const DASHES: [Option<(i32, i32)>; 4] = [None, Some((9, 4)), Some((3, 3)), Some((16, 5))];
/// Grid lines; the page's style sheet gives them its own colours by this value.
pub(crate) const GRID: RGBColor = RGBColor(0xDD, 0xE0, 0xE4);

/// Width and height of each plot in a PNG in points, its title and legend included.
pub(super) const PICTURE: (u32, u32) = (800, 450);
/// Pixels a point in the PNG.
pub(super) const PICTURE_SCALE: u32 = 2;
/// Width and height of a plot on the page.
pub(crate) const PLOT: (u32, u32) = (560, 330);
/// Units a point in the SVG, whose coordinates are whole numbers.
pub(crate) const SVG_SCALE: u32 = 4;
/// A curve has no more markers than this.
const MOST_MARKERS: usize = 32;

/// What can go wrong while drawing; none of it depends on the figures.
pub(crate) type DrawingError = Box<dyn std::error::Error + Send + Sync>;
pub(super) type Drawn = Result<(), DrawingError>;

/// Left, top, right and bottom of a plot's axes, in the drawing's units.
pub(crate) type Frame = [i32; 4];

/// What a curve is called: its style and its name.
pub(crate) type Label = (usize, String);

/// Plots with titles and legends, one over the other, as a PNG.
pub(crate) fn picture(plots: &[(&str, &[Label], Panel)]) -> Result<Vec<u8>, DrawingError> {
    register()?;
    let scale = PICTURE_SCALE;
    let rows = plots.len().max(1);
    let height = PICTURE.1 * scale * u32::try_from(rows)?;
    let mut pixels = Pixmap::new(PICTURE.0 * scale, height).ok_or("the picture is too large")?;
    pixels.fill(tiny_skia::Color::WHITE);
    let area = Canvas::new(&mut pixels, font()?).into_drawing_area();
    for (part, (title, labels, panel)) in area.split_evenly((rows, 1)).iter().zip(plots) {
        let rest = heading(part, title, labels, scale)?;
        draw(&rest, panel, scale)?;
    }
    drop(area);
    Ok(png(&pixels, scale)?)
}

/// One plot as the elements of an SVG, without the tag around them: the page writes that, with its description. And where
/// its axes are.
pub(crate) fn svg(panel: &Panel) -> Result<(String, Frame), DrawingError> {
    svg_of(PLOT, |area| draw(area, panel, SVG_SCALE))
}

/// A style's line and marker, for the page's legends, in a `SWATCH`.
pub(crate) fn swatch(style: usize) -> Result<String, DrawingError> {
    let scale = SVG_SCALE.cast_signed();
    svg_of(SWATCH, |area| {
        let (width, middle) = (SWATCH.0.cast_signed() * scale, SWATCH.1.cast_signed() * scale / 2);
        stroke(area, style, &[(0, middle), (width, middle)], false, scale)?;
        marker(area, style, (width / 2, middle), scale)
    })
    .map(|(drawing, ())| drawing)
}

/// Width and height of a legend's sample line.
pub(crate) const SWATCH: (u32, u32) = (40, 12);

/// The elements of an SVG, and what the drawing gives.
pub(super) fn svg_of<T>(
    size: (u32, u32),
    drawing: impl FnOnce(&DrawingArea<SVGBackend<'_>, Shift>) -> Result<T, DrawingError>,
) -> Result<(String, T), DrawingError> {
    register()?;
    let mut svg = String::new();
    let area =
        SVGBackend::with_string(&mut svg, (size.0 * SVG_SCALE, size.1 * SVG_SCALE)).into_drawing_area();
    let drawn = drawing(&area)?;
    area.present()?;
    drop(area);
    let inside = svg.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>"));
    Ok((inside.ok_or("an SVG without its tag")?.0.trim().to_owned(), drawn))
}

/// Draws a title with a legend under it, where it can hide no curve, and returns the area below.
pub(super) fn heading<DB: DrawingBackend<ErrorType: 'static>>(
    area: &DrawingArea<DB, Shift>,
    title: &str,
    labels: &[Label],
    scale: u32,
) -> Result<DrawingArea<DB, Shift>, DrawingError> {
    let points = scale.cast_signed();
    let (left, right) = (78 * points, area.dim_in_pixel().0.cast_signed() - 20 * points);
    let title_style = text(20, scale).pos(Pos::new(HPos::Left, VPos::Center));
    area.draw_text(title, &title_style, (left, 26 * points))?;

    let label_style = text(14, scale).pos(Pos::new(HPos::Left, VPos::Center));
    let (mut x, mut y) = (left, 54 * points);
    for &(style, ref label) in labels {
        let width = 48 * points + area.estimate_text_size(label, &label_style)?.0.cast_signed();
        if x > left && x + width > right {
            (x, y) = (left, y + 22 * points);
        }
        stroke(area, style, &[(x, y), (x + 40 * points, y)], false, points)?;
        marker(area, style, (x + 20 * points, y), points)?;
        area.draw_text(label, &label_style, (x + 48 * points, y))?;
        x += width + 26 * points;
    }
    Ok(area.split_vertically(y + 10 * points).1)
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    #[allow(clippy::cast_possible_truncation)] // saturates
    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(-1.0, 2.0); // nothing is drawn far outside
        (f64::from(from) + share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(at, _)| *at).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|(at, _)| at.to_bits() == value.to_bits());
        tick.map_or_else(String::new, |(_, label)| label.clone())
    }
}

/// Draws axes with their texts, and the grid; gives where on the area a point of theirs is.
///
/// - `texts`: what stands along the x and the y axis
pub(super) fn axes<DB: DrawingBackend<ErrorType: 'static>>(
    area: &DrawingArea<DB, Shift>,
    (x, y): (&Axis, &Axis),
    texts: (&str, &str),
    scale: u32,
) -> Result<impl Fn((f64, f64)) -> (i32, i32), DrawingError> {
    let points = scale.cast_signed();
    let mut chart = ChartBuilder::on(area)
        .margin_top(10 * points)
        .margin_right(20 * points)
        .margin_bottom(6 * points)
        .margin_left(6 * points)
        .x_label_area_size(50 * points)
        .y_label_area_size(72 * points)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .bold_line_style(GRID.stroke_width(scale))
        .light_line_style(TRANSPARENT)
        .axis_style(INK.stroke_width(scale))
        .set_all_tick_mark_size(5 * points)
        .label_style(text(14, scale))
        .axis_desc_style(text(15, scale))
        .x_desc(texts.0)
        .y_desc(texts.1)
        .draw()?;
    let base = area.get_base_pixel();
    Ok(move |point| {
        let (x, y) = chart.backend_coord(&point);
        (x - base.0, y - base.1)
    })
}

/// Where axes are, given where their points are.
pub(super) fn frame(pixel: impl Fn((f64, f64)) -> (i32, i32), x: &Axis, y: &Axis) -> Frame {
    let ((left, top), (right, bottom)) = (pixel((x.low, y.high)), pixel((x.high, y.low)));
    [left, top, right, bottom]
}

/// Draws axes, grid and curves; gives where the axes are.
fn draw<DB: DrawingBackend<ErrorType: 'static>>(
    area: &DrawingArea<DB, Shift>,
    panel: &Panel,
    scale: u32,
) -> Result<Frame, DrawingError> {
    let points = scale.cast_signed();
    let pixel = axes(area, (&panel.x, &panel.y), (panel.x_text, panel.y_text), scale)?;
    let frame = frame(&pixel, &panel.x, &panel.y);
    if let Some(chance) = panel.chance_line() {
        let [left, _, right, _] = frame;
        let (_, y) = pixel((panel.x.low, chance.at));
        let (dash, gap) = (2 * points, 3 * points);
        let thin = INK.stroke_width(scale);
        area.draw(&DashedPathElement::new([(left, y), (right, y)], dash, gap, thin))?;
        let style = text(12, scale).pos(Pos::new(HPos::Right, VPos::Bottom));
        area.draw_text(&chance.text, &style, (right - 4 * points, y - 3 * points))?;
    }
    for band in &panel.bands {
        let upper = band.edges.iter().map(|&(x, _, high)| (x, high));
        let lower = band.edges.iter().rev().map(|&(x, low, _)| (x, low));
        let outline: Vec<(i32, i32)> = upper.chain(lower).map(&pixel).collect();
        area.draw(&Polygon::new(outline, COLORS[band.style % COLORS.len()].0.mix(0.2).filled()))?;
    }
    for curve in &panel.curves {
        for run in &curve.runs {
            let pixels: Vec<(i32, i32)> = run.iter().copied().map(&pixel).collect();
            stroke(area, curve.style, &pixels, curve.faint, points)?;
            if curve.markers {
                for at in pixels.iter().step_by(pixels.len().div_ceil(MOST_MARKERS).max(1)) {
                    marker(area, curve.style, *at, points)?;
                }
            }
        }
    }
    Ok(frame)
}

/// A style's line through pixels of an area.
pub(super) fn stroke<DB: DrawingBackend<ErrorType: 'static>>(
    area: &DrawingArea<DB, Shift>,
    style: usize,
    pixels: &[(i32, i32)],
    faint: bool,
    points: i32,
) -> Drawn {
    let color = COLORS[style % COLORS.len()].0;
    if pixels.len() < 2 {
        return Ok(());
    }
    if faint {
        let thin = color.mix(0.3).stroke_width(points.cast_unsigned());
        area.draw(&PathElement::new(pixels.to_vec(), thin))?;
        return Ok(());
    }
    let line = color.stroke_width(points.cast_unsigned() * 2);
    if let Some((dash, gap)) = DASHES[style % DASHES.len()] {
        area.draw(&DashedPathElement::new(pixels.iter().copied(), dash * points, gap * points, line))?;
    } else {
        area.draw(&PathElement::new(pixels.to_vec(), line))?;
    }
    Ok(())
}

/// A style's marker on a pixel of an area.
pub(super) fn marker<DB: DrawingBackend<ErrorType: 'static>>(
    area: &DrawingArea<DB, Shift>,
    style: usize,
    (x, y): (i32, i32),
    points: i32,
) -> Drawn {
    let fill = COLORS[style % COLORS.len()].0.filled();
    let corners = corners(style, points);
    if corners.is_empty() {
        area.draw(&Circle::new((x, y), 7 * points / 2, fill))?;
        return Ok(());
    }
    let corners: Vec<_> = corners.into_iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
    area.draw(&Polygon::new(corners, fill))?;
    Ok(())
}

/// The corners of a style's marker around its point; none of a circle.
pub(super) fn corners(style: usize, points: i32) -> Vec<(i32, i32)> {
    let corners: &[(i32, i32)] = match style % 5 {
        1 => &[(-8, -8), (8, -8), (8, 8), (-8, 8)],   // square
        2 => &[(0, -11), (10, 8), (-10, 8)],          // triangle
        3 => &[(0, -12), (12, 0), (0, 12), (-12, 0)], // diamond
        4 => &[(0, 11), (10, -8), (-10, -8)],         // triangle on its point
        _ => &[],
    };
    let r = 7 * points / 2;
    corners.iter().map(|(dx, dy)| (dx * r / 9, dy * r / 9)).collect()
}
