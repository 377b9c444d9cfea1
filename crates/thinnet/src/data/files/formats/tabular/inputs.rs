//! The inputs of a table's rows: columns, each with its own kind, or rows of numbers if all are numbers.

use super::layout::Layout;
use super::target::not_finite;
use crate::data::files::formats::rows;
use crate::data::table::field::{Field, Origin};
use crate::data::table::{Column, Growing, Kind, Numbers, Table};
use crate::data::{Columns, Encoding, Features, Pixels};
use crate::error::Result;

/// After this many rows, a table with only numbers is stored by rows, the final layout.
const CERTAIN: usize = 1000;

/// The inputs of the rows read so far.
pub(crate) struct Inputs {
    columns: Vec<Growing>,
    /// The rows one after another, instead of the columns.
    rows: Option<Numbers>,
    count: usize,
    origin: Origin,
    /// Whether they are for a model.
    for_model: bool,
    /// Whether the model takes only numbers; then it does not say how to fill a gap.
    numbers_alone: bool,
}

/// The inputs after reading.
pub(crate) enum Read {
    /// Only numbers, without gaps.
    Rows(Features<f64>),
    Columns(Vec<Growing>),
}

impl Inputs {
    /// The inputs of a table with this layout.
    pub(crate) fn of_table(layout: &Layout, origin: Origin) -> Self {
        Self::new(layout.kinds.iter().cloned(), origin)
    }

    /// The inputs that a model takes.
    pub(crate) fn of_model(known: &Columns, origin: Origin) -> Self {
        let kind = |input| known.encodings.get(input).map_or(Kind::Number, Encoding::kind);
        let all = (0..known.inputs.len()).map(kind).map(Some);
        Self { for_model: true, numbers_alone: known.encodings.is_empty(), ..Self::new(all, origin) }
    }

    fn new(kinds: impl Iterator<Item = Option<Kind>>, origin: Origin) -> Self {
        let columns = kinds.map(|kind| Growing::new(kind, origin)).collect();
        Self { columns, rows: None, count: 0, origin, for_model: false, numbers_alone: false }
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Adds the next row, on this line; `field` returns its fields by their places.
    pub(crate) fn push<'f>(
        &mut self,
        layout: &Layout,
        field: &impl Fn(usize) -> Field<'f>,
        line: u64,
    ) -> Result<()> {
        if !self.push_row(layout, field) {
            self.turn_to_columns();
            self.push_columns(layout, field, line)?;
            self.count += 1;
            if self.count == CERTAIN {
                self.turn_to_rows();
            }
        }
        Ok(())
    }

    /// Adds a row if rows are stored and it has only numbers; otherwise returns `false`.
    fn push_row<'f>(&mut self, layout: &Layout, field: &impl Fn(usize) -> Field<'f>) -> bool {
        let Some(rows) = &mut self.rows else { return false };
        let before = rows.len();
        for &place in &layout.inputs {
            let Some(number) = field(place).number(self.origin.comma) else {
                rows.truncate(before);
                return false;
            };
            rows.push(number);
        }
        self.count += 1;
        true
    }

    fn push_columns<'f>(
        &mut self,
        layout: &Layout,
        field: &impl Fn(usize) -> Field<'f>,
        line: u64,
    ) -> Result<()> {
        for (column, &place) in self.columns.iter_mut().zip(&layout.inputs) {
            let field = field(place);
            let taken =
                if self.numbers_alone && field.is_gap() { Err(field) } else { column.push(field, line) };
            taken.map_err(|field| {
                let why = if self.numbers_alone {
                    "the model takes only numbers".to_owned()
                } else if self.for_model {
                    format!("the model takes {} here", column.wanted())
                } else {
                    "the column holds numbers".to_owned()
                };
                not_finite((self.origin.row, line), (&layout.names[place], field), &why)
            })?;
        }
        Ok(())
    }

    fn turn_to_rows(&mut self) {
        if !self.columns.iter().all(Growing::is_numbers_alone) {
            return;
        }
        let columns: Vec<Numbers> = self.columns.iter_mut().map(Growing::take).collect();
        let mut rows = Numbers::default();
        for row in 0..self.count {
            for column in &columns {
                rows.push(column.get(row));
            }
        }
        self.rows = Some(rows);
    }

    /// Converts rows to columns, if rows are stored.
    pub(crate) fn turn_to_columns(&mut self) {
        let Some(rows) = self.rows.take() else { return };
        let width = self.columns.len();
        for (place, column) in self.columns.iter_mut().enumerate() {
            let mut numbers = Numbers::default();
            (0..self.count).for_each(|row| numbers.push(rows.get(row * width + place)));
            column.put(numbers);
        }
    }

    /// The number of an input in a row, if rows are stored.
    pub(crate) fn number(&self, row: usize, input: usize) -> Option<f64> {
        Some(self.rows.as_ref()?.get(row * self.columns.len() + input))
    }

    pub(crate) fn finish(self) -> Result<Read> {
        Ok(match self.rows {
            Some(rows) => Read::Rows(features(rows, self.count)?),
            None => Read::Columns(self.columns),
        })
    }

    /// The inputs of a model.
    pub(crate) fn into_features(self, known: &Columns) -> Result<Features<f64>> {
        match self.finish()? {
            Read::Rows(rows) => Ok(rows),
            Read::Columns(columns) => {
                let finish = |(column, name): (Growing, &String)| column.finish(name);
                let columns = columns.into_iter().zip(&known.inputs).map(finish).collect::<Result<_>>()?;
                features_of(columns, Some(known), false)
            }
        }
    }
}

/// Columns as inputs: bytes or floats if all are numbers, otherwise a table. With a model's columns they are encoded
/// as the model's are; dates also give their parts if requested.
pub(crate) fn features_of(
    columns: Vec<Column>,
    known: Option<&Columns>,
    date_parts: bool,
) -> Result<Features<f64>> {
    match known {
        Some(known) if !known.encodings.is_empty() => {
            return Ok(Features::Table(Table::with_encodings(columns, known.encodings.clone())));
        }
        None if columns.iter().any(|column| column.kind != Kind::Number || column.cells.has_gaps()) => {
            return Ok(Features::Table(Table::fitted(columns, date_parts)));
        }
        _ => {}
    }
    let samples = columns.first().map_or(0, |column| column.cells.len());
    let mut numbers = Numbers::default();
    for row in 0..samples {
        for column in &columns {
            numbers.push(column.cells.number(row));
        }
    }
    features(numbers, samples)
}

/// This many rows of numbers.
fn features(numbers: Numbers, samples: usize) -> Result<Features<f64>> {
    let width = numbers.len() / samples.max(1);
    Ok(match numbers {
        Numbers::Bytes(bytes) => Pixels::plain(rows(samples, width, bytes)?).into(),
        Numbers::Floats(floats) => rows(samples, width, floats)?.into(),
    })
}
