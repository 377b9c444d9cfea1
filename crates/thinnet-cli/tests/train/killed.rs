//! Runs that end before they are done, and go on.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use thinnet::random::RandomState;

use super::common::empty_folder;
use super::{SMALL, refused, result, start, train, trained};

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

/// Arguments with more behind them.
fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

/// Kills that a run is to survive.
const KILLS: usize = 22;

/// Time and again a run is killed without warning, and gone on with; what it comes to is what it comes to when nobody does
/// it any harm. Every kind of memory is in it: momentum that ramps, masks, batches, the best epoch.
#[test]
fn a_run_killed_time_and_again_ends_as_if_it_never_was() {
    let place = empty_folder();
    let more = [
        "--set",
        "optim.schedule=cosine",
        "--set",
        "optim.rule=sgd_momentum",
        "--set",
        "optim.momentum_ramp_epochs=5",
    ];
    let arguments = with(
        &with(SMALL, &more),
        &["--set", "train.epochs=300", "--set", "optim.learning_rate=0.05", "--checkpoint-every", "0.005"],
    );
    trained(place.path(), &with(&arguments, &["--out", "whole"]));

    let run = place.path().join("killed");
    let mut random = RandomState::new(1);
    let mut upto = |limit: usize| random.choice(limit, 1).unwrap()[0];
    for kill in 0..KILLS {
        let begun = run.join("config.toml").exists();
        let resume = ["--resume", "killed", "--checkpoint-every", "0.002"];
        let mut child = start(
            place.path(),
            &if begun { resume.to_vec() } else { with(&arguments, &["--out", "killed"]) },
        );
        if kill < 5 {
            // Within the time that a start takes, so that some die before their first checkpoint.
            sleep(Duration::from_millis(upto(40) as u64));
        } else {
            // So many epochs later, and somewhere within the next.
            let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
            let _ = lines.take(upto(12)).count();
            sleep(Duration::from_micros(upto(8000) as u64));
        }
        assert!(child.try_wait().unwrap().is_none(), "the run ended before kill {kill}: it is too short");
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
    }
    trained(place.path(), &["--resume", "killed"]);
    let (whole, killed) = (result(&place.path().join("whole")), result(&run));
    assert_eq!(whole.1, killed.1);
    assert!(whole.0 == killed.0, "the models differ");
    assert_eq!(whole.1.len(), 301);
    // The metrics are whole lines, one an epoch.
    let lines = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let epochs: Vec<u64> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["epoch"].as_u64().unwrap())
        .collect();
    assert_eq!(epochs, (1..=300).collect::<Vec<_>>());
}

/// An ensemble has the state of each of its networks: some have ended, some are in training, some have not begun.
#[test]
fn an_ensemble_killed_time_and_again_ends_as_if_it_never_was() {
    let place = empty_folder();
    let more = ["--set", "train.members=3", "--set", "train.epochs=150", "--checkpoint-every", "0.005"];
    let arguments = with(SMALL, &more);
    trained(place.path(), &with(&arguments, &["--out", "whole"]));
    let mut random = RandomState::new(2);
    for kill in 0..5 {
        let begun = place.path().join("killed/config.toml").exists();
        let mut child = start(
            place.path(),
            &if begun { vec!["--resume", "killed"] } else { with(&arguments, &["--out", "killed"]) },
        );
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let _ = lines.take(random.choice(80, 1).unwrap()[0]).count();
        assert!(child.try_wait().unwrap().is_none(), "the run ended before kill {kill}: it is too short");
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
    }
    trained(place.path(), &["--resume", "killed"]);
    let model = |run: &str| fs::read(place.path().join(run).join("model.safetensors")).unwrap();
    assert!(model("whole") == model("killed"), "the models differ");
    for member in ["1", "2", "3"] {
        let [whole, killed] =
            ["whole", "killed"].map(|run| place.path().join(run).join("members").join(member));
        assert_eq!(result(&whole), result(&killed));
    }
}

#[test]
fn a_run_killed_before_its_first_checkpoint_starts_anew() {
    let place = empty_folder();
    trained(place.path(), &with(SMALL, &["--out", "whole"]));
    trained(place.path(), &with(SMALL, &["--out", "killed"]));
    let run = place.path().join("killed");
    for entry in run.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else if path.file_name().unwrap() != "config.toml" {
            fs::remove_file(path).unwrap();
        }
    }
    trained(place.path(), &["--resume", "killed"]);
    assert_eq!(result(&place.path().join("whole")), result(&run));
}

