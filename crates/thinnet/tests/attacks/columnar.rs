//! Parquet, and Arrow's files and streams.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, NullArray, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::{Attack, file};

fn stored(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)).unwrap()
}

/// A batch with this column twice.
fn twice(column: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter([("a", Arc::clone(&column)), ("b", column)]).unwrap()
}

fn stream(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

/// An Arrow file whose buffers are packed with zstd.
fn packed(batch: &RecordBatch) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

/// Many rows of one value, which take no room in Parquet.
fn many_rows() -> Vec<u8> {
    let rows = BooleanArray::new(BooleanBuffer::new_unset(35_000_000), None);
    let mut out = Vec::new();
    let batch = twice(Arc::new(rows));
    let packed = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(&mut out, batch.schema(), Some(packed)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    out
}

pub fn tables() -> Vec<Attack> {
    let changed = |name: &str, from_end: usize, bytes: &[u8]| {
        let mut content = stored(name);
        let at = content.len() - from_end;
        content[at..at + bytes.len()].copy_from_slice(bytes);
        content
    };
    let zeros = packed(&twice(Arc::new(Int64Array::from(vec![0; 40_000_000]))));
    let mut promise = packed(&twice(Arc::new(Int64Array::from(vec![7; 1000]))));
    let at = promise.windows(4).position(|bytes| bytes == [0x28, 0xb5, 0x2f, 0xfd]).unwrap();
    promise[at - 8..at].copy_from_slice(&(1i64 << 62).to_le_bytes());
    vec![
        file("rows.parquet", "has 35,000,000 rows in a few bytes", many_rows()),
        file(
            "footer.parquet",
            "claims a footer of 2 GiB",
            changed("typed.parquet", 8, &[0xff, 0xff, 0xff, 0x7f]),
        ),
        file("cut.parquet", "is cut short", stored("typed.parquet")[..3000].to_vec()),
        file("head.parquet", "is its first bytes alone", b"PAR1".to_vec()),
        file("rows.arrows", "has 2^40 rows of nothing", stream(&twice(Arc::new(NullArray::new(1 << 40))))),
        file("bomb.arrow", "unpacks 640 MB out of 60 kB", zeros),
        file("promise.arrow", "has a buffer that promises 2^62 bytes", promise),
        file(
            "footer.arrow",
            "claims a footer of 2 GiB",
            changed("typed-polars.arrow", 10, &[0xff, 0xff, 0xff, 0x7f]),
        ),
        file("cut.feather", "is cut short", stored("typed.feather")[..3000].to_vec()),
        file("cut.arrows", "is cut short", stored("typed.arrows")[..3000].to_vec()),
        file("long.arrows", "claims a message of 4 GiB", [[0xff; 4], [0xfe, 0xff, 0xff, 0xff]].concat()),
        file("old.arrow", "is Feather of version 1", b"FEA1 and more".to_vec()),
    ]
}
