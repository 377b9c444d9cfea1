//! `thinnet bench`, as a user and as a program that compares run it.
#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, too

mod common;

use common::{empty_folder, thinnet};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty};
use serde_json::Value;

const SMALL: [&str; 7] = ["bench", "--hidden", "20,30", "--batch-size", "10", "--steps", "5"];

fn json_lines(text: &[u8]) -> Vec<Value> {
    std::str::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_json_says_how_long_a_step_took_and_how_it_was_computed() {
    let folder = empty_folder();
    for (dtype, engine) in [("f32", "auto"), ("f64", "dense"), ("f32", "thin")] {
        let how = ["--json", "--dtype", dtype, "--engine", engine, "--threads", "2"];
        let assert = thinnet(folder.path()).args(SMALL).args(how).assert().success().stderr(is_empty());
        let report = &json_lines(&assert.get_output().stdout)[0];
        let ms = |key: &str| report["step_ms"][key].as_f64().unwrap();
        assert!(0.0 < ms("min") && ms("min") <= ms("median") && ms("median") <= ms("max"));
        assert_eq!((&report["engine"], &report["dtype"]), (&engine.into(), &dtype.into()));
        assert_eq!((&report["threads"], &report["steps"]), (&2.into(), &5.into()));
        assert!(["avx512", "avx2", "portable"].contains(&report["kernels"].as_str().unwrap()));
        let share = report["share"].as_object().unwrap().values().map(|share| share.as_f64().unwrap());
        assert!((0.1..=1.0).contains(&share.sum::<f64>()), "{report}");
        assert!(report["gflops"].as_f64().unwrap() < report["peak_gflops"].as_f64().unwrap());
    }
}

#[test]
fn what_dropout_saves_is_the_ratio_of_both_steps() {
    let folder = empty_folder();
    let report = |keep: &str| {
        let how = ["--inputs", "40", "--classes", "3", "--json", "--keep", keep];
        let assert = thinnet(folder.path()).args(SMALL).args(how).assert().success().stderr(is_empty());
        json_lines(&assert.get_output().stdout).remove(0)
    };
    let with = report("0.5");
    assert_eq!(with["net"], serde_json::json!([40, 20, 30, 3]));
    let median = |report: &Value| report["step_ms"]["median"].as_f64().unwrap();
    let without = &with["without_dropout"];
    assert!((without["ratio"].as_f64().unwrap() - median(without) / median(&with)).abs() < 1e-9, "{with}");
    assert!(report("1")["without_dropout"].is_null());
}

#[test]
fn predictions_are_measured_too() {
    let folder = empty_folder();
    let net = [
        "bench",
        "--inputs",
        "30",
        "--hidden",
        "20,10",
        "--classes",
        "3",
        "--steps",
        "4",
        "--predict",
        "6000",
    ];
    let assert = thinnet(folder.path()).args(net).arg("--json").assert().success().stderr(is_empty());
    let report = &json_lines(&assert.get_output().stdout)[0];
    assert_eq!(report["net"], serde_json::json!([30, 20, 10, 3]));
    assert_eq!((&report["rows"], &report["calls"]), (&6000.into(), &4.into()));
    let of = |value: &Value| value.as_f64().unwrap();
    let seconds = of(&report["call_ms"]["median"]) / 1e3;
    assert!((of(&report["rows_per_second"]) * seconds - 6000.0).abs() < 1e-6);
    assert!((of(&report["gflops"]) * seconds * 1e9 - 6000.0 * 2.0 * 830.0).abs() < 1.0);
    let lines = contains("6000 rows").and(contains("median")).and(contains("rows a second"));
    thinnet(folder.path()).args(net).assert().success().stdout(lines);
}

#[test]
fn a_person_reads_lines() {
    let folder = empty_folder();
    thinnet(folder.path()).args(SMALL).assert().success().stdout(
        contains("net 3072-20-30-10")
            .and(contains("ms median"))
            .and(contains("GFLOP/s"))
            .and(contains("keep 0.25 saves")),
    );
}

#[test]
fn requests_are_answered_line_by_line() {
    let folder = empty_folder();
    let requests = r#"{"net": [12, 5, 3], "batch": 4, "keep": 0.5, "setting": "any"}
{"steps": 3}
{"steps": 2}
{"net": [12, 3], "batch": 4, "keep": 1.0}
{"steps": 1}
"#;
    let assert = thinnet(folder.path()).args(["bench", "--serve"]).write_stdin(requests).assert().success();
    let answers = json_lines(&assert.get_output().stdout);
    let counts: Vec<_> = answers.iter().map(|answer| answer["ms"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(counts, [0, 3, 2, 0, 1]);
    assert_eq!((&answers[0]["ready"], &answers[3]["ready"]), (&true.into(), &true.into()));
    assert!(answers[2]["loss"].as_f64().unwrap().is_finite());
}

#[test]
fn bad_requests_and_settings_end_with_a_sentence() {
    let folder = empty_folder();
    for (arguments, reason) in [
        (&["--keep", "0"][..], "probability to KEEP"),
        (&["--keep", "1.5"], "got 1.5"),
        (&["--hidden", "0"], "hidden layer"),
        (&["--hidden", "99999999"], "memory"),
        (&["--batch-size", "0"], "--batch-size"),
        (&["--steps", "0"], "--steps"),
        (&["--inputs", "0"], "input"),
        (&["--inputs", "99999999999"], "memory"),
        (&["--classes", "0"], "output"),
        (&["--predict", "0"], "--predict"),
        (&["--predict", "99999999999999"], "memory"),
        (&["--predict", "5", "--keep", "0.5"], "--keep"),
        (&["--threads", "0"], "threads"),
        (&["--engine", "thni"], "did you mean 'thin'"),
    ] {
        thinnet(folder.path())
            .arg("bench")
            .args(arguments)
            .assert()
            .code(2)
            .stdout(is_empty())
            .stderr(contains("error: ").and(contains(reason)).and(contains("panicked").not()));
    }
    for request in [
        "{",
        "{\"steps\": 3}",
        "{\"net\": [3], \"batch\": 1, \"keep\": 1}",
        "{\"net\": [3, 0, 2], \"batch\": 1, \"keep\": 1}",
    ] {
        let assert = thinnet(folder.path()).args(["bench", "--serve"]).write_stdin(request).assert();
        assert.code(2).stderr(contains("error: ").and(contains("panicked").not()));
    }
}
