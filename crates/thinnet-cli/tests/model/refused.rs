//! What does not fit is refused with both sides named.

use std::fs;

use crate::common::thinnet;
use crate::{refused, trained, trained_on_images};

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let folder = trained(&[]);
    let at = |name: &str| folder.path().join(name);
    fs::write(at("short.csv"), "length,height\n1,2\n").unwrap();
    refused(folder.path(), &["predict", "run", "short.csv"], &["width", "length, height"]);
    refused(folder.path(), &["predict", "run", "none.csv"], &["none.csv", "no such file"]);
    refused(folder.path(), &["predict", "run", "sample"], &["2 numbers", "3 x 32 x 32"]);
    fs::write(at("words.csv"), "length,width\n1,2\n3,much\n").unwrap();
    refused(folder.path(), &["predict", "run", "words.csv"], &["words.csv", "much"]);
    fs::write(at("other.csv"), "length,width,kind\n1,2,lily\n1,2,daisy\n").unwrap();
    refused(folder.path(), &["evaluate", "run", "other.csv"], &["daisy", "lily"]);
    refused(folder.path(), &["evaluate", "run", "short.csv"], &["short.csv"]);
    refused(folder.path(), &["evaluate", "run", "flowers.csv", "--part", "test"], &["--part test", "train"]);
    for empty in ["", "length,width\n"] {
        let output =
            thinnet(folder.path()).args(["predict", "run", "-"]).write_stdin(empty).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
    }
    refused(folder.path(), &["predict", "run", "flowers.csv", "--top", "0"], &["--top", "1 to 3"]);
    refused(folder.path(), &["predict", "run", "flowers.csv", "--top", "4"], &["--top", "1 to 3"]);
    refused(
        folder.path(),
        &["predict", "run", "flowers.csv", "--top", "2", "--proba"],
        &["cannot be used together"],
    );
    refused(
        folder.path(),
        &["predict", "run", "flowers.csv", "--out", "no/where.csv"],
        &["there is no folder no"],
    );
    refused(folder.path(), &["predict", "run", "flowers.csv", "--out", "run"], &["it is a folder"]);
}

#[test]
fn files_that_are_no_models_are_refused() {
    let folder = trained(&[]);
    let at = |name: &str| folder.path().join(name);
    refused(folder.path(), &["predict", "none", "flowers.csv"], &["none", "cannot read it"]);
    refused(folder.path(), &["model", "info", "flowers.csv"], &["flowers.csv", "not a safetensors file"]);
    fs::create_dir(at("empty")).unwrap();
    refused(folder.path(), &["evaluate", "empty", "flowers.csv"], &["model.safetensors", "no such file"]);
    let bytes = fs::read(at("run/model.safetensors")).unwrap();
    for cut in [0, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(at("cut"), &bytes[..cut]).unwrap();
        refused(folder.path(), &["model", "info", "cut"], &["cut: "]);
    }
}

#[test]
fn images_of_another_size_are_refused() {
    let folder = trained_on_images();
    crate::idx(&folder.path().join("small"), &[2, 3, 3], &[7; 18]);
    refused(folder.path(), &["predict", "run", "small"], &["4 x 4", "3 x 3"]);
    refused(folder.path(), &["predict", "run", "sample"], &["4 x 4", "3 x 32 x 32"]);
    let table = "a,b\n1,2\n";
    let output = thinnet(folder.path()).args(["predict", "run", "-"]).write_stdin(table).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && stderr.contains("this is a table"), "{stderr}");
}
