//! `thinnet predict --mc-samples`.

use ndarray::Array2;
use serde_json::Value;
use thinnet::model::{Model, MonteCarlo};

use crate::common::thinnet;
use crate::{flower, flowers, numbers, refused, stdout, trained};

const DROPOUT: &[&str] = &["model.hidden=[20]", "model.keep=0.6"];

/// What the library predicts in another process, in every form; from a pipe, in other pieces, the same.
#[test]
fn means_over_masks_come_with_their_doubts() {
    let folder = trained(DROPOUT);
    let model = Model::<f32>::load(folder.path().join("run/model.safetensors")).unwrap();
    let x = Array2::from_shape_fn(
        (90, 2),
        |(row, column)| if column == 0 { flower(row).0 } else { flower(row).1 },
    );
    let found = MonteCarlo::new(&model, 30, 231).unwrap().predict(x).unwrap();
    let command = ["predict", "run", "flowers.csv", "--mc-samples", "30"];
    let text = stdout(folder.path(), &[&command[..], &["--proba"]].concat());
    assert_eq!(
        text.lines().next(),
        Some(
            "sample,lily,\"rose, wild\",tulip,lily std,\"rose, wild std\",tulip std,entropy,mutual_information"
        )
    );
    let mut doubted = 0;
    for (sample, line) in text.lines().skip(1).enumerate() {
        let printed: Vec<f64> = line.split(',').skip(1).map(|number| number.parse().unwrap()).collect();
        let parts = [&found.mean, &found.deviation, &found.entropy, &found.mutual_information];
        let expected = parts.into_iter().flat_map(|part| part.row(sample).to_vec());
        for (printed, expected) in printed.iter().zip(expected) {
            assert!((printed - expected).abs() < 1e-6, "{sample}: {printed}, {expected}");
        }
        assert_eq!(printed.len(), 8);
        doubted += usize::from(printed[7] > 1e-3);
    }
    assert!(doubted > 10, "{doubted}");
    let expected = stdout(folder.path(), &command);
    assert!(expected.starts_with("sample,class,probability,std,entropy,mutual_information\n"));
    let piped = thinnet(folder.path())
        .args(["predict", "run", "-", "--mc-samples", "30", "--json"])
        .write_stdin(flowers())
        .assert()
        .success();
    let piped = String::from_utf8_lossy(&piped.get_output().stdout).into_owned();
    for (line, json) in expected.lines().skip(1).zip(piped.lines()) {
        let json: Value = serde_json::from_str(json).unwrap();
        let printed: f64 = line.rsplit(',').next().unwrap().parse().unwrap();
        assert_eq!(json["mutual_information"].as_f64(), Some(printed), "{line}");
    }
    let seed = |seed| stdout(folder.path(), &[&command[..], &["--seed", seed]].concat());
    assert_eq!(seed("231"), expected);
    assert_ne!(seed("7"), expected);
    let top = stdout(folder.path(), &[&command[..], &["--top", "2"]].concat());
    assert!(top.starts_with("sample,rank,class,probability,std\n0,1,lily,0."), "{top}");
}

#[test]
fn numbers_have_deviations_in_the_datas_units() {
    let folder = numbers();
    let refusal = ["trained without dropout"];
    refused(folder.path(), &["predict", "run", "numbers.csv", "--mc-samples", "5"], &refusal);
    let train =
        ["train", "--out", "dropped", "--set", "data.path=numbers.csv", "--set", "model.task=regression"];
    let more = ["--set", "model.keep=0.8", "--set", "model.hidden=[30]", "--set", "train.epochs=20"];
    thinnet(folder.path()).args([&train[..], &more[..]].concat()).assert().success();
    let text = stdout(folder.path(), &["predict", "dropped", "numbers.csv", "--mc-samples", "40"]);
    assert_eq!(text.lines().next(), Some("sample,price,price std"));
    let deviations: Vec<f64> =
        text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect();
    let mean = deviations.iter().sum::<f64>() / deviations.len() as f64;
    assert!(mean > 10.0, "{mean}"); // the prices are in thousands, with a deviation of hundreds
    let json = stdout(folder.path(), &["predict", "dropped", "numbers.csv", "--mc-samples", "40", "--json"]);
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(first["std"]["price"].as_f64(), Some(deviations[0]));
}

#[test]
fn what_cannot_be_masked_is_refused() {
    let folder = trained(DROPOUT);
    let predict = ["predict", "run", "flowers.csv"];
    let refuse = |more: &[&str], says: &[&str]| refused(folder.path(), &[&predict, more].concat(), says);
    refuse(&["--mc-samples", "0"], &["--mc-samples", "at least 1"]);
    for bad in ["-3", "many", "1.5"] {
        let output = thinnet(folder.path()).args(predict).args(["--mc-samples", bad]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{bad}");
    }
    let alone = thinnet(folder.path()).args(predict).args(["--seed", "3"]).output().unwrap();
    assert_eq!(alone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("--mc-samples"));
    let plain = trained(&["model.keep=1"]);
    let command = ["predict", "run", "flowers.csv", "--mc-samples", "9"];
    refused(plain.path(), &command, &["trained without dropout"]);
}
