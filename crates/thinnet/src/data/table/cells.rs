//! A column of a table while it is read: its fields one after another, and at the end their common kind.

use std::collections::HashMap;

use super::field::{self, Field, Origin, any_number, number, truth};
use super::kind::Kind;
use super::numbers::Numbers;
use crate::error::{Error, Result};

/// The code of a gap in a column of words.
pub(super) const GAP: u32 = u32::MAX;

/// A column's values, one per row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cells {
    /// Numbers, or dates as days; NaN for a gap.
    Numbers(Numbers),
    /// Each row's index in `words`; [`GAP`] for a gap.
    Words { codes: Vec<u32>, words: Vec<String> },
}

/// One column of a table.
#[derive(Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) kind: Kind,
    pub(crate) cells: Cells,
}

impl Cells {
    /// The number of a row: NaN for a gap.
    pub(crate) fn number(&self, row: usize) -> f64 {
        match self {
            Self::Numbers(numbers) => numbers.get(row),
            Self::Words { .. } => f64::NAN,
        }
    }

    /// The word of a row, if it has one.
    pub(crate) fn word(&self, row: usize) -> Option<&str> {
        match self {
            Self::Words { codes, words } => words.get(codes[row] as usize).map(String::as_str),
            Self::Numbers(_) => None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Words { codes, .. } => codes.len(),
        }
    }

    pub(crate) fn has_gaps(&self) -> bool {
        match self {
            Self::Numbers(numbers) => numbers.has_gaps(),
            Self::Words { codes, .. } => codes.contains(&GAP),
        }
    }
}

/// The fields of a column read so far.
pub(crate) struct Growing {
    /// The required kind; `None` means that the fields decide.
    kind: Option<Kind>,
    origin: Origin,
    values: Values,
    /// The first fields as they were written, in case the column turns out to contain words.
    head: Vec<Box<str>>,
}

enum Values {
    Numbers(Numbers),
    Words { codes: Vec<u32>, known: HashMap<Box<str>, u32>, lines: Vec<u64> },
}

/// How many fields are kept as they were written while a column has only numbers.
const HEAD: usize = 1000;

/// From this many different words, and from this share of the fields, words among numbers are not typing errors.
const NO_SLIP: (usize, f64) = (20, 0.05);

impl Growing {
    /// A column of this kind, or of a kind that is found.
    pub(crate) fn new(kind: Option<Kind>, origin: Origin) -> Self {
        let values = match kind {
            Some(Kind::Category) => {
                Values::Words { codes: Vec::new(), known: HashMap::new(), lines: Vec::new() }
            }
            _ => Values::Numbers(Numbers::default()),
        };
        Self { kind, origin, values, head: Vec::new() }
    }

