//! `thinnet data info` and `thinnet data convert`, as a person uses them.
#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, too

mod common;

use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;

use common::datasets::real_data;
use common::{empty_folder, names, thinnet, to_nobody};
use ndarray::Array1;
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use serde_json::{Value, json};
use thinnet::data::{DataSet, Format, Part, ReadOptions, Rows};

/// Standard output of a command that succeeds.
fn stdout(folder: &Path, arguments: &[&str]) -> String {
    let assert = thinnet(folder).arg("data").args(arguments).assert().success();
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// `thinnet data info --json`, parsed.
fn json_of(folder: &Path, path: &str) -> Value {
    serde_json::from_str(&stdout(folder, &["info", path, "--json"])).unwrap()
}

/// Refused with one sentence that says `says`; nothing on standard output.
fn refused(folder: &Path, arguments: &[&str], says: &str) {
    let output = thinnet(folder).arg("data").args(arguments).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{arguments:?}: {stderr}");
    assert!(stderr.contains(says), "{arguments:?}: {says:?} is not in {stderr}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
}

/// An IDX file.
fn idx(path: &Path, sizes: &[u8], bytes: &[u8]) {
    let mut file = vec![0, 0, 8, u8::try_from(sizes.len()).unwrap()];
    file.extend(sizes.iter().flat_map(|&size| [0, 0, 0, size]));
    file.extend(bytes);
    fs::write(path, file).unwrap();
}

/// A PNG of 3 x 2 pixels of one colour.
fn image(path: &Path, colour: [u8; 3]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), 3, 2);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&colour.repeat(6)).unwrap();
}

/// A folder with a small data set of each kind.
fn data_sets() -> tempfile::TempDir {
    let folder = empty_folder();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("digits")).unwrap();
    let pixels: Vec<u8> = (0..5 * 4).map(|pixel| pixel * 10).collect();
    idx(&at("digits/train-images-idx3-ubyte"), &[5, 2, 2], &pixels);
    idx(&at("digits/train-labels-idx1-ubyte"), &[5], &[7, 3, 7, 7, 3]);
    idx(&at("digits/t10k-images-idx3-ubyte"), &[1, 2, 2], &[9, 8, 7, 6]);
    idx(&at("digits/t10k-labels-idx1-ubyte"), &[1], &[3]);
    fs::write(at("table.csv"), "kind,length,width\nb,1.5,-2\na,2.5,0\nb,3.5,1e3\n").unwrap();
    image(&at("pictures/red/1.png"), [255, 0, 0]);
    image(&at("pictures/blue/1.png"), [0, 0, 255]);
    image(&at("pictures/blue/2.png"), [0, 0, 250]);
    folder
}

#[test]
fn json_has_the_figures_of_every_format() {
    let folder = data_sets();
    let digits = json_of(folder.path(), "digits");
    assert_eq!(
        digits,
        json!({
            "format": "idx",
            "splits": {
                "train": {
                    "images": 5, "shape": [1, 2, 2], "dtype": "uint8", "range": [0.0, 190.0], "class_counts": [2, 3]
                },
                "test": {
                    "images": 1, "shape": [1, 2, 2], "dtype": "uint8", "range": [6.0, 9.0], "class_counts": [1, 0]
                },
            },
            "classes": ["3", "7"],
            "mean_image_head": [80.0, 90.0, 100.0, 110.0],
        })
    );
    let table: Value = serde_json::from_str(&stdout(
        folder.path(),
        &["info", "table.csv", "--label-column", "kind", "--header", "yes", "--json"],
    ))
    .unwrap();
    assert_eq!((&table["format"], &table["classes"]), (&json!("csv"), &json!(["a", "b"])));
    let train = &table["splits"]["train"];
    assert_eq!(
        (&train["images"], &train["shape"], &train["dtype"]),
        (&json!(3), &json!([2]), &json!("float64"))
    );
    assert_eq!((&train["range"], &train["class_counts"]), (&json!([-2.0, 1000.0]), &json!([1, 2])));
    assert_eq!(table["mean_image_head"], json!([2.5, 998.0 / 3.0]));
    let pictures = json_of(folder.path(), "pictures");
    assert_eq!((&pictures["format"], &pictures["classes"]), (&json!("images"), &json!(["blue", "red"])));
    assert_eq!(pictures["splits"]["train"]["shape"], json!([3, 2, 3]));
    let resized: Value =
        serde_json::from_str(&stdout(folder.path(), &["info", "pictures", "--resize", "4x5", "--json"]))
            .unwrap();
    assert_eq!(resized["splits"]["train"]["shape"], json!([3, 5, 4]));
    let sample = json_of(folder.path(), "sample");
    assert_eq!(sample["splits"]["val"]["images"], 1000);
    assert!((sample["mean_image_head"][0].as_f64().unwrap() - 130.641_897_96).abs() < 5e-9);
}

