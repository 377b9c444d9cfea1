//! `thinnet sweep` as a user meets it.
#![allow(clippy::unwrap_used)] // a test fails by panic

mod common;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{empty_folder, names, thinnet};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};

/// Settings of runs that take a moment.
const SMALL: [&str; 6] = ["--set", "model.hidden=[8]", "--set", "data.train=50", "--set", "train.epochs=2"];

/// A sweep in a folder: its standard output.
fn sweep(folder: &Path, arguments: &[&str]) -> String {
    let assert = thinnet(folder).arg("sweep").args(arguments).assert().success();
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn objects(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines of a table, by their column's names.
fn table(path: &Path) -> Vec<Vec<(String, String)>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().unwrap();
    lines.map(|line| head.iter().cloned().zip(line).collect()).collect()
}

fn get<'a>(line: &'a [(String, String)], column: &str) -> &'a str {
    &line.iter().find(|(name, _)| name == column).unwrap().1
}

#[test]
fn a_grid_is_trained_and_compared() {
    let place = empty_folder();
    let arguments = [&SMALL[..], &["--set", "model.keep=0.5,1", "--seeds", "2", "--jobs", "2"]].concat();
    let shown = sweep(place.path(), &arguments);
    // A line a run, then the table, whose columns are what is varied alone.
    assert_eq!(shown.lines().filter(|line| line.starts_with('[')).count(), 4, "{shown}");
    assert!(shown.contains("[4/4] ") && shown.contains(": keep 0.5  val accuracy "), "{shown}");
    let head = shown.lines().find(|line| line.starts_with("keep")).unwrap();
    assert!(head.contains("val accuracy") && !head.contains("hidden"), "{head}");

    let folder = place.path().join("thinnet-sweep");
    let files = ["accuracy.png", "config.toml", "report.html", "runs", "runs.csv", "sweep.csv", "sweep.toml"];
    assert_eq!(names(&folder), files);
    let runs = table(&folder.join("runs.csv"));
    assert_eq!(runs.len(), 4);
    // Each run is the very one that `thinnet train` makes of the same settings.
    let run = &runs[3];
    assert_eq!((get(run, "run"), get(run, "state"), get(run, "seed")), ("0002-seed232", "finished", "232"));
    let own = [&["train", "--quiet", "--json", "--out", "own"][..], &SMALL].concat();
    let own: Vec<&str> = own.into_iter().filter(|word| *word != "--quiet").collect();
    let assert = thinnet(place.path())
        .args(&own)
        .args(["--set", "model.keep=1", "--set", "train.seed=232", "--set", "train.threads=2"])
        .assert()
        .success();
    let lines = objects(std::str::from_utf8(&assert.get_output().stdout).unwrap());
    let epochs: Vec<&serde_json::Value> = lines.iter().filter(|line| line["event"] == "epoch").collect();
    let last = epochs.last().unwrap();
    assert_eq!(get(run, "final_val_accuracy").parse().ok(), last["val"]["accuracy"].as_f64());
    assert_eq!(get(run, "train_loss").parse().ok(), last["train"]["loss"].as_f64());
    assert!(folder.join("runs/0002-seed232/model.safetensors").is_file());
    assert!(names(&folder.join("runs/0002-seed232/checkpoints")).is_empty(), "a finished run needs none");

    // Nothing is left to do; the same command and --resume alike train nothing and tell the same.
    let before = fs::read(folder.join("sweep.csv")).unwrap();
    let again = sweep(place.path(), &[&arguments[..], &["--json"]].concat());
    let resumed = sweep(place.path(), &["--resume", "thinnet-sweep", "--json"]);
    for text in [&again, &resumed] {
        let [end] = &objects(text)[..] else { panic!("{text}") };
        assert_eq!((&end["event"], &end["runs"], &end["finished"]), (&"end".into(), &4.into(), &4.into()));
        assert_eq!(end["best"]["seeds"], 2);
    }
    assert_eq!(fs::read(folder.join("sweep.csv")).unwrap(), before);
}