    /// Adds the next field, on this line. If the kind is fixed and the field is of another kind, returns the field.
    pub(crate) fn push<'a>(&mut self, field: Field<'a>, line: u64) -> std::result::Result<(), Field<'a>> {
        let value = match (&self.kind, field) {
            (Some(Kind::Category), _) | (Some(Kind::Truth(_)), Field::Number(_)) => None,
            (Some(Kind::Number) | None, field) => field.number(self.origin.comma),
            (Some(Kind::Date(_)), Field::Number(days)) => Some(days).filter(|days| days.is_finite()),
            (Some(Kind::Truth(pair)), Field::Text(text)) => truth(text, pair),
            (Some(Kind::Date(day_first)), Field::Text(text)) => field::days(text, *day_first),
        };
        let value = value.or_else(|| field.is_gap().then_some(f64::NAN));
        if value.is_none() && !matches!(self.kind, None | Some(Kind::Category)) {
            return Err(field);
        }
        match value {
            Some(value) => self.push_number(value, field, line),
            None => self.push_word(&field.written(), line),
        }
        Ok(())
    }

    /// Whether all fields so far are numbers, and may stay so.
    pub(crate) fn is_numbers_alone(&self) -> bool {
        let open = matches!(self.kind, None | Some(Kind::Number));
        open && matches!(&self.values, Values::Numbers(numbers) if !numbers.has_gaps())
    }

    /// Takes the numbers out; the fields as written stay, in case the numbers are put back.
    pub(crate) fn take(&mut self) -> Numbers {
        match &mut self.values {
            Values::Numbers(numbers) => std::mem::take(numbers),
            Values::Words { .. } => Numbers::default(),
        }
    }

    /// Replaces the numbers.
    pub(crate) fn put(&mut self, numbers: Numbers) {
        self.values = Values::Numbers(numbers);
    }

    /// The required kind, for messages.
    pub(crate) fn wanted(&self) -> String {
        match &self.kind {
            None | Some(Kind::Category) => "a word".to_owned(),
            Some(Kind::Number) => "a number".to_owned(),
            Some(Kind::Date(_)) => "a date".to_owned(),
            Some(Kind::Truth([no, yes])) => format!("{no} or {yes}"),
        }
    }

    fn push_number(&mut self, number: f64, field: Field<'_>, line: u64) {
        match &mut self.values {
            Values::Words { .. } if number.is_nan() => return self.push_code(GAP),
            Values::Words { .. } => return self.push_word(&field.written(), line),
            Values::Numbers(numbers) => numbers.push(number),
        }
        if self.kind.is_none() && self.head.len() < HEAD {
            self.head.push(field.written().into());
        }
    }

    fn push_code(&mut self, code: u32) {
        if let Values::Words { codes, .. } = &mut self.values {
            codes.push(code);
        }
    }

    fn push_word(&mut self, word: &str, line: u64) {
        self.turn_to_words();
        if let Values::Words { codes, known, lines } = &mut self.values {
            let code = if let Some(&code) = known.get(word) {
                code
            } else {
                #[allow(clippy::cast_possible_truncation, reason = "no file of so many rows fits in memory")]
                let code = lines.len() as u32;
                known.insert(word.into(), code);
                lines.push(line);
                code
            };
            codes.push(code);
        }
    }

    /// Converts the numbers so far to words, as they were written if that is known.
    fn turn_to_words(&mut self) {
        let empty = Values::Words { codes: Vec::new(), known: HashMap::new(), lines: Vec::new() };
        let numbers = match std::mem::replace(&mut self.values, empty) {
            Values::Numbers(numbers) => numbers,
            words @ Values::Words { .. } => {
                self.values = words;
                return;
            }
        };
        let head = std::mem::take(&mut self.head);
        for row in 0..numbers.len() {
            let number = numbers.get(row);
            match head.get(row) {
                _ if number.is_nan() => self.push_code(GAP),
                Some(written) => self.push_word(written, 0),
                None => self.push_word(&number.to_string(), 0),
            }
        }
    }

    /// The column's kind with its values.
    ///
    /// # Errors
    /// [`Error::Data`] for a column of numbers with a few words in it: the first of them, with its line.
    pub(crate) fn finish(self, name: &str) -> Result<Column> {
        let Self { kind, origin, values, .. } = self;
        let (codes, known, lines) = match values {
            Values::Numbers(numbers) => {
                return Ok(Column { kind: kind.unwrap_or(Kind::Number), cells: Cells::Numbers(numbers) });
            }
            Values::Words { codes, known, lines } => (codes, known, lines),
        };
        let mut words = vec![String::new(); lines.len()];
        for (word, code) in known {
            words[code as usize] = word.into();
        }
        if kind.is_none() {
            let all = words.iter().map(String::as_str);
            if let Some(pair) = field::truths(all.clone()) {
                let pair = pair.map(str::to_owned);
                let cells = numbers_of(&codes, &words, |word| truth(word, &pair));
                return Ok(Column { kind: Kind::Truth(pair), cells });
            }
            if let Some(day_first) = field::dates(all) {
                let cells = numbers_of(&codes, &words, |word| field::days(word, day_first));
                return Ok(Column { kind: Kind::Date(day_first), cells });
            }
            refuse_slips(name, (&codes, &words, &lines), origin)?;
        }
        Ok(Column { kind: Kind::Category, cells: Cells::Words { codes, words } })
    }
}

/// The number of each row's word; NaN for a gap.
fn numbers_of(codes: &[u32], words: &[String], number: impl Fn(&str) -> Option<f64>) -> Cells {
    let values: Vec<f64> = words.iter().map(|word| number(word).unwrap_or(f64::NAN)).collect();
    let mut numbers = Numbers::default();
    for &code in codes {
        numbers.push(values.get(code as usize).copied().unwrap_or(f64::NAN));
    }
    Cells::Numbers(numbers)
}

/// Whether a word is of a kind.
type Test<'a> = &'a dyn Fn(&str) -> bool;

/// Refuses words that look like typing errors in a column of numbers or dates.
fn refuse_slips(
    name: &str,
    (codes, words, lines): (&[u32], &[String], &[u64]),
    Origin { comma, row }: Origin,
) -> Result<()> {
    let mut counts = vec![0usize; words.len()];
    codes.iter().filter(|&&code| code != GAP).for_each(|&code| counts[code as usize] += 1);
    let sum = |is: Test<'_>| -> usize {
        words.iter().zip(&counts).filter(|(word, _)| is(word)).map(|(_, count)| count).sum()
    };
    let all: usize = counts.iter().sum();
    let is_number = |word: &str| number(word, comma).is_some();
    let is_date = |day_first| move |word: &str| field::days(word, day_first).is_some();
    let not_finite = sum(&|word| any_number(word, comma).is_some_and(|number| !number.is_finite()));
    let kinds: [(&str, Test<'_>); 3] =
        [("finite number", &is_number), ("date", &is_date(true)), ("date", &is_date(false))];
    for (kind, is) in kinds {
        let some = sum(is);
        let others = all - some;
        let enough = others >= NO_SLIP.0 && others as f64 >= NO_SLIP.1 * all as f64;
        let only_not_finite = kind == "finite number" && not_finite == others;
        if !only_not_finite && (others > some || some == 0 || enough) {
            continue;
        }
        let first = (0..words.len()).filter(|&code| !is(&words[code])).min_by_key(|&code| lines[code]);
        let Some(first) = first else { continue };
        let shown: String = words[first].chars().take(30).collect();
        // The lines of numbers before the first word are not stored.
        let line = if lines[first] == 0 { String::new() } else { format!("{row} {}, ", lines[first]) };
        return Err(Error::data(format!(
            "{line}column {name}: {shown:?} is not a {kind}; if the column holds words, name it as one of categories, or \
             leave it out"
        )));
    }
    Ok(())
}
