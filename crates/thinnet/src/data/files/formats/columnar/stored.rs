//! A Parquet table whose rows stay in its file, which is read one row group at a time.
//!
//! As in any table, all rows decide what a column holds and how it is encoded. So columns are read whole, but only a
//! few at a time.

use std::fs::File;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

use super::{ORIGIN, Source as Table};
use crate::data::files::archive::damage;
use crate::data::files::formats::tabular::{
    Inputs, Layout, Read, Target, columns_of, data_set, is_unlabelled,
};
use crate::data::files::guard::{broken, guarded};
use crate::data::stored::{Source, Stored};
use crate::data::table::{Cells, Column, Kind, Numbers, Table as Columns};
use crate::data::{self, DataSet, Encoding, Features, Format, ReadOptions};
use crate::error::{Error, Result, ensure};

/// About how many bytes the columns take that are read whole.
const COLUMNS: u64 = 1 << 28;

/// Bytes of a number in training.
const VALUE: usize = 4;

/// A table in a file.
#[derive(Clone)]
struct StoredTable {
    file: Arc<Mutex<File>>,
    size: u64,
    /// About how many bytes of rows are mixed, unless two row groups take more.
    window: usize,
    metadata: ArrowReaderMetadata,
    /// For each row group, the row after its last one.
    ends: Vec<usize>,
    /// Its columns as a model needs them.
    known: data::Columns,
    /// Whether all numbers are bytes.
    is_bytes: bool,
}

/// Inputs that are not left out.
struct Kept {
    /// Their places among all inputs.
    places: Vec<usize>,
    /// Empty if all columns are numbers without gaps.
    encodings: Vec<Encoding>,
    is_bytes: bool,
}

/// Opens the table in a Parquet file of `size` bytes; inputs stay in the file, and about `window` bytes of them are
/// mixed. `progress` gets the current row of the target column, and the number of rows.
///
/// # Errors
/// As [`Table::read`].
pub(crate) fn open(
    (file, name): (File, &str),
    (size, window): (u64, usize),
    options: &ReadOptions,
    progress: &dyn Fn(u64, u64),
) -> Result<DataSet> {
    let metadata = guarded(|| {
        let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        ArrowReaderMetadata::load(&file, plain).map_err(broken)
    })?;
    let mut ends = Vec::new();
    for group in metadata.metadata().row_groups() {
        let rows = usize::try_from(group.num_rows())
            .map_err(|_| Error::data("it is damaged: a part has a negative number of rows"))?;
        ends.push(ends.last().map_or(rows, |before: &usize| before.saturating_add(rows)));
    }
    let all = ends.last().copied().unwrap_or(0);
    let rows = u32::try_from(all);
    ensure!(rows.is_ok(), Error::data(format!("it has {all} rows; at most {} are read", u32::MAX)));
    let file = Arc::new(Mutex::new(file));
    let mut table =
        StoredTable { file, size, window, metadata, ends, known: data::Columns::default(), is_bytes: false };
    let (_, names, kinds, left_out) = table.table(None)?.0.columns();
    let layout = match &options.known {
        Some(known) => Layout::of_model(&names, true, known)?.with_label(known)?,
        None => Layout::new(&names, true, options)?.with_kinds(&kinds),
    };
    let mut target = Target::new(layout.label_name(), options, ORIGIN);
    let mut labelled = Vec::new();
    let mut at = 0u32;
    let (whole, alone) = table.table(None)?;
    whole.each_row(&[layout.label], |row, number, _| {
        if row.row == 0 {
            progress(number, all as u64);
        }
        at += 1;
        let label = row.field(layout.label);
        if is_unlabelled(label, options) {
            return Ok(());
        }
        labelled.push(at - 1);
        target.push(label, number)
    })?;
    drop(alone);
    let mut notes = Vec::new();
    let Kept { places, encodings, is_bytes } = match &options.known {
        Some(known) => Kept {
            places: (0..layout.inputs.len()).collect(),
            encodings: known.encodings.clone(),
            is_bytes: false,
        },
        None => table.kept(&layout, &labelled, options, &mut notes)?,
    };
    let left = all - labelled.len();
    let mut set =
        data_set(Format::Parquet, (&layout, options), target, (places, encodings), (left, notes), |named| {
            (table.known, table.is_bytes) = (named.clone(), is_bytes);
            Ok(Features::Stored(Stored::new(Arc::new(table), name, labelled)))
        })?;
    for note in left_out {
        set.note(note);
    }
    Ok(set)
}

impl StoredTable {
    /// The table with some of its row groups, by default all. The reader locks the file.
    fn table(&self, groups: Option<Vec<usize>>) -> Result<(Table, MutexGuard<'_, File>)> {
        let alone = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = alone.try_clone().map_err(damage)?;
        let table = guarded(|| Ok(Table::of_parquet(file, self.size, self.metadata.clone(), groups)))?;
        Ok((table, alone))
    }

