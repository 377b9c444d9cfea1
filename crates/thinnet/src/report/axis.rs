//! Axes: which range a plot shows, where its ticks are and what they say.

use serde::Serialize;

/// How the values along an axis are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reads {
    /// Whole numbers.
    Count,
    /// Shares as percentages.
    Percent,
    /// Any numbers.
    Number,
    /// Any numbers, whose decimal logarithms are the positions.
    Log,
    /// Words, one for each tick.
    Name,
}

/// One axis of a plot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    /// Smallest value shown.
    pub low: f64,
    /// Largest value shown, above `low`.
    pub high: f64,
    /// Tick positions with their labels, ascending.
    pub ticks: Vec<(f64, String)>,
    /// What its values are.
    pub reads: Reads,
}

/// Room beyond the outermost ticks, as a share of the span: a marker on the edge is drawn whole.
const ROOM: f64 = 0.025;

impl Axis {
    /// Counts from 0 or 1 to `last`: epochs, iterations.
    pub(crate) fn counts(first: usize, last: usize) -> Self {
        let last = last.max(first + 1);
        let step = step((last - first) as f64, 7).max(1.0);
        let mut ticks = ticks(0.0, last as f64, step, |v| format!("{v:.0}"));
        ticks.retain(|(v, _)| *v >= first as f64);
        let room = ROOM * (last - first) as f64;
        Self { low: first as f64 - room, high: last as f64 + room, ticks, reads: Reads::Count }
    }

    /// Accuracies, shown as percentages; `values` are shares, 0..=1.
    pub(crate) fn accuracies(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(values).unwrap_or((0.0, 1.0));
        let step = step((high - low).max(0.01), 6);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        let high = if high > low { high } else { low + step };
        let decimals = usize::from(step < 0.0099);
        let ticks = ticks(low, high, step, |v| format!("{:.decimals$}%", v * 100.0));
        let room = ROOM * (high - low);
        Self { low: low - room, high: high + room, ticks, reads: Reads::Percent }
    }

    /// Losses, on a plain scale; zero is shown.
    pub(crate) fn losses(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(values).unwrap_or((0.0, 1.0));
        Self::plain([low.min(0.0), high].into_iter())
    }

    /// Any figures, on a plain scale.
    pub(crate) fn plain(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(values).unwrap_or((0.0, 1.0));
        let step = step(if high > low { high - low } else { 1.0 }, 6);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        let high = if high > low { high } else { low + step };
        let room = ROOM * (high - low);
        let largest = low.abs().max(high.abs());
        let ticks = ticks(low, high, step, |value| number(value, largest, step));
        Self { low: low - room, high: high + room, ticks, reads: Reads::Number }
    }

    /// Places 0, 1, ... with these names.
    pub(crate) fn places(names: impl Iterator<Item = String>) -> Self {
        let ticks: Vec<(f64, String)> = names.enumerate().map(|(place, name)| (place as f64, name)).collect();
        Self { low: -0.5, high: ticks.len().max(1) as f64 - 0.5, ticks, reads: Reads::Name }
    }

    /// Losses, on a logarithmic scale; `values` and positions are decimal logarithms.
    pub(crate) fn log_losses(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(values).unwrap_or((-1.0, 1.0));
        let (low, high) = if high - low < 0.1 { (low - 0.5, high + 0.5) } else { (low, high) };
        let decades = high - low;
        let within: &[f64] = if decades < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = (decades / 6.0).ceil().max(1.0);
        let mut ticks = Vec::new();
        let mut decade = (low / every).floor() * every;
        while decade <= high {
            for factor in within {
                let at = decade + factor.log10();
                if at >= low && at <= high {
                    let value = factor * 10f64.powf(decade);
                    ticks.push((at, number(value, value, value)));
                }
            }
            decade += every;
        }
        let room = ROOM * decades;
        Self { low: low - room, high: high + room, ticks, reads: Reads::Log }
    }
}

/// Smallest and largest of the finite values.
pub(super) fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| v.is_finite()).fold(None, |range, v| {
        range.map_or(Some((v, v)), |(low, high): (f64, f64)| Some((low.min(v), high.max(v))))
    })
}

/// The smallest step of 1, 2 or 5 times a power of ten that divides `span` into at most `most` parts.
fn step(span: f64, most: u32) -> f64 {
    let least = span / f64::from(most);
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= least * (1.0 - 1e-9)).unwrap_or(power)
}

fn ticks(low: f64, high: f64, step: f64, label: impl Fn(f64) -> String) -> Vec<(f64, String)> {
    let first = (low / step).round();
    let mut ticks = Vec::new();
    let mut i = 0.0;
    while (first + i) * step <= high + step * 1e-6 && i < 100.0 {
        let at = (first + i) * step;
        ticks.push((at, label(at)));
        i += 1.0;
    }
    ticks
}

