//! What a run shows while it trains, and what it leaves.

use serde_json::Value;

use super::common::{empty_folder, names};
use super::{SMALL, trained};

#[test]
fn lines_where_nobody_watches_and_all_files_in_the_end() {
    let place = empty_folder();
    let stdout = trained(place.path(), SMALL);
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 42, "{stdout}");
    assert!(lines[0].starts_with("epoch  1/40  loss ") && lines[39].starts_with("epoch 40/40"), "{stdout}");
    assert!(lines[41].starts_with("model of epoch "), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "no colours");
    let mut left = names(&place.path().join("thinnet-run"));
    let events = left.iter().position(|name| name.starts_with("events.out.tfevents.")).expect("event file");
    left.remove(events);
    for file in
        ["checkpoints", "config.toml", "history.csv", "metrics.jsonl", "model.safetensors", "report.html"]
    {
        assert!(left.iter().any(|name| name == file), "{file} in {left:?}");
    }
    trained(place.path(), SMALL);
    assert_eq!(names(place.path()), ["thinnet-run", "thinnet-run-2"]);
}

#[test]
fn quiet_prints_the_result_alone() {
    let place = empty_folder();
    let stdout = trained(place.path(), &[SMALL, &["--quiet"]].concat());
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    assert!(stdout.starts_with("model of epoch "), "{stdout}");
}

#[test]
fn json_is_an_object_a_line() {
    let place = empty_folder();
    let stdout = trained(place.path(), &[SMALL, &["--json"]].concat());
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 42);
    assert_eq!(
        (&lines[0]["event"], &lines[0]["layers"]),
        (&"start".into(), &serde_json::json!([3072, 16, 10]))
    );
    assert_eq!((&lines[7]["event"], &lines[7]["epoch"]), (&"epoch".into(), &7.into()));
    assert_eq!(lines[41]["event"], "end");
    let kept = lines[41]["kept"]["epoch"].as_u64().unwrap();
    let best = lines[1..41].iter().rev().find(|line| line["best"] == true).unwrap();
    assert_eq!(best["epoch"].as_u64(), Some(kept));
}
