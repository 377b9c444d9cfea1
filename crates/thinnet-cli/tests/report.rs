//! `thinnet report` as a user meets it.
#![allow(clippy::unwrap_used)] // a test fails by panic

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{SMALL, empty_folder, names, thinnet, to_nobody};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};

/// Trains a network that takes a moment.
fn train(folder: &Path, out: &str, settings: &[&str]) {
    let small = ["model.hidden=[8]", "data.train=50", "train.epochs=2"];
    let sets = small.iter().chain(settings).flat_map(|setting| ["--set", setting]);
    thinnet(folder).args(["train", "--quiet", "--out", out]).args(sets).assert().success();
}

#[test]
fn runs_are_compared_on_a_page() {
    let place = empty_folder();
    train(place.path(), "first", &[]);
    train(place.path(), "second", &["model.keep=0.25", "train.threads=1"]);
    let shown = thinnet(place.path()).args(["report", "first", "second", "first/."]).assert().success();
    let table = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert!(rows[0].starts_with("network ") && rows[0].contains("at the end"), "{table}");
    assert!(rows[1].starts_with("keep 0.5 ") && rows[2].starts_with("keep 0.25 "), "{table}");
    assert_eq!(rows.len(), 3, "a folder that is named twice is read once: {table}");
    shown.stderr(
        contains("has the highest validation accuracy at the end of training")
            .and(contains("One run of a network cannot tell a difference from chance"))
            .and(contains("report in thinnet-comparison: open thinnet-comparison/report.html")),
    );
    let folder = place.path().join("thinnet-comparison");
    assert_eq!(names(&folder), ["comparison.csv", "curves.png", "report.html", "runs.csv"]);
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("<a href=\"../second/report.html\">231</a>"), "{page}");
    assert!(page.contains("thinnet report first second first/."), "the command is on the page");
    // Its own folder may be written again, and what it compared is as it was.
    thinnet(place.path()).args(["report", "second", "first"]).assert().success();
    assert_eq!(names(place.path()), ["first", "second", "thinnet-comparison"]);
}

#[test]
fn sweeps_and_experiments_are_networks_with_seeds() {
    let place = empty_folder();
    let sweep = ["sweep", "--set", "model.hidden=[8]", "--set", "data.train=50", "--set", "train.epochs=2"];
    let space = ["--set", "model.keep=0.5,1", "--seeds", "2", "--out", "runs/sweep"];
    thinnet(place.path()).args(sweep).args(space).assert().success();
    let arguments = ["--seeds", "3", "--out", "runs/experiment"];
    thinnet(place.path()).args(SMALL).args(arguments).assert().success();
    fs::create_dir(place.path().join("runs/empty")).unwrap();
    // All that is in the folder, as JSON.
    let shown =
        thinnet(place.path()).args(["report", "runs", "--json"]).assert().success().stderr(is_empty());
    let object: serde_json::Value = serde_json::from_slice(&shown.get_output().stdout).unwrap();
    let networks = object["networks"].as_array().unwrap();
    let seeds: Vec<u64> = networks.iter().map(|network| network["finished"].as_u64().unwrap()).collect();
    assert_eq!(seeds, [3, 3, 2, 2], "{object}");
    let names: Vec<&str> = networks.iter().map(|network| network["network"].as_str().unwrap()).collect();
    assert_eq!(names[0], "runs/experiment (keep 1.00) (3 seeds)", "they differ in many settings");
    assert_eq!(networks[2]["final_val"]["runs"], 2);
    assert_eq!(object["measure"], "accuracy");
    // A sweep alone is named by what it varies.
    let shown = thinnet(place.path()).args(["report", "runs/sweep"]).assert().success();
    let text = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
    assert!(text.contains("keep 0.5 ") && text.contains("keep 1 "), "{text}");
    shown.stderr(contains("95% interval: "));
}

#[test]
fn a_run_in_training_is_shown_as_far_as_it_is() {
    let place = empty_folder();
    train(place.path(), "done", &[]);
    train(place.path(), "half", &["model.keep=0.75"]);
    train(place.path(), "begun", &["model.keep=1.0"]);
    let history = place.path().join("half/history.csv");
    let bytes = fs::read(&history).unwrap();
    fs::write(&history, &bytes[..bytes.len() - 9]).unwrap();
    fs::remove_file(place.path().join("begun/history.csv")).unwrap();
    let shown = thinnet(place.path()).args(["report", "done", "half", "begun", "--json"]).assert().success();
    let object: serde_json::Value = serde_json::from_slice(&shown.get_output().stdout).unwrap();
    let epochs = |network: usize| object["networks"][network]["epochs"]["mean"].as_f64();
    assert_eq!([epochs(0), epochs(1), epochs(2)], [Some(2.0), Some(1.0), None]);
    thinnet(place.path())
        .args(["report", "done", "half", "begun"])
        .assert()
        .success()
        .stdout(contains("1 of 3 runs is unfinished."));
}

#[test]
fn what_cannot_be_compared_is_refused_in_a_sentence() {
    let place = empty_folder();
    train(place.path(), "run", &[]);
    fs::create_dir(place.path().join("empty")).unwrap();
    fs::write(place.path().join("file"), "").unwrap();
    fs::create_dir(place.path().join("broken")).unwrap();
    fs::write(place.path().join("broken/experiment.json"), "{").unwrap();
    fs::create_dir(place.path().join("odd")).unwrap();
    fs::write(place.path().join("odd/config.toml"), "[model]\nkeep = 0.5\n").unwrap();
    fs::write(place.path().join("odd/history.csv"), "epoch\nx\n").unwrap();
    for (arguments, says) in [
        (&[][..], "DIR"),
        (&["run"], "run is the only run: a comparison needs two or more"),
        (&["run", "nowhere"], "cannot read nowhere: "),
        (&["run", "file"], "file is not a folder; give the folder of a run, a sweep or an experiment"),
        (&["run", "empty"], "empty: there is no training run, sweep or experiment in this folder"),
        (&["run", "broken"], "broken/experiment.json: "),
        (&["run", "odd"], "odd/history.csv: it is no history of epochs: "),
        (&["run", "odd", "--out", "run"], "--out run: it holds a run, a sweep or an experiment"),
        (&["run", "odd", "--out", "file"], "--out file: file is not a folder"),
        (&["run", "odd", "--out", "/proc/new"], "cannot write in /proc"),
    ] {
        let one_line = predicate::function(|text: &str| text.lines().count() == 1);
        thinnet(place.path())
            .arg("report")
            .args(arguments)
            .assert()
            .code(2)
            .stdout(is_empty())
            .stderr(contains(says).and(one_line));
    }
    assert_eq!(names(place.path()), ["broken", "empty", "file", "odd", "run"]);
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let place = empty_folder();
    train(place.path(), "first", &[]);
    train(place.path(), "second", &["model.keep=1.0"]);
    let output = Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
        .args(["report", "first", "second"])
        .current_dir(place.path())
        .stdout(to_nobody())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(141), "128 + SIGPIPE, as a shell shows it");
}
