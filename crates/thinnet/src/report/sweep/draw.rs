//! How a sweep's plots are drawn, over the primitives of the other plots.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use tiny_skia::Pixmap;

use super::effects::{Effect, spoken};
use super::parallel::{LEVELS, Parallel};
use crate::report::canvas::{Canvas, png};
use crate::report::data::{Line, PlotData, Scale, json, short};
use crate::report::fonts::{INK, font, register, text};
use crate::report::plot::{
    COLORS, DrawingError, Drawn, Frame, Label, PICTURE, PICTURE_SCALE, PLOT, SVG_SCALE, axes, frame, heading,
    marker, stroke, svg_of,
};

/// Width and height of the parallel plot.
pub(super) const WIDE: (u32, u32) = (1140, 400);

/// Colours of scores from low to high, on a light page and on a dark one: one hue range of growing contrast with the page, which
/// people with any colour vision put in order (ColorBrewer's YlGnBu, darkened at its pale end).
pub(super) const SCALE: [(RGBColor, &str); LEVELS] = [
    (RGBColor(0xC9, 0xD6, 0xA8), "#2C3E57"),
    (RGBColor(0x9F, 0xD0, 0xB0), "#2B527F"),
    (RGBColor(0x6F, 0xC2, 0xBC), "#2669A0"),
    (RGBColor(0x3A, 0xAB, 0xC2), "#2C8DBE"),
    (RGBColor(0x1D, 0x85, 0xB6), "#45B5C6"),
    (RGBColor(0x22, 0x57, 0xA0), "#8AD6BF"),
    (RGBColor(0x0B, 0x26, 0x78), "#F3FAC2"),
];

/// What lies behind text that lines run across; the page's style sheet gives it the colour of its ground.
pub(super) const GROUND: RGBColor = RGBColor(0xF6, 0xF7, 0xF9);

/// The effect's plot as the elements of an SVG, and its figures as JSON.
pub(super) fn svg(effect: &Effect) -> Result<(String, String), DrawingError> {
    let (drawing, frame) = svg_of(PLOT, |area| draw(area, effect, SVG_SCALE))?;
    Ok((drawing, data(effect, frame)?))
}

fn data(effect: &Effect, frame: Frame) -> Result<String, DrawingError> {
    let lines = effect.curves.iter().enumerate().map(|(style, curve)| {
        let name = if curve.name.is_empty() { effect.y_text } else { curve.name.as_str() };
        let points: Vec<_> = curve.marks.iter().map(|mark| (mark.x, short(mark.stat.mean))).collect();
        Line {
            joined: effect.joined,
            aside: aside(style, effect, SVG_SCALE.cast_signed()),
            deviations: curve.marks.iter().map(|mark| mark.stat.sd.map(short)).collect(),
            ..Line::new(name, style, vec![points])
        }
    });
    json(&PlotData {
        frame,
        unit: SVG_SCALE,
        x: Scale::new(&effect.x_text, &effect.x),
        y: Scale::new(effect.y_text, &effect.y),
        chance: None,
        series: lines.collect(),
    })
}

/// How far a curve is drawn to the right of its place: bars of several curves stand side by side.
fn aside(curve: usize, effect: &Effect, points: i32) -> i32 {
    let whole = |count: usize| i32::try_from(count).unwrap_or(i32::MAX / 64);
    (2 * whole(curve) - (whole(effect.curves.len()) - 1)) * 4 * points / 2
}

/// The effect's plot with its title and legend as a PNG.
pub(super) fn picture(effect: &Effect) -> Result<Vec<u8>, DrawingError> {
    register()?;
    let scale = PICTURE_SCALE;
    let mut pixels = Pixmap::new(PICTURE.0 * scale, PICTURE.1 * scale).ok_or("the picture is too large")?;
    pixels.fill(tiny_skia::Color::WHITE);
    let area = Canvas::new(&mut pixels, font()?).into_drawing_area();
    let title = format!("{} over {}", effect.y_text, spoken(&effect.key));
    let rest = heading(&area, &title, &labels(effect), scale)?;
    // What the bars are stands below the plot, under the start of its title.
    let points = scale.cast_signed();
    let height = rest.dim_in_pixel().1.cast_signed();
    let (plot, below) = rest.split_vertically(height - 26 * points);
    draw(&plot, effect, scale)?;
    let style = text(13, scale).pos(Pos::new(HPos::Left, VPos::Center));
    below.draw_text(&effect.caption, &style, (78 * points, 10 * points))?;
    drop((plot, below, rest, area));
    Ok(png(&pixels, scale)?)
}

/// The curves' names, where there are several.
pub(super) fn labels(effect: &Effect) -> Vec<Label> {
    let names = effect.curves.iter().map(|curve| curve.name.clone()).enumerate();
    names.filter(|(_, name)| !name.is_empty()).collect()
}

