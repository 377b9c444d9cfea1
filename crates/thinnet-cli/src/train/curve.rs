//! Curves with the height of one line.

/// The maximum number of stored values; a terminal is narrower.
const CAPACITY: usize = 1024;

/// From low to high.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Any number of values in bounded memory: when it is full, neighbouring pairs are averaged.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    values: Vec<f64>,
    /// How many values each of `values` is the mean of.
    stride: usize,
    /// Sum and number of values of an incomplete stride.
    rest: (f64, usize),
}

impl Default for Curve {
    fn default() -> Self {
        Self { values: Vec::new(), stride: 1, rest: (0.0, 0) }
    }
}

impl Curve {
    /// Adds a value.
    pub(super) fn push(&mut self, value: f64) {
        self.rest = (self.rest.0 + value, self.rest.1 + 1);
        if self.rest.1 < self.stride {
            return;
        }
        self.values.push(self.rest.0 / self.stride as f64);
        self.rest = (0.0, 0);
        if self.values.len() == CAPACITY {
            self.values = self.values.chunks(2).map(mean).collect();
            self.stride *= 2;
        }
    }

    /// At most `width` points: each the mean of the same number of values.
    pub(super) fn points(&self, width: usize) -> Vec<f64> {
        let values = &self.values;
        let points = values.len().min(width);
        (0..points)
            .map(|at| mean(&values[at * values.len() / points..(at + 1) * values.len() / points]))
            .collect()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The min and max of all finite values, if there are any.
pub(super) fn range<'a>(points: impl IntoIterator<Item = &'a f64>) -> Option<(f64, f64)> {
    points.into_iter().filter(|point| point.is_finite()).fold(None, |range, &point| {
        let (low, high) = range.unwrap_or((point, point));
        Some((low.min(point), high.max(point)))
    })
}

/// One character per point; spaces for values that are not finite. A constant curve is in the middle.
pub(super) fn sparkline(points: &[f64], (low, high): (f64, f64)) -> String {
    let top = (LEVELS.len() - 1) as f64;
    let level = |point: f64| if high > low { ((point - low) / (high - low) * top).round() } else { 3.0 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the levels
    let place = |point: f64| level(point).clamp(0.0, top) as usize;
    points.iter().map(|&point| if point.is_finite() { LEVELS[place(point)] } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_go_from_the_lowest_to_the_highest() {
        let points: Vec<f64> = (0..8).map(f64::from).collect();
        let range = range(&points).unwrap_or_default();
        assert_eq!(sparkline(&points, range), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[7.0, 0.0, 3.4, 9.0], range), "█▁▄█");
        assert_eq!(sparkline(&[2.0, 2.0], (2.0, 2.0)), "▄▄");
        assert_eq!(sparkline(&[0.0, f64::NAN, f64::INFINITY, 1.0], (0.0, 1.0)), "▁  █");
    }

    #[test]
    fn what_is_not_finite_has_no_range() {
        assert_eq!(range(&[f64::NAN, 2.0, -1.0, f64::INFINITY]), Some((-1.0, 2.0)));
        assert_eq!(range(&[f64::NAN]), None);
    }

    #[test]
    fn points_are_means_that_cover_all_values() {
        let mut curve = Curve::default();
        for value in [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] {
            curve.push(value);
        }
        assert_eq!(curve.points(10), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(curve.points(3), [1.5, 3.5, 5.5]);
        assert_eq!(curve.points(4), [1.0, 2.5, 4.0, 5.5]);
        assert_eq!(curve.points(0), [0.0; 0]);
        assert_eq!(Curve::default().points(10), [0.0; 0]);
    }

    #[test]
    fn a_long_curve_takes_bounded_memory_and_keeps_its_shape() {
        let mut curve = Curve::default();
        (0..1_000_000).for_each(|value| curve.push(f64::from(value)));
        assert!(curve.values.len() < CAPACITY);
        let points = curve.points(10);
        for (at, point) in points.iter().enumerate() {
            let middle = (at as f64 + 0.5) * 100_000.0;
            assert!((point - middle).abs() < 2000.0, "{points:?}");
        }
    }
}
