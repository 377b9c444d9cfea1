//! Everyday tables, where they are (see `common::datasets`): one command trains, one predicts, and no file is edited.
#![allow(clippy::unwrap_used, clippy::panic)] // a test's helpers fail by panicking, too

mod common;

use std::fs;
use std::io::Read;
use std::path::Path;

use common::datasets::real_data;
use common::{empty_folder, thinnet};
use serde_json::Value;

/// A table; what `--label` names, where the choice is not left to the program; the classes, or 0 where it
/// holds numbers; numbers of a sample.
const TABLES: [(&str, Option<&str>, u64, u64); 18] = [
    ("titanic.csv", Some("survived"), 2, 7),
    ("auto-mpg.csv", Some("mpg"), 0, 58),
    ("penguins.csv", Some("species"), 3, 14),
    ("forensic_glass.csv", None, 6, 9),
    ("superstore.csv.gz", None, 0, 136),
    ("sea_surface_temperature.csv.gz", None, 0, 1),
    ("gbsg2.csv", None, 2, 11),
    ("dd.csv", Some("democracy"), 2, 141),
    ("lung.csv", Some("status"), 2, 14),
    ("canadian_senators.csv", Some("reason"), 4, 55),
    ("abalone.csv", Some("rings"), 28, 10),
    ("arrests.csv", Some("released"), 2, 7),
    ("heart.csv", None, 2, 17),
    ("tips.csv.gz", Some("tip"), 0, 9),
    ("seattle-weather.csv", None, 5, 5),
    ("airports.csv", None, 0, 108),
    ("stocks.csv", None, 0, 6),
    ("la-riots.csv", Some("type"), 4, 42),
];

fn text_of(path: &Path) -> String {
    let bytes = fs::read(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut text = String::new();
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        return text;
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn everyday_tables_are_trained_and_predicted_by_one_command_each() {
    let Some(tables) = real_data("tables") else { return };
    for (name, label, classes, inputs) in TABLES {
        let path = tables.join(name);
        let folder = empty_folder();
        let mut train = thinnet(folder.path());
        train.args(["train", "--json", "--out", "run", "--data"]).arg(&path);
        train.args(["--set", "train.epochs=2", "--set", "model.hidden=[16]"]);
        let output = train.args(label.iter().flat_map(|label| ["--label", label])).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{name}: {said}");
        let lines = String::from_utf8(output.stdout).unwrap();
        let objects: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let layers: Vec<u64> =
            objects[0]["layers"].as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).collect();
        assert_eq!(layers, [inputs, 16, classes.max(1)], "{name}");
        let samples: u64 =
            objects[0]["samples"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
        assert!(samples > 50, "{name}: {samples}");

        // The raw table is predicted, all of it and its first row alone.
        let predicted =
            thinnet(folder.path()).args(["predict", "run/model.safetensors"]).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&predicted.stderr).into_owned();
        assert!(predicted.status.success(), "{name}: {said}");
        let all = String::from_utf8(predicted.stdout).unwrap();
        assert!(all.lines().count() as u64 > samples, "{name}");
        let text = text_of(&path);
        let first: Vec<&str> = text.lines().take(2).collect();
        let one = thinnet(folder.path())
            .args(["predict", "run/model.safetensors", "-"])
            .write_stdin(first.join("\n"))
            .output()
            .unwrap();
        let one = String::from_utf8(one.stdout).unwrap();
        assert_eq!(one.lines().collect::<Vec<_>>(), all.lines().take(2).collect::<Vec<_>>(), "{name}");

        // And judged: the figures are those of samples with a label.
        let judged = thinnet(folder.path())
            .args(["evaluate", "run/model.safetensors", "--json"])
            .arg(&path)
            .output()
            .unwrap();
        assert!(judged.status.success(), "{name}: {}", String::from_utf8_lossy(&judged.stderr));
        let judged: Value = serde_json::from_slice(&judged.stdout).unwrap();
        assert_eq!(judged["samples"], samples, "{name}");
    }
}
