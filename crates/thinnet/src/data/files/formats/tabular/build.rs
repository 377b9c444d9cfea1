//! Rows of a table become a data set.

use super::layout::Layout;
use super::target::{Found, Target, not_finite};
use crate::data::files::formats::rows;
use crate::data::table::field::is_gap;
use crate::data::table::{Cells, Column, Growing, Kind, Table};
use crate::data::{Columns, DataSet, Encoding, Features, Format, Pixels, ReadOptions, Rows};
use crate::error::{Error, Result, ensure};
use crate::text::first_of;

/// Names, in lower case, of a column that only counts the rows, if it does; a name that ends in id is one as well.
pub(crate) const INDEX_NAMES: [&str; 8] =
    ["", "unnamed: 0", "index", "no", "row", "rownames", "row_names", "#"];

/// A first column without a name that counts so many rows or more is one as well.
const CERTAIN_INDEX: usize = 50;

/// From so many rows on, a column with a word of its own for nine rows of ten tells rows apart, and nothing else.
const MANY_WORDS: usize = 50;

/// The rows of a table, as far as they were read.
pub(crate) struct Build<'a> {
    layout: Layout,
    options: &'a ReadOptions,
    inputs: Vec<Growing>,
    target: Target,
    unlabelled: usize,
}

impl<'a> Build<'a> {
    /// Takes rows of this layout; decimal points may be commas if `comma`.
    pub(crate) fn new(layout: Layout, options: &'a ReadOptions, comma: bool) -> Self {
        let category = |input| layout.categories.contains(&input).then_some(Kind::Category);
        let new = || (0..layout.inputs.len()).map(|input| Growing::new(category(input), comma)).collect();
        let inputs = options.known.as_ref().map_or_else(new, |known| growing(known, comma));
        let target = Target::new(layout.label_name(), options, comma);
        Self { layout, options, inputs, target, unlabelled: 0 }
    }

    /// Takes the next row, whose fields `field` gives by their places, and which stands in this line.
    ///
    /// # Errors
    /// [`Error::Data`] for a field of another kind than is asked for, and for a label that is missing.
    pub(crate) fn push<'f>(&mut self, field: impl Fn(usize) -> &'f str, line: u64) -> Result<()> {
        let label = field(self.layout.label);
        if self.options.skip_unlabelled && is_gap(label) {
            self.unlabelled += 1;
            return Ok(());
        }
        push_inputs(&mut self.inputs, &self.layout, self.options.known.as_ref(), &field, line)?;
        self.target.push(label, line)
    }

    /// The data set, in one part.
    ///
    /// # Errors
    /// [`Error::Data`] for no rows, or nothing in them to learn from.
    pub(crate) fn finish(self, format: Format) -> Result<DataSet> {
        let Self { layout, options, inputs, target, unlabelled } = self;
        let mut notes = Vec::new();
        ensure!(
            target.len() > 0,
            Error::data(format!("no row has a label in column {}", layout.label_name()))
        );
        let found = target.finish();
        let (mut names, mut places, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        for (input, growing) in inputs.into_iter().enumerate() {
            let (place, name) = (layout.inputs[input], &layout.names[layout.inputs[input]]);
            let (kind, cells) = growing.finish(name)?;
            let chosen =
                options.known.is_some() || !options.columns.is_empty() || layout.categories.contains(&input);
            if let Some(why) =
                useless(columns.is_empty() && !layout.header, name, &kind, &cells).filter(|_| !chosen)
            {
                notes.push(format!("left out: {} ({why})", shown(&layout, place)));
                continue;
            }
            names.push(name.clone());
            places.push(place);
            columns.push(Column { kind, cells });
        }
        match unlabelled {
            0 => {}
            1 => notes.push("1 row has no label and is left out".to_owned()),
            _ => notes.push(format!("{unlabelled} rows have no label and are left out")),
        }
        if columns.is_empty() {
            return Err(Error::data(format!("no column is left as an input; {}", notes.join("; "))));
        }
        if options.known.is_none() {
            notes.insert(0, said(&layout, &found));
        }
        let all_others = places.len() + 1 == layout.names.len();
        let mut named = Columns {
            inputs: names,
            target: layout.label_name().to_owned(),
            target_at: layout.label,
            header: layout.header,
            encodings: Vec::new(),
            width: if all_others { 0 } else { layout.names.len() },
            places: if all_others { Vec::new() } else { places },
        };
        let x = inputs_of(columns, options.known.as_ref(), options.date_parts)?;
        if let Features::Table(table) = &x {
            named.encodings = table.encodings();
        }
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
}

/// Empty columns for a model's inputs.
pub(crate) fn growing(known: &Columns, comma: bool) -> Vec<Growing> {
    let kind = |input| known.encodings.get(input).map_or(Kind::Number, Encoding::kind);
    (0..known.inputs.len()).map(|input| Growing::new(Some(kind(input)), comma)).collect()
}

/// Takes the inputs of a row; `known` are the columns of a model.
pub(crate) fn push_inputs<'f>(
    inputs: &mut [Growing],
    layout: &Layout,
    known: Option<&Columns>,
    field: &impl Fn(usize) -> &'f str,
    line: u64,
) -> Result<()> {
    // A model that never saw a gap says nothing of what stands for one.
    let all_numbers = known.is_some_and(|known| known.encodings.is_empty());
    for (input, &place) in inputs.iter_mut().zip(&layout.inputs) {
        let field = field(place);
        let taken = if all_numbers && is_gap(field) { Err(field) } else { input.push(field, line) };
        taken.map_err(|field| {
            let why = if all_numbers {
                "the model takes numbers alone".to_owned()
            } else {
                format!("the model takes {} here", input.wanted())
            };
            not_finite((line, &layout.names[place], field), &why)
        })?;
    }
    Ok(())
}

