//! Where files go, through which proxy they come, and what cannot be asked for.

use std::fs;

use predicates::prelude::*;
use predicates::str::{contains, is_empty};

use crate::common::names;
use crate::server::{Server, Step, head};
use crate::setting::{ARCHIVE, Setting, archive};
use crate::{common, good_server};

#[test]
fn data_sets_go_to_the_cache_folder_unless_another_one_is_named() {
    let server = good_server();
    let setting = Setting::new(&[server.url("")]);
    let home = setting.path().join("home");
    let fetch = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = common::thinnet(setting.path());
        for name in ["THINNET_DATASETS", "XDG_CACHE_HOME"] {
            command.env_remove(name);
        }
        command.env("HOME", &home).env("NO_PROXY", "*").envs(variables.iter().copied());
        command.args(["data", "fetch", "cifar10", "--catalogue", "catalogue"]).args(more);
        let output = command.assert().success().get_output().stdout.clone();
        String::from_utf8(output).unwrap().trim_end().to_owned()
    };
    #[cfg(target_os = "linux")]
    {
        let below_home = home.join(".cache/thinnet/datasets").join(ARCHIVE);
        assert_eq!(fetch(&[], &[]), below_home.to_str().unwrap());
        let cache = setting.path().join("cache");
        let path = fetch(&[("XDG_CACHE_HOME", cache.to_str().unwrap())], &[]);
        assert_eq!(path, cache.join("thinnet/datasets").join(ARCHIVE).to_str().unwrap());
    }
    assert_eq!(fetch(&[("THINNET_DATASETS", "sets")], &[]), format!("sets/{ARCHIVE}"));
    assert_eq!(fetch(&[("THINNET_DATASETS", "sets")], &["--dir", "a/b"]), format!("a/b/{ARCHIVE}"));
    for path in ["sets", "a/b"] {
        assert_eq!(names(&setting.path().join(path)), [ARCHIVE]);
    }
}

#[test]
fn proxies_are_those_of_the_environment() {
    let proxy = Server::start(|request, _| crate::server::good(request, &archive(), "\"1\""));
    let setting = Setting::new(&["http://far.invalid/files/".to_owned()]);
    setting.fetch("cifar10").env("HTTP_PROXY", proxy.url("")).assert().success();
    let requests = proxy.requests();
    assert_eq!((requests[0].method.as_str(), requests[0].target.as_str()), ("CONNECT", "far.invalid:80"));
    assert_eq!(requests[1].target, format!("/files/{ARCHIVE}"));
    assert_eq!(requests[1].header("host"), Some("far.invalid"));

    fs::remove_file(setting.archive()).unwrap();
    let mut direct = setting.fetch("cifar10");
    direct.env("HTTP_PROXY", proxy.url("")).env("NO_PROXY", "far.invalid").assert().code(2);
    assert_eq!(proxy.requests().len(), 2);
}

