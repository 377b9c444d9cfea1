//! Rows of a table's columns, converted to numbers when they are needed.

use std::ops::Range;
use std::sync::Arc;

use super::cells::{Cells, Column};
use super::encoding::Encoding;
use crate::float::Float;

/// Rows of columns. A copy shares the columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Arc<[Arc<Column>]>,
    /// The place of each row among all rows that were read.
    order: Arc<[u32]>,
    /// The range of `order` with the rows of this table.
    rows: Range<usize>,
    encodings: Arc<[Encoded]>,
}

/// An encoded column.
#[derive(Debug, PartialEq)]
struct Encoded {
    encoding: Encoding,
    /// The place of its first number.
    start: usize,
    /// For each code of its words, the place of the number that is 1.
    places: Vec<Option<u32>>,
}

impl Table {
    /// Columns of equal lengths, with encodings determined by all rows; dates also get their parts if requested.
    pub(crate) fn fitted(columns: Vec<Column>, parts: bool) -> Self {
        let columns: Arc<[Arc<Column>]> = columns.into_iter().map(Arc::new).collect();
        let rows = columns.first().map_or(0, |column| column.cells.len());
        let encodings =
            columns.iter().map(|column| Encoding::fit(&column.kind, &column.cells, 0..rows, parts));
        let encodings = encoded(&columns, encodings.collect());
        Self { columns, order: all(rows), rows: 0..rows, encodings }
    }

    /// Columns of equal lengths with encodings of the same kinds.
    pub(crate) fn with_encodings(columns: Vec<Column>, encodings: Vec<Encoding>) -> Self {
        let columns: Arc<[Arc<Column>]> = columns.into_iter().map(Arc::new).collect();
        let rows = columns.first().map_or(0, |column| column.cells.len());
        let encodings = encoded(&columns, encodings);
        Self { columns, order: all(rows), rows: 0..rows, encodings }
    }

    /// The encodings determined by the rows of this table.
    pub(crate) fn fit(&self) -> Vec<Encoding> {
        let rows = || self.order[self.rows.clone()].iter().map(|&row| row as usize);
        let fit = |(column, now): (&Arc<Column>, &Encoded)| {
            let parts = matches!(now.encoding, Encoding::Date { parts: true, .. });
            Encoding::fit(&column.kind, &column.cells, rows(), parts)
        };
        self.columns.iter().zip(self.encodings.iter()).map(fit).collect()
    }

    /// The same rows with these encodings, one per column.
    pub(crate) fn encoded(&self, encodings: Vec<Encoding>) -> Self {
        Self { encodings: encoded(&self.columns, encodings), ..self.clone() }
    }

    /// The same rows with only the columns at these places, and a model's encodings; `None` if an encoding is for
    /// another kind of column.
    pub(crate) fn picked(&self, places: &[usize], encodings: &[Encoding]) -> Option<Self> {
        let columns: Arc<[Arc<Column>]> =
            places.iter().map(|&place| Arc::clone(&self.columns[place])).collect();
        let fits = columns.iter().zip(encodings).all(|(column, encoding)| column.kind == encoding.kind());
        let encodings = encoded(&columns, encodings.to_vec());
        fits.then(|| Self { columns, encodings, ..self.clone() })
    }

    /// How the columns are encoded.
    pub(crate) fn encodings(&self) -> Vec<Encoding> {
        self.encodings.iter().map(|column| column.encoding.clone()).collect()
    }

    /// (N, D).
    pub fn dim(&self) -> (usize, usize) {
        let width = self.encodings.last().map_or(0, |last| last.start + last.encoding.width());
        (self.rows.len(), width)
    }

    /// Whether each of the D numbers is a quantity that is scaled; all others are 0 or 1.
    pub(crate) fn quantities(&self) -> Vec<bool> {
        let mut quantities = vec![false; self.dim().1];
        for column in self.encodings.iter().filter(|column| column.encoding.is_quantity()) {
            quantities[column.start] = true;
        }
        quantities
    }

    /// Whether most numbers of a sample are 0, so that storing only the others is worthwhile.
    pub(crate) fn is_sparse(&self) -> bool {
        self.dim().1 >= 4 * self.columns.len()
    }

    /// Calls `put` with the place and value of each nonzero number of row `index`.
    pub(crate) fn each(&self, index: usize, mut put: impl FnMut(usize, f64)) {
        let row = self.order[self.rows.start + index] as usize;
        for (column, encoded) in self.columns.iter().zip(self.encodings.iter()) {
            let start = encoded.start;
            let put = |place, value| put(start + place, value);
            encoded.encoding.each(&column.cells, &encoded.places, row, put);
        }
    }

    /// Writes the D numbers of row `index`.
    pub(crate) fn write_row<F: Float>(&self, index: usize, out: &mut [F]) {
        out.fill(F::zero());
        self.each(index, |place, value| out[place] = F::from_f64(value));
    }

    /// How many words of these rows have no number, because they do not occur in the encodings' rows.
    pub fn strangers(&self) -> usize {
        let of = |(column, encoded): (&Arc<Column>, &Encoded)| match &column.cells {
            Cells::Words { codes, .. } => self.order[self.rows.clone()]
                .iter()
                .filter(|&&row| encoded.places.get(codes[row as usize] as usize) == Some(&None))
                .count(),
            Cells::Numbers(_) => 0,
        };
        self.columns.iter().zip(self.encodings.iter()).map(of).sum()
    }

    /// Rows `from..to`, at most N.
    pub(crate) fn slice(&self, from: usize, to: usize) -> Self {
        Self { rows: self.rows.start + from..self.rows.start + to, ..self.clone() }
    }

    /// Rows in another order: row `i` is what row `order[i]` was.
    pub(crate) fn reordered(&self, order: &[usize]) -> Self {
        let order = order.iter().map(|&row| self.order[self.rows.start + row]).collect::<Vec<_>>();
        Self { rows: 0..order.len(), order: order.into(), ..self.clone() }
    }

    /// The columns.
    pub(super) fn columns(&self) -> &[Arc<Column>] {
        &self.columns
    }

    /// The rows' places among all rows that were read.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.order[self.rows.clone()].iter().map(|&row| row as usize)
    }
}

fn all(rows: usize) -> Arc<[u32]> {
    #[allow(clippy::cast_possible_truncation, reason = "no file of more rows fits in memory")]
    (0..rows as u32).collect()
}

fn encoded(columns: &[Arc<Column>], encodings: Vec<Encoding>) -> Arc<[Encoded]> {
    let mut start = 0;
    let place = |(column, encoding): (&Arc<Column>, Encoding)| {
        let encoded = Encoded { start, places: encoding.places(&column.cells), encoding };
        start += encoded.encoding.width();
        encoded
    };
    columns.iter().zip(encodings).map(place).collect()
}
