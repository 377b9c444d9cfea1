//! What a setting does to the score: its values along the horizontal axis, means with error bars above them.

use toml::Value;

use crate::report::axis::{Axis, Reads, range};
use crate::report::summary::capital;
use crate::sweep::{Dimension, Measure, Names, Plan, Row, Scale, Stat, Table, Values, label};

/// A second setting with no more values than this has a curve for each.
const MOST_CURVES: usize = 6;
/// A setting whose values are words or lists is drawn if it has no more of them than this.
const MOST_NAMES: usize = 8;
/// Positive numbers whose largest is this many times the smallest are drawn on a logarithmic scale.
const WIDE: f64 = 20.0;
/// The setting that is drawn first.
const FIRST: &str = "model.keep";

/// A mean over one value of the setting.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    /// Where, in units of the axis.
    pub x: f64,
    /// The value, for people.
    pub value: String,
    /// The mean, and the deviation that its bar shows.
    pub stat: Stat,
}

/// Marks of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    /// What it is; empty where there is no other.
    pub name: String,
    /// By their place.
    pub marks: Vec<Mark>,
}

/// What a setting does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Effect {
    /// The setting.
    pub key: String,
    /// What the axes say.
    pub x_text: String,
    pub y_text: &'static str,
    /// Axes.
    pub x: Axis,
    pub y: Axis,
    /// Curves.
    pub curves: Vec<Curve>,
    /// Whether marks are joined by lines: where values have an order and are not drawn at random.
    pub joined: bool,
    /// What means and bars are over.
    pub caption: String,
}

/// How the values of a setting lie along an axis.
pub(super) struct Places {
    /// Its axis.
    pub axis: Axis,
    /// Whether the axis is logarithmic.
    pub logarithmic: bool,
    /// Names of values that are no numbers, in their order.
    names: Option<Vec<Value>>,
}

impl Places {
    /// The places of one setting's values, given in the order of their first use.
    pub(super) fn new(dimension: &Dimension, values: &[Value]) -> Self {
        let numbers: Option<Vec<f64>> = values.iter().map(number).collect();
        let Some(numbers) = numbers else {
            let axis = Axis::places(values.iter().map(label));
            return Self { axis, logarithmic: false, names: Some(values.to_vec()) };
        };
        let (low, high) = range(numbers.iter().copied()).unwrap_or_default();
        let logarithmic = match &dimension.values {
            Values::Range(range) => range.scale == Scale::Log,
            Values::List(_) => low > 0.0 && high / low >= WIDE,
        };
        let scaled = |v: f64| if logarithmic { v.log10() } else { v };
        let axis = match own_ticks(&dimension.values, values, &numbers, scaled) {
            Some(axis) => Axis { reads: if logarithmic { Reads::Log } else { Reads::Number }, ..axis },
            None if logarithmic => Axis::log_losses(numbers.iter().map(|v| v.log10())),
            None => Axis::plain(numbers.into_iter()),
        };
        Self { axis, logarithmic, names: None }
    }

    /// Where a value is, in units of the axis.
    pub(super) fn place(&self, value: &Value) -> Option<f64> {
        match &self.names {
            Some(names) => names.iter().position(|name| name == value).map(|place| place as f64),
            None => number(value).map(|v| if self.logarithmic { v.log10() } else { v }),
        }
    }

    fn is_numeric(&self) -> bool {
        self.names.is_none()
    }
}

/// An axis with a tick at each value of a grid, where they are few and lie apart.
fn own_ticks(kind: &Values, values: &[Value], numbers: &[f64], scaled: impl Fn(f64) -> f64) -> Option<Axis> {
    const MOST: usize = 8;
    if values.len() > MOST
        || values.len() < 2
        || matches!(kind, Values::Range(range) if range.points.is_none())
    {
        return None;
    }
    let mut ticks: Vec<(f64, String)> =
        numbers.iter().zip(values).map(|(&v, value)| (scaled(v), label(value))).collect();
    ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (low, high) = (ticks.first()?.0, ticks.last()?.0);
    let span = high - low;
    let apart = ticks.windows(2).all(|pair| pair[1].0 - pair[0].0 > 0.08 * span);
    let (low, high) = (low - 0.06 * span, high + 0.06 * span);
    apart.then_some(Axis { low, high, ticks, reads: Reads::Number })
}

fn number(value: &Value) -> Option<f64> {
    value
        .as_float()
        .or_else(|| value.as_integer().map(|whole| whole as f64))
        .filter(|number| number.is_finite())
}

/// The different values of a column, in the plan's order.
pub(super) fn distinct(plan: &Plan, column: usize) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    for value in plan.points.iter().filter_map(|point| point.values.get(column)) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    values
}

/// The axis of a score.
pub(super) fn score_axis(measure: Measure, values: impl Iterator<Item = f64>) -> Axis {
    match measure {
        Measure::Accuracy => Axis::accuracies(values),
        Measure::R2 => Axis::plain(values),
    }
}

/// The file of the picture.
pub(super) fn picture_name(measure: Measure) -> &'static str {
    match measure {
        Measure::Accuracy => "accuracy.png",
        Measure::R2 => "r2.png",
    }
}

/// What a setting is called in a picture: "keep probability", "learning rate".
pub(super) fn spoken(key: &str) -> String {
    match key {
        FIRST => "keep probability".to_owned(),
        "model.input_keep" => "keep probability of inputs".to_owned(),
        "model.hidden" => "hidden layers".to_owned(),
        "optim.rule" => "optimiser".to_owned(),
        _ => Names::new(&[key.to_owned()]).all().concat(),
    }
}

/// What the score is called on an axis.
pub(super) fn score_text(measure: Measure) -> &'static str {
    match measure {
        Measure::Accuracy => "Validation accuracy",
        Measure::R2 => "Validation R squared",
    }
}