#[test]
fn people_see_a_table() {
    let folder = data_sets();
    let expected = "\
IDX
an image is 1 x 2 x 2 (channels x height x width), uint8
the mean image is 80.00000000 90.00000000 100.00000000 110.00000000, of all 5 training images

        training  test
images         5     1
min            0     6
max          190     9
2 classes
3              2     1
7              3     0
";
    assert_eq!(stdout(folder.path(), &["info", "digits"]), expected);
    let table = stdout(folder.path(), &["info", "table.csv", "--label-column", "kind"]);
    assert!(
        table.contains("a sample is 2 numbers, float64\nthe mean sample is 2.50000000 332.66666667"),
        "{table}"
    );
}

#[test]
fn a_montage_has_a_row_for_each_class() {
    let folder = data_sets();
    thinnet(folder.path())
        .args(["data", "info", "pictures", "--montage", "out.png", "--json"])
        .assert()
        .success()
        .stderr("picture in out.png\n");
    let file = BufReader::new(fs::File::open(folder.path().join("out.png")).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    // Each image is 96 x 64 pixels: two of blue in one row, and one of red in the row below.
    let rows: Vec<&[u8]> = pixels[..info.buffer_size()].chunks_exact(info.line_size).collect();
    let count = |row: &[u8], colour: [u8; 3]| row.chunks_exact(3).filter(|pixel| *pixel == colour).count();
    let rows_of = |colour| {
        let rows: Vec<usize> = (0..rows.len()).filter(|&row| count(rows[row], colour) == 96).collect();
        (rows[0], rows.len())
    };
    let [(first, blue), (second, same), (third, red)] = [[0, 0, 255], [0, 0, 250], [255, 0, 0]].map(rows_of);
    assert_eq!((blue, same, red), (64, 64, 64));
    assert!(first == second && third >= first + 64, "{first} {second} {third}");
    assert_eq!(names(folder.path()), ["digits", "out.png", "pictures", "table.csv"]);
}

/// What a data set holds, however it is stored.
type Contents<'a> = (&'a [String], &'a [usize], Vec<(Part, &'a Rows<f64>)>, Option<&'a Array1<f64>>);

fn contents(set: &DataSet) -> Contents<'_> {
    (set.names(), set.shape(), set.parts().collect(), set.mean())
}

#[test]
fn an_archive_holds_the_same_data() {
    let folder = data_sets();
    let labels = ReadOptions { label: Some("kind".to_owned()), ..ReadOptions::default() };
    for (name, arguments, options) in [
        ("digits", &[][..], ReadOptions::default()),
        ("pictures", &[][..], ReadOptions::default()),
        ("table.csv", &["--label-column", "kind"][..], labels),
    ] {
        let out = format!("{name}.npz");
        let printed = stdout(folder.path(), &[&["convert", name, &out], arguments].concat());
        assert_eq!(printed, format!("{out}\n"));
        let set = DataSet::open(&folder.path().join(name), &options).unwrap();
        let back = DataSet::open(&folder.path().join(&out), &ReadOptions::default()).unwrap();
        assert_eq!((back.format(), contents(&back)), (Format::Npz, contents(&set)), "{name}");
    }
    stdout(folder.path(), &["convert", "sample", "sample.npz"]);
    let back = DataSet::open(&folder.path().join("sample.npz"), &ReadOptions::default()).unwrap();
    let sample = DataSet::embedded_sample().unwrap();
    assert_eq!((back.format(), contents(&back)), (Format::Npz, contents(&sample)));
}

