//! Options that a command does not have: what it says to give instead is right.

use std::fs;
use std::path::Path;

use super::common::{self, empty_folder};
use super::{refused, train};

/// A table of two classes, `kind`, and a number, `height`.
fn write_table(path: &Path) {
    let rows = (0..60).map(|row| {
        let (kind, base) = if row % 2 == 0 { ("small", 1.0) } else { ("large", 3.0) };
        format!("{},{kind},{}\n", base + f64::from(row % 7) / 10.0, row % 5)
    });
    fs::write(path, format!("height,kind,legs\n{}", rows.collect::<String>())).unwrap();
}

/// Runs a command that is refused for an option; gives what it says to use instead.
fn instead(folder: &Path, command: &[&str]) -> String {
    let output = common::thinnet(folder).args(command).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{command:?}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{command:?}: {stderr}");
    let hint = stderr.trim_end().split_once("; use ").map_or("", |(_, hint)| hint);
    assert!(!hint.is_empty(), "{command:?}: {stderr}");
    hint.to_owned()
}

/// The words of a suggestion, whose quotes a shell would take away.
fn words(hint: &str) -> Vec<String> {
    hint.split(' ').map(|word| word.replace('\'', "")).collect()
}

#[test]
fn every_suggestion_for_train_is_right() {
    let place = empty_folder();
    write_table(&place.path().join("data.csv"));
    let numbers: Vec<String> = (0..60).map(|row| format!("{},{}", row % 7, row % 5)).collect();
    fs::write(place.path().join("numbers.csv"), format!("legs,height\n{}\n", numbers.join("\n"))).unwrap();
    let small = ["--set", "train.epochs=1", "--set", "model.hidden=[4]", "--quiet"];
    for (number, (option, expected)) in [
        (&["--regression"][..], "--set model.task=regression"),
        (&["--target-column", "kind"], "--label-column kind"),
        (&["--target=2"], "--label-column 2"),
        (&["--epochs", "5"], "--set train.epochs=5"),
        (&["--epochs"], "--set train.epochs=25"),
        (&["--num-epochs=3"], "--set train.epochs=3"),
        (&["--dropout", "0.5"], "--set model.keep=0.5"),
        (&["--dropout", "0.2"], "--set model.keep=0.8"),
        (&["--dropout", "gaussian"], "--set model.dropout=gaussian"),
        (&["--dropout", "many"], "--set model.dropout=bernoulli"),
        (&["--keep", "0.5"], "--set model.keep=0.5"),
        (&["--lr", "0.1"], "--set optim.learning_rate=0.1"),
        (&["--lr", "fast"], "--set optim.learning_rate=0.001"),
        (&["--learning-rate", "0.1"], "--set optim.learning_rate=0.1"),
        (&["--learning_rate", "0.1"], "--set optim.learning_rate=0.1"),
        (&["--batch-size", "8"], "--set train.batch_size=8"),
        (&["--batch-size", "0"], "--set train.batch_size=100"),
        (&["--hidden", "500"], "--set model.hidden=500"),
        (&["--hidden", "20,10"], "--set 'model.hidden=[20,10]'"),
        (&["--layers", "[20,10]"], "--set 'model.hidden=[20,10]'"),
        (&["--seed", "7"], "--set train.seed=7"),
        (&["--optimizer", "sgd"], "--set optim.rule=sgd"),
        (&["--update-rule", "sgd"], "--set optim.rule=sgd"),
        (&["--reg", "1e-3"], "--set optim.l2=1e-3"),
        (&["--max-norm", "3"], "--set optim.max_norm=3"),
        (&["--batch-norm"], "--set model.normalisation=batch"),
        (&["--threads", "2"], "--set train.threads=2"),
        (&["--dtype", "f64"], "--set model.dtype=f64"),
        (&["--val", "10"], "--set data.val=10"),
        (&["--header", "yes"], "--set data.header=yes"),
        (&["--scaling", "none"], "--set data.scaling=none"),
        (&["--dataset", "data.csv"], "--data data.csv"),
    ]
    .into_iter()
    .enumerate()
    {
        let hint = instead(place.path(), &[&["train", "--data", "data.csv"], option].concat());
        assert_eq!(hint, expected, "{option:?}");
        let hint = words(&hint);
        let out = number.to_string();
        let regression = option == ["--regression"];
        let (file, label) = if regression { ("numbers.csv", "height") } else { ("data.csv", "kind") };
        let label = format!("data.label_column={label}");
        let mut arguments = vec!["--data", file];
        arguments.extend(small);
        if hint[0] == "--data" {
            arguments.drain(..2);
        }
        if hint[0] != "--label-column" {
            arguments.extend(["--set", &label]);
        }
        arguments.extend(hint.iter().map(String::as_str));
        arguments.extend(["--out", &out]);
        let (status, _, stderr) = train(place.path(), &arguments);
        assert_eq!(status, Some(0), "{option:?}: {arguments:?}: {stderr}");
    }
}