    /// Ranges of inputs, each small enough to be read whole.
    fn parts(&self, inputs: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let rows = self.ends.last().copied().unwrap_or(0).max(1) as u64;
        let size = usize::try_from(COLUMNS / 8 / rows).unwrap_or(usize::MAX).max(1);
        (0..inputs).step_by(size).map(move |first| first..first.saturating_add(size).min(inputs))
    }

    /// Reads some columns whole, for these rows.
    fn read_columns(&self, layout: &Layout, rows: &[u32]) -> Result<Inputs> {
        let mut inputs = Inputs::of_table(layout, ORIGIN);
        let mut rows = rows.iter().copied().peekable();
        let mut at = 0u32;
        let (whole, _alone) = self.table(None)?;
        whole.each_row(&layout.inputs, |row, number, _| {
            let wanted = rows.next_if_eq(&at).is_some();
            at += 1;
            if wanted { inputs.push(layout, &|place| row.field(place), number) } else { Ok(()) }
        })?;
        Ok(inputs)
    }

    /// The inputs that carry information about a sample.
    fn kept(
        &self,
        layout: &Layout,
        rows: &[u32],
        options: &ReadOptions,
        notes: &mut Vec<String>,
    ) -> Result<Kept> {
        let (mut kept, mut encodings, mut is_bytes) = (Vec::new(), Vec::new(), true);
        let mut numbers_alone = rows.len() == self.ends.last().copied().unwrap_or(0);
        for part in self.parts(layout.inputs.len()) {
            let layout = Layout {
                inputs: layout.inputs[part.clone()].to_vec(),
                kinds: layout.kinds[part.clone()].to_vec(),
                ..layout.clone()
            };
            let mut inputs = self.read_columns(&layout, rows)?;
            inputs.turn_to_columns();
            let Read::Columns(growing) = inputs.finish()? else { continue };
            let (places, columns): (Vec<usize>, Vec<Column>) =
                columns_of(growing, (&layout, options), notes)?.into_iter().unzip();
            kept.extend(places.into_iter().map(|place| part.start + place));
            numbers_alone &=
                columns.iter().all(|column| column.kind == Kind::Number && !column.cells.has_gaps());
            is_bytes &=
                columns.iter().all(|column| matches!(column.cells, Cells::Numbers(Numbers::Bytes(_))));
            encodings.extend(Columns::fitted(columns, options.date_parts).encodings());
        }
        let encodings = if numbers_alone { Vec::new() } else { encodings };
        Ok(Kept { places: kept, encodings, is_bytes: is_bytes && numbers_alone })
    }
}

impl Source<Features<f64>> for StoredTable {
    fn width(&self) -> usize {
        self.known.input_dim()
    }

    fn ends(&self) -> &[usize] {
        &self.ends
    }

    fn window(&self) -> usize {
        let rows = self.ends.last().copied().unwrap_or(0) / self.ends.len().max(1);
        let group = rows.max(1).saturating_mul(VALUE * self.known.inputs.len().max(1));
        (self.window / group).max(2)
    }

    fn is_bytes(&self) -> bool {
        self.is_bytes
    }

    fn read(&self, block: usize) -> Result<Features<f64>> {
        let (table, _alone) = self.table(Some(vec![block]))?;
        let before = if block == 0 { 0 } else { self.ends[block - 1] as u64 };
        let layout = Layout::of_model(&table.names(), true, &self.known)?;
        let mut inputs = Inputs::of_model(&self.known, ORIGIN);
        table.each_row(&layout.inputs, |row, number, _| {
            inputs.push(&layout, &|place| row.field(place), before + number)
        })?;
        let found = inputs.len();
        let x = inputs.into_features(&self.known)?;
        ensure!(
            found as u64 + before == self.ends[block] as u64,
            Error::data("it has other rows than before")
        );
        Ok(x)
    }

    fn quantities(&self) -> Option<Vec<bool>> {
        self.known.quantities()
    }

    fn fit(&self, rows: &[u32]) -> Result<Option<Vec<Encoding>>> {
        if self.known.encodings.is_empty() {
            return Ok(None);
        }
        let whole = Layout::of_model(&self.table(None)?.0.names(), true, &self.known)?;
        let mut encodings = Vec::new();
        for part in self.parts(whole.inputs.len()) {
            let now = &self.known.encodings[part.clone()];
            let layout = Layout {
                inputs: whole.inputs[part.clone()].to_vec(),
                kinds: now.iter().map(|encoding| Some(encoding.kind())).collect(),
                ..whole.clone()
            };
            let mut inputs = self.read_columns(&layout, rows)?;
            inputs.turn_to_columns();
            let Read::Columns(growing) = inputs.finish()? else { continue };
            let columns =
                growing.into_iter().zip(&self.known.inputs[part]).map(|(column, name)| column.finish(name));
            encodings.extend(Columns::with_encodings(columns.collect::<Result<_>>()?, now.to_vec()).fit());
        }
        Ok(Some(encodings))
    }

    fn encoded(&self, encodings: &[Encoding]) -> Option<Arc<dyn Source<Features<f64>>>> {
        let known = data::Columns { encodings: encodings.to_vec(), ..self.known.clone() };
        Some(Arc::new(Self { known, ..self.clone() }))
    }
}
