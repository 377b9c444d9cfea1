//! The search space: settings that are varied, and their values.

use toml::Value;

use super::range::{Range, Scale, accepted};
use crate::error::{Error, Result, ensure};
use crate::random::RandomState;
use crate::text::joined;
use crate::training::{Assignment, TrainingConfig};

/// The maximum number of runs in a sweep.
pub const MAX_RUNS: usize = 10_000;

/// Draws per requested point before a space counts as exhausted: all of 10,000 points are found in about 10 draws
/// each.
const MOST_DRAWS: usize = 100;

/// The values of a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// A list of values.
    List(Vec<Value>),
    /// Numbers between bounds.
    Range(Range),
}

/// A setting that is varied.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// Its key: `model.keep`.
    pub key: String,
    /// Its values.
    pub values: Values,
}

/// Settings that are varied, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Space {
    /// One for each key.
    pub dimensions: Vec<Dimension>,
}

impl Space {
    /// Parses texts `KEY=VALUES`. VALUES is
    ///
    /// - a list, `0.25,0.5,1`; commas within brackets or quotes belong to a value: `model.hidden=[100],[200,200]`;
    /// - `lin:LOW:HIGH:N` or `log:LOW:HIGH:N`: N points from LOW to HIGH with equal differences or equal ratios. N
    ///   may be omitted if points are drawn at random.
    ///
    /// `base` must accept each value alone; [`Plan`](super::Plan) checks combinations.
    ///
    /// # Errors
    /// [`Error::Configuration`] for an unknown key (with the nearest one) or one that cannot be varied, a key or a
    /// value that is given twice, a value of the wrong type, and an invalid range.
    ///
    /// ```
    /// use thinnet::{sweep::Space, training::TrainingConfig};
    /// let texts = ["model.keep=0.5,1".to_owned(), "optim.learning_rate=log:1e-4:1e-2:3".to_owned()];
    /// let space = Space::parse(&texts, &TrainingConfig::default())?;
    /// assert_eq!(space.grid(100)?.len(), 6);
    /// # Ok::<(), thinnet::Error>(())
    /// ```
    pub fn parse(texts: &[String], base: &TrainingConfig) -> Result<Self> {
        let mut dimensions: Vec<Dimension> = Vec::with_capacity(texts.len());
        for text in texts {
            let dimension = Dimension::parse(text, base)?;
            ensure!(dimensions.iter().all(|other| other.key != dimension.key), twice(&dimension.key));
            dimensions.push(dimension);
        }
        Ok(Self { dimensions })
    }

    /// The assignment in a text that gives a setting a single value.
    pub(super) fn single(text: &str, base: &TrainingConfig) -> Result<Option<Assignment>> {
        let assignment: Assignment = text.parse()?;
        let (key, values) = (&assignment.key, text.split_once('=').map_or("", |(_, values)| values.trim()));
        let is_range = ["lin:", "log:"].iter().any(|word| values.starts_with(word));
        if is_range || parts(key, values)?.len() > 1 {
            return Ok(None);
        }
        accepted(base, key, &assignment.value)?;
        Ok(Some(assignment))
    }

    /// The keys, in order.
    pub fn keys(&self) -> Vec<String> {
        self.dimensions.iter().map(|dimension| dimension.key.clone()).collect()
    }

    /// All combinations, the last setting changing fastest; a value for each key.
    ///
    /// # Errors
    /// [`Error::Configuration`] if there are more than `most`, and for a range without its number of points.
    pub fn grid(&self, most: usize) -> Result<Vec<Vec<Value>>> {
        let values: Vec<Vec<Value>> = self.dimensions.iter().map(Dimension::grid).collect::<Result<_>>()?;
        let count = values.iter().fold(1usize, |count, values| count.saturating_mul(values.len()));
        if count > most {
            let sizes = joined(values.iter().map(Vec::len), " * ");
            let count = if count == usize::MAX { String::new() } else { format!(" = {count}") };
            return Err(Error::configuration(format!(
                "the grid has {sizes}{count} points, but {most} are the maximum; leave some out, or draw points at random"
            )));
        }
        let mut points = vec![Vec::new()];
        for values in &values {
            points = points
                .into_iter()
                .flat_map(|point| {
                    values.iter().map(move |value| [&point[..], std::slice::from_ref(value)].concat())
                })
                .collect();
        }
        Ok(points)
    }