/// Starts a long run, waits for its first epoch, and sends it a signal.
fn stopped(place: &Path, name: &str) -> (Option<i32>, String) {
    let long = with(SMALL, &["--set", "train.epochs=1000000", "--out", "run"]);
    let mut child = start(place, &long);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    signal(name, child.id());
    lines.for_each(|line| assert!(line.unwrap().starts_with("epoch ")));
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    (child.wait().unwrap().code(), text)
}

#[test]
fn a_signal_stops_with_a_checkpoint_and_says_how_to_go_on() {
    for (name, status) in [("-INT", 130), ("-TERM", 143)] {
        let place = empty_folder();
        let (code, text) = stopped(place.path(), name);
        assert_eq!(code, Some(status), "{text}");
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("stopped after step "), "{text}");
        assert!(last.contains("`thinnet train --resume run` continues from there"), "{text}");
        // It goes on from that very step.
        let step = last.split_whitespace().nth(3).unwrap();
        let epoch = (step.parse::<usize>().unwrap() / 10 + 2).to_string();
        let (status, _, text) =
            train(place.path(), &["--resume", "run", "--set", &format!("train.epochs={epoch}")]);
        assert_eq!(status, Some(0), "{text}");
        assert!(text.contains(&format!("resumed after step {step}")), "{text}");
    }
}

#[test]
fn ctrl_c_while_data_are_read_ends_at_once() {
    let place = empty_folder();
    // A small file that unpacks to a table of 15 million lines, which takes seconds to read.
    let mut packed =
        GzEncoder::new(fs::File::create(place.path().join("long.csv.gz")).unwrap(), Compression::fast());
    packed.write_all(b"a,label\n").unwrap();
    let lines = b"1,0\n2,1\n".repeat(1 << 16);
    for _ in 0..115 {
        packed.write_all(&lines).unwrap();
    }
    packed.finish().unwrap();
    for program in ["train", "sweep"] {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
            .args([program, "--data", "long.csv.gz"])
            .args(["--set", if program == "train" { "model.keep=1" } else { "model.keep=0.5,1" }])
            .current_dir(place.path())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(500));
        let begun = Instant::now();
        signal("-INT", child.id());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "stopped while reading the data; nothing was written\n");
    }
}

#[test]
fn a_second_ctrl_c_leaves_at_once() {
    let place = empty_folder();
    // Steps that take so long that the first Ctrl-C is not yet answered when the second comes.
    let slow = [
        "--set",
        "model.hidden=[3000,3000,3000]",
        "--set",
        "train.batch_size=500",
        "--set",
        "train.threads=1",
    ];
    let mut child = start(place.path(), &with(&slow, &["--out", "run", "--set", "train.engine=dense"]));
    let run = place.path().join("run/checkpoints");
    while !run.exists() {
        sleep(Duration::from_millis(20));
    }
    signal("-INT", child.id());
    sleep(Duration::from_millis(30));
    let begun = Instant::now();
    let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).output();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_reader_that_leaves_ends_the_run_quietly_and_it_can_go_on() {
    let place = empty_folder();
    let mut child = start(place.path(), &with(SMALL, &["--out", "run", "--set", "train.epochs=1000000"]));
    let lines: Vec<_> = BufReader::new(child.stdout.take().unwrap()).lines().take(2).collect();
    assert_eq!(lines.len(), 2);
    drop(lines); // and the pipe with them
    assert_eq!(child.wait().unwrap().code(), Some(141), "128 + SIGPIPE, as a shell shows it");
    trained(
        place.path(),
        &["--resume", "run", "--set", "train.epochs=1000", "--quiet", "--set", "train.patience=1"],
    );
}

#[test]
fn a_finished_run_can_be_made_longer() {
    let place = empty_folder();
    trained(place.path(), &with(SMALL, &["--out", "long"]));
    trained(place.path(), &with(SMALL, &["--out", "short", "--set", "train.epochs=15"]));
    trained(place.path(), &["--resume", "short", "--set", "train.epochs=40"]);
    assert_eq!(result(&place.path().join("long")), result(&place.path().join("short")));
    let text = refused(place.path(), &["--resume", "short", "--set", "optim.learning_rate=1"]);
    assert!(text.contains("optim.learning_rate"), "{text}");
}
