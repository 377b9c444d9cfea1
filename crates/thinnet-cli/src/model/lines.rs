//! Formats predictions as lines of CSV or JSON.

use std::fmt::Write;

use ndarray::{ArrayView1, ArrayView2, Axis};
use serde_json::{Map, Value, json};
use thinnet::Float;
use thinnet::model::prediction_set;

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
    /// Whether predictions are those over dropout masks: the values, then their standard deviations, then for classes
    /// entropy and mutual information.
    masked: bool,
    /// How far the sets of classes reach that are printed instead of classes. Of numbers, their values are followed by
    /// all lower and then all upper ends of intervals.
    radius: Option<f64>,
}

/// The names of what follows the standard deviations of classes.
const DOUBTS: [&str; 2] = ["entropy", "mutual_information"];

impl<'a> Lines<'a> {
    /// - `names`: the names of the classes by label, or of the targets by column
    pub(crate) fn new(show: Show, json: bool, names: &'a [String]) -> Self {
        Self { show, json, names, masked: false, radius: None }
    }

    /// The same for predictions over dropout masks.
    pub(crate) fn masked(self) -> Self {
        Self { masked: true, ..self }
    }

    /// Prints sets of classes that reach so far, as `Model::radii` gives them, or intervals of numbers.
    pub(crate) fn within(self, radius: f64) -> Self {
        Self { radius: Some(radius), ..self }
    }

    /// The line with the names of the columns; empty if each line has them.
    pub(crate) fn head(&self) -> String {
        if self.json {
            return String::new();
        }
        let doubts = DOUBTS.map(str::to_owned);
        let ranked = || ["rank", "class", "probability"].map(str::to_owned).to_vec();
        let mut columns = match (self.show, self.radius) {
            (Show::Numbers, Some(_)) => {
                let ends = |name: &String| [name.clone(), format!("{name} low"), format!("{name} high")];
                self.names.iter().flat_map(ends).collect()
            }
            (Show::Class, Some(_)) | (Show::Top(_), _) => ranked(),
            (Show::Class, None) => ranked().split_off(1),
            (Show::All | Show::Numbers, _) => self.names.to_vec(),
        };
        if self.masked {
            match self.show {
                Show::Class | Show::Top(_) => columns.push("std".to_owned()),
                Show::All | Show::Numbers => {
                    columns.extend(self.names.iter().map(|name| format!("{name} std")));
                }
            }
            if matches!(self.show, Show::Class | Show::All) {
                columns.extend(doubts);
            }
        }
        let columns: Vec<_> = columns.iter().map(|name| field(name)).collect();
        format!("sample,{}\n", columns.join(","))
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
        let (values, rest) = row.split_at(Axis(0), self.names.len());
        let (deviations, doubts) = rest.split_at(Axis(0), if self.masked { self.names.len() } else { 0 });
        let listed =
            |numbers: &[F]| numbers.iter().fold(String::new(), |text, number| format!("{text},{number}"));
        let of_class = |class: usize| {
            let deviation = deviations.get(class).map(|&deviation| listed(&[deviation]));
            format!("{},{}{}", field(&self.names[class]), values[class], deviation.unwrap_or_default())
        };
        let ranked = |text: &mut String, classes: Vec<usize>| {
            (1..)
                .zip(classes)
                .try_for_each(|(rank, class)| writeln!(text, "{sample},{rank},{}", of_class(class)))
        };
        let _ = match (self.show, self.radius) {
            (Show::Numbers, Some(_)) => {
                let count = values.len();
                let ends = values
                    .iter()
                    .enumerate()
                    .map(|(target, &value)| listed(&[value, row[count + target], row[2 * count + target]]));
                writeln!(text, "{sample}{}", ends.collect::<String>())
            }
            (_, Some(radius)) => match prediction_set(values.iter().copied(), radius) {
                set if set.is_empty() => writeln!(text, "{sample},,,"),
                set => ranked(text, set),
            },
            (Show::Class, None) => best(values, 1).try_for_each(|class| {
                writeln!(text, "{sample},{}{}", of_class(class), listed(&doubts.to_vec()))
            }),
            (Show::Top(count), None) => ranked(text, best(values, count).collect()),
            (Show::All | Show::Numbers, None) => writeln!(text, "{sample}{}", listed(&row.to_vec())),
        };
    }

