//! Ensembles, regressions with noise or quantiles, and averages over masks, from the command line.

use std::fs;

use serde_json::Value;

use super::common::{empty_folder, thinnet};
use super::{numbers, refused, stdout, trained};

#[test]
fn an_ensemble_is_trained_judged_and_exported() {
    let folder = trained(&["train.members=3", "model.keep=0.8"]);
    let path = folder.path();
    for member in 1..=3 {
        let own = path.join(format!("run/members/{member}"));
        assert!(own.join("model.safetensors").is_file() && own.join("report.html").is_file());
    }
    let page = fs::read_to_string(path.join("run/report.html")).unwrap();
    assert!(page.contains("Together, the 3 networks have") && page.contains("Network 3 (seed 233)"));
    let table = fs::read_to_string(path.join("run/members.csv")).unwrap();
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(path.join("run/curves.png").is_file() && path.join("run/confusion.csv").is_file());

    let info: Value = serde_json::from_str(&stdout(path, &["model", "info", "run", "--json"])).unwrap();
    assert_eq!(info["members"].as_array().unwrap().len(), 3);
    assert!(stdout(path, &["model", "info", "run"]).contains("ensemble       3 networks"));
    let head = "sample,class,probability,std,entropy,mutual_information\n";
    assert!(stdout(path, &["predict", "run", "flowers.csv", "--std"]).starts_with(head));
    assert!(stdout(path, &["predict", "run", "flowers.csv", "--mc-samples", "5"]).starts_with(head));
    assert!(stdout(path, &["evaluate", "run", "flowers.csv"]).contains("accuracy"));
    stdout(path, &["export", "run", "model.onnx"]);
    refused(path, &["export", "run", "arrays.npz"], &["is an ensemble", "ONNX"]);
    refused(path, &["export", "run", "a.safetensors", "--format", "torch"], &["is an ensemble"]);
    refused(path, &["evaluate", "run", "flowers.csv", "--compare-averages"], &["one network"]);
    // Its networks are compared like runs with other seeds.
    let compared = stdout(path, &["report", "run", "--out", "compared"]);
    assert!(compared.lines().any(|line| line.ends_with(" 3")), "of 3 runs: {compared}");
    // Each network is the run with its seed.
    let single = trained(&["train.seed=232", "model.keep=0.8"]);
    let [own, alone] = [path.join("run/members/2"), single.path().join("run")]
        .map(|run| fs::read_to_string(run.join("history.csv")).unwrap());
    let figures = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split(',').take(6).collect::<Vec<_>>().join(",")).collect()
    };
    assert_eq!(figures(&own), figures(&alone));
}

#[test]
fn the_events_of_an_ensemble_name_the_network() {
    let folder = empty_folder();
    let settings = ["--set", "train.members=2", "--set", "train.epochs=3", "--set", "model.hidden=[8]"];
    let text = stdout(folder.path(), &[&["train", "--json", "--out", "run"], &settings[..]].concat());
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.first().unwrap()["members"], 2);
    let of = |member: u64| events.iter().filter(|event| event["member"] == member).count();
    assert_eq!((of(1), of(2), events.len()), (3, 3, 8));
    let end = events.last().unwrap();
    assert_eq!(end["members"].as_array().unwrap().len(), 2);
    assert!(end["val"]["accuracy"].is_number() && end["kept"].is_null());
    // It is finished: nothing is trained again, and the same files are written.
    let model = fs::read(folder.path().join("run/model.safetensors")).unwrap();
    let again = stdout(folder.path(), &["train", "--resume", "run", "--quiet"]);
    assert!(again.starts_with("ensemble: validation accuracy"), "{again}");
    assert_eq!(fs::read(folder.path().join("run/model.safetensors")).unwrap(), model);
    refused(folder.path(), &["train", "--resume", "run", "--set", "train.members=3"], &["train.members"]);
    refused(folder.path(), &["sweep", "--set", "train.members=1,2"], &["train.members cannot be varied"]);
    fs::write(folder.path().join("many.toml"), "[train]\nmembers = 2\n").unwrap();
    refused(folder.path(), &["sweep", "many.toml", "--set", "model.keep=0.5,1"], &["train.members"]);
}

#[test]
fn noise_and_quantiles_have_their_columns() {
    let folder = numbers();
    let path = folder.path();
    let settings = |loss: &str, out: &str| {
        let loss = format!("model.loss={loss}");
        let all =
            ["--set", "data.path=numbers.csv", "--set", "model.hidden=[8]", "--set", &loss, "--out", out];
        thinnet(path).arg("train").args(all).assert().success();
    };
    settings("gaussian_nll", "noise");
    settings("quantile", "quantile");
    let head = |arguments: &[&str]| stdout(path, arguments).lines().next().unwrap().to_owned();
    assert_eq!(head(&["predict", "noise", "numbers.csv"]), "sample,price,price std");
    assert_eq!(head(&["predict", "noise", "numbers.csv", "--mc-samples", "3"]), "sample,price,price std");
    assert_eq!(head(&["predict", "quantile", "numbers.csv"]), "sample,price 0.05,price 0.5,price 0.95");
    let ends = "sample,price,price low,price high";
    for run in ["noise", "quantile"] {
        assert_eq!(head(&["predict", run, "numbers.csv", "--coverage", "0.8"]), ends);
    }
    let judged = stdout(path, &["evaluate", "noise", "numbers.csv", "--out", "page"]);
    assert!(judged.contains("log-likelihood") && judged.contains("price, from the noise"), "{judged}");
    let page = fs::read_to_string(path.join("page/evaluation.html")).unwrap();
    assert!(page.contains("How far the intervals can be trusted") && page.contains("price, conformal"));
    let judged = stdout(path, &["evaluate", "quantile", "numbers.csv"]);
    assert!(judged.contains("between the quantiles"), "{judged}");
    refused(path, &["predict", "run", "numbers.csv", "--std"], &["one network without noise"]);
    refused(path, &["train", "--set", "model.loss=logistic"], &["model.loss must be softmax"]);
    refused(path, &["train", "--set", "model.loss=huber"], &["regression"]);
}

#[test]
fn averages_are_compared_on_the_terminal_and_on_the_page() {
    let folder = trained(&["model.keep=0.7"]);
    let path = folder.path();
    let text = stdout(path, &["evaluate", "run", "flowers.csv", "--compare-averages=7", "--out", "page"]);
    let rows: Vec<&str> =
        text.lines().skip_while(|line| !line.starts_with("masks")).skip(1).take(5).collect();
    let counts: Vec<&str> = rows.iter().filter_map(|row| row.split_whitespace().next()).collect();
    assert_eq!(counts, ["none", "1", "2", "5", "7"], "{text}");
    let page = fs::read_to_string(path.join("page/evaluation.html")).unwrap();
    assert!(page.contains("One pass or many masks") && page.contains("geometric mean over masks"));
    let json = stdout(path, &["evaluate", "run", "flowers.csv", "--compare-averages=2", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["averages"]["over"].as_array().unwrap().len(), 2);
    refused(path, &["evaluate", "run", "flowers.csv", "--compare-averages=0"], &["at least 1"]);
}
