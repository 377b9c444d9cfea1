//! Standard output that closes, and Ctrl-C.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking, too

mod common;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{empty_folder, names};

/// An experiment that does not end by itself before a test is over.
const LONG: &[&str] = &["experiment", "--epochs", "1000000", "--hidden", "8", "--batch-size", "10"];

fn start(folder: &Path) -> Child {
    Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
        .args(LONG)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn stderr(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_reader_that_leaves_ends_the_program_quietly() {
    let folder = empty_folder();
    let mut child = start(folder.path());
    let lines: Vec<_> = BufReader::new(child.stdout.take().unwrap()).lines().take(3).collect();
    assert_eq!(lines.len(), 3);
    drop(lines); // and the pipe with them
    assert_eq!(stderr(&mut child), "");
    assert_eq!(child.wait().unwrap().code(), Some(141), "128 + SIGPIPE, as a shell shows it");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn ctrl_c_stops_cleanly() {
    let folder = empty_folder();
    let mut child = start(folder.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "1");
    lines.next().unwrap().unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    for line in lines {
        assert!(line.unwrap().ends_with(|c: char| c.is_ascii_digit()), "lines are whole");
    }
    let text = stderr(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(text.starts_with("stopped after iteration ") && text.lines().count() == 1, "{text}");
    assert!(text.contains("network 1 of 2 (keep 1)") && text.contains("no report"), "{text}");
    assert!(names(folder.path()).is_empty());
}

/// Runs the small experiment in a shell, `redirection` behind it.
fn in_shell(folder: &Path, redirection: &str) -> std::process::Output {
    Command::new("sh")
        .args(["-c", &format!("exec \"$0\" \"$@\" {redirection}")])
        .arg(assert_cmd::cargo::cargo_bin!("thinnet"))
        .args(common::SMALL)
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn closed_streams_are_no_obstacle() {
    for redirection in [">&-", "2>&-", ">&- 2>&- <&-"] {
        let folder = empty_folder();
        let output = in_shell(folder.path(), redirection);
        assert_eq!(output.status.code(), Some(0), "{redirection}");
        assert_eq!(names(folder.path()), ["thinnet-report"], "{redirection}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_standard_output_is_an_error() {
    let folder = empty_folder();
    let output = in_shell(folder.path(), ">/dev/full");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.starts_with("error: cannot write to standard output: ") && text.lines().count() == 1,
        "{text}"
    );
    assert!(names(folder.path()).is_empty());
}
