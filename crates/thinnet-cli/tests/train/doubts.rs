//! Runs that come to nothing, or look as if they would: they say so.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use super::common::{self, empty_folder};
use super::{SMALL, refused, train, trained};

const WILD: [&str; 2] = ["--set", "optim.learning_rate=1e9"];

#[test]
fn a_loss_beyond_all_measure_is_told_on_every_way() {
    let place = empty_folder();
    let (status, stdout, stderr) =
        train(place.path(), &[SMALL, &WILD, &["--quiet", "--out", "run"]].concat());
    assert_eq!(status, Some(0), "{stderr}");
    assert!(stdout.starts_with("model of epoch ") && stdout.lines().count() == 1, "{stdout}");
    assert!(stdout.contains("; training has diverged: in epoch 40 the training loss is "), "{stdout}");
    assert!(stdout.contains("try a smaller learning rate"), "{stdout}");
    let page = fs::read_to_string(place.path().join("run/report.html")).unwrap();
    assert!(page.contains("Training has diverged: the training loss of the last epoch, "), "{page}");
    let end = |arguments: &[&str]| -> Value {
        let stdout = trained(place.path(), &[SMALL, arguments, &["--json"]].concat());
        serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
    };
    let diverged = &end(&WILD)["diverged"];
    assert!(diverged["epoch"] == 40 && diverged["loss"].as_f64().unwrap() > 1e3, "{diverged}");
    let sound = end(&["--out", "sound"]);
    assert!(sound["diverged"].is_null(), "{sound}");
    let page = fs::read_to_string(place.path().join("sound/report.html")).unwrap();
    assert!(!page.contains("diverged"));
}

#[test]
fn what_was_saved_is_told_where_something_was() {
    let place = empty_folder();
    // The first step already comes to nothing.
    let nothing = ["--set", "optim.rule=sgd", "--set", "optim.learning_rate=1e38", "--out", "run"];
    let (status, _, stderr) = train(place.path(), &[SMALL, &nothing].concat());
    assert_eq!(status, Some(2), "{stderr}");
    assert!(
        stderr.contains("training has diverged") && stderr.contains("; there is no earlier checkpoint"),
        "{stderr}"
    );
    assert!(!stderr.contains("earlier checkpoints"), "{stderr}");
}

#[test]
fn fewer_epochs_than_are_done_are_refused_and_nothing_changes() {
    let place = empty_folder();
    trained(place.path(), &[SMALL, &["--set", "train.epochs=5", "--out", "run"]].concat());
    let file = place.path().join("run/config.toml");
    let before = fs::read_to_string(&file).unwrap();
    let text = refused(place.path(), &["--resume", "run", "--set", "train.epochs=3"]);
    assert!(
        text.contains("train.epochs is 3, but 5 epochs of this run are done; it must be at least 5"),
        "{text}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    trained(place.path(), &["--resume", "run", "--set", "train.epochs=5"]);
    trained(place.path(), &["--resume", "run", "--set", "train.epochs=6"]);
}

#[test]
fn batch_normalisation_of_one_sample_is_refused_and_of_a_last_one_told() {
    let place = empty_folder();
    let batch = ["--set", "model.normalisation=batch", "--set", "model.hidden=8", "--set", "train.epochs=1"];
    let text = refused(place.path(), &[&batch[..], &["--set", "train.batch_size=1"]].concat());
    assert!(text.contains("train.batch_size must be at least 2 with batch normalisation"), "{text}");
    let one = refused(place.path(), &[&batch[..], &["--set", "data.train=1"]].concat());
    assert!(one.contains("batch normalisation"), "{one}");
    let said = |more: &[&str]| {
        let (status, _, stderr) =
            train(place.path(), &[&batch[..], &["--set", "data.train=401"], more].concat());
        assert_eq!(status, Some(0), "{stderr}");
        stderr
    };
    let text = said(&["--set", "train.batch_size=100"]);
    assert!(
        text.contains("warning: the last batch of every epoch has 1 sample (401 samples in batches of 100)"),
        "{text}"
    );
    let better = text.split_once("train.batch_size=").unwrap().1.split(' ').next().unwrap();
    for quiet in
        [&["--set", &format!("train.batch_size={better}")][..], &["--set", "train.sampling=replacement"]]
    {
        let text = said(quiet);
        assert!(!text.contains("warning"), "{text}");
    }
}

/// A column of numbers that is taken for classes: a warning before training, and a report that keeps to what can be read.
#[test]
fn a_table_of_very_many_classes_is_doubted_and_reported_in_short() {
    let place = empty_folder();
    for (classes, matrix) in [(120, true), (1500, false)] {
        let mut table = String::from("a,b,price\n");
        for row in 0..(2 * classes) {
            writeln!(table, "{},{},{}", row % 7, row % 11, row % classes + 1).unwrap();
        }
        let (file, run) = (format!("{classes}.csv"), format!("run-{classes}"));
        fs::write(place.path().join(&file), table).unwrap();
        let small =
            ["--set", "model.hidden=4", "--set", "train.epochs=1", "--label", "price", "--task", "classes"];
        let arguments = [&["--data", &file, "--out", &run], &small[..]].concat();
        let (status, stdout, stderr) = train(place.path(), &arguments);
        assert_eq!(status, Some(0), "{stderr}");
        assert!(stdout.contains("epoch"), "{stdout}");
        let warning = stderr.lines().find(|line| line.starts_with("warning: ")).unwrap();
        assert!(warning.contains(&format!("make {classes} classes of ")), "{warning}");
        assert!(
            warning.contains("model.task=regression") && warning.contains("data.label_column"),
            "{warning}"
        );
        let page = fs::read_to_string(place.path().join(&run).join("report.html")).unwrap();
        let csv = fs::read_to_string(place.path().join(&run).join("confusion.csv")).ok();
        assert_eq!(csv.is_some(), matrix);
        if let Some(csv) = csv {
            assert_eq!(csv.lines().count(), 51);
            assert!(csv.lines().all(|line| line.split(',').count() == 52));
            assert!(page.contains("Of 120 classes, the 50 with the most samples are listed."));
        } else {
            assert!(
                page.contains(
                    "There is no confusion matrix: the data have 1500 classes, and 1000 are the most"
                )
            );
        }
        assert!(page.len() < 400_000, "{}", page.len());
        let model = format!("{run}/model.safetensors");
        let judge = ["evaluate", &model, &file, "--out", "judged"];
        let output = common::thinnet(place.path()).args(judge).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(
            shown.contains(&format!("Of {classes} classes, the 50 with the most samples are listed.")),
            "{shown}"
        );
        assert!(shown.lines().count() < 70, "{shown}");
        let page = fs::read_to_string(place.path().join("judged/evaluation.html")).unwrap();
        assert!(page.contains(&format!("Of {classes} classes, the 50")) && page.len() < 400_000);
        fs::remove_dir_all(place.path().join("judged")).unwrap();
        // The remedy that is named is one.
        let numbers = [&["--data", &file, "--set", "model.task=regression"], &small[..]].concat();
        let (status, _, stderr) = train(place.path(), &numbers);
        assert!(status == Some(0) && !stderr.contains("warning"), "{stderr}");
    }
}
