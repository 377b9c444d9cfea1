//! `thinnet check`, as a user runs it.
#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, too

mod common;

use common::{empty_folder, names, thinnet};
use predicates::str::{contains, ends_with, is_empty};
use serde_json::Value;

#[test]
fn every_figure_of_the_course_agrees() {
    let folder = empty_folder();
    let mut assert = thinnet(folder.path()).arg("check").assert().success().stderr(is_empty());
    for figure in [
        "10.000207878477502",
        "10.014059116977283",
        "9.977917658761159",
        "9.987811912159426",
        "0.749784",
        "0.600796",
        "0.30074",
        "5.44560814873387e-11",
        "2.300479089768492",
        "2.3028487331533216",
        "2.30427592207859",
        "2.21e-05",
    ] {
        assert = assert.stdout(contains(figure));
    }
    assert.stdout(ends_with("all 37 figures agree\n"));
    assert!(names(folder.path()).is_empty(), "a check writes no file");
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_json_has_the_figures_and_no_more() {
    let folder = empty_folder();
    let output = thinnet(folder.path()).args(["check", "--json"]).assert().success().stderr(is_empty());
    let json: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(keys(&json), ["dropout", "dropout_backward_rel_error", "networks"]);
    let dropout = json["dropout"].as_array().unwrap();
    for (entry, (p, zeros)) in dropout.iter().zip([(0.25, 0.749_784), (0.4, 0.600_796), (0.7, 0.300_74)]) {
        assert_eq!(
            keys(entry),
            ["input_mean", "p", "test_mean", "test_zero_fraction", "train_mean", "train_zero_fraction"]
        );
        assert_eq!((entry["p"].as_f64(), entry["train_zero_fraction"].as_f64()), (Some(p), Some(zeros)));
    }
    assert!(json["dropout_backward_rel_error"].as_f64().unwrap() < 1e-10);
    let networks = json["networks"].as_array().unwrap();
    assert_eq!((dropout.len(), networks.len()), (3, 3));
    for (network, keep) in networks.iter().zip([1.0, 0.75, 0.5]) {
        assert_eq!(keys(network), ["initial_loss", "keep", "rel_errors"]);
        assert_eq!(network["keep"].as_f64(), Some(keep));
        assert_eq!(keys(&network["rel_errors"]), ["W1", "W2", "W3", "b1", "b2", "b3"]);
    }
}