    /// `count` different points drawn at random from NumPy's stream: from a list each value with the same
    /// probability, from a range uniform or log-uniform numbers; point by point, and setting by setting in order.
    ///
    /// # Errors
    /// [`Error::Configuration`] if the space has fewer points.
    pub fn draw(&self, count: usize, seed: u32) -> Result<Vec<Vec<Value>>> {
        let size = self.dimensions.iter().fold(1.0, |size, dimension| size * dimension.size());
        let too_few = || {
            Error::configuration(format!(
                "the space has {size} points, so {count} different ones cannot be drawn"
            ))
        };
        ensure!(count as f64 <= size, too_few());
        let mut random = RandomState::new(seed);
        let mut points: Vec<Vec<Value>> = Vec::with_capacity(count);
        let mut known = std::collections::HashSet::new();
        for _ in 0..count.saturating_mul(MOST_DRAWS) {
            if points.len() == count {
                break;
            }
            let point: Vec<Value> =
                self.dimensions.iter().map(|dimension| dimension.draw(&mut random)).collect::<Result<_>>()?;
            // Floats are compared by their shortest text, which reads back as the same float.
            if known.insert(Value::Array(point.clone()).to_string()) {
                points.push(point);
            }
        }
        if points.len() < count { Err(too_few()) } else { Ok(points) }
    }
}

impl Dimension {
    fn parse(text: &str, base: &TrainingConfig) -> Result<Self> {
        let key = text.parse::<Assignment>()?.key;
        let values = text.split_once('=').map_or("", |(_, values)| values.trim());
        let reserved = match key.as_str() {
            "train.seed" => Some("each point is trained with several seeds anyway; give their number"),
            "model.from" => Some("networks of a sweep begin with drawn weights"),
            "model.task" => Some("figures of classification and regression cannot be compared"),
            "train.members" => Some("vary the other settings, and train an ensemble with the best of them"),
            _ => None,
        };
        if let Some(reason) = reserved {
            return Err(Error::configuration(format!("{key} cannot be varied: {reason}")));
        }
        for (word, scale) in [("lin:", Scale::Linear), ("log:", Scale::Log)] {
            if let Some(bounds) = values.strip_prefix(word) {
                let range = Range::parse(&key, scale, bounds, base)?;
                return Ok(Self { key, values: Values::Range(range) });
            }
        }
        let mut list: Vec<Value> = Vec::new();
        for part in parts(&key, values)? {
            let value = accepted(base, &key, &format!("{key}={part}").parse::<Assignment>()?.value)?;
            if list.contains(&value) {
                return Err(Error::configuration(format!(
                    "{key}={values}: {} is there twice",
                    label(&value)
                )));
            }
            list.push(value);
        }
        Ok(Self { key, values: Values::List(list) })
    }

    /// The values for a grid.
    fn grid(&self) -> Result<Vec<Value>> {
        match &self.values {
            Values::List(values) => Ok(values.clone()),
            Values::Range(range) => range.grid(&self.key, MAX_RUNS),
        }
    }

    /// How many different values there are.
    fn size(&self) -> f64 {
        match &self.values {
            Values::List(values) => values.len() as f64,
            Values::Range(range) if range.whole => range.high - range.low + 1.0,
            Values::Range(_) => f64::INFINITY,
        }
    }

    fn draw(&self, random: &mut RandomState) -> Result<Value> {
        match &self.values {
            Values::List(values) => {
                let chosen = random.choice(values.len(), 1)?;
                let value = chosen.first().and_then(|&index| values.get(index));
                value.cloned().ok_or_else(|| Error::configuration(format!("{} has no values", self.key)))
            }
            Values::Range(range) => Ok(range.draw(random)),
        }
    }
}

/// A key that is given more than once.
pub(super) fn twice(key: &str) -> Error {
    Error::configuration(format!("{key} is given twice; give all its values at once, separated by commas"))
}

/// The values of a list: separated by commas outside brackets and quotes.
fn parts<'a>(key: &str, text: &'a str) -> Result<Vec<&'a str>> {
    let refuse = |reason: &str| Error::configuration(format!("{key}={text}: {reason}"));
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0usize, None);
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match (quote, letter) {
            (Some('"'), '\\') => escaped = true,
            (Some(open), _) => quote = (letter != open).then_some(open),
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => {
                depth =
                    depth.checked_sub(1).ok_or_else(|| refuse("a bracket is closed that was not opened"))?;
            }
            (None, ',') if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    ensure!(depth == 0 && quote.is_none(), refuse("a bracket or quote is opened and not closed"));
    parts.push(text[start..].trim());
    ensure!(!parts.iter().any(|part| part.is_empty()), refuse("a value is missing"));
    Ok(parts)
}

