//! `thinnet export --weights`: smaller files, and what they cost.

use std::fs;

use thinnet::import;
use thinnet::layers::Activation;

use crate::common::thinnet;
use crate::{numbers, refused, stdout, trained};

#[test]
fn smaller_weights_are_measured_and_read_back() {
    let folder = trained(&["model.hidden=[100,100]", "model.normalisation=batch"]);
    let at = |name: &str| folder.path().join(name);
    stdout(folder.path(), &["export", "run", "full.onnx"]);
    let full = import::read(at("full.onnx")).unwrap();
    let mut sizes = vec![fs::read(at("full.onnx")).unwrap().len()];
    for (weights, error) in [("float16", 1e-3), ("int8", 5e-3)] {
        let name = format!("{weights}.onnx");
        let export = ["export", "run", &name, "--weights", weights, "--data", "flowers.csv"];
        let output = thinnet(folder.path()).args(export).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}");
        assert_eq!(output.stdout, format!("{name}\n").into_bytes());
        let says = format!("with {weights} weights (90 training samples of flowers.csv)");
        assert!(text.contains(&says), "{text}");
        let accuracies = text.lines().find_map(|line| line.split_once("accuracy ")?.1.split_once(" with "));
        let (after, before) = accuracies.unwrap().0.split_once(" instead of ").unwrap();
        let [after, before] =
            [after, before].map(|share| share.trim_end_matches('%').parse::<f64>().unwrap());
        assert!(before > 80.0 && after >= before - 1.0, "more than the tolerance: {text}");
        assert!(text.contains(&format!("{name}: ")) && text.contains(" instead of "), "{text}");
        sizes.push(fs::read(at(&name)).unwrap().len());
        let small = import::read(at(&name)).unwrap();
        let (small, full) = (&small.parameters.layers, &full.parameters.layers);
        for (small, full) in small.iter().zip(full) {
            let most = full.w.iter().fold(0.0f64, |most, w| most.max(w.abs()));
            assert!(small.w.iter().zip(&full.w).all(|(a, b)| (a - b).abs() <= error * most), "{weights}");
            assert_eq!(small.b, full.b);
        }
    }
    // Half and a quarter, and what is not weights.
    assert!(10 * sizes[1] < 6 * sizes[0] && 10 * sizes[2] < 4 * sizes[0], "{sizes:?}");
    for (name, options) in [("half.npz", &[][..]), ("half.safetensors", &["--format", "torch"])] {
        let export = [&["export", "run", name, "--weights", "float16"], options].concat();
        let output = thinnet(folder.path()).args(export).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && text.contains("was not measured; --data"), "{text}");
        assert!(import::read(at(name)).unwrap().net::<f32>(Activation::Relu).is_ok());
    }
}

#[test]
fn weights_that_cost_too_much_are_not_written() {
    let folder = numbers();
    let export = |more: &[&str], says: &[&str]| {
        refused(folder.path(), &[&["export", "run", "small.onnx"], more].concat(), says);
        assert!(!folder.path().join("small.onnx").exists());
    };
    let int8 = ["--weights", "int8"];
    export(&[&int8[..], &["--tolerance", "0.1"]].concat(), &["--tolerance 0.1", "--data"]);
    export(&["--data", "numbers.csv"], &["--weights"]);
    export(&["--tolerance", "0.1"], &["--weights"]);
    export(&[&int8[..], &["--tolerance", "2"]].concat(), &["from 0 to 1"]);
    let npz = ["export", "run", "small.npz", "--weights", "int8"];
    refused(folder.path(), &npz, &["--weights int8 is for .onnx files"]);
    let data = ["--weights", "int8", "--data", "numbers.csv", "--tolerance"];
    let output = thinnet(folder.path()).args(["export", "run", "small.onnx"]).args(data).arg("0").output();
    let output = output.unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    // Eight bits cost a little, and nothing is allowed.
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("R squared of price") && text.contains("nothing was written"), "{text}");
    assert!(!folder.path().join("small.onnx").exists());
    stdout(folder.path(), &[&["export", "run", "small.onnx"], &data[..], &["0.2"]].concat());
}