#[test]
fn figures_do_not_depend_on_how_many_run_at_once() {
    let place = empty_folder();
    let mut tables = Vec::new();
    for (jobs, out) in [("1", "one"), ("3", "three")] {
        let space = ["--set", "optim.learning_rate=log:1e-4:1e-2", "--random", "3", "--random-seed", "5"];
        sweep(place.path(), &[&SMALL[..], &space, &["--jobs", jobs, "--out", out, "--quiet"]].concat());
        let runs = table(&place.path().join(out).join("runs.csv"));
        let figures: Vec<Vec<(String, String)>> = runs
            .into_iter()
            .map(|run| run.into_iter().filter(|(name, _)| name != "seconds").collect())
            .collect();
        tables.push(figures);
    }
    assert_eq!(tables[0], tables[1]);
    let rates: Vec<f64> =
        tables[0].iter().map(|run| get(run, "optim.learning_rate").parse().unwrap()).collect();
    assert!(rates.len() == 3 && rates.iter().all(|rate| (1e-4..=1e-2).contains(rate)), "{rates:?}");
}

#[test]
fn a_run_that_diverges_stops_no_other_and_is_told() {
    let place = empty_folder();
    let space = ["--set", "optim.rule=sgd", "--set", "optim.learning_rate=1e30,1e-3"];
    let assert = thinnet(place.path())
        .arg("sweep")
        .args(SMALL)
        .args(space)
        .assert()
        .success()
        .stderr(contains("0001-seed231: learning rate 1e30 failed: "));
    let shown = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(shown.contains("1 of 2 runs failed and is in no figure."), "{shown}");
    let runs = table(&place.path().join("thinnet-sweep/runs.csv"));
    assert_eq!([get(&runs[0], "state"), get(&runs[1], "state")], ["diverged", "finished"]);
    // It would diverge again, so it is not tried again.
    let resumed = objects(&sweep(place.path(), &["--resume", "thinnet-sweep", "--json"]));
    assert!(resumed.len() == 1 && resumed[0]["failed"] == 1, "{resumed:?}");

    thinnet(place.path())
        .args([
            "sweep",
            "--set",
            "optim.rule=sgd",
            "--set",
            "optim.learning_rate=1e30",
            "--seeds",
            "2",
            "--out",
            "none",
            "--json",
        ])
        .args(SMALL)
        .assert()
        .code(2)
        .stderr(contains("all 2 runs failed, the first because "));
}

/// A loss that is finite and worth nothing is divergence as well.
#[test]
fn a_run_with_a_loss_beyond_all_measure_counts_as_diverged() {
    let place = empty_folder();
    let arguments = [&SMALL[..], &["--set", "optim.learning_rate=1e9,1e-3"]].concat();
    let shown = sweep(place.path(), &arguments);
    assert!(shown.contains("1 of 2 runs failed and is in no figure."), "{shown}");
    let runs = table(&place.path().join("thinnet-sweep/runs.csv"));
    assert_eq!([get(&runs[0], "state"), get(&runs[1], "state")], ["diverged", "finished"]);
}

#[test]
fn a_sweep_without_anything_to_sweep_is_refused() {
    let place = empty_folder();
    for arguments in [&[][..], &["--set", "model.keep=0.5"], &["--random", "1"], &["--out", "new"]] {
        let refused = thinnet(place.path()).arg("sweep").args(arguments).assert().code(2).stdout(is_empty());
        refused.stderr(contains("there is nothing to sweep").and(contains("--set model.keep=0.5,1")));
        assert!(names(place.path()).is_empty(), "{arguments:?}");
    }
    // What it says to do instead is right.
    for (arguments, runs) in [(["--set", "model.keep=0.5,1"], 2), (["--seeds", "3"], 3)] {
        let end =
            sweep(place.path(), &[&SMALL[..], &arguments, &["--json", "--out", &runs.to_string()]].concat());
        assert_eq!(objects(&end).last().unwrap()["finished"], runs, "{end}");
    }
}

