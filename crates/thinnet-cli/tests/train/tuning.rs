//! `thinnet train --from`: a run that begins with a trained network.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::common::{empty_folder, thinnet};
use super::{history, refused, result, train, trained};

/// A table of flowers of these kinds.
fn flowers(folder: &Path, name: &str, kinds: &[&str]) {
    let mut text = "length,colour,width,kind\n".to_owned();
    for row in 0..90 {
        let class = row % kinds.len();
        let noise = (row * 7 % 10) as f64 * 0.05;
        let colour = ["red", "blue"][row % 2];
        writeln!(text, "{},{colour},{},{}", 1.0 + 2.0 * class as f64 + noise, 3.0 - noise, kinds[class])
            .unwrap();
    }
    fs::write(folder.join(name), text).unwrap();
}

/// A folder with a table and a run that was trained on it.
fn place() -> TempDir {
    let place = empty_folder();
    flowers(place.path(), "old.csv", &["lily", "rose", "tulip"]);
    let set = ["model.hidden=[8,6]", "model.activation=tanh", "train.epochs=20", "optim.learning_rate=0.02"];
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    trained(
        place.path(),
        &[&["--data", "old.csv", "--out", "old", "--set", "train.batch_size=10"], &set[..]].concat(),
    );
    place
}

/// So small a step that nothing changes, on all samples at once, without dropout.
const STILL: [&str; 10] = [
    "--set",
    "optim.learning_rate=1e-12",
    "--set",
    "model.keep=1",
    "--set",
    "train.epochs=1",
    "--set",
    "train.batch_size=1000",
    "--set",
    "train.restore_best=false",
];

/// A column of the last line of history.csv.
fn last(run: &Path, column: &str) -> f64 {
    let lines = history(run);
    let place = lines[0].split(',').position(|name| name == column).unwrap();
    lines.last().unwrap().split(',').nth(place).unwrap().parse().unwrap()
}

#[test]
fn a_run_begins_where_the_model_ended() {
    let place = place();
    let at = |name: &str| place.path().join(name);
    let exports =
        [("again.onnx", vec![]), ("again.npz", vec![]), ("net.safetensors", vec!["--format", "torch"])];
    let best = fs::read_to_string(at("old/metrics.jsonl")).unwrap();
    assert!(!best.is_empty());
    // On the validation samples, which are the same, the loss is that of the model.
    let info = thinnet(place.path()).args(["model", "info", "old", "--json"]).output().unwrap();
    let info: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
    let expected = info["validation"]["loss"].as_f64().unwrap();
    let out = ["--data", "old.csv", "--from", "old", "--out", "own"];
    let (status, stdout, stderr) = train(place.path(), &[&out[..], &STILL].concat());
    assert_eq!(status, Some(0), "{stdout}{stderr}");
    assert!(stderr.contains("the run begins with the network in"), "{stderr}");
    let loss = last(&at("own"), "val_loss");
    assert!((loss - expected).abs() < 1e-6 * expected, "{loss} {expected}");
    // The report and the settings name the file; settings and samples repeat the run.
    let config = fs::read_to_string(at("own/config.toml")).unwrap();
    assert!(
        config.contains("/old\"") && config.contains("hidden = [8, 6]") && config.contains("tanh"),
        "{config}"
    );
    assert!(fs::read_to_string(at("own/report.html")).unwrap().contains("Begins with the network in"));
    trained(place.path(), &["own/config.toml", "--out", "repeated"]);
    assert_eq!(result(&at("own")), result(&at("repeated")));
    // A table of numbers alone can go through the other formats.
    fs::write(at("numbers.csv"), "a,b,c\n".to_owned() + &"1,2,x\n3,1,y\n2,5,x\n4,0,y\n".repeat(20)).unwrap();
    trained(place.path(), &["--data", "numbers.csv", "--out", "plain", "--set", "model.hidden=[7]"]);
    let out = ["--data", "numbers.csv", "--from", "plain/model.safetensors", "--out", "model"];
    trained(place.path(), &[&out[..], &STILL].concat());
    let expected = last(&at("model"), "val_loss");
    for (file, options) in exports {
        thinnet(place.path()).args(["export", "plain", file]).args(options).assert().success();
        let out = format!("from-{file}");
        let from = ["--data", "numbers.csv", "--from", file, "--out", &out];
        trained(place.path(), &[&from[..], &STILL].concat());
        let loss = last(&at(&out), "val_loss");
        assert!((loss - expected).abs() < 1e-5 * expected, "{file}: {loss} {expected}");
    }
}