/// Draws axes, grid, curves and error bars; gives where the axes are.
fn draw<DB: DrawingBackend<ErrorType: 'static>>(
    area: &DrawingArea<DB, Shift>,
    effect: &Effect,
    scale: u32,
) -> Result<Frame, DrawingError> {
    let points = scale.cast_signed();
    let pixel = axes(area, (&effect.x, &effect.y), (&effect.x_text, effect.y_text), scale)?;
    for (style, curve) in effect.curves.iter().enumerate() {
        let aside = aside(style, effect, points);
        let color = COLORS[style % COLORS.len()].0.stroke_width(scale * 3 / 2);
        let shifted = |(x, y): (i32, i32)| (x + aside, y);
        let places: Vec<(i32, i32)> =
            curve.marks.iter().map(|mark| shifted(pixel((mark.x, mark.stat.mean)))).collect();
        if effect.joined {
            stroke(area, style, &places, false, points)?;
        }
        for (mark, &(x, y)) in curve.marks.iter().zip(&places) {
            if let Some(sd) = mark.stat.sd {
                let end = |sign: f64| shifted(pixel((mark.x, mark.stat.mean + sign * sd))).1;
                let (top, bottom, half) = (end(1.0), end(-1.0), 4 * points);
                area.draw(&PathElement::new(vec![(x, top), (x, bottom)], color))?;
                for y in [top, bottom] {
                    area.draw(&PathElement::new(vec![(x - half, y), (x + half, y)], color))?;
                }
            }
            marker(area, style, (x, y), points)?;
        }
    }
    Ok(frame(&pixel, &effect.x, &effect.y))
}

/// The parallel plot as the elements of an SVG.
pub(super) fn parallel(plot: &Parallel) -> Result<String, DrawingError> {
    svg_of(WIDE, |area| uprights(area, plot, SVG_SCALE)).map(|(drawing, ())| drawing)
}

#[allow(clippy::cast_possible_truncation)] // pixels
fn uprights<DB: DrawingBackend<ErrorType: 'static>>(
    area: &DrawingArea<DB, Shift>,
    plot: &Parallel,
    scale: u32,
) -> Drawn {
    let points = scale.cast_signed();
    let (width, height) = (WIDE.0.cast_signed() * points, WIDE.1.cast_signed() * points);
    let (left, right, top, bottom) = (110 * points, width - 90 * points, 44 * points, height - 16 * points);
    let gaps = i32::try_from(plot.axes.len()).unwrap_or(i32::MAX) - 1;
    let x = |axis: usize| left + (right - left) * i32::try_from(axis).unwrap_or(i32::MAX) / gaps.max(1);
    let y = |axis: usize, at: f64| {
        let axis = &plot.axes[axis].axis;
        let share = ((at - axis.low) / (axis.high - axis.low)).clamp(0.0, 1.0);
        bottom - (share * f64::from(bottom - top)).round() as i32
    };

    for (number, line) in plot.lines.iter().enumerate() {
        let best = number + 1 == plot.lines.len();
        // Lines that share a value lie side by side there, the best on top.
        let share = f64::from(i32::try_from(number).unwrap_or(i32::MAX)) / plot.lines.len() as f64;
        let spread = ((0.5 - share) * 16.0 * f64::from(points)).round() as i32;
        let places =
            line.places.iter().zip(&plot.axes).enumerate().map(|(axis, (&at, upright))| {
                (x(axis), y(axis, at) + if upright.shared { spread } else { 0 })
            });
        let thick = if best { scale * 7 / 2 } else { scale * 3 / 2 };
        let style = SCALE[line.level.min(LEVELS - 1)].0.stroke_width(thick);
        area.draw(&PathElement::new(places.collect::<Vec<_>>(), style))?;
    }
    let last = plot.axes.len().saturating_sub(1);
    for (number, upright) in plot.axes.iter().enumerate() {
        let at = x(number);
        area.draw(&PathElement::new(vec![(at, top), (at, bottom)], INK.stroke_width(scale)))?;
        let head = text(14, scale).pos(Pos::new(HPos::Center, VPos::Center));
        area.draw_text(&upright.name, &head, (at, 18 * points))?;
        // The last axis has its figures outside, all others on their left, where the lines come in.
        let (side, anchor) = if number == last { (9i32, HPos::Left) } else { (-9, HPos::Right) };
        let style = text(13, scale).pos(Pos::new(anchor, VPos::Center));
        for (value, label) in &upright.axis.ticks {
            let level = y(number, *value);
            area.draw(&PathElement::new(
                vec![(at, level), (at + side.signum() * 5 * points, level)],
                INK.stroke_width(scale),
            ))?;
            let (width, height) = area.estimate_text_size(label, &style)?;
            let (from, to) = (at + side * points, at + side * points + side.signum() * width.cast_signed());
            let half = height.cast_signed() / 2;
            area.draw(&Rectangle::new(
                [(from.min(to), level - half), (from.max(to), level + half)],
                GROUND.filled(),
            ))?;
            area.draw_text(label, &style, (from, level))?;
        }
    }
    Ok(())
}
