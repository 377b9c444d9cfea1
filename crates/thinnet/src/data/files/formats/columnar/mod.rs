//! Tables with typed columns, stored column by column: Parquet, and Arrow's files and streams (Feather version 2).
//!
//! Numbers and dates are taken as they are. Words are interpreted as in any table, so they may be truth values or
//! dates.

mod arrow_file;
mod arrow_stream;
mod messages;
#[cfg(feature = "streams")]
mod stored;
mod values;

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::reader::ChunkReader;

use super::tabular::{Build, Inputs, Layout};
use crate::data::files::archive::{brief, damage, read_all};
use crate::data::files::guard::{broken, guarded};
use crate::data::table::Kind;
use crate::data::table::field::{Field, Origin};
use crate::data::{Columns, DataSet, Features, Format, ReadOptions, limits};
use crate::error::{Error, Result, ensure};
#[cfg(feature = "streams")]
pub(crate) use stored::open as open_stored;
use values::{Values, kind_of};

/// The first bytes of a Parquet file.
const PARQUET: &[u8] = b"PAR1";

/// Bytes that a value takes in memory at most.
const VALUE: u64 = 8;

/// Rows that are decoded together.
const ROWS: usize = 1024;

/// Fields of such a table are numbers, or texts with decimal points.
const ORIGIN: Origin = Origin { comma: false, row: "row" };

/// A table that can be read.
pub(crate) struct Source {
    format: Format,
    schema: SchemaRef,
    /// How many rows it claims to have.
    rows: Option<u64>,
    /// The maximum number of values for a file of this size.
    most: u64,
    /// Returns the batches of the columns at these places, in increasing order.
    open: Open,
}

type Open = Box<dyn FnOnce(&[usize]) -> Result<Batches>>;

type Batches = Box<dyn Iterator<Item = Result<RecordBatch>>>;

impl Source {
    /// The table in a file of `size` bytes, which is Parquet or else Arrow.
    ///
    /// # Errors
    /// [`Error::Data`] if it is neither, and [`Error::Io`] if the file cannot be read.
    pub(crate) fn open(mut file: File, size: u64, path: &Path) -> Result<Self> {
        let mut head = Vec::new();
        let looked =
            file.by_ref().take(PARQUET.len() as u64).read_to_end(&mut head).and_then(|_| file.rewind());
        looked.map_err(Error::io("read", path))?;
        guarded(|| {
            if head == PARQUET { Self::parquet(file, size) } else { Self::arrow(BufReader::new(file), size) }
        })
    }

    /// The same for a stream of `size` bytes, or one that was compressed to that size; it is read into memory.
    ///
    /// # Errors
    /// [`Error::Data`] if it is neither.
    pub(crate) fn of_stream(stream: impl Read, size: u64) -> Result<Self> {
        let bytes = read_all(stream, size).map_err(damage)?;
        let size = bytes.len() as u64;
        guarded(|| {
            if bytes.starts_with(PARQUET) {
                Self::parquet(Bytes::from(bytes), size)
            } else {
                Self::arrow(Cursor::new(bytes), size)
            }
        })
    }

    /// The names of the columns.
    pub(crate) fn names(&self) -> Vec<String> {
        self.columns().1
    }

    fn parquet(content: impl ChunkReader + 'static, size: u64) -> Result<Self> {
        // Arrow's writers add what types the columns had in memory; those are more types than the file has.
        let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(&content, plain).map_err(broken)?;
        Ok(Self::of_parquet(content, size, metadata, None))
    }

    /// A Parquet table with some of its row groups, by default all; its metadata were read already.
    fn of_parquet(
        content: impl ChunkReader + 'static,
        size: u64,
        metadata: ArrowReaderMetadata,
        groups: Option<Vec<usize>>,
    ) -> Self {
        let whole = metadata.metadata();
        let rows = match &groups {
            None => whole.file_metadata().num_rows(),
            Some(groups) => groups.iter().map(|&group| whole.row_group(group).num_rows()).sum(),
        };
        let (rows, schema) = (u64::try_from(rows).ok(), metadata.schema().clone());
        let open = Box::new(move |places: &[usize]| {
            let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(content, metadata);
            let wanted = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
            if let Some(groups) = groups {
                builder = builder.with_row_groups(groups);
            }
            let batches = builder.with_projection(wanted).with_batch_size(ROWS).build().map_err(broken)?;
            Ok(Box::new(batches.map(|batch| batch.map_err(broken))) as Batches)
        });
        Self { format: Format::Parquet, schema, rows, most: limits::unpacked(size) / VALUE, open }
    }

    fn arrow(mut content: impl BufRead + Seek + 'static, size: u64) -> Result<Self> {
        let head = content.fill_buf().map_err(damage)?;
        ensure!(
            !head.starts_with(b"FEA1"),
            Error::data("it is Feather version 1; save it again with a current pandas or pyarrow")
        );
        let is_file = head.starts_with(b"ARROW1");
        let (schema, batches): (_, Batches) = if is_file {
            let (schema, batches) = arrow_file::Batches::open(content)?;
            (schema, Box::new(batches))
        } else {
            let (schema, batches) = arrow_stream::Batches::open(content, size)?;
            (schema, Box::new(batches))
        };
        let open = Box::new(move |places: &[usize]| {
            let places = places.to_vec();
            Ok(Box::new(batches.map(move |batch| batch?.project(&places).map_err(broken))) as Batches)
        });
        Ok(Self { format: Format::Arrow, schema, rows: None, most: limits::unpacked(size) / VALUE, open })
    }

