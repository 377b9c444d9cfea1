//! Builds a data set from the rows of a table.

use super::inputs::{Inputs, Read, features_of};
use super::layout::Layout;
use super::target::{Found, Target};
use crate::data::files::formats::rows;
use crate::data::table::field::{Field, Origin};
use crate::data::table::{Cells, Column, Growing, Kind};
use crate::data::{Columns, DataSet, Encoding, Features, Format, ReadOptions, Rows};
use crate::error::{Error, Result, ensure};
use crate::text::first_of;

/// Names, in lower case, of a column that only counts the rows (if it does); a name that ends in id also counts.
pub(crate) const INDEX_NAMES: [&str; 8] =
    ["", "unnamed: 0", "index", "no", "row", "rownames", "row_names", "#"];

/// A first column without a name is also an index if it counts at least this many rows.
const CERTAIN_INDEX: usize = 50;

/// From this many rows on, a column of words is left out if nine of ten rows have a word of their own: it only
/// identifies rows.
const MANY_WORDS: usize = 50;

/// The rows of a table read so far.
pub(crate) struct Build<'a> {
    layout: Layout,
    options: &'a ReadOptions,
    inputs: Inputs,
    target: Target,
    unlabelled: usize,
}

impl<'a> Build<'a> {
    /// Takes rows with this layout.
    pub(crate) fn new(layout: Layout, options: &'a ReadOptions, origin: Origin) -> Self {
        let inputs = match &options.known {
            Some(known) => Inputs::of_model(known, origin),
            None => Inputs::of_table(&layout, origin),
        };
        let target = Target::new(layout.label_name(), options, origin);
        Self { layout, options, inputs, target, unlabelled: 0 }
    }

    /// Adds the next row, on this line; `field` returns its fields by their places.
    ///
    /// # Errors
    /// [`Error::Data`] for a field of another kind than requested, and for a missing label.
    pub(crate) fn push<'f>(&mut self, field: impl Fn(usize) -> Field<'f>, line: u64) -> Result<()> {
        let label = field(self.layout.label);
        if is_unlabelled(label, self.options) {
            self.unlabelled += 1;
            return Ok(());
        }
        self.inputs.push(&self.layout, &field, line)?;
        self.target.push(label, line)
    }

    /// The data set, with one part.
    ///
    /// # Errors
    /// [`Error::Data`] if there are no rows, or nothing in them to learn from.
    pub(crate) fn finish(self, format: Format) -> Result<DataSet> {
        let Self { layout, options, mut inputs, target, unlabelled } = self;
        let mut notes = Vec::new();
        let of = (&layout, options);
        let counts = |input: usize| {
            let unnamed = input == 0 && !layout.header;
            counts_rows((name(&layout, input), unnamed), inputs.len(), |row| inputs.number(row, input))
        };
        let mut left: Vec<usize> = (0..layout.inputs.len()).collect();
        // If columns are left out, rows have to be copied without them.
        if left.iter().any(|&input| !is_chosen(of, input) && counts(input)) {
            inputs.turn_to_columns();
        }
        let any = inputs.len() > 0;
        let x = match inputs.finish()? {
            Read::Rows(x) => Some(x),
            Read::Columns(growing) if any => {
                let columns;
                (left, columns) = columns_of(growing, of, &mut notes)?.into_iter().unzip();
                let any = !left.is_empty();
                any.then(|| features_of(columns, options.known.as_ref(), options.date_parts)).transpose()?
            }
            Read::Columns(_) => None,
        };
        let encodings = match &x {
            Some(Features::Table(table)) => table.encodings(),
            _ => Vec::new(),
        };
        data_set(format, of, target, (left, encodings), (unlabelled, notes), |_| {
            x.ok_or_else(|| Error::data("it has no inputs"))
        })
    }
}

/// Whether a row has no label and is left out.
pub(crate) fn is_unlabelled(label: Field<'_>, options: &ReadOptions) -> bool {
    // A minus is a class if a plus is one.
    options.skip_unlabelled && label.is_gap() && !matches!(label, Field::Text("-"))
}

/// A table's layout, and how to read it.
type Of<'a> = (&'a Layout, &'a ReadOptions);