#[test]
fn numbers_are_targets_on_request() {
    let folder = data_sets();
    let reading = &["table.csv", "--label-column", "length", "--header", "yes", "--regression"][..];
    fs::write(folder.path().join("table.csv"), "length,width,depth\n1.5,-2,4\n2.5,0,5\n-3,1e3,6\n").unwrap();
    let info: Value =
        serde_json::from_str(&stdout(folder.path(), &[&["info", "--json"], reading].concat())).unwrap();
    let train = json!({
        "images": 3, "shape": [2], "dtype": "float64", "range": [-2.0, 1000.0],
        "targets": [{"name": "length", "range": [-3.0, 2.5], "mean": 1.0 / 3.0}],
    });
    let columns = json!([
        {"name": "width", "kind": "numbers", "holds": "-2 to 1000", "gaps": 0, "example": "-2"},
        {"name": "depth", "kind": "numbers", "holds": "4 to 6", "gaps": 0, "example": "4"},
    ]);
    let notes = ["label: length (numbers, 3 different values): regression"];
    assert_eq!(
        info,
        json!({
            "format": "csv", "splits": {"train": train}, "mean_image_head": [998.0 / 3.0, 5.0],
            "columns": columns, "notes": notes,
        }),
        "no classes"
    );
    let expected = "\
table (csv)
a sample is 2 numbers, float64
the mean sample is 332.66666667 5.00000000, of all 3 training samples

               training
samples               3
min                  -2
max                1000
1 target
length min           -3
length max          2.5
length mean  0.33333333

column  kind     holds       gaps  example
width   numbers  -2 to 1000        -2
depth   numbers  4 to 6            4

label: length (numbers, 3 different values): regression
";
    assert_eq!(stdout(folder.path(), &[&["info"], reading].concat()), expected);

    stdout(folder.path(), &[&["convert"], reading, &["out.npz"]].concat());
    let label = Some("length".to_owned());
    let options = ReadOptions { label, regression: true, ..ReadOptions::default() };
    let set = DataSet::open(&folder.path().join("table.csv"), &options).unwrap();
    let back = DataSet::open(&folder.path().join("out.npz"), &options).unwrap();
    assert_eq!((back.format(), contents(&back)), (Format::Npz, contents(&set)));
    let from_archive = stdout(folder.path(), &["info", "out.npz", "--regression"]);
    let (figures, _) = expected.split_once("\ncolumn ").unwrap();
    assert_eq!(
        from_archive,
        figures.replace("table (csv)", "NumPy archive (npz)"),
        "an archive has no columns"
    );

    for (arguments, says) in [
        (&["info", "sample", "--regression"][..], "sample: it holds classes, not numbers to predict"),
        (&["info", "digits", "--regression"], "digits: it holds classes, not numbers to predict (IDX)"),
        (&["convert", "pictures", "new.npz", "--regression"], "(folder of images by class)"),
        (&["info", "out.npz"], "out.npz: y_train: a label must be a whole number, but 1.5 is not"),
    ] {
        refused(folder.path(), arguments, says);
    }
    assert!(!folder.path().join("new.npz").exists());
}

