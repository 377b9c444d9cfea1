//! All points at once: an axis for each setting that is varied and one for the score, a line for each point.

use super::effects::{Places, distinct, score_axis, score_text};
use crate::report::axis::Axis;
use crate::sweep::{Plan, Table};
use crate::text::joined;

/// Colours tell so many steps of the score apart.
pub(super) const LEVELS: usize = 7;

/// An axis, with what stands above it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Upright {
    pub name: String,
    pub axis: Axis,
    /// Whether lines share its values, so that they are spread a little to be told apart.
    pub shared: bool,
}

/// A point's line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// Its places on the axes, in their units.
    pub places: Vec<f64>,
    /// How high its score is among all, 0..LEVELS.
    pub level: usize,
}

/// The plot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parallel {
    /// Axes, the score's last.
    pub axes: Vec<Upright>,
    /// Lines, the best last, so that it is drawn on top.
    pub lines: Vec<Line>,
}

impl Parallel {
    /// The plot of a sweep; `None` with fewer than two settings that are varied, or two points that have a score.
    pub(super) fn of(plan: &Plan, table: &Table) -> Option<Self> {
        let columns: Vec<(usize, Places, bool)> = plan
            .space
            .dimensions
            .iter()
            .enumerate()
            .map(|(column, dimension)| (column, dimension, distinct(plan, column)))
            .filter(|(_, _, values)| values.len() > 1)
            .map(|(column, dimension, values)| {
                let shared = values.len() < plan.points.len();
                (column, Places::new(dimension, &values), shared)
            })
            .collect();
        let scored: Vec<_> = table.rows.iter().filter_map(|row| Some((row, row.best?.mean))).collect();
        let (Some(&(_, high)), Some(&(_, low))) = (scored.first(), scored.last()) else { return None };
        if columns.len() < 2 || scored.len() < 2 {
            return None;
        }
        let level = |score: f64| {
            let share = if high > low { (score - low) / (high - low) } else { 1.0 };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0..=LEVELS
            ((share * LEVELS as f64) as usize).min(LEVELS - 1)
        };
        let lines = scored.iter().rev().filter_map(|&(row, score)| {
            let places = columns.iter().map(|(column, places, _)| places.place(row.values.get(*column)?));
            let places: Option<Vec<f64>> = places.chain([Some(score)]).collect();
            Some(Line { places: places?, level: level(score) })
        });
        let lines = lines.collect();
        let score = Upright {
            name: score_text(table.measure).to_owned(),
            axis: score_axis(table.measure, scored.iter().map(|(_, score)| *score)),
            shared: false,
        };
        let axes = columns.into_iter().map(|(column, places, shared)| Upright {
            name: table.keys[column].clone(),
            axis: places.axis,
            shared,
        });
        Some(Self { axes: axes.chain([score]).collect(), lines })
    }

    /// The plot for who cannot see it.
    pub(super) fn words(&self) -> String {
        let names = joined(self.axes.iter().map(|axis| &axis.name), ", ");
        format!(
            "{} points as lines across the axes {names}; the table below has their figures.",
            self.lines.len()
        )
    }
}
