//! A range in the search space: numbers between two bounds, as a grid or drawn at random.

use toml::Value;

use crate::error::{Error, Result, ensure};
use crate::random::RandomState;
use crate::training::{Assignment, TrainingConfig};

/// The spacing of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences; draws are uniform.
    Linear,
    /// Equal ratios; draws are uniform in the logarithm.
    Log,
}

/// Numbers between two bounds, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Its spacing.
    pub scale: Scale,
    /// The lower bound; above 0 on a logarithmic scale.
    pub low: f64,
    /// The upper bound, above the lower one.
    pub high: f64,
    /// Points of a grid, at least 2. Random draws do not need it.
    pub points: Option<usize>,
    /// Whether the setting only takes whole numbers.
    pub whole: bool,
}

impl Range {
    /// Reads `LOW:HIGH` or `LOW:HIGH:N`.
    pub(super) fn parse(key: &str, scale: Scale, text: &str, base: &TrainingConfig) -> Result<Self> {
        let word = if scale == Scale::Log { "log" } else { "lin" };
        let refuse = |reason: &str| Error::configuration(format!("{key}={word}:{text}: {reason}"));
        let parts: Vec<&str> = text.split(':').map(str::trim).collect();
        let (low, high, points) = match parts[..] {
            [low, high] => (low, high, None),
            [low, high, points] => (low, high, Some(points)),
            _ => return Err(refuse("a range is LOW:HIGH:N, N being the number of points")),
        };
        let number = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
        let (Some(low), Some(high)) = (number(low), number(high)) else {
            return Err(refuse("LOW and HIGH must be finite numbers"));
        };
        ensure!(low < high, refuse("LOW must be below HIGH"));
        ensure!(scale == Scale::Linear || low > 0.0, refuse("LOW must be above 0 on a logarithmic scale"));
        let points = match points.map(str::parse::<usize>) {
            None => None,
            Some(Ok(points)) if points >= 2 => Some(points),
            Some(_) => return Err(refuse("N must be a whole number of at least 2")),
        };
        // A number may stand for a list with one element or for a column's name: such a setting has no range.
        let is_number = |value: Value| matches!(value, Value::Integer(_) | Value::Float(_));
        let takes = |value: Value| accepted(base, key, &value).is_ok_and(is_number);
        let whole = !takes(Value::Float(0.5));
        ensure!(!whole || takes(Value::Integer(1)), refuse("it takes no numbers, so list its values"));
        if whole && (low.fract() != 0.0 || high.fract() != 0.0 || low.abs().max(high.abs()) > 1e15) {
            return Err(refuse("it takes whole numbers, so LOW and HIGH must be whole"));
        }
        let range = Self { scale, low, high, points, whole };
        for bound in [low, high] {
            accepted(base, key, &range.value(bound))?;
        }
        Ok(range)
    }

    /// The number as a value of the setting.
    #[allow(clippy::cast_possible_truncation)] // saturates; bounds are below 1e15
    fn value(&self, number: f64) -> Value {
        if self.whole { Value::Integer(number.round() as i64) } else { Value::Float(number) }
    }

    /// Its points; no grid has more than `most`. Points between the bounds have ten significant digits.
    pub(super) fn grid(&self, key: &str, most: usize) -> Result<Vec<Value>> {
        let Some(points) = self.points else {
            return Err(Error::configuration(format!(
                "{key} from {} to {} needs its number of points for a grid, as in lin:LOW:HIGH:N",
                self.low, self.high
            )));
        };
        let points = points.min(most + 1); // larger grids are refused, so not built
        let mut values = Vec::with_capacity(points);
        for index in 0..points {
            let share = index as f64 / (points - 1) as f64;
            let number = match self.scale {
                _ if index == 0 => self.low,
                _ if index + 1 == points => self.high,
                Scale::Linear => short(self.low + (self.high - self.low) * share),
                Scale::Log => short((self.low.ln() + (self.high / self.low).ln() * share).exp()),
            };
            let value = self.value(number);
            if values.last() == Some(&value) {
                return Err(Error::configuration(format!(
                    "{key} from {} to {} has fewer than {points} different values at that spacing; take fewer points",
                    self.low, self.high
                )));
            }
            values.push(value);
        }
        Ok(values)
    }

    /// A number between the bounds. On a logarithmic scale, whole numbers are rounded from a range that is half a
    /// unit wider on both sides, so that the bounds are drawn as often as their neighbours.
    pub(super) fn draw(&self, random: &mut RandomState) -> Value {
        let margin = if self.whole { 0.5 } else { 0.0 };
        let (low, high) = (self.low - margin, self.high + margin);
        let number = match self.scale {
            Scale::Linear => random.uniform(low, high),
            Scale::Log => random.uniform(low.ln(), high.ln()).exp(),
        };
        let number = if self.whole { number.round() } else { number };
        self.value(number.clamp(self.low, self.high))
    }
}

/// The value as the setting stores it: 1 becomes 1.0 if it takes fractions.
pub(super) fn accepted(base: &TrainingConfig, key: &str, value: &Value) -> Result<Value> {
    let mut config = base.clone();
    config.set(&Assignment { key: key.to_owned(), value: value.clone() })?;
    config.get(key).ok_or_else(|| Error::configuration(format!("there is no setting {key}")))
}

/// The number with ten significant digits: 0.3 for 0.30000000000000004.
fn short(number: f64) -> f64 {
    format!("{number:.9e}").parse().unwrap_or(number)
}