/// A number for a tick, exact to the step between ticks: plain where the `largest` of them is short, otherwise with an
/// exponent.
fn number(value: f64, largest: f64, step: f64) -> String {
    const MOST_DIGITS: f64 = 12.0;
    let digits = |power: f64| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0..=12
        let digits = power.clamp(0.0, MOST_DIGITS) as usize;
        digits
    };
    // The step is 1, 2 or 5 times a power of ten, to rounding.
    let power = (step * 1.001).log10().floor();
    if value == 0.0 || (1e-3..1e5).contains(&largest) {
        let decimals = digits(-power);
        let text = format!("{value:.decimals$}");
        return if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    }
    let decimals = digits((value.abs() * 1.001).log10().floor() - power);
    format!("{value:.decimals$e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn epochs_are_whole_numbers() {
        assert_eq!(labels(&Axis::counts(0, 25)), ["0", "5", "10", "15", "20", "25"]);
        assert_eq!(labels(&Axis::counts(0, 0)), ["0", "1"]);
        assert_eq!(labels(&Axis::counts(0, 3)), ["0", "1", "2", "3"]);
        assert_eq!(labels(&Axis::counts(1, 1)), ["1", "2"]);
        assert!(labels(&Axis::counts(1, 100_000)).len() <= 7);
    }

    #[test]
    fn accuracies_are_percentages_that_hold_all_values() {
        let axis = Axis::accuracies([0.184, f64::NAN, 0.323].into_iter());
        assert_eq!(labels(&axis), ["15%", "20%", "25%", "30%", "35%"]);
        assert!(axis.low < 0.184 && axis.high > 0.323);
        assert_eq!(labels(&Axis::accuracies(std::iter::empty())), ["0%", "20%", "40%", "60%", "80%", "100%"]);
        for value in [0.0, 0.5, 1.0] {
            let axis = Axis::accuracies([value].into_iter());
            assert!(axis.low < value && value < axis.high && axis.ticks.len() >= 2, "{axis:?}");
        }
    }

    #[test]
    fn losses_stay_readable_at_any_size() {
        for span in [1e-300, 1e-9, 0.5, 3.0, 1e6, 1e300] {
            let axis = Axis::losses([0.0, span].into_iter());
            assert!((2..=9).contains(&axis.ticks.len()), "{span}: {axis:?}");
            assert!(axis.low.is_finite() && axis.high.is_finite() && axis.low < axis.high);
        }
        assert_eq!(labels(&Axis::losses([7.8, 0.03].into_iter())), ["0", "2", "4", "6", "8"]);
        assert_eq!(labels(&Axis::losses([2e6].into_iter())), ["0", "5e5", "1.0e6", "1.5e6", "2.0e6"]);
    }

    #[test]
    fn labels_tell_neighbours_apart() {
        let of = |low: f64, high: f64| Axis::plain([low, high].into_iter());
        assert_eq!(labels(&of(5e-4, 1e-3)), ["0.0005", "0.0006", "0.0007", "0.0008", "0.0009", "0.001"]);
        assert_eq!(labels(&of(7.2e-4, 9e-4)), ["7.0e-4", "7.5e-4", "8.0e-4", "8.5e-4", "9.0e-4"]);
        assert_eq!(
            labels(&of(0.99992, 0.99998)),
            ["0.99992", "0.99993", "0.99994", "0.99995", "0.99996", "0.99997", "0.99998"]
        );
        assert_eq!(labels(&of(-1.0, 1.0)), ["-1", "-0.5", "0", "0.5", "1"]);
        for (low, high) in [(0.1, 0.3), (1e-5, 1.1e-5), (-3e7, 4e7), (123.0, 124.5), (1.0, 1.0), (0.0, 0.0)] {
            let axis = of(low, high);
            let shown = labels(&axis);
            let unique: std::collections::HashSet<_> = shown.iter().collect();
            assert!(unique.len() == shown.len() && shown.len() >= 2, "{shown:?}");
            for (at, label) in &axis.ticks {
                let read: f64 = label.parse().unwrap();
                assert!((read - at).abs() <= 1e-6 * at.abs().max(1e-12), "{label} is not {at}");
            }
        }
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten() {
        let axis = Axis::log_losses([0.03f64, 17.0].into_iter().map(f64::log10));
        assert_eq!(labels(&axis), ["0.1", "1", "10"]);
        let narrow = Axis::log_losses([0.5f64, 20.0].into_iter().map(f64::log10));
        assert_eq!(labels(&narrow), ["0.5", "1", "2", "5", "10", "20"]);
        let wide = Axis::log_losses([-300.0, 300.0].into_iter());
        assert!(wide.ticks.len() <= 8, "{wide:?}");
    }
}
