//! Judging models, and looking at them.

use std::fs;

use serde_json::{Value, json};
use thinnet::data::{DataSet, ReadOptions};
use thinnet::model::Model;

use crate::common::names;
use crate::{flowers, numbers, stdout, trained, trained_on_images};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn figures_are_those_of_the_library_on_the_same_data() {
    let folder = trained(&[]);
    let model = Model::<f32>::load(folder.path().join("run/model.safetensors")).unwrap();
    let set = DataSet::open(&folder.path().join("flowers.csv"), &ReadOptions::default()).unwrap();
    let expected = serde_json::to_value(model.evaluate(set.train()).unwrap()).unwrap();
    let json = parsed(&stdout(folder.path(), &["evaluate", "run", "flowers.csv", "--json"]));
    assert_eq!(json, expected);
    assert_eq!((json["samples"].as_u64(), json["classes"].as_array().unwrap().len()), (Some(90), 3));
    assert!(json["accuracy"].as_f64().unwrap() > 0.9 && json.get("top5").is_none());
    let counts: u64 = json["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|n| n.as_u64().unwrap())
        .sum();
    assert_eq!(counts, 90);
    // The same samples with their columns and classes in another order come to the same figures.
    let turned: String = flowers()
        .lines()
        .rev()
        .filter(|line| line.contains('"'))
        .map(|line| {
            let (numbers, kind) = line.split_at(line.find('"').unwrap());
            let mut numbers = numbers.split(',');
            let (length, width) = (numbers.next().unwrap(), numbers.next().unwrap());
            format!("{width},{kind},{length}\n")
        })
        .fold("width,kind,length\n".to_owned(), |text, line| text + &line);
    fs::write(folder.path().join("turned.csv"), turned).unwrap();
    let other = parsed(&stdout(folder.path(), &["evaluate", "run", "turned.csv", "--json"]));
    assert_eq!((&other["classes"], &other["confusion"]), (&json["classes"], &json["confusion"]));
    // A class alone is judged too, and is the model's class of that name, whatever its number in the table.
    let tulips: String = flowers()
        .lines()
        .filter(|line| !line.contains("lily") && !line.contains("rose"))
        .fold(String::new(), |text, line| text + line + "\n");
    fs::write(folder.path().join("tulips.csv"), tulips).unwrap();
    let alone = parsed(&stdout(folder.path(), &["evaluate", "run", "tulips.csv", "--json"]));
    assert_eq!(alone["classes"][2]["samples"], 30);
}

#[test]
fn a_page_has_the_figures_and_the_matrix() {
    let folder = trained_on_images();
    let text = stdout(folder.path(), &["evaluate", "run", "digits", "--out", "judged"]);
    assert!(text.starts_with("20 test samples of digits\naccuracy       100.00%\n"), "{text}");
    assert!(text.contains("true \\ predicted"), "{text}");
    let judged = folder.path().join("judged");
    assert_eq!(names(&judged), ["confusion.csv", "evaluation.html", "evaluation.json"]);
    let page = fs::read_to_string(judged.join("evaluation.html")).unwrap();
    assert!(
        page.contains("Of 20 test samples, 100.0% are recognised.") && page.contains("Confusion matrix"),
        "{page}"
    );
    assert_eq!(fs::read_to_string(judged.join("confusion.csv")).unwrap(), "class,0,1\n0,10,0\n1,0,10\n");
    assert!(
        page.contains("How far the probabilities can be trusted") && !page.contains("The surest mistakes")
    );
    let all = stdout(folder.path(), &["evaluate", "run", "digits", "--part", "all"]);
    assert!(all.starts_with("80 samples of digits\n"), "{all}");
}

/// The surest mistakes are shown: as pictures of images, as the numbers of a table's rows.
#[test]
fn the_surest_mistakes_are_shown() {
    let folder = trained(&[]);
    // Every lily is called a tulip.
    fs::write(folder.path().join("wrong.csv"), flowers().replace("lily", "tulip")).unwrap();
    let text = stdout(folder.path(), &["evaluate", "run", "wrong.csv", "--out", "judged"]);
    for start in ["Brier score    ", "calibration    off by ", "surer half     ", "surest mistake sample "] {
        assert!(text.lines().any(|line| line.starts_with(start)), "{start:?} is not in\n{text}");
    }
    let page = fs::read_to_string(folder.path().join("judged/evaluation.html")).unwrap();
    assert!(page.contains("The surest mistakes") && page.contains("length 1."), "{page}");
    let json = parsed(&stdout(folder.path(), &["evaluate", "run", "wrong.csv", "--json"]));
    let (trust, mistake) = (&json["trust"], &json["trust"]["mistakes"][0]);
    assert_eq!((&mistake["class"], &mistake["predicted"]), (&json!(2), &json!(0)));
    let loss = json["log_loss"].as_f64().unwrap();
    assert!((trust["log_likelihood"].as_f64().unwrap() + loss).abs() < 1e-12, "{json}");

    let folder = trained_on_images();
    // The labels of the test images, in the wrong order: each image is of the other class.
    let turned: Vec<u8> = (1..21).map(|index| index % 2).collect();
    crate::idx(&folder.path().join("digits/t10k-labels-idx1-ubyte"), &[20], &turned);
    stdout(folder.path(), &["evaluate", "run", "digits", "--out", "judged"]);
    let page = fs::read_to_string(folder.path().join("judged/evaluation.html")).unwrap();
    assert_eq!(page.matches("<img src=\"data:image/png;base64,").count(), 10);
}

#[test]
fn a_regression_is_judged_in_its_unit() {
    let folder = numbers();
    let json =
        parsed(&stdout(folder.path(), &["evaluate", "run", "numbers.csv", "--json", "--out", "judged"]));
    let target = &json["targets"][0];
    assert_eq!((json["samples"].as_u64(), target["name"].as_str()), (Some(80), Some("price")));
    assert!(target["rmse"].as_f64().unwrap() < 500.0 && target["r2"].as_f64().unwrap() > 0.8, "{json}");
    assert!(json.get("accuracy").is_none() && json.get("confusion").is_none());
    assert_eq!(names(&folder.path().join("judged")), ["evaluation.html", "evaluation.json"]);
}

#[test]
fn a_model_tells_what_it_is() {
    let folder = trained(&[]);
    let text = stdout(folder.path(), &["model", "info", "run"]);
    for line in [
        "takes          the columns length, width",
        "gives          3 classes: lily, rose, wild, tulip",
        "layers         2 - 8 - 3",
        "parameters     51, f32",
        "trained on     flowers.csv: 70 training and 20 validation samples",
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
    let json = parsed(&stdout(folder.path(), &["model", "info", "run/model.safetensors", "--json"]));
    assert_eq!((&json["layers"], &json["parameters"]), (&json!([2, 8, 3]), &json!(51)));
    assert_eq!(json["preprocessing"]["names"], json!(["lily", "rose, wild", "tulip"]));
    assert_eq!(json["thinnet"], env!("CARGO_PKG_VERSION"));
    let here = folder.path().to_str().unwrap();
    assert!(!json.to_string().contains(here), "no path of this machine: {json}");
}
