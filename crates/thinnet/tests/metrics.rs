//! The tables of a training run, read back by other readers than their writer.
#![allow(clippy::expect_used)] // a test's helpers fail by panicking, too

use std::collections::HashMap;

use thinnet::report::metrics::{COLUMNS, csv_head, csv_line, history_csv, json_line, metrics_jsonl};
use thinnet::training::{Epoch, RunHistory, Score};

/// Two epochs of a classification and one of a regression, with floats that are hard to write.
fn history() -> RunHistory {
    let class = Score { loss: 0.1 + 0.2, accuracy: Some(1.0 / 3.0), top5: Some(5e-324), r2: None };
    let first = Epoch {
        epoch: 1,
        step: u64::MAX,
        learning_rate: 1e-300,
        loss: f64::NAN,
        train: class,
        val: Score { loss: f64::INFINITY, top5: None, ..class },
        seconds: 1e22,
        samples_per_second: f64::MAX,
    };
    let regression = Score { loss: f64::NEG_INFINITY, accuracy: None, top5: None, r2: Some(-0.1) };
    let last = Epoch { epoch: 3, train: regression, val: regression, ..first };
    RunHistory { loss: vec![2.3; 7], epochs: vec![first, Epoch { epoch: 2, ..first }, last], best: Some(0) }
}

/// The floats of an epoch by their column, all but the counts.
fn floats(epoch: &Epoch) -> HashMap<&'static str, Option<f64>> {
    let (train, val) = (epoch.train, epoch.val);
    HashMap::from([
        ("learning_rate", Some(epoch.learning_rate)),
        ("loss", Some(epoch.loss)),
        ("train_loss", Some(train.loss)),
        ("train_accuracy", train.accuracy),
        ("train_top5", train.top5),
        ("train_r2", train.r2),
        ("val_loss", Some(val.loss)),
        ("val_accuracy", val.accuracy),
        ("val_top5", val.top5),
        ("val_r2", val.r2),
        ("seconds", Some(epoch.seconds)),
        ("samples_per_second", Some(epoch.samples_per_second)),
    ])
}

/// Equal to the bit, but for the kind of NaN.
fn same(a: Option<f64>, b: Option<f64>) -> bool {
    a.map(f64::to_bits) == b.map(f64::to_bits) || a.is_some_and(f64::is_nan) && b.is_some_and(f64::is_nan)
}

#[test]
fn the_csv_reads_back_to_the_bit() {
    let history = history();
    let bytes = history_csv(&history).expect("a table");
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().expect("a head"), COLUMNS.to_vec());
    let rows: Vec<HashMap<String, String>> = reader.deserialize().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 3);
    for (row, epoch) in rows.iter().zip(&history.epochs) {
        assert_eq!((&row["epoch"], &row["step"]), (&epoch.epoch.to_string(), &epoch.step.to_string()));
        for (column, value) in floats(epoch) {
            let read = Some(&row[column]).filter(|text| !text.is_empty());
            let read = read.map(|text| text.parse::<f64>().expect(column));
            assert!(same(read, value), "{column}: {:?} is not {value:?}", row[column]);
        }
    }
}

#[test]
fn every_line_of_json_reads_back_to_the_bit() {
    let history = history();
    let text = String::from_utf8(metrics_jsonl(&history).expect("lines")).expect("UTF-8");
    assert_eq!(text.lines().count(), 3);
    for (line, epoch) in text.lines().zip(&history.epochs) {
        let at: Vec<usize> =
            COLUMNS.iter().map(|key| line.find(&format!("\"{key}\":")).expect(key)).collect();
        assert!(at.is_sorted(), "the keys in the columns' order: {line}");
        let object: HashMap<String, serde_json::Value> = serde_json::from_str(line).expect("an object");
        assert_eq!(object.len(), COLUMNS.len());
        assert_eq!(
            (object["epoch"].as_u64(), object["step"].as_u64()),
            (Some(epoch.epoch as u64), Some(epoch.step))
        );
        for (key, value) in floats(epoch) {
            let read = match &object[key] {
                serde_json::Value::String(text) => Some(text.parse().expect(key)),
                number => number.as_f64(),
            };
            assert!(same(read, value), "{key}: {:?} is not {value:?}", object[key]);
        }
    }
}

#[test]
fn lines_one_by_one_are_the_file() {
    let history = history();
    let lines = |line: fn(&Epoch) -> thinnet::Result<Vec<u8>>| {
        history.epochs.iter().flat_map(|epoch| line(epoch).expect("a line")).collect::<Vec<u8>>()
    };
    assert_eq!(history_csv(&history).expect("a table"), [csv_head(), lines(csv_line)].concat());
    assert_eq!(metrics_jsonl(&history).expect("lines"), lines(json_line));
    let empty = RunHistory::default();
    assert_eq!(history_csv(&empty).expect("a table"), csv_head());
    assert!(metrics_jsonl(&empty).expect("lines").is_empty());
}
