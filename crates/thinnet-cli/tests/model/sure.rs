//! Predictions that are as sure as they are right: sets and intervals with a coverage, and temperatures.

use ndarray::Array2;
use serde_json::Value;
use thinnet::model::Model;

use crate::common::thinnet;
use crate::{flower, numbers, refused, stdout, trained};

/// Sets and intervals, as the library predicts them.
#[test]
fn a_coverage_gives_sets_and_intervals() {
    let folder = trained(&[]);
    let model = Model::<f32>::load(folder.path().join("run/model.safetensors")).unwrap();
    let x = Array2::from_shape_fn(
        (90, 2),
        |(row, column)| if column == 0 { flower(row).0 } else { flower(row).1 },
    );
    let sets = model.predict_sets(x, 0.8).unwrap();
    let text = stdout(folder.path(), &["predict", "run", "flowers.csv", "--coverage", "0.8"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "sample,rank,class,probability");
    assert_eq!(lines.len(), 1 + sets.iter().map(|set| set.len().max(1)).sum::<usize>());
    let json = stdout(folder.path(), &["predict", "run", "flowers.csv", "--coverage", "0.8", "--json"]);
    for (line, set) in json.lines().zip(&sets) {
        let line: Value = serde_json::from_str(line).unwrap();
        let classes = line["classes"].as_array().unwrap();
        let names = set.iter().map(|&class| ["lily", "rose, wild", "tulip"][class]);
        assert!(classes.iter().map(|class| class["class"].as_str().unwrap()).eq(names), "{line}");
    }
    let coverage = |value| ["predict", "run", "flowers.csv", "--coverage", value];
    refused(folder.path(), &coverage("0.99"), &["--coverage", "run", "with 20 it can be at most 0.95"]);
    refused(folder.path(), &coverage("90"), &["above 0 and below 1"]);
    for other in ["--proba", "--uncalibrated"] {
        let arguments = [&coverage("0.8")[..], &[other]].concat();
        refused(folder.path(), &arguments, &["cannot be used"]);
    }
    let older = concat!(env!("CARGO_MANIFEST_DIR"), "/../thinnet/tests/trust/older.safetensors");
    let arguments = ["predict", older, "flowers.csv", "--coverage", "0.8"];
    refused(folder.path(), &arguments, &["older.safetensors", "train it again"]);

    let folder = numbers();
    let text = stdout(folder.path(), &["predict", "run", "numbers.csv", "--coverage", "0.8"]);
    assert_eq!(text.lines().next(), Some("sample,price,price low,price high"));
    for line in text.lines().skip(1) {
        let numbers: Vec<f64> = line.split(',').map(|number| number.parse().unwrap()).collect();
        assert!((numbers[1] - f64::midpoint(numbers[2], numbers[3])).abs() < 1e-2, "{line}");
    }
    let json = stdout(folder.path(), &["predict", "run", "numbers.csv", "--coverage", "0.8", "--json"]);
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert!(first["intervals"]["price"][0].as_f64() < first["targets"]["price"].as_f64(), "{first}");
}

/// A temperature changes probabilities and no class; a sweep's runs have one, too.
#[test]
fn a_calibrated_run_predicts_the_same_classes() {
    let folder = trained(&["train.calibrate=true", "model.keep=1", "train.epochs=3", "data.val=30"]);
    let classes = |more: &[&str]| {
        let text = stdout(folder.path(), &[&["predict", "run", "flowers.csv"], more].concat());
        let cut = |line: &str| line.rsplit_once(',').map(|(class, _)| class.to_owned()).unwrap();
        (text.lines().map(cut).collect::<Vec<_>>(), text)
    };
    let (with, without) = (classes(&[]), classes(&["--uncalibrated"]));
    assert_eq!(with.0, without.0);
    assert_ne!(with.1, without.1);
    let info = stdout(folder.path(), &["model", "info", "run"]);
    for line in ["\ntemperature    ", "\ncoverage       sets and intervals by 30 validation samples\n"] {
        assert!(info.contains(line), "{info}");
    }
    let loss = |more: &[&str]| {
        let text = stdout(folder.path(), &[&["evaluate", "run", "flowers.csv", "--json"], more].concat());
        serde_json::from_str::<Value>(&text).unwrap()["log_loss"].as_f64()
    };
    assert_ne!(loss(&[]), loss(&["--uncalibrated"]));
    let sweep = ["sweep", "run/config.toml", "--out", "sweep", "--quiet", "--set", "model.keep=0.5,1"];
    thinnet(folder.path()).args(sweep).assert().success();
    for run in ["0001-seed231", "0002-seed231"] {
        let path = folder.path().join("sweep/runs").join(run).join("model.safetensors");
        assert!(Model::<f32>::load(path).unwrap().trained().temperature.is_some());
    }
    let mut regression = vec!["train", "--data", "flowers.csv", "--out", "no"];
    let settings = ["data.label_column=width", "model.task=regression", "train.calibrate=true"];
    regression.extend(settings.into_iter().flat_map(|setting| ["--set", setting]));
    refused(folder.path(), &regression, &["train.calibrate", "classification"]);
}
