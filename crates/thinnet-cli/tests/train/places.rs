//! Where a run is and where its samples are: what it takes, what it leaves alone, and what it goes on with.

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};

use super::common::{empty_folder, names};
use super::{SMALL, history, refused, result, start, train, trained};

/// A table of 40 samples in two classes.
fn table(columns: [&str; 2], classes: [&str; 2], first: f64) -> String {
    let mut text = format!("{},{},label\n", columns[0], columns[1]);
    for row in 0..40u32 {
        let value = if row == 0 { first } else { f64::from(row % 7) };
        writeln!(text, "{value},{},{}", row % 5, classes[row as usize % 2]).unwrap();
    }
    text
}

const TABLE: &[&str] =
    &["--data", "t.csv", "--out", "run", "--set", "train.epochs=2", "--set", "model.hidden=[4]"];
const LONGER: &[&str] = &["--resume", "run", "--set", "train.epochs=4"];

#[test]
fn a_run_goes_on_with_the_same_samples_alone_wherever_they_are() {
    let place = empty_folder();
    let write = |name: &str, text: String| fs::write(place.path().join(name), text).unwrap();
    write("t.csv", table(["a", "b"], ["cat", "dog"], 1.5));
    trained(place.path(), TABLE);
    let before = names(&place.path().join("run/checkpoints"));
    for (text, says) in [
        (table(["b", "a"], ["cat", "dog"], 1.5), "column 1 is now \"b\", but was \"a\""),
        (table(["a", "b"], ["cat", "dof"], 1.5), "class or target 2 is now \"dof\", but was \"dog\""),
        (table(["a", "b"], ["cat", "dog"], 2.5), "values differ"),
        (table(["a", "b"], ["cat", "dog"], 1.5) + "1,2,cat\n", "there are 41 train samples"),
    ] {
        write("t.csv", text);
        let message = refused(place.path(), LONGER);
        assert!(message.contains(says), "{message}");
        assert_eq!(names(&place.path().join("run/checkpoints")), before);
    }
    fs::remove_file(place.path().join("t.csv")).unwrap();
    let message = refused(place.path(), LONGER);
    assert!(message.contains("if you moved it, give its new path with --data PATH"), "{message}");
    write("moved.csv", table(["a", "b"], ["cat", "dog"], 1.5));
    trained(place.path(), &[LONGER, &["--data", "moved.csv"]].concat());
    assert_eq!(history(&place.path().join("run")).len(), 5);
}

#[test]
fn a_run_without_a_fingerprint_goes_on_where_its_samples_were() {
    let place = empty_folder();
    let text = table(["a", "b"], ["cat", "dog"], 1.5);
    fs::write(place.path().join("t.csv"), &text).unwrap();
    trained(place.path(), TABLE);
    fs::remove_file(place.path().join("run/samples.json")).unwrap();
    fs::write(place.path().join("moved.csv"), &text).unwrap();
    let message = refused(place.path(), &[LONGER, &["--data", "moved.csv"]].concat());
    assert!(message.contains("data.path"), "{message}");
    trained(place.path(), LONGER);
    assert!(place.path().join("run/samples.json").exists());
}

#[test]
fn runs_that_start_at_once_have_a_folder_each() {
    let place = empty_folder();
    let children: Vec<_> = (0..3).map(|_| start(place.path(), SMALL)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(names(place.path()), ["thinnet-run", "thinnet-run-2", "thinnet-run-3"]);
    assert_eq!(result(&place.path().join("thinnet-run")), result(&place.path().join("thinnet-run-3")));
}

#[test]
fn a_run_that_never_was_leaves_no_folder() {
    let place = empty_folder();
    let message = refused(place.path(), &["--set", "data.train=1000000"]);
    assert!(message.contains("must be from 1 to 500"), "{message}");
    assert!(names(place.path()).is_empty());
}

#[test]
fn files_of_another_run_are_not_overwritten() {
    let place = empty_folder();
    trained(place.path(), &[SMALL, &["--out", "run"]].concat());
    let run = place.path().join("run");
    fs::remove_file(run.join("config.toml")).unwrap();
    let before = result(&run);
    let message = refused(&run, &[SMALL, &["--out", "."]].concat());
    assert!(message.contains("history.csv") && message.contains("model.safetensors"), "{message}");
    assert_eq!(result(&run), before);
}

#[test]
fn a_run_within_its_data_is_refused() {
    let place = empty_folder();
    let images = place.path().join("images");
    for class in ["cat", "dog"] {
        fs::create_dir_all(images.join(class)).unwrap();
    }
    for out in ["images", "images/run", "images/cat/below/run"] {
        let (status, _, text) = train(place.path(), &["--data", "images", "--out", out]);
        assert_eq!(status, Some(2), "{text}");
        assert!(text.contains("inside the data folder"), "{text}");
    }
    assert_eq!(names(&images), ["cat", "dog"]);
}

#[test]
fn a_history_that_is_deleted_meanwhile_is_made_again_whole() {
    let place = empty_folder();
    let mut child = start(place.path(), &[SMALL, &["--out", "run"]].concat());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let run = place.path().join("run");
    for name in ["history.csv", "metrics.jsonl"] {
        // The next epoch is written within a moment.
        fs::remove_file(run.join(name)).unwrap();
    }
    lines.for_each(|line| drop(line.unwrap()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(history(&run).len(), 41);
    assert_eq!(fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count(), 40);
}
