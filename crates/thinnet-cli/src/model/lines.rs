//! Formats predictions as lines of CSV or JSON.

use std::fmt::Write;

use ndarray::{ArrayView1, ArrayView2};
use serde_json::{Map, Value, json};
use thinnet::Float;

/// What is printed for a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// Its most probable class.
    Class,
    /// This many of the most probable classes.
    Top(usize),
    /// The probabilities of all classes.
    All,
    /// The numbers of a regression.
    Numbers,
}

/// Formats predictions.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    show: Show,
    json: bool,
    names: &'a [String],
}

impl<'a> Lines<'a> {
    /// - `names`: the names of the classes by label, or of the targets by column
    pub(crate) fn new(show: Show, json: bool, names: &'a [String]) -> Self {
        Self { show, json, names }
    }

    /// The line with the names of the columns; empty if each line has them.
    pub(crate) fn head(&self) -> String {
        let names = || self.names.iter().map(|name| field(name)).collect::<Vec<_>>().join(",");
        match self.show {
            _ if self.json => String::new(),
            Show::Class => "sample,class,probability\n".to_owned(),
            Show::Top(_) => "sample,rank,class,probability\n".to_owned(),
            Show::All | Show::Numbers => format!("sample,{}\n", names()),
        }
    }

    /// The lines of samples with predictions in the rows of `values`; their numbers count from `first`.
    pub(crate) fn of<F: Float>(&self, first: usize, values: ArrayView2<'_, F>) -> String {
        let mut text = String::new();
        for (row, sample) in values.rows().into_iter().zip(first..) {
            if self.json {
                let _ = writeln!(text, "{}", self.object(sample, row));
            } else {
                self.record(sample, row, &mut text);
            }
        }
        text
    }

    fn record<F: Float>(&self, sample: usize, row: ArrayView1<'_, F>, text: &mut String) {
        let _ = match self.show {
            Show::Class => best(row, 1).try_for_each(|class| {
                writeln!(text, "{sample},{},{}", field(&self.names[class]), row[class])
            }),
            Show::Top(count) => (1..).zip(best(row, count)).try_for_each(|(rank, class)| {
                writeln!(text, "{sample},{rank},{},{}", field(&self.names[class]), row[class])
            }),
            Show::All | Show::Numbers => write!(text, "{sample}")
                .and_then(|()| row.iter().try_for_each(|value| write!(text, ",{value}")))
                .and_then(|()| writeln!(text)),
        };
    }

    fn object<F: Float>(&self, sample: usize, row: ArrayView1<'_, F>) -> Value {
        let class = |class: usize| json!({"class": self.names[class], "probability": number(row[class])});
        let all = || {
            let pairs = self.names.iter().zip(row).map(|(name, &value)| (name.clone(), number(value)));
            Value::Object(pairs.collect::<Map<_, _>>())
        };
        match self.show {
            Show::Class => {
                let class = best(row, 1).next().unwrap_or(0);
                json!({"sample": sample, "class": self.names[class], "probability": number(row[class])})
            }
            Show::Top(count) => {
                json!({"sample": sample, "classes": best(row, count).map(class).collect::<Vec<_>>()})
            }
            Show::All => json!({"sample": sample, "probabilities": all()}),
            Show::Numbers => json!({"sample": sample, "targets": all()}),
        }
    }
}

/// The places of the largest numbers, largest first; of equal ones the first.
fn best<F: Float>(row: ArrayView1<'_, F>, count: usize) -> impl Iterator<Item = usize> {
    let mut places: Vec<usize> = (0..row.len()).collect();
    if count == 1 {
        places = vec![thinnet::layers::argmax(row)];
    } else {
        places.sort_by(|&one, &other| row[other].as_f64().total_cmp(&row[one].as_f64()));
    }
    places.into_iter().take(count)
}

/// The number with as few digits as distinguish it from other numbers of its type.
fn number<F: Float>(value: F) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// A field of CSV (RFC 4180), in quotes if necessary.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn every_form_has_its_lines() {
        let names = ["cat".to_owned(), "a \"big\", dog".to_owned(), "owl".to_owned()];
        let values = array![[0.1f32, 0.7, 0.2], [0.4, 0.2, 0.4]];
        let text = |show, json| {
            let lines = Lines::new(show, json, &names);
            lines.head() + &lines.of(5, values.view())
        };
        assert_eq!(
            text(Show::Class, false),
            "sample,class,probability\n5,\"a \"\"big\"\", dog\",0.7\n6,cat,0.4\n"
        );
        assert_eq!(
            text(Show::Top(2), false),
            "sample,rank,class,probability\n5,1,\"a \"\"big\"\", dog\",0.7\n5,2,owl,0.2\n6,1,cat,0.4\n6,2,owl,0.4\n"
        );
        let all = "sample,cat,\"a \"\"big\"\", dog\",owl\n5,0.1,0.7,0.2\n6,0.4,0.2,0.4\n";
        assert_eq!((text(Show::All, false), text(Show::Numbers, false)), (all.to_owned(), all.to_owned()));
        let json = |show| -> Vec<Value> {
            text(show, true).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        assert_eq!(json(Show::Class)[1], json!({"sample": 6, "class": "cat", "probability": 0.4}));
        let top = json!([{"class": "cat", "probability": 0.4}, {"class": "owl", "probability": 0.4}]);
        assert_eq!(json(Show::Top(2))[1], json!({"sample": 6, "classes": top}));
        let all = json!({"cat": 0.4, "a \"big\", dog": 0.2, "owl": 0.4});
        assert_eq!(json(Show::All)[1], json!({"sample": 6, "probabilities": all}));
        assert_eq!(json(Show::Numbers)[1], json!({"sample": 6, "targets": all}));
    }
}