    fn object<F: Float>(&self, sample: usize, row: ArrayView1<'_, F>) -> Value {
        let (values, rest) = row.split_at(Axis(0), self.names.len());
        let (deviations, doubts) = rest.split_at(Axis(0), if self.masked { self.names.len() } else { 0 });
        let class = |class: usize| {
            let mut object = json!({"class": self.names[class], "probability": number(values[class])});
            if let Some(&deviation) = deviations.get(class) {
                object["std"] = number(deviation);
            }
            object
        };
        let all = |values: ArrayView1<'_, F>| {
            let pairs = self.names.iter().zip(values).map(|(name, &value)| (name.clone(), number(value)));
            Value::Object(pairs.collect::<Map<_, _>>())
        };
        let mut object = match (self.show, self.radius) {
            (Show::Numbers, Some(_)) => {
                let count = values.len();
                let ends = self.names.iter().enumerate().map(|(target, name)| {
                    let ends = [row[count + target], row[2 * count + target]];
                    (name.clone(), Value::from(ends.map(number).to_vec()))
                });
                json!({"targets": all(values), "intervals": Value::Object(ends.collect::<Map<_, _>>())})
            }
            (_, Some(radius)) => {
                let set = prediction_set(values.iter().copied(), radius);
                json!({"classes": set.into_iter().map(class).collect::<Vec<_>>()})
            }
            (Show::Class, None) => class(best(values, 1).next().unwrap_or(0)),
            (Show::Top(count), None) => {
                json!({"classes": best(values, count).map(class).collect::<Vec<_>>()})
            }
            (Show::All, None) => json!({"probabilities": all(values)}),
            (Show::Numbers, None) => json!({"targets": all(values)}),
        };
        object["sample"] = sample.into();
        if self.masked && matches!(self.show, Show::All | Show::Numbers) {
            object["std"] = all(deviations);
        }
        if matches!(self.show, Show::Class | Show::All) {
            DOUBTS.iter().zip(doubts).for_each(|(name, &doubt)| object[*name] = number(doubt));
        }
        object
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
        let within = |show, json| {
            let lines = Lines::new(show, json, &names).within(0.7);
            let values = array![[0.1f32, 0.7, 0.2], [0.3, 0.3, 0.3], [0.25, 0.25, 0.25]];
            let ends = |sign: f32| &values + &(array![0.7, 0.5, 0.25] * sign);
            let all = ndarray::concatenate(Axis(1), &[values.view(), ends(-1.0).view(), ends(1.0).view()]);
            lines.head() + &lines.of(5, if show == Show::Numbers { all.unwrap() } else { values }.view())
        };
        let sets = within(Show::Class, false);
        let ends = [
            "5,1,\"a \"\"big\"\", dog\",0.7",
            "6,1,cat,0.3",
            "6,2,\"a \"\"big\"\", dog\",0.3",
            "6,3,owl,0.3",
            "7,,,",
        ];
        assert_eq!(sets.lines().skip(1).collect::<Vec<_>>(), ends);
        let last: Value = serde_json::from_str(within(Show::Class, true).lines().last().unwrap()).unwrap();
        assert_eq!(last, json!({"sample": 7, "classes": []}));
        let numbers = within(Show::Numbers, false);
        let head = "sample,cat,cat low,cat high,\"a \"\"big\"\", dog\",\"a \"\"big\"\", dog low\",\"a \"\"big\"\", dog high\"";
        assert!(numbers.starts_with(head), "{numbers}");
        assert_eq!(numbers.lines().last(), Some("7,0.25,-0.45,0.95,0.25,-0.25,0.75,0.25,0,0.5"));
        let all = json!({"cat": 0.4, "a \"big\", dog": 0.2, "owl": 0.4});
        assert_eq!(json(Show::All)[1], json!({"sample": 6, "probabilities": all}));
        assert_eq!(json(Show::Numbers)[1], json!({"sample": 6, "targets": all}));
    }

    #[test]
    fn predictions_over_masks_have_their_doubts() {
        let names = ["cat".to_owned(), "a dog".to_owned()];
        let values = array![[0.25f32, 0.75, 0.1, 0.2, 0.5, 0.03]];
        let numbers = values.slice(ndarray::s![.., ..4]);
        let text = |show, json| {
            let lines = Lines::new(show, json, &names).masked();
            let values = if show == Show::Numbers { numbers } else { values.view() };
            lines.head() + &lines.of(5, values)
        };
        let head = "sample,class,probability,std,entropy,mutual_information";
        assert_eq!(text(Show::Class, false), format!("{head}\n5,a dog,0.75,0.2,0.5,0.03\n"));
        assert_eq!(
            text(Show::Top(2), false),
            "sample,rank,class,probability,std\n5,1,a dog,0.75,0.2\n5,2,cat,0.25,0.1\n"
        );
        let head = "sample,cat,a dog,cat std,a dog std";
        assert_eq!(
            text(Show::All, false),
            format!("{head},entropy,mutual_information\n5,0.25,0.75,0.1,0.2,0.5,0.03\n")
        );
        assert_eq!(text(Show::Numbers, false), format!("{head}\n5,0.25,0.75,0.1,0.2\n"));
        let json = |show| serde_json::from_str::<Value>(&text(show, true)).unwrap();
        let doubts = json!({"sample": 5, "class": "a dog", "probability": 0.75, "std": 0.2, "entropy": 0.5,
            "mutual_information": 0.03});
        assert_eq!(json(Show::Class), doubts);
        let (both, deviations) = (json!({"cat": 0.25, "a dog": 0.75}), json!({"cat": 0.1, "a dog": 0.2}));
        assert_eq!(json(Show::Numbers), json!({"sample": 5, "targets": both, "std": deviations}));
        assert_eq!(json(Show::All)["mutual_information"], json!(0.03));
        assert_eq!(
            json(Show::Top(1))["classes"],
            json!([{"class": "a dog", "probability": 0.75, "std": 0.2}])
        );
    }
}
