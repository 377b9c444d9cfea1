//! What cannot be done is refused in one sentence, and nothing is left behind.

mod common;

use std::fs;
use std::path::Path;

use common::{SMALL, empty_folder, names, thinnet};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};

/// Arguments, and what the sentence must say: the bad value, and what would be a good one.
const REFUSED: &[(&str, &[&str])] = &[
    ("experimnt", &["'experimnt'", "'experiment'"]),
    ("swim", &["'swim'"]),
    ("--keep 0.5", &["'--keep'", "thinnet experiment"]),
    ("check --jsn", &["'--jsn'", "'--json'"]),
    ("check --json=3", &["'3'"]),
    ("experiment more", &["'more'"]),
    ("experiment --kep 0.5", &["'--kep'", "'--keep'"]),
    ("experiment --epochs 3 --epochs 4", &["--epochs", "more than once"]),
    ("experiment --keep", &["--keep needs a value"]),
    ("experiment --keep 0", &["got 0;", "above 0 and at most 1", "probability to KEEP"]),
    ("experiment --keep 1.5", &["got 1.5", "probability to KEEP"]),
    ("experiment --keep 1,-0.5", &["got -0.5", "probability to KEEP"]),
    ("experiment --keep -0.5", &["got -0.5", "probability to KEEP"]),
    ("experiment --keep nan", &["got NaN", "probability to KEEP"]),
    ("experiment --keep half", &["'half'", "--keep"]),
    ("experiment --keep 1,,0.5", &["''", "--keep"]),
    ("experiment --hidden 0", &["hidden layer", "got 0"]),
    ("experiment --hidden 10,-3", &["'-3'", "--hidden"]),
    ("experiment --hidden 2.5", &["'2.5'", "--hidden"]),
    ("experiment --hidden 18446744073709551615,18446744073709551615", &["18446744073709551615", "memory"]),
    ("experiment --hidden 100000000", &["--hidden 100000000", "memory"]),
    ("experiment --hidden 99999999999999999999", &["'99999999999999999999'", "--hidden"]),
    ("experiment --epochs 0", &["epochs", "got 0"]),
    ("experiment --epochs 18446744073709551615", &["18446744073709551615 epochs", "memory"]),
    ("experiment --epochs -1", &["'-1'", "--epochs"]),
    ("experiment --batch-size 0", &["--batch-size", "got 0"]),
    ("experiment --batch-size 999999999999", &["--batch-size 999999999999", "memory"]),
    ("experiment --update-rule adma", &["'adma'", "sgd, sgd_momentum, rmsprop, adam or adamw", "'adam'?"]),
    ("experiment --update-rule newton", &["'newton'", "sgd, sgd_momentum, rmsprop, adam or adamw"]),
    ("experiment --learning-rate nan", &["learning rate", "got NaN"]),
    ("experiment --learning-rate inf", &["learning rate", "got inf"]),
    ("experiment --learning-rate -1e-3", &["learning rate", "got -0.001"]),
    ("experiment --learning-rate -inf", &["learning rate", "got -inf"]),
    ("experiment --learning-rate --reg", &["'--reg'", "--learning-rate"]),
    ("experiment --learning-rate fast", &["'fast'", "--learning-rate"]),
    ("experiment --learning-rate 1e30", &["loss", "NaN|inf", "--learning-rate 1e30"]),
    ("experiment --reg -1", &["reg", "got -1"]),
    ("experiment --reg inf", &["reg", "got inf"]),
    ("experiment --train 0", &["--train ", "got 0"]),
    ("experiment --train 501", &["training images", "1 to 500", "got 501"]),
    ("experiment --train 18446744073709551615", &["18446744073709551615|memory"]),
    ("experiment --seed 4294967296", &["'4294967296'", "4294967295"]),
    ("experiment --seed -1", &["'-1'", "--seed"]),
    ("experiment --dtype f16", &["'f16'", "f32 or f64"]),
    ("experiment --threads 0", &["threads", "got 0"]),
    ("experiment --threads 1000000", &["threads", "got 1000000"]),
    ("experiment --data nowhere", &["--data nowhere", "no such file or folder", "`sample`"]),
    ("experiment --data .", &["--data .: file: it looks like text, but is not a table"]),
    ("experiment --data file", &["--data file: it looks like text, but is not a table"]),
    ("experiment --val 0", &["--val|validation", "got 0"]),
    ("experiment --val 1001", &["1000 validation", "1001"]),
    ("experiment --split randomly", &["'randomly'", "stored, shuffled or stratified"]),
    ("experiment --split-seed -1", &["'-1'", "--split-seed"]),
    ("experiment --scaling up", &["'up'", "none, mean, standard or unit"]),
    ("experiment --header maybe", &["'maybe'", "yes or no"]),
    ("experiment --resize 32", &["'32'", "32x32"]),
    ("experiment --resize 32x32", &["--resize is for folders of images", "--data sample"]),
    ("experiment --label-column 1", &["--label-column is for tables", "embedded CIFAR-10 sample"]),
    ("experiment --header no", &["--header is for tables"]),
    ("experiment --split shuffled", &["--split is for data without validation samples"]),
    (
        "experiment --regression",
        &["--regression reads numbers as targets", "`thinnet experiment` learns classes"],
    ),
    ("experiment --out file", &["--out file", "not a folder"]),
    ("experiment --out file/below/it", &["--out file/below/it", "file is not a folder"]),
    ("experiment --out=", &["--out needs a value"]),
];

