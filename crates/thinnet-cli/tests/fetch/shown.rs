//! What is shown where standard error is no terminal.

use std::time::Duration;

use predicates::prelude::*;
use predicates::str::{contains, is_empty, is_match};

use crate::good_server;
use crate::server::{Server, Step, good, status};
use crate::setting::{ARCHIVE, Setting, archive};

#[test]
fn a_slow_download_says_how_far_it_is_now_and_then() {
    let server = Server::start(|request, _| {
        let mut steps = good(request, &archive(), "\"1\"");
        steps.pop();
        // 24 pieces in 2.4 seconds.
        let pieces = archive();
        let pieces = pieces.chunks(12_500).map(|piece| Step::Send(piece.to_vec()));
        steps.extend(pieces.flat_map(|piece| [piece, Step::Wait(Duration::from_millis(100))]));
        steps
    });
    let stderr = Setting::new(&[server.url("")]).succeeds();
    let line = is_match(r"^cifar-10-python.tar.gz: \d\d% of 300.0 kB, 1\d\d\.\d kB/s, \d s left$").unwrap();
    let lines = stderr.lines().filter(|text| line.eval(text)).count();
    assert!((1..=2).contains(&lines), "one a second: {stderr}");
    assert!(!stderr.contains('\u{1b}') && !stderr.contains('\r'), "{stderr}");
}

#[test]
fn quiet_leaves_only_the_path() {
    let server = Server::start(|request, number| match number {
        0 => status("503 Service Unavailable"),
        _ => good(request, &archive(), "\"1\""),
    });
    let setting = Setting::new(&[server.url("")]);
    for _ in 0..2 {
        let assert = setting.fetch("cifar10").arg("--quiet").assert().success();
        assert.stdout(format!("data/{ARCHIVE}\n")).stderr(is_empty());
    }
    let setting = Setting::new(&[server.url("")]);
    let assert = setting.fetch_with("cifar10", &["-q", "--dir", "catalogue"]).assert().code(2);
    assert.stderr(contains("\n").count(1).and(contains("error: --dir catalogue")));
}

#[test]
fn help_tells_of_folders_proxies_and_the_way_on() {
    let setting = Setting::new(&[good_server().url("")]);
    let assert = crate::common::thinnet(setting.path()).args(["data", "fetch", "--help"]).assert().success();
    let mut text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "cifar10, cifar100, mnist, fashion-mnist",
        "cache folder",
        "HTTPS_PROXY",
        "resumes when you run the same command again",
    ] {
        assert!(text.contains(part), "{part:?} not in {text}");
    }
    assert!(!text.contains("--catalogue"), "{text}");
}