    /// The places of the columns that can be inputs or targets, their names and kinds, and notes about the other
    /// columns.
    fn columns(&self) -> (Vec<usize>, Vec<String>, Vec<Option<Kind>>, Vec<String>) {
        let (mut places, mut names, mut kinds, mut notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (place, field) in self.schema.fields().iter().enumerate() {
            let name = field.name();
            match kind_of(field.data_type()) {
                _ if name.starts_with("__index_level_") => {
                    notes.push(format!("left out: {name} (the index of pandas)"));
                }
                Some(kind) => {
                    places.push(place);
                    names.push(name.clone());
                    kinds.push(kind);
                }
                None => notes.push(format!("left out: {name} (values of type {})", brief(field.data_type()))),
            }
        }
        (places, names, kinds, notes)
    }

    /// Reads the table as a data set with one part. Reports the current row, and the number of rows if it is known.
    ///
    /// # Errors
    /// As [`csv::read`](super::csv::read), but with rows counted from 1 instead of lines.
    pub(crate) fn read(self, options: &ReadOptions, progress: &dyn Fn(u64, u64)) -> Result<DataSet> {
        let (_, names, kinds, notes) = self.columns();
        let layout = match &options.known {
            Some(known) => Layout::of_model(&names, true, known)?.with_label(known)?,
            None => Layout::new(&names, true, options)?.with_kinds(&kinds),
        };
        let wanted: Vec<usize> = layout.inputs.iter().copied().chain([layout.label]).collect();
        let (format, mut build) = (self.format, Build::new(layout, options, ORIGIN));
        let rows = self.rows;
        self.each_row(&wanted, |row, number, _| {
            if let Some(rows) = rows.filter(|_| row.row == 0) {
                progress(number, rows);
            }
            build.push(|place| row.field(place), number)
        })?;
        let mut set = build.finish(format)?;
        for note in notes {
            set.note(note);
        }
        Ok(set)
    }

    /// Passes on a model's inputs, `rows` at a time, with the share of the table that is read, if it is known.
    ///
    /// # Errors
    /// As [`Source::read`], and [`Error::Data`] for columns that are not the model's.
    pub(crate) fn each_block(
        self,
        known: &Columns,
        rows: usize,
        each: &mut dyn FnMut(Features<f64>, Option<f64>) -> Result<()>,
    ) -> Result<()> {
        let layout = Layout::of_model(&self.names(), true, known)?;
        let mut inputs = Inputs::of_model(known, ORIGIN);
        let mut done = None;
        let mut hand_on = |inputs: &mut Inputs, done| {
            let read = std::mem::replace(inputs, Inputs::of_model(known, ORIGIN));
            each(read.into_features(known)?, done)
        };
        self.each_row(&layout.inputs, |row, number, share| {
            inputs.push(&layout, &|place| row.field(place), number)?;
            done = share;
            if inputs.len() == rows { hand_on(&mut inputs, done) } else { Ok(()) }
        })?;
        if inputs.len() == 0 { Ok(()) } else { hand_on(&mut inputs, done) }
    }

    /// Calls `each` for every row, with its number from 1 and the share of all rows up to it. A row has the fields at
    /// the places `wanted`, among the table's fields.
    fn each_row(
        self,
        wanted: &[usize],
        mut each: impl FnMut(Row<'_>, u64, Option<f64>) -> Result<()>,
    ) -> Result<()> {
        // Rows that are all the same take no space in a file.
        let too_many = || {
            Error::data(format!(
                "it unpacks to more than {} values, too much for a file of its size",
                self.most
            ))
        };
        let fits = |rows: u64| rows.saturating_mul(wanted.len() as u64) <= self.most;
        ensure!(self.rows.is_none_or(fits), too_many());
        let places = self.columns().0;
        let mut sorted = wanted.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let stored: Vec<usize> = sorted.iter().map(|&place| places[place]).collect();
        let mut values: Vec<Option<Values>> = Vec::new();
        values.resize_with(places.len(), || None);
        let mut count = 0;
        let mut batches = guarded(|| (self.open)(&stored))?;
        while let Some(batch) = guarded(|| batches.next().transpose())? {
            ensure!(fits(count + batch.num_rows() as u64), too_many());
            for (column, &place) in batch.columns().iter().zip(&sorted) {
                values[place] = Some(guarded(|| Values::of(column))?);
            }
            for row in 0..batch.num_rows() {
                count += 1;
                let share = self.rows.map(|rows| (count as f64 / rows.max(1) as f64).min(1.0));
                each(Row { values: &values, row }, count, share)?;
            }
        }
        Ok(())
    }
}

/// A row of a batch.
struct Row<'a> {
    values: &'a [Option<Values>],
    row: usize,
}

impl<'a> Row<'a> {
    /// The field at this place.
    fn field(&self, place: usize) -> Field<'a> {
        self.values
            .get(place)
            .and_then(Option::as_ref)
            .map_or(Field::Text(""), |values| values.field(self.row))
    }
}