impl Effect {
    /// The effects of all settings that are varied: keep probability first, the others in their order. Settings of many words
    /// or lists, and sweeps without figures, have none.
    pub(super) fn all(plan: &Plan, table: &Table) -> Vec<Self> {
        let mut columns: Vec<usize> = (0..table.keys.len()).collect();
        columns.sort_by_key(|&column| table.keys[column] != FIRST);
        columns.into_iter().filter_map(|column| Self::of(plan, table, column)).collect()
    }

    fn of(plan: &Plan, table: &Table, column: usize) -> Option<Self> {
        let dimension = plan.space.dimensions.get(column)?;
        let values = distinct(plan, column);
        if values.len() < 2 {
            return None;
        }
        let places = Places::new(dimension, &values);
        if !places.is_numeric() && values.len() > MOST_NAMES {
            return None;
        }
        let rows: Vec<&Row> = table.rows.iter().filter(|row| row.best.is_some()).collect();
        if rows.is_empty() {
            return None;
        }
        let others: Vec<usize> = (0..table.keys.len())
            .filter(|&other| other != column && distinct(plan, other).len() > 1)
            .collect();
        let drawn = plan.config.random.is_some() && matches!(dimension.values, Values::Range(_));
        let (curves, over) = curves(plan, table, &rows, column, &others, &places, drawn);
        let caption = match (over, plan.config.seeds) {
            (Over::Seeds, 1) => "One seed a point, so there are no bars.".to_owned(),
            (Over::Seeds, seeds) => format!("Bars: one standard deviation over {seeds} seeds."),
            (Over::Others, 1) => "Bars: one standard deviation over the other settings.".to_owned(),
            (Over::Others, seeds) => format!(
                "Bars: one standard deviation, of the mean over the other settings, of the best over {seeds} seeds."
            ),
        };
        let ends = curves.iter().flat_map(|curve| &curve.marks).flat_map(|mark| {
            let sd = mark.stat.sd.unwrap_or(0.0);
            [mark.stat.mean - sd, mark.stat.mean + sd]
        });
        Some(Self {
            key: dimension.key.clone(),
            x_text: format!(
                "{}{}",
                capital(&spoken(&dimension.key)),
                if places.logarithmic { " (log scale)" } else { "" }
            ),
            y_text: score_text(table.measure),
            y: score_axis(table.measure, ends),
            joined: places.is_numeric() && !drawn,
            x: places.axis,
            curves,
            caption,
        })
    }

    /// The plot for who cannot see it.
    pub(super) fn words(&self, table: &Table) -> String {
        const MOST: usize = 12;
        let curves = self.curves.iter().map(|curve| {
            let marks = curve
                .marks
                .iter()
                .take(MOST)
                .map(|mark| format!("{} at {}", table.score(Some(mark.stat)), mark.value));
            let more = if curve.marks.len() > MOST { ", and so on" } else { "" };
            let name = if curve.name.is_empty() { String::new() } else { format!("{}: ", curve.name) };
            format!("{name}{}{more}", marks.collect::<Vec<_>>().join(", "))
        });
        format!("{} over {}: {}.", self.y_text, self.key, curves.collect::<Vec<_>>().join("; "))
    }
}

/// What error bars are over.
enum Over {
    Seeds,
    Others,
}

/// One curve; or one for each value of a second setting that has few; or the mean over all other settings and the best of them.
fn curves(
    plan: &Plan,
    table: &Table,
    rows: &[&Row],
    column: usize,
    others: &[usize],
    places: &Places,
    drawn: bool,
) -> (Vec<Curve>, Over) {
    if let &[other] = others {
        let seconds = distinct(plan, other);
        if seconds.len() <= MOST_CURVES {
            let curve = |value: &Value| {
                let own: Vec<&Row> = rows.iter().filter(|row| row.values[other] == *value).copied().collect();
                Curve {
                    name: format!("{}={}", table.keys[other], label(value)),
                    marks: marks(&own, column, places, drawn, single),
                }
            };
            return (seconds.iter().map(curve).collect(), Over::Seeds);
        }
    }
    let best = marks(rows, column, places, drawn, single);
    let mean = marks(rows, column, places, drawn, |group| match group {
        [_] => single(group),
        _ => Stat::of(group.iter().filter_map(|row| row.best).map(|best| best.mean)),
    });
    if others.is_empty() || best == mean {
        return (vec![Curve { name: String::new(), marks: best }], Over::Seeds);
    }
    let curve = |name: &str, marks| Curve { name: name.to_owned(), marks };
    (
        vec![curve("mean over the other settings", mean), curve("best of the other settings", best)],
        Over::Others,
    )
}

/// The best of a group, rows being sorted.
fn single(group: &[&Row]) -> Option<Stat> {
    group.first().and_then(|row| row.best)
}

/// A mark for each value, from left to right; for each point where values are drawn at random.
fn marks(
    rows: &[&Row],
    column: usize,
    places: &Places,
    drawn: bool,
    stat: impl Fn(&[&Row]) -> Option<Stat>,
) -> Vec<Mark> {
    let mut placed: Vec<(f64, &Row)> =
        rows.iter().filter_map(|row| Some((places.place(row.values.get(column)?)?, *row))).collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0)); // stable: the best of a group stays first
    placed
        .chunk_by(|a, b| !drawn && a.0.total_cmp(&b.0).is_eq())
        .filter_map(|group| {
            let rows: Vec<&Row> = group.iter().map(|(_, row)| *row).collect();
            let (x, first) = *group.first()?;
            Some(Mark { x, value: label(first.values.get(column)?), stat: stat(&rows)? })
        })
        .collect()
}