#[test]
fn what_is_there_is_replaced_only_by_force() {
    let folder = data_sets();
    let out = folder.path().join("out.npz");
    fs::write(&out, "kept").unwrap();
    let before = names(folder.path());
    refused(
        folder.path(),
        &["convert", "digits", "out.npz"],
        "out.npz: it already exists; --force replaces it",
    );
    assert_eq!(fs::read_to_string(&out).unwrap(), "kept");
    // Data that cannot be read leave it as it was, also by force.
    refused(
        folder.path(),
        &["convert", "nowhere", "out.npz", "--force"],
        "nowhere: there is no such file or folder",
    );
    assert_eq!((fs::read_to_string(&out).unwrap().as_str(), names(folder.path())), ("kept", before));
    stdout(folder.path(), &["convert", "digits", "out.npz", "--force"]);
    assert_eq!(json_of(folder.path(), "out.npz")["splits"]["train"]["images"], 5);
}

#[test]
fn what_cannot_be_done_is_said_in_one_sentence() {
    let folder = data_sets();
    let before = names(folder.path());
    for (arguments, says) in [
        (&["info"][..], "<DATA> is missing"),
        (&["convert", "sample"], "<OUT> is missing"),
        (&["info", "nowhere"], "nowhere: there is no such file or folder; it takes `sample`"),
        (&["info", "pictures/red/1.png"], "pictures/red/1.png: "),
        (&["info", "table.csv", "--label-column", "price"], "price"),
        (&["info", "table.csv", "--label-column", "kind", "--montage", "out.png"], "a montage shows images"),
        (&["info", "digits", "--montage", "out.jpg"], "--montage out.jpg: the file name must end in .png"),
        (&["info", "digits", "--montage", "no/out.png"], "--montage no/out.png: there is no folder no"),
        (&["convert", "digits", "no/out.npz"], "no/out.npz: there is no folder no"),
        (&["convert", "digits", "digits.csv"], "digits.csv: the file name must end in .npz"),
    ] {
        refused(folder.path(), arguments, says);
    }
    assert_eq!(names(folder.path()), before);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_is_refused_before_data_are_read() {
    let folder = data_sets();
    refused(folder.path(), &["convert", "nowhere", "/proc/out.npz"], "/proc/out.npz: cannot write in /proc");
    refused(folder.path(), &["info", "nowhere", "--montage", "/proc/out.png"], "cannot write in /proc");
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
        .args(["data", "info", "sample"])
        .stdout(to_nobody())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(141), "128 + SIGPIPE, as a shell shows it");
}

/// The figures that NumPy prints, from every form of the data set.
#[test]
fn the_whole_of_cifar_10_has_the_courses_figures() {
    for name in ["cifar-10-python.tar.gz", "cifar-10-batches-py", "cifar-10-batches-bin"] {
        let Some(path) = real_data(name) else { continue };
        let folder = empty_folder();
        let found = json_of(folder.path(), path.to_str().unwrap());
        assert_eq!(found["splits"].as_object().unwrap().len(), 2, "{name}");
        for (part, images) in [("train", 50_000), ("test", 10_000)] {
            let split = &found["splits"][part];
            assert_eq!((&split["images"], &split["shape"]), (&json!(images), &json!([3, 32, 32])), "{name}");
            assert_eq!(split["class_counts"], json!(vec![images / 10; 10]), "{name}");
        }
        assert_eq!(found["classes"].as_array().unwrap().len(), 10);
        let mean: Vec<String> = found["mean_image_head"]
            .as_array()
            .unwrap()
            .iter()
            .map(|number| format!("{:.8}", number.as_f64().unwrap()))
            .collect();
        assert_eq!(mean, ["130.64189796", "130.05569388", "130.96055102", "131.48467347"], "{name}");
    }
}

#[test]
fn help_lists_what_can_be_done() {
    let folder = empty_folder();
    let help =
        |arguments: &[&str]| thinnet(folder.path()).args(arguments).assert().success().stderr(is_empty());
    help(&["data", "--help"]).stdout(contains("info").and(contains("convert")).and(contains("fetch")));
    help(&["data", "info", "--help"]).stdout(contains("--montage").and(contains("--label-column")));
    help(&["data", "convert", "--help"]).stdout(contains("--force").and(contains("X_train")));
}
