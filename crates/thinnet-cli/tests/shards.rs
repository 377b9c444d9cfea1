//! `thinnet sweep` on several machines: `--shard` and `--merge` as a user meets them.
#![allow(clippy::unwrap_used)] // a test fails by panic

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{empty_folder, names, thinnet};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};

/// Six runs. Shard 1/3 has 0001-seed231 and 0003-seed232.
const SPACE: [&str; 4] = ["--set", "model.keep=0.5,0.75,1", "--seeds", "2"];
const SMALL: [&str; 6] = ["--set", "model.hidden=[8]", "--set", "data.train=50", "--set", "train.epochs=2"];
/// Settings of runs that take long enough to be killed in their middle.
const LONG: [&str; 4] = ["--set", "model.hidden=[300]", "--set", "train.epochs=30"];

fn sweep(folder: &Path, settings: &[&str], more: &[&str]) {
    let space = if settings.is_empty() { &[][..] } else { &SPACE };
    thinnet(folder).arg("sweep").args(settings).args(space).args(more).arg("--quiet").assert().success();
}

fn start(folder: &Path, shard: &str) -> Child {
    std::process::Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
        .current_dir(folder)
        .arg("sweep")
        .args(LONG)
        .args(SPACE)
        .args(["--jobs", "1", "--out", "shared", "--shard", shard])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(120), "{} does not come", path.display());
        sleep(Duration::from_millis(2));
    }
}

/// Every file of the report and every model, after each run was made to have taken the same time.
fn without_times(parent: &Path, folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let path = parent.join(folder);
    let table = fs::read_to_string(path.join("runs.csv")).unwrap();
    assert!(table.lines().count() == 7 && !table.contains("unfinished"), "{table}");
    let mut found = Vec::new();
    for name in names(&path.join("runs")) {
        let file = path.join("runs").join(&name);
        if file.is_dir() {
            let model = file.join("model.safetensors");
            found.push((Path::new(&name).to_owned(), fs::read(model).unwrap()));
            continue;
        }
        let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        json["seconds"] = 0.5.into();
        fs::write(&file, json.to_string()).unwrap();
    }
    sweep(parent, &[], &["--resume", folder]);
    for name in names(&path) {
        let file = path.join(&name);
        if file.is_file() {
            found.push((name.into(), fs::read(file).unwrap()));
        }
    }
    found
}

/// The report and the models are those of one machine.
fn same_as_whole(parent: &Path, folder: &str) {
    let (own, whole) = (without_times(parent, folder), without_times(parent, "whole"));
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&own), names(&whole));
    assert_eq!(own.len(), 6 + 6);
    for ((name, own), (_, whole)) in own.iter().zip(&whole) {
        assert!(own == whole, "{} differs", name.display());
    }
}

#[test]
fn shards_in_one_folder_make_the_table_of_one_machine_although_one_is_killed() {
    let place = empty_folder();
    let runs = place.path().join("shared/runs");
    let mut shards = ["1/3", "2/3", "3/3"].map(|shard| start(place.path(), shard));
    // The same shard once more, another division into shards, and all runs at once.
    wait_for(&runs.join("0001-seed231/config.toml"));
    for (shard, says) in [
        (&["--shard", "1/3"][..], "another process trains shard 1/3 there; wait for it, or stop it"),
        (&["--shard", "1/2"], "start shards of 3"),
        (&[], "another process runs this sweep"),
    ] {
        let refused =
            thinnet(place.path()).args(["sweep", "--resume", "shared"]).args(shard).assert().code(2);
        refused.stdout(is_empty()).stderr(contains(says));
    }
    wait_for(&runs.join("0001-seed231.json"));
    wait_for(&runs.join("0003-seed232/config.toml"));
    shards[0].kill().unwrap(); // SIGKILL
    shards[0].wait().unwrap();
    assert!(!runs.join("0003-seed232.json").exists(), "it was killed too late to tell");
    for shard in &mut shards[1..] {
        assert!(shard.wait().unwrap().success());
    }
    let first = fs::read(runs.join("0001-seed231.json")).unwrap();
    assert!(start(place.path(), "1/3").wait().unwrap().success());
    assert_eq!(fs::read(runs.join("0001-seed231.json")).unwrap(), first, "it was trained again");
    sweep(place.path(), &LONG, &["--out", "whole"]);
    same_as_whole(place.path(), "shared");
}

#[test]
fn shards_in_folders_of_their_own_are_merged() {
    let place = empty_folder();
    for number in ["1", "2", "3"] {
        sweep(place.path(), &SMALL, &["--shard", &format!("{number}/3"), "--out", number]);
    }
    sweep(place.path(), &SMALL, &["--out", "whole"]);
    let merge = |folders: &[&str], more: &[&str]| {
        let arguments = [&["sweep", "--merge"], folders, &["--out", "merged"], more].concat();
        thinnet(place.path()).args(arguments).assert()
    };
    // What is missing is said, and comes with the next merge.
    merge(&["1", "3"], &[]).code(2).stdout(contains("2 of 6 runs are unfinished.")).stderr(
        contains("4 of 6 runs are merged, but 0002-seed231, 0001-seed232 ended in none of the folders: ")
            .and(contains("`thinnet sweep --resume merged`")),
    );
    merge(&["2"], &[]).success().stderr(contains("report in merged: open merged/report.html"));
    same_as_whole(place.path(), "merged");
    let before = fs::read(place.path().join("merged/report.html")).unwrap();
    let json = merge(&["3", "2", "1", "1"], &["--json"]).success();
    let end: serde_json::Value = serde_json::from_slice(&json.get_output().stdout).unwrap();
    assert_eq!((&end["finished"], &end["folder"]), (&6.into(), &"merged".into()));
    assert!(fs::read(place.path().join("merged/report.html")).unwrap() == before);
    merge(&["1", "2", "3"], &["--quiet"]).success().stdout(contains("val accuracy")).stderr(is_empty());
}