/// Columns as inputs: numbers alone as bytes or floats, anything else as a table. With a model's columns they are encoded as
/// its own are.
pub(crate) fn inputs_of(columns: Vec<Column>, known: Option<&Columns>, parts: bool) -> Result<Features<f64>> {
    match known {
        Some(known) if !known.encodings.is_empty() => {
            return Ok(Features::Table(Table::with_encodings(columns, known.encodings.clone())));
        }
        None if columns.iter().any(|column| column.kind != Kind::Number || column.cells.has_gaps()) => {
            return Ok(Features::Table(Table::fitted(columns, parts)));
        }
        _ => {}
    }
    let (width, samples) = (columns.len(), columns.first().map_or(0, |column| column.cells.len()));
    if columns.iter().all(|column| matches!(column.cells, Cells::Bytes(_))) {
        let mut bytes = vec![0; samples * width];
        for (place, column) in columns.into_iter().enumerate() {
            if let Cells::Bytes(own) = column.cells {
                bytes.iter_mut().skip(place).step_by(width).zip(own).for_each(|(to, byte)| *to = byte);
            }
        }
        return Ok(Pixels::plain(rows(samples, width, bytes)?).into());
    }
    let mut floats = vec![0.0; samples * width];
    for (place, column) in columns.into_iter().enumerate() {
        for (row, to) in floats.iter_mut().skip(place).step_by(width).enumerate() {
            *to = column.cells.number(row);
        }
    }
    Ok(rows(samples, width, floats)?.into())
}

/// Why a column says nothing of a sample, if it says nothing; `first` is said of the first without a name that is not left out.
fn useless(first: bool, name: &str, kind: &Kind, cells: &Cells) -> Option<String> {
    let rows = cells.len();
    match cells {
        Cells::Words { codes, words } => {
            let tells_apart =
                *kind == Kind::Category && rows > MANY_WORDS && 10 * words.len() >= 9 * codes.len();
            tells_apart.then(|| "nearly every row has a word of its own".to_owned())
        }
        cells => {
            let counts =
                |from: f64| (0..rows).all(|row| cells.number(row).total_cmp(&(from + row as f64)).is_eq());
            let lower = name.to_lowercase();
            let named = INDEX_NAMES.contains(&lower.as_str()) || lower.ends_with("id");
            if *kind == Kind::Number
                && (named || (first && rows >= CERTAIN_INDEX))
                && rows > 1
                && (counts(0.0) || counts(1.0))
            {
                return Some("it counts the rows".to_owned());
            }
            let nothing = (0..rows).all(|row| cells.number(row).is_nan());
            nothing.then(|| "it has no value in any row".to_owned())
        }
    }
}

/// A column by its name, or by its number where it has none.
fn shown(layout: &Layout, place: usize) -> String {
    match layout.names[place].as_str() {
        name if layout.header && !name.is_empty() => name.to_owned(),
        _ => format!("column {}", place + 1),
    }
}

/// What was taken for the target: `label: price (numbers, 20,000 different values): regression`.
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