/// Every setting, typed as an option: the answer is `--set` with its key, which the program takes.
#[test]
fn every_setting_that_is_typed_as_an_option_is_known() {
    let place = empty_folder();
    let help = common::thinnet(place.path()).args(["train", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for setting in thinnet::training::settings().unwrap() {
        let name = setting.key.split_once('.').unwrap().1;
        if setting.key == "data.path" {
            assert_eq!(instead(place.path(), &["train", "--path"]), "--data sample");
            continue;
        }
        let option = format!("--{}", name.replace('_', "-"));
        if help.contains(&format!("{option} ")) {
            continue; // it is one
        }
        if ["train.seed", "model.dropout"].contains(&setting.key.as_str()) {
            continue; // of which there are tests with values
        }
        let hint = instead(place.path(), &["train", &option]);
        assert!(
            hint.starts_with("--set ") && hint.contains(&format!("{}=", setting.key)),
            "{}: {hint}",
            setting.key
        );
        let assignment = words(&hint)[1..].join(" ");
        let mut config = thinnet::training::TrainingConfig::default();
        config.set(&assignment.parse().unwrap()).unwrap();
    }
}

#[test]
fn other_commands_name_their_own_options() {
    let place = empty_folder();
    for (command, expected) in [
        (&["experiment", "--dropout", "0.5"][..], "--keep 0.5"),
        (&["experiment", "--dropout=0.75"], "--keep 0.25"),
        (&["experiment", "--lr", "0.001"], "--learning-rate 0.001"),
        (&["experiment", "--layers", "8,4"], "--hidden 8,4"),
        (&["experiment", "--random-state", "3"], "--seed 3"),
        (&["experiment", "--optimizer", "sgd"], "--update-rule sgd"),
        (&["bench", "--dropout", "0.5"], "--keep 0.5"),
        (&["sweep", "--keep", "0.5,1"], "--set model.keep=0.5,1"),
        (&["sweep", "--lr", "0.1,0.01"], "--set optim.learning_rate=0.1,0.01"),
    ] {
        let hint = instead(place.path(), command);
        assert_eq!(hint, expected, "{command:?}");
        let small: &[&str] = match command[0] {
            "experiment" => &["--train", "20", "--batch-size", "10"],
            "bench" => &["--inputs", "8", "--hidden", "8", "--classes", "2", "--steps", "2"],
            _ => &["--set", "data.train=20", "--set", "train.epochs=1", "--set", "model.hidden=4"],
        };
        let mut arguments = vec![command[0]];
        arguments.extend(small);
        let hint = words(&hint);
        arguments.extend(hint.iter().map(String::as_str));
        if command[0] == "experiment" {
            arguments.extend(["--epochs", "1"]);
            if hint[0] != "--hidden" {
                arguments.extend(["--hidden", "4"]);
            }
        }
        let output = common::thinnet(place.path()).args(&arguments).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let _ = fs::remove_dir_all(place.path().join("thinnet-sweep"));
    }
}

#[test]
fn data_in_the_place_of_settings_are_told_from_them() {
    let place = empty_folder();
    write_table(&place.path().join("data.csv"));
    write_table(&place.path().join("my data"));
    fs::write(place.path().join("empty.tsv"), "").unwrap();
    fs::write(place.path().join("images"), [0, 0, 8, 3, 255, 254]).unwrap();
    fs::create_dir(place.path().join("folder")).unwrap();
    for command in ["train", "sweep"] {
        for (file, option) in [
            ("data.csv", "--data data.csv"),
            ("my data", "--data 'my data'"),
            ("empty.tsv", "--data empty.tsv"),
            ("images", "--data images"),
            ("folder", "--data folder"),
            ("sample", "--data sample"),
        ] {
            let output = common::thinnet(place.path()).args([command, file]).output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{stderr}");
            assert!(stderr.contains(&format!("for samples, use {option}")), "{file}: {stderr}");
            assert!(!stderr.contains("TOML:") && stderr.lines().count() == 1, "{file}: {stderr}");
        }
    }
    let small =
        ["--set", "train.epochs=1", "--set", "model.hidden=4", "--set", "data.label_column=kind", "--quiet"];
    let (status, _, stderr) =
        train(place.path(), &[&["--data", "my data", "--out", "run"], &small[..]].concat());
    assert_eq!(status, Some(0), "{stderr}");
    assert!(refused(place.path(), &["run"]).contains("--resume run continues it"));
    // Settings need no ending.
    fs::write(place.path().join("settings"), "[train]\nepochs = 1\n").unwrap();
    let (status, _, stderr) =
        train(place.path(), &[&["settings", "--data", "data.csv", "--out", "second"], &small[..]].concat());
    assert_eq!(status, Some(0), "{stderr}");
}