/// Ctrl-C in the middle: the runs write where they are, and the sweep goes on to the figures that it would have had.
#[cfg(unix)]
#[test]
fn a_sweep_that_is_stopped_goes_on_to_the_same_figures() {
    let place = empty_folder();
    let settings = ["--set", "model.hidden=[64]", "--set", "train.epochs=12", "--set", "data.train=500"];
    let space = ["--set", "model.keep=0.5,0.75,1", "--jobs", "2"];
    let arguments = [&["sweep"][..], &settings, &space].concat();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
        .current_dir(place.path())
        .args(&arguments)
        .args(["--out", "stopped"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // As soon as a run has a checkpoint.
    let runs = place.path().join("stopped/runs");
    let has_checkpoint = |run: &str| {
        runs.join(run).join("checkpoints").read_dir().is_ok_and(|mut entries| entries.next().is_some())
    };
    let start = Instant::now();
    while !has_checkpoint("0001-seed231") && start.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let mut said = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("`thinnet sweep --resume stopped` continues from there"), "{said}");
    let page = fs::read_to_string(place.path().join("stopped/report.html")).unwrap();
    assert!(page.contains("unfinished"));
    let done = table(&place.path().join("stopped/runs.csv"))
        .iter()
        .filter(|run| get(run, "state") == "finished")
        .count();
    assert!(done < 3, "it was stopped too late to tell");

    let resumed = objects(&sweep(place.path(), &["--resume", "stopped", "--json"]));
    assert_eq!(resumed.len(), 3 - done + 1, "the runs that were left, and the end");
    thinnet(place.path()).args(&arguments).args(["--out", "whole", "--quiet"]).assert().success();
    let figures = |out: &str| -> Vec<Vec<(String, String)>> {
        let runs = table(&place.path().join(out).join("runs.csv"));
        runs.into_iter().map(|run| run.into_iter().filter(|(name, _)| name != "seconds").collect()).collect()
    };
    assert_eq!(figures("stopped"), figures("whole"));
}

#[test]
fn what_cannot_be_swept_is_refused_before_anything_is_made() {
    let place = empty_folder();
    for (arguments, says) in [
        (&["--set", "model.keeep=0.5,1"][..], "did you mean model.keep?"),
        (&["--set", "model.keep"], "KEY=VALUE"),
        (&["--set", "model.keep=0.5,2"], "model.keep=2: "),
        (&["--set", "model.keep=lin:0.1:1"], "needs its number of points"),
        (
            &["--set", "model.keep=lin:0.1:1:300", "--set", "train.epochs=lin:1:300:300"],
            "10000 are the maximum",
        ),
        (&["--set", "model.keep=0.5,1", "--seeds", "0"], "seeds must be from 1"),
        (&["--set", "model.keep=0.5,1", "--jobs", "0"], "--jobs must be at least 1"),
        (&["--set", "model.keep=0.5,1", "--random", "3"], "the space has 2 points"),
        (&["--set", "model.keep=0.5,1", "--random-seed", "3"], "--random"),
        (&["--set", "data.path=sample,nowhere"], "nowhere"),
        (&["--resume", "nowhere"], "--resume nowhere: "),
        (&["--resume", "nowhere", "--set", "model.keep=0.5,1"], "cannot be used together"),
        (&["missing.toml"], "missing.toml: cannot read it"),
    ] {
        thinnet(place.path())
            .arg("sweep")
            .args(arguments)
            .assert()
            .code(2)
            .stdout(is_empty())
            .stderr(contains(says).and(contains("panicked").not()));
        assert!(names(place.path()).is_empty(), "{arguments:?}");
    }
    let small = [&SMALL[..], &["--out", "here", "--quiet"]].concat();
    sweep(place.path(), &[&small[..], &["--set", "model.keep=0.5,1"]].concat());
    let written = fs::read(place.path().join("here/sweep.toml")).unwrap();
    for (more, says) in [
        (["--set", "model.keep=0.5,0.75"], "another space (model.keep=0.5,1, not model.keep=0.5,0.75)"),
        (["--set", "optim.rule=sgd"], "another space"),
    ] {
        let refused = thinnet(place.path()).arg("sweep").args(&small).args(more).assert().code(2);
        refused.stderr(contains("--out here holds a sweep with").and(contains(says)));
    }
    assert_eq!(fs::read(place.path().join("here/sweep.toml")).unwrap(), written);
    fs::create_dir(place.path().join("mine")).unwrap();
    fs::write(place.path().join("mine/file"), "kept").unwrap();
    let refused = thinnet(place.path()).args(["sweep", "--out", "mine"]).args(SMALL).assert().code(2);
    refused.stderr(contains("not a sweep's folder"));
    assert_eq!(names(&place.path().join("mine")), ["file"]);
}
