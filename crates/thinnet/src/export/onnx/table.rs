//! A table's columns as nodes: one input for each, which becomes the numbers that [`Encoding`] says.

use super::graph::Graph;
use super::messages::{AttributeProto, TensorProto};
use crate::data::{Columns, Encoding, GAPS};

/// The most spellings of a word for yes or no.
const SPELLINGS: usize = 64;

/// The code of a word that no number stands for.
const NONE: i64 = -1;

/// Adds an input for each column; returns the numbers of the samples (N, D), as 64-bit floats.
pub(super) fn encoded(graph: &mut Graph, columns: &Columns) -> String {
    // All inputs first: their names are the columns', and nothing else may take them.
    let named = |(name, encoding): (&String, &Encoding)| {
        let (kind, doc) = described(encoding);
        graph.input(name, kind, &[1], &doc)
    };
    let inputs: Vec<String> = columns.inputs.iter().zip(&columns.encodings).map(named).collect();
    let mut parts = Vec::new();
    for ((input, encoding), number) in inputs.iter().zip(&columns.encodings).zip(1..) {
        column(graph, input, encoding, number, &mut parts);
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    graph.node("Concat", "encoded", &parts, vec![AttributeProto::int("axis", 1)])
}

/// The type of a column's input, and what is to be said about it.
fn described(encoding: &Encoding) -> (i32, String) {
    match encoding {
        Encoding::Number { .. } => (TensorProto::DOUBLE, "A number; NaN for a gap.".to_owned()),
        Encoding::Date { .. } => {
            let doc = "A date as days since 1970-01-01, with the time of day as a fraction; NaN for a gap.";
            (TensorProto::DOUBLE, doc.to_owned())
        }
        Encoding::Truth { words: [no, yes], .. } => {
            (TensorProto::STRING, format!("{no} or {yes}, in upper or lower case; an empty word for a gap."))
        }
        Encoding::Category { words, .. } => {
            let doc = format!("One of {} words; an empty word for a gap.", words.len());
            (TensorProto::STRING, doc)
        }
    }
}

/// Adds a column's numbers (N, width) to `parts`.
///
/// - `number`: the column's, from 1, for the names of nodes
fn column(graph: &mut Graph, input: &str, encoding: &Encoding, number: usize, parts: &mut Vec<String>) {
    match encoding {
        Encoding::Number { fill, gaps } => {
            let (_, gap) = filled(graph, input, *fill, number, parts);
            parts.extend(gaps.then(|| as_double(graph, &format!("column{number}_is_gap"), &gap)));
        }
        Encoding::Date { fill, gaps, parts: has_parts, .. } => {
            let (days, gap) = filled(graph, input, *fill, number, parts);
            if *has_parts {
                date_parts(graph, &days, number, parts);
            }
            parts.extend(gaps.then(|| as_double(graph, &format!("column{number}_is_gap"), &gap)));
        }
        Encoding::Truth { words, fill, gaps } => {
            let (mut keys, mut values) = (Vec::new(), Vec::new());
            for (word, value) in words.iter().zip([0.0, 1.0]) {
                for spelling in spellings(word) {
                    keys.push(spelling);
                    values.push(value);
                }
            }
            let attributes = vec![
                AttributeProto::strings("keys_strings", keys),
                AttributeProto::floats("values_floats", values),
                AttributeProto::float("default_float", f32::NAN),
            ];
            let truth = graph.ml_node("LabelEncoder", &format!("column{number}_truth"), &[input], attributes);
            let truth = as_double(graph, &format!("column{number}_number"), &truth);
            let (_, gap) = filled(graph, &truth, *fill, number, parts);
            parts.extend(gaps.then(|| as_double(graph, &format!("column{number}_is_gap"), &gap)));
        }
        Encoding::Category { words, other, gaps } => {
            let codes = category(graph, input, words, *other, *gaps, number);
            // Two categories share one number, which is 1 for the second.
            let numbers = encoding.width();
            let first = usize::from(numbers == 1 && words.len() == 2);
            parts.push(one_hot(graph, &codes, first..first + numbers, &format!("column{number}")));
        }
    }
}

/// Adds the numbers with a value for gaps to `parts`. Returns them, and which are gaps.
fn filled(graph: &mut Graph, x: &str, fill: f64, number: usize, parts: &mut Vec<String>) -> (String, String) {
    let fill = graph.doubles(&format!("column{number}_fill"), &[], [fill]);
    let gap = graph.node("IsNaN", &format!("column{number}_gap"), &[x], Vec::new());
    let value = graph.node("Where", &format!("column{number}_filled"), &[&gap, &fill, x], Vec::new());
    parts.push(value.clone());
    (value, gap)
}

fn as_double(graph: &mut Graph, name: &str, value: &str) -> String {
    graph.cast(name, value, TensorProto::DOUBLE)
}

/// The codes of a column's words (N, 1): their places among the column's numbers, or [`NONE`].
fn category(
    graph: &mut Graph,
    input: &str,
    words: &[String],
    other: bool,
    gaps: bool,
    number: usize,
) -> String {
    let rest = words.len();
    let code = |place: usize, there: bool| if there { i64::try_from(place).unwrap_or(NONE) } else { NONE };
    let gap = code(rest + usize::from(other), gaps);
    let keys = words.iter().cloned().chain(GAPS.map(str::to_owned)).collect();
    let values = (0..rest).map(|place| code(place, true)).chain(GAPS.map(|_| gap)).collect();
    let attributes = vec![
        AttributeProto::strings("keys_strings", keys),
        AttributeProto::ints("values_int64s", values),
        AttributeProto::int("default_int64", code(rest, other)),
    ];
    graph.ml_node("LabelEncoder", &format!("column{number}_code"), &[input], attributes)
}

/// A number for each of these codes, as 64-bit floats: 1 where the code (N, 1) is this one, otherwise 0.
fn one_hot(graph: &mut Graph, codes: &str, wanted: std::ops::Range<usize>, name: &str) -> String {
    let (count, wanted) = (wanted.len(), wanted.filter_map(|code| i64::try_from(code).ok()));
    let wanted = graph.ints(&format!("{name}_codes"), &[count], wanted);
    let equal = graph.node("Equal", &format!("{name}_equal"), &[codes, &wanted], Vec::new());
    as_double(graph, &format!("{name}_one_hot"), &equal)
}

/// Adds weekday and month of days since 1970-01-01 to `parts`.
///
/// The month is that of the day of a year that begins in March, so that leap days come last: Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn date_parts(graph: &mut Graph, days: &str, number: usize, parts: &mut Vec<String>) {
    let name = |part: &str| format!("column{number}_{part}");
    let floor = graph.node("Floor", &name("floor"), &[days], Vec::new());
    let day = graph.cast(&name("day"), &floor, TensorProto::INT64);
    let mut steps = Steps { graph, prefix: name("date"), count: 0 };

    let thursday = steps.with("Add", &day, 3); // 1970-01-01, if Monday is 0
    let weekday = steps.with("Mod", &thursday, 7);

    let since_march_of_0 = steps.with("Add", &day, 719_468);
    let of_era = steps.with("Mod", &since_march_of_0, 146_097); // 400 years
    let [leap, century, era] = [1460, 36_524, 146_096].map(|days| steps.with("Div", &of_era, days));
    let without_leap = steps.of("Sub", &of_era, &leap);
    let with_centuries = steps.of("Add", &without_leap, &century);
    let without_era = steps.of("Sub", &with_centuries, &era);
    let year = steps.with("Div", &without_era, 365);
    let [whole, fourth, hundredth] =
        [("Mul", 365), ("Div", 4), ("Div", 100)].map(|(operator, by)| steps.with(operator, &year, by));
    let with_fourth = steps.of("Add", &whole, &fourth);
    let before_year = steps.of("Sub", &with_fourth, &hundredth);
    let of_year = steps.of("Sub", &of_era, &before_year);
    let fifths = steps.with("Mul", &of_year, 5);
    let shifted = steps.with("Add", &fifths, 2);
    let month_from_march = steps.with("Div", &shifted, 153);
    let from_january = steps.with("Add", &month_from_march, 2);
    let month = steps.with("Mod", &from_january, 12);

    parts.push(one_hot(graph, &weekday, 0..7, &name("weekday")));
    parts.push(one_hot(graph, &month, 0..12, &name("month")));
}

/// Steps of a computation with whole numbers.
struct Steps<'a> {
    graph: &'a mut Graph,
    prefix: String,
    count: usize,
}

impl Steps<'_> {
    fn of(&mut self, operator: &str, a: &str, b: &str) -> String {
        self.count += 1;
        self.graph.node(operator, &format!("{}{}", self.prefix, self.count), &[a, b], Vec::new())
    }

    fn with(&mut self, operator: &str, a: &str, b: i64) -> String {
        let b = self.graph.ints(&format!("{}_{b}", self.prefix), &[], [b]);
        self.of(operator, a, &b)
    }
}

/// A word in every mixture of upper and lower case; of a long word the usual ones.
fn spellings(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let all = u32::try_from(letters.len()).ok().and_then(|bits| 1usize.checked_shl(bits));
    let Some(all) = all.filter(|&all| all <= SPELLINGS) else {
        return vec![word.to_owned(), word.to_uppercase()];
    };
    let spelling = |mask: usize| {
        let upper = |(place, letter): (usize, &char)| {
            if mask >> place & 1 == 1 { letter.to_ascii_uppercase() } else { *letter }
        };
        letters.iter().enumerate().map(upper).collect()
    };
    (0..all).map(spelling).collect()
}