/// The columns of inputs, after all rows are read, each with its place among the inputs. Columns without information
/// are left out, with a note.
pub(crate) fn columns_of(
    growing: Vec<Growing>,
    of: Of<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<(usize, Column)>> {
    let layout = of.0;
    let mut columns: Vec<(usize, Column)> = Vec::new();
    for (input, growing) in growing.into_iter().enumerate() {
        let name = name(layout, input);
        let column = growing.finish(name)?;
        let unnamed = columns.is_empty() && !layout.header;
        match useless((name, unnamed), &column).filter(|_| !is_chosen(of, input)) {
            Some(why) => notes.push(format!("left out: {} ({why})", shown(layout, layout.inputs[input]))),
            None => columns.push((input, column)),
        }
    }
    Ok(columns)
}

/// Builds a data set from a table's targets and the remaining inputs `left`, given by their places among all;
/// `inputs` returns them.
///
/// - `unlabelled`: how many rows were left out, with the notes so far
///
/// # Errors
/// As [`Build::finish`].
pub(crate) fn data_set(
    format: Format,
    (layout, options): Of<'_>,
    target: Target,
    (left, encodings): (Vec<usize>, Vec<Encoding>),
    (unlabelled, mut notes): (usize, Vec<String>),
    inputs: impl FnOnce(&Columns) -> Result<Features<f64>>,
) -> Result<DataSet> {
    ensure!(target.len() > 0, Error::data(format!("no row has a label in column {}", layout.label_name())));
    let found = target.finish();
    match unlabelled {
        0 => {}
        1 => notes.push("1 row has no label and is left out".to_owned()),
        _ => notes.push(format!("{unlabelled} rows have no label and are left out")),
    }
    ensure!(!left.is_empty(), Error::data(format!("no column is left as an input; {}", notes.join("; "))));
    if options.known.is_none() {
        notes.insert(0, said(layout, &found));
    }
    let places: Vec<usize> = left.iter().map(|&input| layout.inputs[input]).collect();
    let all_others = places.len() + 1 == layout.names.len();
    let named = Columns {
        inputs: left.iter().map(|&input| name(layout, input).to_owned()).collect(),
        target: layout.label_name().to_owned(),
        target_at: layout.label,
        header: layout.header,
        encodings,
        width: if all_others { 0 } else { layout.names.len() },
        places: if all_others { Vec::new() } else { places },
    };
    let x = inputs(&named)?;
    let shape = vec![x.dim().1];
    let (names, train) = match found {
        Found::Classes(classes, labels) => {
            let rows = Rows::with_classes(x, labels, classes.len())?;
            (classes, rows)
        }
        Found::Numbers(targets) => {
            let name = Some(&named.target).filter(|name| layout.header && !name.is_empty());
            let name = name.cloned().unwrap_or_else(|| "target".to_owned());
            (vec![name], Rows::with_numbers(x, rows(targets.len(), 1, targets)?)?)
        }
    };
    let columns = Some(named);
    DataSet { format, names, columns, shape, train, val: None, test: None, mean: None, notes }.checked()
}

/// Whether an input was requested, by its name or as one of the categories.
fn is_chosen((layout, options): Of<'_>, input: usize) -> bool {
    options.known.is_some()
        || !options.columns.is_empty()
        || layout.kinds.get(input) == Some(&Some(Kind::Category))
}

/// The name of an input.
fn name(layout: &Layout, input: usize) -> &str {
    layout.names[layout.inputs[input]].as_str()
}

/// Whether a column only counts the rows from 0 or 1. Its name must say so, or it is a first column without a name
/// and long enough.
fn counts_rows((name, unnamed): (&str, bool), rows: usize, number: impl Fn(usize) -> Option<f64>) -> bool {
    let lower = name.to_lowercase();
    let named = INDEX_NAMES.contains(&lower.as_str()) || lower.ends_with("id");
    let is = |row: usize, value: f64| number(row).is_some_and(|number| number.total_cmp(&value).is_eq());
    let counts = |from: f64| (0..rows).all(|row| is(row, from + row as f64));
    (named || (unnamed && rows >= CERTAIN_INDEX)) && rows > 1 && (counts(0.0) || counts(1.0))
}

/// Why a column carries no information about a sample, if it carries none.
fn useless(name: (&str, bool), Column { kind, cells }: &Column) -> Option<&'static str> {
    let rows = cells.len();
    let why = match cells {
        Cells::Words { codes, words } => {
            let tells_apart =
                *kind == Kind::Category && rows > MANY_WORDS && 10 * words.len() >= 9 * codes.len();
            (tells_apart, "nearly every row has a word of its own")
        }
        cells @ Cells::Numbers(_)
            if *kind == Kind::Number && counts_rows(name, rows, |row| Some(cells.number(row))) =>
        {
            (true, "it counts the rows")
        }
        cells @ Cells::Numbers(_) => {
            ((0..rows).all(|row| cells.number(row).is_nan()), "it has no value in any row")
        }
    };
    why.0.then_some(why.1)
}

/// A column's name, or its number if it has no name.
fn shown(layout: &Layout, place: usize) -> String {
    match layout.names[place].as_str() {
        name if layout.header && !name.is_empty() => name.to_owned(),
        _ => format!("column {}", place + 1),
    }
}

/// The note about the target: `label: price (numbers, 20,000 different values): regression`.
fn said(layout: &Layout, found: &Found) -> String {
    let name = shown(layout, layout.label);
    match found {
        Found::Classes(classes, _) => {
            format!("label: {name} ({} classes: {}): classification", classes.len(), first_of(classes, 5))
        }
        Found::Numbers(numbers) => {
            let mut values: Vec<u64> = numbers.iter().map(|number| number.to_bits()).collect();
            values.sort_unstable();
            values.dedup();
            format!("label: {name} (numbers, {} different values): regression", values.len())
        }
    }
}