#[test]
fn other_classes_keep_the_hidden_layers() {
    let place = place();
    for (name, kinds) in [("fewer", &["lily", "tulip"][..]), ("more", &["lily", "rose", "tulip", "daisy"])] {
        flowers(place.path(), "new.csv", kinds);
        let arguments = ["--data", "new.csv", "--from", "old", "--out", name, "--set", "model.dtype=f64"];
        let (status, stdout, stderr) = train(place.path(), &[&arguments[..], &STILL].concat());
        assert_eq!(status, Some(0), "{stdout}{stderr}");
        assert!(stderr.contains("the last layer begins afresh, the hidden layers stay"), "{stderr}");
        let model = fs::read(place.path().join(name).join("model.safetensors")).unwrap();
        let tuned = thinnet::model::Model::<f64>::from_bytes(&model).unwrap();
        let old = thinnet::model::Model::<f32>::load(place.path().join("old/model.safetensors")).unwrap();
        let (tuned, old) = (&tuned.net().parameters.layers, &old.net().parameters.layers);
        assert_eq!((tuned.len(), tuned[2].w.dim()), (3, (6, kinds.len())));
        let far = |(a, b): (&f64, &f32)| (a - f64::from(*b)).abs() > 1e-10;
        assert!(!tuned[0].w.iter().zip(&old[0].w).any(far) && !tuned[1].w.iter().zip(&old[1].w).any(far));
    }
}

#[test]
fn a_run_goes_on_from_its_folder_alone() {
    let place = place();
    let at = |name: &str| place.path().join(name);
    flowers(place.path(), "new.csv", &["lily", "rose", "tulip", "daisy"]);
    let arguments = ["--data", "new.csv", "--from", "old", "--set", "train.epochs=6"];
    trained(place.path(), &[&arguments[..], &["--out", "whole"]].concat());
    trained(place.path(), &[&arguments[..], &["--out", "killed"]].concat());
    // As if it was killed before its first checkpoint; and the model is gone.
    fs::remove_dir_all(at("old")).unwrap();
    for entry in at("killed").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let kept = ["config.toml", "start.safetensors"].iter().any(|name| path.ends_with(name));
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else if !kept {
            fs::remove_file(path).unwrap();
        }
    }
    trained(place.path(), &["--resume", "killed"]);
    assert_eq!(result(&at("whole")), result(&at("killed")));
    // And from a checkpoint.
    trained(place.path(), &["--resume", "killed", "--set", "train.epochs=8"]);
    trained(place.path(), &["--resume", "whole", "--set", "train.epochs=8"]);
    assert_eq!(result(&at("whole")), result(&at("killed")));
    fs::remove_file(at("killed/start.safetensors")).unwrap();
    let text = refused(place.path(), &["--resume", "killed"]);
    assert!(text.contains("start.safetensors is not there") && text.contains("start another run"), "{text}");
}

#[test]
fn what_does_not_fit_is_refused_before_a_folder_is_made() {
    let place = place();
    let from = |more: &[&str], says: &[&str]| {
        let text = refused(place.path(), &[&["--out", "new"], more].concat());
        for say in says {
            assert!(text.contains(say), "{more:?}: {say:?} is not in {text}");
        }
        assert!(!place.path().join("new").exists());
    };
    let old = ["--data", "old.csv", "--from", "old"];
    from(&[&old[..], &["--set", "model.hidden=[9]"]].concat(), &["model.hidden is [9]", "has [8, 6]"]);
    from(
        &[&old[..], &["--set", "model.activation=relu"]].concat(),
        &["model.activation is relu", "has tanh"],
    );
    from(&[&old[..], &["--set", "data.scaling=unit"]].concat(), &["data.scaling is unit"]);
    from(&["--data", "old.csv", "--from", "none.onnx"], &["--from", "none.onnx"]);
    from(&["--data", "old.csv", "--from", "old.csv"], &["old.csv", "no ONNX file"]);
    fs::write(place.path().join("config.toml"), "[model]\nhidden = [500]\n").unwrap();
    from(&[&["config.toml"], &old[..]].concat(), &["model.hidden is [500]", "has [8, 6]"]);
    fs::write(place.path().join("other.csv"), "size,kind\n".to_owned() + &"1,a\n2,b\n".repeat(20)).unwrap();
    from(&["--data", "other.csv", "--from", "old"], &["length"]);
    from(&["--data", "sample", "--from", "old"], &["numbers per sample", "3072"]);
    let both = refused(place.path(), &["--resume", "old", "--from", "old"]);
    assert!(both.contains("--from") && both.contains("--resume"), "{both}");
    let set = refused(place.path(), &["--resume", "old", "--set", "model.from=old"]);
    assert!(set.contains("model.from"), "{set}");
    let sweep = ["sweep", "--data", "old.csv", "--set", "model.keep=0.5,1", "--set", "model.from=old"];
    let output = thinnet(place.path()).args(sweep).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && text.contains("model.from is for single runs"), "{text}");
}