/// A value for display: words without quotes, fractions with four significant digits.
pub fn label(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Float(number) => fraction(*number),
        Value::Array(values) => format!("[{}]", joined(values.iter().map(label), ", ")),
        other => other.to_string(),
    }
}

fn fraction(number: f64) -> String {
    let rounded: f64 = format!("{number:.3e}").parse().unwrap_or(number);
    if rounded == 0.0 || (1e-4..1e6).contains(&rounded.abs()) {
        rounded.to_string()
    } else {
        format!("{rounded:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(texts: &[&str]) -> Result<Space> {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        Space::parse(&texts, &TrainingConfig::default())
    }

    fn refused(texts: &[&str]) -> String {
        let text = space(texts).and_then(|space| space.grid(10_000)).unwrap_err().to_string();
        assert!(!text.contains('\n'), "{text}");
        text
    }

    /// The only setting's grid, as text.
    fn grid(text: &str) -> String {
        let points = space(&[text]).unwrap().grid(10_000).unwrap();
        points.iter().map(|point| point[0].to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lists_part_at_commas_outside_brackets_and_quotes() {
        assert_eq!(grid("model.keep=0.25, 0.5,1"), "0.25 0.5 1.0");
        assert_eq!(grid("model.keep=0.5,[0.5, 0.25]"), "0.5 [0.5, 0.25]");
        assert_eq!(grid("model.hidden=[100],[200,200],[]"), "[100] [200, 200] []");
        assert_eq!(grid("optim.max_norm=none,3"), r#""none" 3.0"#);
        assert_eq!(grid(r#"data.path="a,b",c"#), r#""a,b" "c""#);
        assert_eq!(grid(r#"data.path="a\"],b",'c\'"#), r#"'a"],b' 'c\'"#);
        assert_eq!(grid("optim.rule=adam,sgd"), r#""adam" "sgd""#);
        assert_eq!(grid("train.batch_size=50"), "50");
    }

    #[test]
    fn ranges_include_their_bounds_and_whole_numbers_stay_whole() {
        assert_eq!(grid("model.keep=lin:0.1:0.9:5"), "0.1 0.3 0.5 0.7 0.9");
        assert_eq!(grid("optim.learning_rate=log:1e-4:1e-1:4"), "0.0001 0.001 0.01 0.1");
        assert_eq!(grid("train.batch_size=log:10:1000:3"), "10 100 1000");
        assert_eq!(grid("train.epochs=lin:1:10:4"), "1 4 7 10");
        assert_eq!(grid("train.patience=lin:2:4:3"), "2 3 4"); // a whole number or a word
    }

    #[test]
    fn a_grid_has_all_combinations_in_the_order_given() {
        let points = space(&["train.epochs=1,2", "model.keep=0.5,1"]).unwrap().grid(4).unwrap();
        let shown: Vec<String> = points.iter().map(|p| format!("{} {}", p[0], p[1])).collect();
        assert_eq!(shown, ["1 0.5", "1 1.0", "2 0.5", "2 1.0"]);
        assert_eq!(space(&[]).unwrap().grid(1).unwrap(), [Vec::<Value>::new()]);
    }

    #[test]
    fn what_makes_no_space_is_refused_with_its_reason() {
        for (texts, says) in [
            (&["model.keeep=0.5"][..], "did you mean model.keep?"),
            (&["model.keep"], "KEY=VALUE"),
            (&["model.keep=0.5", "model.keep=1"], "model.keep is given twice"),
            (&["model.keep=1,0.5,1.0"], "1 is there twice"),
            (&["model.keep=0.5,"], "a value is missing"),
            (&["model.keep="], "a value is missing"),
            (&["model.keep=[0.5,1"], "opened and not closed"),
            (&["model.keep=0.5],1"], "closed that was not opened"),
            (&["model.keep=0.5,often"], "model.keep = \"often\""),
            (&["train.epochs=1.5"], "train.epochs = 1.5"),
            (&["train.seed=1,2"], "train.seed cannot be varied"),
            (&["model.task=classification,regression"], "model.task cannot be varied"),
            (&["model.keep=lin:0.1:0.9"], "needs its number of points"),
            (&["model.keep=lin:0.1"], "a range is LOW:HIGH:N"),
            (&["model.keep=lin:0.1:0.9:5:6"], "a range is LOW:HIGH:N"),
            (&["model.keep=lin:low:0.9:5"], "must be finite numbers"),
            (&["model.keep=lin:0:inf:5"], "must be finite numbers"),
            (&["model.keep=lin:0.9:0.1:5"], "LOW must be below HIGH"),
            (&["model.keep=lin:0.1:0.9:1"], "at least 2"),
            (&["model.keep=lin:0.1:0.9:-3"], "at least 2"),
            (&["optim.learning_rate=log:0:1:5"], "above 0"),
            (&["model.hidden=lin:10:100:5"], "takes no numbers"),
            (&["optim.rule=lin:0:1:5"], "takes no numbers"),
            (&["train.epochs=lin:1.5:3:2"], "must be whole"),
            (&["train.epochs=lin:-5:3:2"], "train.epochs = -5"),
            (&["train.epochs=lin:1:3:5"], "take fewer points"),
            (&["model.keep=lin:0.1:0.9:20000"], "10000 are the maximum"),
            (&["model.keep=lin:0.1:0.9:200", "train.epochs=lin:1:100:100"], "200 * 100 = 20000 points"),
        ] {
            let text = refused(texts);
            assert!(text.contains(says), "{texts:?}: {text}");
        }
    }

    #[test]
    fn draws_are_repeatable_different_and_within_bounds() {
        let space = space(&[
            "optim.learning_rate=log:1e-4:1e-1",
            "model.keep=lin:0.2:0.9:3",
            "train.batch_size=log:1:64",
            "train.epochs=lin:3:5",
            "optim.rule=adam,sgd",
        ])
        .unwrap();
        let points = space.draw(2000, 7).unwrap();
        assert_eq!(points, space.draw(2000, 7).unwrap());
        assert_ne!(points, space.draw(2000, 8).unwrap());
        assert_eq!(points[..10], space.draw(10, 7).unwrap()); // more draws begin with the same ones
        let column = |index: usize| points.iter().map(move |point| point[index].clone());
        let floats = |index: usize| -> Vec<f64> { column(index).map(|v| v.as_float().unwrap()).collect() };
        let whole = |index: usize| -> Vec<i64> { column(index).map(|v| v.as_integer().unwrap()).collect() };
        let share = |hits: usize| hits as f64 / 2000.0;
        let (rates, keeps, batches, epochs) = (floats(0), floats(1), whole(2), whole(3));
        assert!(rates.iter().all(|rate| (1e-4..=1e-1).contains(rate)));
        assert!(keeps.iter().all(|keep| (0.2..=0.9).contains(keep)));
        assert!(batches.iter().all(|size| (1..=64).contains(size)));
        // A third of the rates lies in each decade; the standard deviation of such a share is 0.011.
        for decade in [1e-4, 1e-3, 1e-2] {
            let hits = rates.iter().filter(|rate| (decade..10.0 * decade).contains(*rate)).count();
            assert!((share(hits) - 1.0 / 3.0).abs() < 0.05, "{decade}: {hits}");
        }
        let low = keeps.iter().filter(|keep| **keep < 0.55).count();
        assert!((share(low) - 0.5).abs() < 0.05, "{low}");
        for epoch in 3..=5 {
            let hits = epochs.iter().filter(|e| **e == epoch).count();
            assert!((share(hits) - 1.0 / 3.0).abs() < 0.05, "{epoch}: {hits}");
        }
        // The share of 1 is ln(1.5 / 0.5) / ln(64.5 / 0.5) = 0.226.
        let ones = batches.iter().filter(|size| **size == 1).count();
        assert!((share(ones) - 0.226).abs() < 0.05, "{ones}");
        let adam = column(4).filter(|rule| rule.as_str() == Some("adam")).count();
        assert!((share(adam) - 0.5).abs() < 0.05, "{adam}");
    }

    #[test]
    fn a_space_of_few_points_gives_each_once_and_no_more() {
        let small = space(&["model.keep=0.5,1", "train.epochs=lin:1:3"]).unwrap();
        let mut points: Vec<String> =
            small.draw(6, 0).unwrap().iter().map(|p| format!("{} {}", p[0], p[1])).collect();
        points.sort();
        assert_eq!(points, ["0.5 1", "0.5 2", "0.5 3", "1.0 1", "1.0 2", "1.0 3"]);
        let text = small.draw(7, 0).unwrap_err().to_string();
        assert_eq!(text, "the space has 6 points, so 7 different ones cannot be drawn");
    }

    #[test]
    fn labels_are_short() {
        let floats = [0.25, 1.0, 0.000_348_172_3, 1e-5, 123_456.0, 0.0].map(|v| label(&Value::Float(v)));
        assert_eq!(floats, ["0.25", "1", "0.0003482", "1e-5", "123500", "0"]);
        assert_eq!(label(&"adam".into()), "adam");
        assert_eq!(label(&vec![200, 100].into()), "[200, 100]");
    }
}
