//! Completions and manual pages, as a shell and `man` take them.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // a test fails by panic, and says what it left out

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{empty_folder, names, thinnet, to_nobody};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

/// What the program prints.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let assert = thinnet(folder).args(arguments).assert().success().stderr(is_empty());
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// The commands of a page of help: first words of the lines below "Commands:".
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // What an explanation goes on with is further to the right.
    lines
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect()
}

/// All commands, with what their help says: "train", "data fetch".
fn commands(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut waiting: Vec<String> = listed(&printed(folder, &["--help"]));
    while let Some(name) = waiting.pop() {
        let words: Vec<&str> = name.split(' ').chain(["--help"]).collect();
        let help = printed(folder, &words);
        waiting.extend(listed(&help).into_iter().map(|below| format!("{name} {below}")));
        found.insert(name, help);
    }
    found
}

/// Whether a program is on this machine; where it is not, the test says so.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        eprintln!("skipped: there is no {program} on this machine");
    }
    found.is_ok()
}

/// Whether a program takes a text, with what it says where it does not.
fn takes(program: &str, arguments: &[&str], text: &str) -> (bool, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn every_shells_script_has_all_commands_and_their_options() {
    let place = empty_folder();
    let commands = commands(place.path());
    for expected in ["train", "sweep", "data fetch", "model info", "completions", "man"] {
        assert!(commands.contains_key(expected), "{expected} is not in {:?}", commands.keys());
    }
    for shell in SHELLS {
        let script = printed(place.path(), &["completions", shell]);
        for (command, help) in &commands {
            let word = command.rsplit(' ').next().unwrap();
            assert!(script.contains(word), "{shell} lacks {command}");
            let end = |word: &str| word.find(|c: char| c != '-' && !c.is_ascii_alphanumeric());
            for word in help.split_whitespace().filter_map(|word| word.strip_prefix("--")) {
                let option = &word[..end(word).unwrap_or(word.len())];
                assert!(script.contains(option), "{shell} lacks --{option} of {command}");
            }
        }
        // Values, as far as clap_complete writes them for the shell: of an option, and of an argument without a name.
        assert_eq!(script.contains("sgd_momentum"), ["bash", "fish", "zsh"].contains(&shell), "{shell}");
        assert_eq!(script.contains("cifar100"), ["bash", "zsh"].contains(&shell), "{shell}");
        // No option that is hidden.
        assert!(!script.contains("--serve") && !script.contains("catalogue"), "{shell}");
    }
    assert!(names(place.path()).is_empty());
}

/// Runs the script's own function, as bash does where a person presses Tab.
#[test]
fn bash_completes_commands_options_and_values() {
    if !has("bash") {
        return;
    }
    let place = empty_folder();
    let script = printed(place.path(), &["completions", "bash"]);
    let (sound, says) = takes("bash", &["-n"], &script);
    assert!(sound, "{says}");
    fs::write(place.path().join("script"), script).unwrap();
    let completed = |words: &[&str]| -> Vec<String> {
        let ask = format!(
            "source ./script; COMP_WORDS=({}); COMP_CWORD={}; _thinnet thinnet '{}' '{}'; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let output = Command::new("bash").args(["-c", &ask]).current_dir(place.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    };
    assert_eq!(completed(&["thinnet", "tr"]), ["train"]);
    assert_eq!(completed(&["thinnet", "data", "f"]), ["fetch"]);
    assert_eq!(completed(&["thinnet", "train", "--check"]), ["--checkpoint-every"]);
    assert_eq!(completed(&["thinnet", "experiment", "--update-rule", "adam"]), ["adam", "adamw"]);
    assert_eq!(completed(&["thinnet", "completions", "z"]), ["zsh"]);
}

#[test]
fn other_shells_take_their_scripts() {
    let place = empty_folder();
    for (shell, arguments) in [("zsh", &["-n"][..]), ("fish", &["--no-execute"])] {
        if has(shell) {
            let (sound, says) = takes(shell, arguments, &printed(place.path(), &["completions", shell]));
            assert!(sound, "{shell}: {says}");
        }
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let place = empty_folder();
    let commands = commands(place.path());
    thinnet(place.path())
        .args(["man", "share/man1"])
        .assert()
        .success()
        .stdout(is_empty())
        .stderr(contains(format!("{} pages in share/man1", commands.len() + 1)));
    let folder = place.path().join("share/man1");
    let mut expected: Vec<String> =
        commands.keys().map(|command| format!("thinnet-{}.1", command.replace(' ', "-"))).collect();
    expected.push("thinnet.1".to_owned());
    expected.sort();
    assert_eq!(names(&folder), expected);
    for (command, help) in &commands {
        let name = format!("thinnet-{}", command.replace(' ', "-"));
        let page = fs::read_to_string(folder.join(format!("{name}.1"))).unwrap();
        let about = help.lines().next().unwrap().split(['\'', '-']).next().unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{name}");
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{name}");
        assert!(page.replace("\\-", "-").contains(about), "{name}: {about}");
    }
    let train = fs::read_to_string(folder.join("thinnet-train.1")).unwrap().replace("\\-", "-");
    assert!(train.contains("--resume") && train.contains("--keep-checkpoints"), "{train}");
    // Again, over what is there; and the page alone.
    thinnet(place.path()).args(["man", "share/man1"]).assert().success();
    let main = printed(place.path(), &["man"]);
    assert_eq!(main, fs::read_to_string(folder.join("thinnet.1")).unwrap());
    assert!(main.contains("thinnet\\-data(1)") && main.contains("thinnet\\-man(1)"), "{main}");
    if has("groff") {
        for name in names(&folder) {
            let page = fs::read_to_string(folder.join(&name)).unwrap();
            let (sound, says) = takes("groff", &["-man", "-Tascii", "-ww", "-z"], &page);
            assert!(sound && says.is_empty(), "{name}: {says}");
        }
    }
}

#[test]
fn what_cannot_be_printed_or_written_is_refused_in_a_sentence() {
    let place = empty_folder();
    fs::write(place.path().join("file"), "kept").unwrap();
    for (arguments, says) in [
        (&["completions", "tcsh"][..], "'tcsh' is not a value of <SHELL>, which takes bash, elvish, fish, "),
        (&["completions"], "<SHELL> is missing"),
        (&["completions", "zhs"], "did you mean 'zsh'?"),
        (&["man", "file"], "DIR file: file is not a folder"),
        (&["man", "file/below"], "file is not a folder"),
    ] {
        let one_line = predicate::function(|text: &str| text.lines().count() == 1);
        thinnet(place.path())
            .args(arguments)
            .assert()
            .code(2)
            .stdout(is_empty())
            .stderr(contains(says).and(one_line));
    }
    assert_eq!(names(place.path()), ["file"]);
}

/// A reader that leaves early, as `head` does, is no error that is told.
#[cfg(unix)]
#[test]
fn a_reader_that_leaves_is_no_trouble() {
    let place = empty_folder();
    for arguments in [&["completions", "zsh"][..], &["man"]] {
        let output = Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
            .args(arguments)
            .current_dir(place.path())
            .stdout(to_nobody())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(141), "{arguments:?}");
    }
}
