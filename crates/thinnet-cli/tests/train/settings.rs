//! Files, `--set`, and what becomes of them.

use std::fmt::Write as _;
use std::fs;

use super::common::empty_folder;
use super::{SMALL, refused, result, train, trained};

#[test]
fn a_run_is_repeated_from_its_own_file() {
    let place = empty_folder();
    trained(
        place.path(),
        &[SMALL, &["--out", "first", "--set", "model.keep=0.3", "--set", "optim.rule=adamw"]].concat(),
    );
    trained(place.path(), &["first/config.toml", "--out", "second"]);
    let (first, second) = (place.path().join("first"), place.path().join("second"));
    assert_eq!(result(&first), result(&second));
    let read = |run: &std::path::Path| fs::read_to_string(run.join("config.toml")).unwrap();
    assert_eq!(read(&first), read(&second));
    assert!(read(&first).contains("keep = 0.3") && read(&first).contains("rule = \"adamw\""));
    assert!(read(&first).contains("beta2 = 0.999") && read(&first).contains("weight_decay = 0.01"));
}

#[test]
fn the_defaults_are_a_file_to_start_from() {
    let place = empty_folder();
    let defaults = trained(place.path(), &["--defaults"]);
    fs::write(place.path().join("mine.toml"), &defaults).unwrap();
    let short = ["--set", "train.epochs=2", "--set", "model.hidden=[8]"];
    trained(place.path(), &[&["mine.toml", "--out", "a"], &short[..]].concat());
    trained(place.path(), &[&["--out", "b"], &short[..]].concat());
    assert_eq!(result(&place.path().join("a")), result(&place.path().join("b")));
}

#[test]
fn what_is_wrong_is_told_with_its_key() {
    let place = empty_folder();
    for (arguments, expected) in [
        (&["--set", "model.kep=1"][..], "did you mean model.keep?"),
        (&["--set", "model.keep=2"], "it is the probability to KEEP"),
        (&["--set", "model.keep=[0.5,0.5]"], "a dropout for each"),
        (&["--set", "train.epochs=0"], "train.epochs must be at least 1"),
        (&["--set", "optim.rule=adamm"], "there is no optimiser"),
        (&["--set", "train.epochs"], "is not an assignment"),
        (&["--set", "model.hidden=[9999999999]"], "of memory"),
        (&["--set", "data.val=99999"], "validation samples"),
        (&["--set", "data.label_column=x"], "is for tables"),
        (&["--data", "no-such-file"], "there is no such file or folder"),
        (&["none.toml"], "none.toml"),
        (&["--quiet", "--json"], "cannot be used together"),
        (&["--resume", "x", "--out", "y"], "cannot be used together"),
    ] {
        let text = refused(place.path(), arguments);
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
    fs::write(place.path().join("bad.toml"), "[model]\nkeep = [0.5\n").unwrap();
    assert!(refused(place.path(), &["bad.toml"]).contains("bad.toml: it is not valid TOML"));
    fs::write(place.path().join("odd.toml"), "[optim]\nmomentun = 0.5\n").unwrap();
    assert!(refused(place.path(), &["odd.toml"]).contains("did you mean optim.momentum?"));
    let left = super::common::names(place.path());
    assert_eq!(left, ["bad.toml", "odd.toml"], "nothing is made for a run that is refused");
}

#[test]
fn tables_are_trained_on_with_classes_of_their_own() {
    let place = empty_folder();
    let mut table = String::from("width,height,kind\n");
    for index in 0..120 {
        let (kind, base) = if index % 2 == 0 { ("small", 1.0) } else { ("large", 3.0) };
        let wobble = f64::from(index % 7) / 10.0;
        writeln!(table, "{},{},{kind}", base + wobble, base - wobble).unwrap();
    }
    fs::write(place.path().join("things.csv"), table).unwrap();
    let set =
        ["--set", "model.hidden=[8]", "--set", "train.batch_size=10", "--set", "data.label_column=kind"];
    let (status, stdout, stderr) = train(place.path(), &[&["--data", "things.csv"], &set[..]].concat());
    assert_eq!(status, Some(0), "{stderr}");
    assert!(stderr.contains("2-8-2"), "{stderr}");
    assert!(stdout.lines().last().unwrap().contains("validation accuracy 100.00%"), "{stdout}");
}