#[test]
fn bad_input_ends_with_one_sentence_and_leaves_nothing() {
    for &(arguments, says) in REFUSED {
        let folder = empty_folder();
        fs::write(folder.path().join("file"), "kept").unwrap();
        let output = thinnet(folder.path()).args(arguments.split(' ')).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{arguments}: {stderr}");
        assert!(!stderr.contains("panicked") && !stderr.contains('\u{1b}'), "{arguments}: {stderr}");
        let trained = arguments.contains("1e30"); // nothing else costs any training
        assert_eq!(!output.stdout.is_empty(), trained, "{arguments}");
        for part in says {
            assert!(
                part.split('|').any(|part| stderr.contains(part)),
                "{arguments}: {part:?} not in {stderr}"
            );
        }
        assert_eq!(names(folder.path()), ["file"], "{arguments}");
        assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "kept");
    }
}

#[test]
fn a_report_that_is_there_stays_as_it_was_when_a_run_fails() {
    let folder = empty_folder();
    thinnet(folder.path()).args(SMALL).assert().success();
    let page = folder.path().join("thinnet-report/report.html");
    let before = (names(page.parent().unwrap()), fs::read(&page).unwrap());
    thinnet(folder.path()).args(SMALL).args(["--learning-rate", "1e30"]).assert().code(2);
    assert_eq!((names(page.parent().unwrap()), fs::read(&page).unwrap()), before);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_is_refused_before_training() {
    let folder = empty_folder();
    thinnet(folder.path())
        .args(["experiment", "--out", "/proc/report"])
        .assert()
        .code(2)
        .stdout(is_empty())
        .stderr(contains("--out /proc/report").and(contains("cannot write in /proc")));
}

#[test]
fn help_and_version_are_no_errors() {
    let folder = empty_folder();
    let run =
        |arguments: &[&str]| thinnet(folder.path()).args(arguments).assert().success().stderr(is_empty());
    run(&["--version"]).stdout(concat!("thinnet ", env!("CARGO_PKG_VERSION"), "\n"));
    run(&["--help"]).stdout(contains("experiment").and(contains("check")));
    run(&["experiment", "--help"]).stdout(contains("KEEP").and(contains("[default: 1,0.25]")));
    run(&["check", "--help"]).stdout(contains("--json"));
    assert!(names(folder.path()).is_empty());
}

/// Where the system gives no more memory, a sentence says so, and no signal ends the program.
#[cfg(target_os = "linux")]
#[test]
fn memory_that_runs_out_is_told() {
    let folder = empty_folder();
    // 16 million numbers, which take 128 MB: 0.5 and 1.5 in turns, and classes.
    let rows = "0.5,1.5,".repeat(10) + "0\n" + &"1.5,0.5,".repeat(10) + "1\n";
    fs::write(folder.path().join("large.csv"), rows.repeat(400_000)).unwrap();
    for command in [&["data", "info", "large.csv"][..], &["train", "--data", "large.csv", "--out", "run"]] {
        let output = std::process::Command::new("sh")
            .args(["-c", "ulimit -v 120000; exec \"$0\" \"$@\""])
            .arg(assert_cmd::cargo::cargo_bin!("thinnet"))
            .args(command)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{command:?}: {stderr}");
        let last = stderr.lines().last().unwrap();
        assert!(last.starts_with("error: there is not enough memory: "), "{command:?}: {stderr}");
    }
    assert_eq!(names(folder.path()), ["large.csv"], "nothing is left of the run");
}

/// A file that is larger than memory is refused before it is read: its size is known.
#[cfg(target_os = "linux")]
#[test]
fn a_file_larger_than_memory_is_refused_at_once() {
    let folder = empty_folder();
    let file = fs::File::create(folder.path().join("huge.csv")).unwrap();
    file.set_len(1 << 42).unwrap(); // of holes, which take no room
    for command in ["data info huge.csv", "train --data huge.csv", "experiment --data huge.csv"] {
        let said =
            contains("reading huge.csv needs about 4.4 TB of memory, but only").and(contains("available"));
        thinnet(folder.path()).args(command.split(' ')).assert().code(2).stderr(said);
    }
    assert_eq!(names(folder.path()), ["huge.csv"]);
}

/// The libraries that read Parquet and Arrow panic on some damaged files: a person is told one sentence all the same.
#[test]
fn a_damaged_table_of_types_is_refused_in_one_sentence() {
    let folder = empty_folder();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../thinnet/tests/files");
    for (name, at, byte) in [
        ("typed.parquet", 142, 255),
        ("typed.parquet", 602, 4),
        ("typed.feather", 7203, 14),
        ("typed.arrows", 2248, 25),
    ] {
        let mut content = fs::read(files.join(name)).unwrap();
        content[at] = byte;
        fs::write(folder.path().join(name), content).unwrap();
        let output =
            thinnet(folder.path()).args(["data", "info", name]).assert().code(2).get_output().clone();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.starts_with(&format!("error: {name}: it ")) && said.lines().count() == 1,
            "{name}: {said}"
        );
    }
}
