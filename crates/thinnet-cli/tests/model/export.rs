//! `thinnet export`: its files appear whole or not at all, and what it cannot do is said in a sentence.

use std::fs;

use crate::common::{names, thinnet};
use crate::{refused, stdout, trained};

#[test]
fn files_are_written_where_they_are_asked_for() {
    let folder = trained(&[]);
    let at = |name: &str| folder.path().join(name);
    assert_eq!(stdout(folder.path(), &["export", "run", "model.onnx"]), "model.onnx\n");
    let onnx = fs::read(at("model.onnx")).unwrap();
    assert_eq!(onnx[..2], [8, 8], "the IR version comes first");
    assert!(onnx.windows(10).any(|part| part == b"rose, wild"), "it has the names of the classes");
    assert_eq!(stdout(folder.path(), &["export", "run/model.safetensors", "again.ONNX"]), "again.ONNX\n");
    assert_eq!(fs::read(at("again.ONNX")).unwrap(), onnx);
    assert_eq!(stdout(folder.path(), &["export", "run", "arrays.npz"]), "arrays.npz\n");
    assert_eq!(fs::read(at("arrays.npz")).unwrap()[..2], *b"PK");
    let torch = stdout(folder.path(), &["export", "run", "net.safetensors", "--format", "torch"]);
    assert_eq!(torch, "net.safetensors\nnet.py\n");
    let script = fs::read_to_string(at("net.py")).unwrap();
    assert!(
        script.contains("nn.Linear(2, 8)")
            && script.contains("outputs = [\"lily\",\"rose, wild\",\"tulip\"]")
    );
    let left = ["again.ONNX", "arrays.npz", "flowers.csv", "model.onnx", "net.py", "net.safetensors", "run"];
    assert_eq!(names(folder.path()), left);
}

#[test]
fn a_file_that_exists_stays() {
    let folder = trained(&[]);
    let at = |name: &str| folder.path().join(name);
    fs::write(at("model.onnx"), "mine").unwrap();
    fs::write(at("net.py"), "mine").unwrap();
    refused(folder.path(), &["export", "run", "model.onnx"], &["model.onnx: it already exists", "--force"]);
    let torch = ["export", "run", "net.safetensors", "--format", "torch"];
    refused(folder.path(), &torch, &["net.py: it already exists"]);
    assert_eq!(fs::read(at("model.onnx")).unwrap(), b"mine");
    assert!(!at("net.safetensors").exists());
    stdout(folder.path(), &["export", "run", "model.onnx", "--force"]);
    stdout(folder.path(), &[&torch[..], &["--force"]].concat());
    assert!(fs::read(at("model.onnx")).unwrap().len() > 100 && fs::read(at("net.py")).unwrap().len() > 100);
}

#[test]
fn what_cannot_be_exported_is_refused() {
    let folder = trained(&["model.keep=1"]);
    let at = |name: &str| folder.path().join(name);
    let export = |arguments: &[&str], says: &[&str]| {
        refused(folder.path(), &[&["export"], arguments].concat(), says);
    };
    for out in ["model", "model.pb", "model.onnx.gz"] {
        export(&["run", out], &[out, "must end in .onnx, .npz or .safetensors"]);
    }
    export(&["run", "net.safetensors"], &["net.safetensors", "--format torch"]);
    export(&["run", "model.onnx", "--format", "torch"], &["ends in .safetensors"]);
    export(&["run", "arrays.npz", "--zipmap"], &["--zipmap is for .onnx files"]);
    export(&["run", "net.safetensors", "--format", "torch", "--dropout"], &["--dropout is for .onnx files"]);
    export(&["run", "model.onnx", "--dropout"], &["run: the model has no dropout"]);
    export(&["none.safetensors", "model.onnx"], &["none.safetensors", "cannot read it"]);
    export(&["flowers.csv", "model.onnx"], &["flowers.csv", "not a safetensors file"]);
    export(&["run", "no/model.onnx"], &["there is no folder no"]);
    fs::create_dir(at("folder.onnx")).unwrap();
    export(&["run", "folder.onnx"], &["it is a folder"]);
    let bytes = fs::read(at("run/model.safetensors")).unwrap();
    let version = b"format\\\":2,";
    let place = bytes.windows(version.len()).position(|part| part == version).unwrap();
    let mut future = bytes;
    future[place + version.len() - 2] = b'9';
    fs::write(at("future.safetensors"), future).unwrap();
    export(&["future.safetensors", "model.onnx"], &["future.safetensors", "the model format 9", "reads 2"]);
    assert!(!at("model.onnx").exists());
    let output = thinnet(folder.path()).args(["export", "run", "model.onnx"]).output().unwrap();
    assert!(output.status.success());
}