#[test]
fn what_cannot_be_asked_for_is_refused_in_one_sentence() {
    let server = good_server();
    let setting = Setting::new(&[server.url("")]);
    fs::write(setting.path().join("file"), "kept").unwrap();
    let refused: &[(&str, &[&str])] = &[
        ("cifar10 --url file.tar.gz", &["--url file.tar.gz", "http://"]),
        ("cifar10 --url ftp://host/file", &["--url ftp://host/file", "http://"]),
        ("cifar10 --url http://", &["--url http://", "not an address"]),
        ("cifar10 --url http:///file", &["--url http:///file", "address"]),
        ("cifar10 --url http://me:secret@host/file", &["password"]),
        ("cifar10 --url=", &["--url", "address"]),
        ("mnist --url http://host/images.gz", &["address of one file", "has 2", "folder"]),
        ("mnist --url http://host/?file=", &["2 files", "folder's address"]),
        ("cifar10 --dir file", &["--dir file", "is not a folder"]),
        ("mnist --dir file", &["--dir file/mnist", "file is not a folder"]),
        ("cifar10 --dir=", &["--dir needs a value"]),
        ("cifar10 --timeout 0", &["'0'", "--timeout", "above 0"]),
        ("cifar10 --timeout soon", &["'soon'", "--timeout"]),
        ("cifar10 --retries -1", &["'-1'", "--retries"]),
        ("cifar10 --catalogue nowhere", &["--catalogue nowhere"]),
        ("cifar10 --catalogue file", &["--catalogue file", "not a catalogue"]),
        ("cifar100 --catalogue catalogue", &["'cifar100'"]),
        ("imagenet", &["'imagenet'", "cifar10, cifar100, mnist or fashion-mnist"]),
        ("fashion-mnis", &["'fashion-mnis'", "'fashion-mnist'?"]),
        ("cifar10 mnist", &["'mnist'"]),
        ("", &["<DATASET> is missing"]),
        ("cifar10 --keep 1", &["'--keep'", "thinnet experiment"]),
    ];
    for &(arguments, says) in refused {
        let mut command = common::thinnet(setting.path());
        command.args(["data", "fetch"]).args(arguments.split_terminator(' '));
        if !arguments.contains("--catalogue") {
            command.args(["--catalogue", "catalogue"]);
        }
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{arguments}: {stderr}");
        for part in says {
            assert!(stderr.contains(part), "{arguments}: {part:?} not in {stderr}");
        }
        assert_eq!(names(setting.path()), ["catalogue", "file"], "{arguments}");
    }
    assert!(server.requests().is_empty(), "all of it is seen before anything is fetched");
    common::thinnet(setting.path()).arg("data").assert().code(2).stderr(contains("fetch"));
    common::thinnet(setting.path()).args(["data", "fech"]).assert().code(2).stderr(contains("'fetch'"));
    let option = common::thinnet(setting.path()).args(["experiment", "--retries", "3"]).assert().code(2);
    option.stderr(contains("it belongs to `thinnet data fetch`"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_is_refused_before_anything_is_fetched() {
    let server = good_server();
    let setting = Setting::new(&[server.url("")]);
    let mut command = common::thinnet(setting.path());
    command.args(["data", "fetch", "cifar10", "--catalogue", "catalogue", "--dir", "/proc/sets"]);
    let sentence = contains("--dir /proc/sets: cannot write in /proc").and(contains("\n").count(1));
    command.assert().code(2).stdout(is_empty()).stderr(sentence);
    assert!(server.requests().is_empty());
}

#[test]
fn a_folder_where_the_file_should_be_is_no_file() {
    let setting = Setting::new(&[good_server().url("")]);
    fs::create_dir_all(setting.archive()).unwrap();
    let output = setting.fetch("cifar10").assert().code(2);
    output.stderr(contains("is a folder, but it must be a file"));
}

/// The program in a shell with `before` ahead of it.
#[cfg(target_os = "linux")]
fn in_shell(setting: &Setting, before: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(before[0]);
    command.args(&before[1..]).arg(assert_cmd::cargo::cargo_bin!("thinnet"));
    command.args(["data", "fetch", "cifar10", "--catalogue", "catalogue", "--dir", "data"]);
    command.env("NO_PROXY", "*").current_dir(setting.path()).output().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_takes_no_more_keeps_what_it_has() {
    let server = good_server();
    let setting = Setting::new(&[server.url("")]);
    // No file above 100 blocks of 512 or 1024 bytes; the signal that comes with that is not for us.
    let output = in_shell(&setting, &["sh", "-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\""]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    let last = stderr.lines().last().unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(last.starts_with("error: cannot write data/") && last.contains("are kept in"), "{stderr}");
    let part = fs::read(setting.part()).unwrap();
    assert!(!part.is_empty() && archive().starts_with(&part));
    assert_eq!(server.requests().len(), 1, "no server can help");
    setting.succeeds();
    assert_eq!(server.requests()[1].start(), Some(part.len()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_called_full() {
    let setting = Setting::new(&[good_server().url("")]);
    fs::create_dir(setting.data()).unwrap();
    let shell = ["unshare", "--mount", "--map-root-user", "sh", "-c"];
    let mounted = "mount -t tmpfs -o size=128k none data";
    let can = std::process::Command::new(shell[0])
        .args(&shell[1..])
        .arg(mounted)
        .current_dir(setting.path())
        .output();
    if !can.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine lets nobody mount a small disk");
        return;
    }
    let script = format!("{mounted} && \"$0\" \"$@\"; code=$?; ls data; exit $code");
    let output = in_shell(&setting, &[&shell[..], &[script.as_str()]].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let last = stderr.lines().last().unwrap();
    assert!(last.contains("the disk is full; 1") && last.contains(" kB of 300.0 kB are kept in"), "{stderr}");
    let left = String::from_utf8(output.stdout).unwrap();
    assert!(left.lines().all(|name| name.starts_with(&format!("{ARCHIVE}.part"))), "{left}");
}

#[test]
fn an_answer_that_is_a_web_page_is_not_taken_for_the_file() {
    let server = Server::start(|_, _| {
        let page = b"<html>Please log in to this network</html>";
        let length = page.len().to_string();
        vec![
            head("200 OK", &[("Content-Type", "text/html"), ("Content-Length", &length)]),
            Step::Send(page.to_vec()),
        ]
    });
    assert!(Setting::new(&[server.url("")]).fails_and_keeps_nothing().contains("42 bytes instead of 300000"));
}
