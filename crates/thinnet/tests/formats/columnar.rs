//! Tables in columns of types, as pandas, pyarrow and polars write them (tests/files/make.py).

use std::fs;

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use thinnet::data::{DataSet, Features, Format, ReadOptions, Scaling, Targets, Wanted, stream};

use crate::{folder, open, stored};

const FILES: [(&str, Format); 5] = [
    ("typed.parquet", Format::Parquet),
    ("typed-polars.parquet", Format::Parquet),
    ("typed.feather", Format::Arrow),
    ("typed-polars.arrow", Format::Arrow),
    ("typed.arrows", Format::Arrow),
];

fn numbers(x: &Features<f64>) -> Vec<f64> {
    x.to_floats().unwrap().iter().copied().collect()
}

/// What a model sees of a table is the same whatever file it comes from.
#[test]
fn a_table_of_types_is_what_it_is_as_text() {
    let text = open(&stored("typed.csv"));
    assert_eq!(text.names(), ["no", "yes"]);
    let columns = text.columns().unwrap();
    for (name, format) in FILES {
        let set = open(&stored(name));
        assert_eq!(
            (set.format(), set.names(), set.columns()),
            (format, text.names(), Some(columns)),
            "{name}"
        );
        assert_eq!(set.train().labels(), text.train().labels(), "{name}");
        assert_eq!(numbers(set.train().x()), numbers(text.train().x()), "{name}");

        let bytes = fs::read(stored(name)).unwrap();
        let same = |read: DataSet| assert_eq!(format!("{read:?}"), format!("{set:?}"), "{name}"); // NaN is not NaN
        same(DataSet::from_bytes(bytes.clone(), &ReadOptions::default()).unwrap());
        let folder = folder();
        let packed = folder.path().join("packed");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).unwrap();
        fs::write(&packed, encoder.finish().unwrap()).unwrap();
        same(open(&packed));

        // Predictions read blocks of what a model was trained on, from text or not.
        for path in [stored(name), packed, stored("typed.csv")] {
            let wanted = Wanted { shape: set.shape(), columns: set.columns(), resize: false };
            let mut read = Vec::new();
            let mut done = Vec::new();
            stream(&path, wanted, &mut |block| {
                read.extend(numbers(&block.x));
                done.push(block.done);
                Ok(())
            })
            .unwrap();
            assert_eq!(read, numbers(set.train().x()), "{name} by {}", path.display());
            assert!(done.last().unwrap().is_none_or(|done| done == 1.0), "{name}: {done:?}");
        }
        for cut in [bytes.len() / 3, bytes.len() / 2] {
            let cut = DataSet::from_bytes(bytes[..cut].to_vec(), &ReadOptions::default());
            let message = cut.unwrap_err().to_string();
            assert!(message.contains("cut short") || message.contains("cannot be read"), "{name}: {message}");
        }
    }
}

#[test]
fn the_index_of_pandas_is_left_out_and_told() {
    let set = open(&stored("typed.parquet"));
    assert!(
        set.notes().iter().any(|note| note == "left out: __index_level_0__ (the index of pandas)"),
        "{:?}",
        set.notes()
    );
}

#[test]
fn columns_are_chosen_as_those_of_any_table() {
    for (name, _) in FILES {
        let read = |options: ReadOptions| DataSet::open(&stored(name), &options).unwrap();
        let strings = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let set = read(ReadOptions {
            label: Some("whole".to_owned()),
            regression: true,
            columns: strings(&["small", "real", "joined"]),
            categories: strings(&["small"]),
            date_parts: true,
            ..ReadOptions::default()
        });
        let columns = set.columns().unwrap();
        assert_eq!(columns.inputs, ["real", "small", "joined"], "{name}");
        let all = columns.numbers();
        assert_eq!(all[..5], ["real", "real is missing", "small = 0", "small = 1", "small = 2"], "{name}");
        assert_eq!(all[5..].len(), 1 + 7 + 12, "{name}: {all:?}");
        let Targets::Values(targets) = set.train().targets() else { panic!("{name}: these are labels") };
        assert!(targets.iter().take(4).eq(&[0.0, 7.0, 3.0, 10.0]), "{name}");
        assert!(set.scale(Scaling::Standard).unwrap().apply::<f32>(set.train().x()).is_ok(), "{name}");

        // Whole numbers are classes, named by what they are.
        let set = read(ReadOptions { label: Some("small".to_owned()), ..ReadOptions::default() });
        assert_eq!(set.names(), ["0", "1", "2"], "{name}");
        let message = DataSet::open(
            &stored(name),
            &ReadOptions { label: Some("x".to_owned()), ..ReadOptions::default() },
        );
        let message = message.unwrap_err().to_string();
        assert!(
            message.contains("it has no label column \"x\"; its 10 columns are whole, real"),
            "{name}: {message}"
        );
        let options =
            ReadOptions { label: Some("real".to_owned()), regression: true, ..ReadOptions::default() };
        let message = DataSet::open(&stored(name), &options).unwrap_err().to_string();
        assert!(
            message.contains("row 4, column real: an empty field is not a finite number"),
            "{name}: {message}"
        );
    }
}

#[test]
fn a_folder_holds_training_and_test_tables_of_any_kind() {
    let folder = folder();
    fs::copy(stored("typed.parquet"), folder.path().join("train.parquet")).unwrap();
    fs::copy(stored("typed.feather"), folder.path().join("test.feather")).unwrap();
    let set = open(folder.path());
    assert_eq!((set.train().len(), set.test().unwrap().len()), (60, 60));
    assert_eq!(numbers(set.train().x()), numbers(set.test().unwrap().x()));
    fs::copy(stored("typed.arrows"), folder.path().join("test.feather")).unwrap();
    assert_eq!(open(folder.path()).test().unwrap().len(), 60);
    // Without the label it can only be predicted.
    fs::copy(stored("table.csv"), folder.path().join("test.feather")).unwrap();
    let set = open(folder.path());
    assert!(
        set.test().is_none() && set.notes().iter().any(|note| note.contains("test.feather")),
        "{:?}",
        set.notes()
    );
}
