//! The column with labels or targets.

use std::collections::HashMap;

use crate::data::files::labels::class_name;
use crate::data::table::field::{Field, Origin, sort_words};
use crate::data::{ReadOptions, limits};
use crate::error::{Error, Result, ensure};

/// Whole numbers with more different values than this are not treated as classes, unless requested.
const MOST_CLASSES: usize = 100;
/// The same with more than this, if a value has fewer than [`FEW_ROWS`] rows on average.
const SOME_CLASSES: usize = 20;
/// See [`SOME_CLASSES`].
const FEW_ROWS: usize = 20;

/// The fields of the target column read so far.
pub(crate) struct Target {
    name: String,
    origin: Origin,
    labels: Option<Labels>,
    numbers: Option<Vec<f64>>,
}

/// The kind of targets that was found.
pub(crate) enum Found {
    /// The classes' names, and each row's class as an index.
    Classes(Vec<String>, Vec<usize>),
    /// One number per row.
    Numbers(Vec<f64>),
}

/// Labels read so far.
#[derive(Default)]
struct Labels {
    /// The index in `words` of each sample's label.
    indices: Vec<usize>,
    words: Vec<String>,
    known: HashMap<Box<str>, usize>,
    /// Whether there were too many for classes.
    too_many: bool,
}

impl Target {
    pub(crate) fn new(name: &str, options: &ReadOptions, origin: Origin) -> Self {
        let labels = (!options.regression).then(Labels::default);
        let numbers = (options.regression || options.infer_task).then(Vec::new);
        Self { name: name.to_owned(), origin, labels, numbers }
    }

    /// Adds the next field, on this line.
    pub(crate) fn push(&mut self, field: Field<'_>, line: u64) -> Result<()> {
        let found = field.number(self.origin.comma);
        match (&mut self.numbers, &self.labels, found) {
            (Some(numbers), _, Some(number)) => numbers.push(number),
            (Some(_), Some(_), None) => self.numbers = None, // then they are labels
            (Some(_), None, None) => {
                let name = &self.name;
                return Err(not_finite(
                    (self.origin.row, line),
                    (name, field),
                    &format!("the targets of a regression (column {name}) are numbers"),
                ));
            }
            (None, ..) => {}
        }
        let Some(labels) = &mut self.labels else { return Ok(()) };
        let word = field.written();
        ensure!(!word.is_empty(), Error::data(format!("{} {line} has no label", self.origin.row)));
        labels.add(&word, found);
        if labels.too_many && self.numbers.is_none() {
            return Err(Error::data(format!(
                "column {} has more than {} different values: it cannot be the label",
                self.name,
                limits::CLASSES
            )));
        }
        Ok(())
    }

    /// The number of fields.
    pub(crate) fn len(&self) -> usize {
        let labels = self.labels.as_ref().map_or(0, |labels| labels.indices.len());
        self.numbers.as_ref().map_or(labels, Vec::len)
    }

    pub(crate) fn finish(self) -> Found {
        match (self.labels, self.numbers) {
            (Some(labels), Some(numbers)) if !labels.are_classes(&numbers) => Found::Numbers(numbers),
            (Some(labels), _) => {
                let (classes, labels) = labels.finish();
                Found::Classes(classes, labels)
            }
            (None, numbers) => Found::Numbers(numbers.unwrap_or_default()),
        }
    }
}

/// The error for a field that has to be a finite number.
pub(super) fn not_finite((row, line): (&str, u64), (column, field): (&str, Field<'_>), why: &str) -> Error {
    let shown: String = field.written().chars().take(30).collect();
    let shown = if shown.is_empty() { "an empty field".to_owned() } else { format!("{shown:?}") };
    Error::data(format!("{row} {line}, column {column}: {shown} is not a finite number; {why}"))
}

impl Labels {
    fn add(&mut self, word: &str, number: Option<f64>) {
        if self.too_many {
            return;
        }
        // 0, 0.0 and -0 are the same label.
        let key = || number.map_or_else(|| word.to_owned(), |number| (number + 0.0).to_string());
        let known = self.known.get(word).copied().or_else(|| self.known.get(key().as_str()).copied());
        let label = match known {
            Some(label) => label,
            None if self.words.len() >= limits::CLASSES => {
                self.too_many = true;
                return;
            }
            None => {
                self.known.insert(key().into(), self.words.len());
                self.words.push(word.to_owned());
                self.words.len() - 1
            }
        };
        self.indices.push(label);
    }

    /// Whether these labels, all of which are `numbers`, look like classes and not like quantities.
    fn are_classes(&self, numbers: &[f64]) -> bool {
        let values = self.words.len();
        let whole = numbers.iter().all(|number| number.fract().abs() <= 0.0);
        let few = values <= SOME_CLASSES || numbers.len() / values.max(1) >= FEW_ROWS;
        !self.too_many && if whole { values <= MOST_CLASSES && few } else { values <= 2 }
    }

    /// The classes, and the labels as indices into them.
    fn finish(self) -> (Vec<String>, Vec<usize>) {
        let Self { indices, words, .. } = self;
        let mut sorted = words.clone();
        sort_words(&mut sorted);
        let places: HashMap<&str, usize> = sorted.iter().map(String::as_str).zip(0..).collect();
        let class: Vec<usize> =
            words.iter().map(|word| places.get(word.as_str()).copied().unwrap_or(0)).collect();
        let labels = indices.into_iter().map(|word| class[word]).collect();
        (sorted.iter().map(|word| class_name(word)).collect(), labels)
    }
}
