//! Which of a table's columns are inputs, which one is the target, and which are left out.

use crate::data::files::labels::class_name;
use crate::data::table::Kind;
use crate::data::{Columns, ReadOptions, limits};
use crate::error::{Error, Result};
use crate::text::first_of;

/// Names, in lower case, of the column with the labels or targets, unless another one is requested; earlier names
/// come first. Without such a name it is the last column. A y next to an x is a coordinate.
pub(crate) const LABEL_NAMES: [&str; 7] = ["label", "class", "target", "y", "labels", "outcome", "survived"];

/// The columns: their names or numbers, and what each is used for.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) names: Vec<String>,
    pub(crate) header: bool,
    /// The place of the label or target column.
    pub(crate) label: usize,
    /// The places of the inputs.
    pub(crate) inputs: Vec<usize>,
    /// The kind that each input must have, if known.
    pub(crate) kinds: Vec<Option<Kind>>,
}

impl Layout {
    /// What each column is used for. The names come from the file's header, if it has one (`header`); otherwise they
    /// are numbers from 1.
    ///
    /// # Errors
    /// [`Error::Data`] for fewer than two columns, more than [`limits::TABLE_COLUMNS`], or a column that does not
    /// exist.
    pub(crate) fn new(names: &[String], header: bool, options: &ReadOptions) -> Result<Self> {
        let columns = names.len();
        if !(2..=limits::TABLE_COLUMNS).contains(&columns) {
            return Err(Error::data(format!(
                "its first line has {columns} fields, but a table of samples has 2 to {}",
                limits::TABLE_COLUMNS
            )));
        }
        let names: Vec<String> = names.iter().map(|name| class_name(name)).collect();
        let of = |what: &str, wanted: &str| place(&names, header, wanted, what);
        let usual = || {
            let called = |name: &str| names.iter().position(|column| column.eq_ignore_ascii_case(name));
            let mut usual = LABEL_NAMES.into_iter().filter(|&name| name != "y" || called("x").is_none());
            Ok(usual.find_map(called).unwrap_or(columns - 1))
        };
        let label =
            options.label.as_deref().map_or_else(usual, |wanted| of("label column", wanted.trim()))?;
        let all =
            |wanted: &[String]| wanted.iter().map(|name| of("column", name)).collect::<Result<Vec<_>>>();
        let (chosen, dropped) = (all(&options.columns)?, all(&options.drop)?);
        let is_input = |place: &usize| {
            *place != label && (chosen.is_empty() || chosen.contains(place)) && !dropped.contains(place)
        };
        let inputs: Vec<usize> = (0..columns).filter(is_input).collect();
        if inputs.is_empty() {
            return Err(Error::data(format!(
                "no column is left as an input besides the label {}",
                names[label]
            )));
        }
        let forced = all(&options.categories)?;
        let kinds = inputs.iter().map(|place| forced.contains(place).then_some(Kind::Category)).collect();
        Ok(Self { names, header, label, inputs, kinds })
    }

    /// The layout for a model's columns: its inputs are found by name if both have names, otherwise by place. If the
    /// target is missing, `label` is past the last column.
    ///
    /// # Errors
    /// [`Error::Data`] for a missing column; it names both sides.
    pub(crate) fn of_model(names: &[String], header: bool, wanted: &Columns) -> Result<Self> {
        let header = header && wanted.header;
        let names: Vec<String> = names.iter().map(|name| class_name(name)).collect();
        let inputs = if header { by_name(&names, wanted)? } else { by_place(names.len(), wanted)? };
        let label = if header {
            names.iter().position(|name| *name == wanted.target)
        } else {
            Some(wanted.target_at).filter(|at| !inputs.contains(at))
        };
        let label = label.unwrap_or(names.len());
        Ok(Self { names, header, label, inputs, kinds: Vec::new() })
    }

    /// The same for a file that gives each column's kind by its place; requested kinds come first.
    #[cfg_attr(not(feature = "columnar"), allow(dead_code, reason = "texts have no types"))]
    pub(crate) fn with_kinds(mut self, known: &[Option<Kind>]) -> Self {
        for (kind, &place) in self.kinds.iter_mut().zip(&self.inputs) {
            *kind = kind.take().or_else(|| known.get(place).cloned().flatten());
        }
        self
    }

    /// The same, if the columns include a model's target.
    ///
    /// # Errors
    /// [`Error::Data`] if they do not.
    pub(crate) fn with_label(self, wanted: &Columns) -> Result<Self> {
        if self.label < self.names.len() {
            return Ok(self);
        }
        Err(Error::data(format!(
            "it has no column {}, which holds the labels; samples without them can only be predicted",
            wanted.target
        )))
    }

    /// The name of the label column.
    pub(crate) fn label_name(&self) -> &str {
        self.names.get(self.label).map_or("", String::as_str)
    }
}

/// The place of a column, found by its name or by its number from 1.
fn place(names: &[String], header: bool, wanted: &str, what: &str) -> Result<usize> {
    let wanted = wanted.trim();
    let named = || names.iter().position(|column| header && column == wanted);
    let numbered = || {
        let number = wanted.parse().ok().filter(|number| (1..=names.len()).contains(number));
        number.map(|number: usize| number - 1)
    };
    named().or_else(numbered).ok_or_else(|| {
        Error::data(format!("it has no {what} {wanted:?}; its {} columns are {}", names.len(), some(names)))
    })
}

/// The places of the wanted columns in a table with these names.
fn by_name(fields: &[String], wanted: &Columns) -> Result<Vec<usize>> {
    let place = |name: &String| fields.iter().position(|field| field == name);
    let found: Vec<Option<usize>> = wanted.inputs.iter().map(place).collect();
    match found.iter().position(Option::is_none) {
        None => Ok(found.into_iter().flatten().collect()),
        Some(missing) => Err(Error::data(format!(
            "the model takes the columns {}, but the table has {}: {} is missing",
            some(&wanted.inputs),
            some(fields),
            wanted.inputs[missing]
        ))),
    }
}

/// The places of the inputs in a table of this many columns without names.
fn by_place(columns: usize, wanted: &Columns) -> Result<Vec<usize>> {
    let inputs = wanted.inputs.len();
    let (width, places) = if wanted.places.is_empty() {
        (inputs + 1, (0..=inputs).filter(|&column| column != wanted.target_at).collect())
    } else {
        (wanted.width, wanted.places.clone())
    };
    let before_target = |&place: &usize| if place > wanted.target_at { place - 1 } else { place };
    match columns {
        _ if columns == width => Ok(places),
        _ if columns + 1 == width => Ok(places.iter().map(before_target).collect()),
        _ if columns == inputs => Ok((0..inputs).collect()),
        _ => Err(Error::data(format!(
            "the model takes {inputs} columns ({}), but the table has {columns}",
            some(&wanted.inputs)
        ))),
    }
}

/// Some names for a message, the first ones if there are many.
fn some(names: &[String]) -> String {
    first_of(names, 8)
}