#[test]
fn folders_that_do_not_belong_together_are_not_merged() {
    let place = empty_folder();
    sweep(place.path(), &SMALL, &["--shard", "1/3", "--out", "1"]);
    sweep(place.path(), &SMALL, &["--shard", "2/3", "--out", "rate", "--set", "optim.learning_rate=0.1"]);
    sweep(place.path(), &SMALL, &["--shard", "1/3", "--out", "other"]);
    let outcome = place.path().join("other/runs/0001-seed231.json");
    let text = fs::read_to_string(&outcome).unwrap();
    fs::write(&outcome, text.replace("\"epochs\": 2", "\"epochs\": 3")).unwrap();
    fs::write(place.path().join("file"), "kept").unwrap();
    for (folders, says) in [
        (
            ["1", "rate"],
            "--merge: rate is not of the same sweep as 1: it has optim.learning_rate = 0.1, not 0.001;",
        ),
        (["1", "other"], "1/runs/0001-seed231 and other/runs/0001-seed231 are the same run with different"),
        (["1", "nowhere"], "--merge: cannot read the folder nowhere: "),
        (["1", "."], "--merge: . has no sweep.toml: it is not a sweep's folder"),
        (["1", "file"], "file has no sweep.toml"),
    ] {
        let refused = thinnet(place.path())
            .args(["sweep", "--merge"])
            .args(folders)
            .args(["--out", "merged"])
            .assert()
            .code(2);
        let one_line = predicate::function(|text: &str| text.lines().count() == 1);
        refused.stdout(is_empty()).stderr(contains(says).and(one_line));
        assert_eq!(names(place.path()), ["1", "file", "other", "rate"]);
    }
    // A folder that holds something else stays as it is.
    let refused = thinnet(place.path()).args(["sweep", "--merge", "1", "--out", "."]).assert().code(2);
    refused.stderr(contains(". has files but no sweep.toml"));
    assert_eq!(names(place.path()), ["1", "file", "other", "rate"]);
}

#[test]
fn wrong_arguments_are_refused_in_a_sentence() {
    let place = empty_folder();
    let shard = |shard: &'static str| vec!["--set", "model.keep=0.5,1", "--shard", shard];
    for (arguments, says) in [
        (
            shard("0/3"),
            "'0/3' is not a value of --shard: there is no shard 0 of 3: shards are counted from 1 to 3",
        ),
        (shard("4/3"), "there is no shard 4 of 3"),
        (shard("x/3"), "a shard is i/n with i from 1 to n, as in 2/8"),
        (shard("1/0"), "a sweep has at least 1 shard"),
        (shard("-1/3"), "as in 2/8"),
        (shard("3"), "as in 2/8"),
        (vec!["--shard"], "--shard needs a value"),
        (vec!["--merge"], "--merge needs a value"),
        (vec!["--merge", "a", "--shard", "1/2"], "--merge and --shard cannot be used together"),
        (vec!["--merge", "a", "--set", "model.keep=0.5,1"], "--merge and --set cannot be used together"),
        (vec!["--merge", "a", "--label", "y"], "cannot be used together"),
        (vec!["--merge", "a", "--resume", "b"], "--merge and --resume cannot be used together"),
        (vec!["--resume", "nowhere", "--shard", "1/2"], "--resume nowhere: "),
    ] {
        let one_line = predicate::function(|text: &str| text.lines().count() == 1);
        thinnet(place.path())
            .arg("sweep")
            .args(&arguments)
            .assert()
            .code(2)
            .stdout(is_empty())
            .stderr(contains(says).and(one_line));
        assert!(names(place.path()).is_empty(), "{arguments:?}");
    }
}

/// Ctrl-C tells the command that continues, and a shard without runs is no failure.
#[cfg(unix)]
#[test]
fn a_shard_that_is_stopped_says_how_to_continue() {
    let place = empty_folder();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
        .current_dir(place.path())
        .arg("sweep")
        .args(LONG)
        .args(SPACE)
        .args(["--jobs", "1", "--shard", "2/3", "--out", "stopped"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&place.path().join("stopped/runs/0002-seed231/config.toml"));
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let mut said = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    let says = "of 2 runs done; `thinnet sweep --resume stopped --shard 2/3` continues from there";
    assert!(said.contains(says), "{said}");
    thinnet(place.path())
        .args(["sweep", "--resume", "stopped", "--shard", "9/9", "--json"])
        .assert()
        .success()
        .stdout(contains(r#""finished":0"#).and(contains(r#""shard":"9/9""#)));
}
