//! `thinnet data fetch`, from servers that behave and from servers that do not.
#![allow(clippy::unwrap_used, clippy::panic)] // a test's helpers fail by panicking, too

#[path = "../common/mod.rs"]
mod common;
mod place;
mod real;
mod resume;
mod server;
mod setting;
mod shown;
mod tls;
mod trouble;

use std::fs;

use common::names;
use predicates::prelude::*;
use predicates::str::contains;
use server::{Request, Server, Step, good, head, status, whole};
use setting::{ARCHIVE, Setting, archive, digits};

/// A server that has all files.
fn good_server() -> Server {
    Server::start(|request, _| {
        let name = request.target.rsplit('/').next().unwrap();
        let all = [[(ARCHIVE, archive())].as_slice(), digits().as_slice()].concat();
        match all.iter().find(|(file, _)| *file == name) {
            Some((_, body)) => good(request, body, "\"1\""),
            None => status("404 Not Found"),
        }
    })
}

#[test]
fn an_archive_is_fetched_and_its_path_is_printed() {
    let server = good_server();
    let setting = Setting::new(&[server.url("files/")]);
    let stderr = setting.succeeds();
    assert!(stderr.contains(&server.url(&format!("files/{ARCHIVE}: 300.0 kB"))), "{stderr}");
    let [request]: [Request; 1] = server.requests().try_into().unwrap();
    assert_eq!((request.method.as_str(), request.header("range")), ("GET", None));
    assert_eq!(request.header("accept-encoding"), Some("identity"), "files are wanted as they are");
    assert_eq!(request.header("user-agent"), Some(concat!("thinnet/", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn what_is_there_is_not_fetched_again_unless_it_is_damaged() {
    let server = good_server();
    let setting = Setting::new(&[server.url("")]);
    let fetch = || setting.fetch("mnist").assert().success().stdout("data/mnist\n");
    fetch();
    assert_eq!(names(&setting.data()), ["mnist"]);
    assert_eq!(names(&setting.data().join("mnist")), ["images.gz", "labels.gz"]);
    assert_eq!(server.requests().len(), 2);

    fetch().stderr(contains("images.gz already exists").and(contains("labels.gz already exists")));
    assert_eq!(server.requests().len(), 2, "nothing was asked for again");

    let labels = setting.data().join("mnist/labels.gz");
    let mut damaged = digits()[1].1.clone();
    damaged[50] ^= 1;
    fs::write(&labels, damaged).unwrap();
    fetch().stderr(contains("labels.gz differs from the published file"));
    assert!(fs::read(&labels).unwrap() == digits()[1].1);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn url_names_another_place_for_the_same_bytes() {
    let (server, empty) = (good_server(), Server::start(|_, _| status("404 Not Found")));
    let setting = Setting::new(&[empty.url("")]);
    let from = |dataset, url: &str| setting.fetch(dataset).args(["--url", url]).assert();
    from("mnist", &server.url("here")).success();
    from("cifar10", &server.url(ARCHIVE)).success();
    fs::remove_file(setting.archive()).unwrap();
    from("cifar10", &server.url("folder/")).success();
    fs::remove_file(setting.archive()).unwrap();
    // A file that is there, but another one.
    from("cifar10", &server.url("images.gz")).code(2).stderr(contains("5000 bytes instead of 300000"));
    assert!(!setting.archive().exists());
    assert!(empty.requests().is_empty());
    let targets: Vec<String> = server.requests().into_iter().map(|request| request.target).collect();
    let folder = format!("/folder/{ARCHIVE}");
    let file = format!("/{ARCHIVE}");
    assert_eq!(targets, ["/here/images.gz", "/here/labels.gz", &file, &folder, "/images.gz"]);
}

#[test]
fn mirrors_are_tried_in_order() {
    type Script = fn(&Request, usize) -> Vec<Step>;
    let broken: [(&str, Script); 4] = [
        ("it answers 403 Forbidden", |_, _| status("403 Forbidden")),
        ("it answers 500 Internal Server Error", |_, _| status("500 Internal Server Error")),
        ("MD5 checksum", |_, _| whole(&vec![0; archive().len()])),
        ("nothing came for 0.5 s", |_, _| vec![Step::Wait(std::time::Duration::from_secs(5))]),
    ];
    for (reason, script) in broken {
        let (first, second) = (Server::start(script), good_server());
        let setting = Setting::new(&[first.url(""), second.url("")]);
        let stderr = setting.succeeds();
        assert!(stderr.contains(&first.url(&format!("{ARCHIVE}: "))) && stderr.contains(reason), "{stderr}");
        assert_eq!((first.requests().len(), second.requests().len()), (1, 1), "{reason}");
        assert!(!stderr.contains("next attempt"), "the second mirror is asked at once: {stderr}");
    }
    // One that is not there at all.
    let second = good_server();
    let setting = Setting::new(&["http://127.0.0.1:1/".to_owned(), second.url("")]);
    assert!(setting.succeeds().contains("the connection was refused"));
}

#[test]
fn a_good_first_mirror_is_the_only_one_asked() {
    let (first, second) = (good_server(), good_server());
    Setting::new(&[first.url(""), second.url("")]).succeeds();
    assert_eq!((first.requests().len(), second.requests().len()), (1, 0));
}

#[test]
fn a_file_stays_as_it_was_sent() {
    // Some servers mark .gz files as packed for the way; they are the files themselves.
    let server = Server::start(|_, _| {
        let length = archive().len().to_string();
        let headers = [("Content-Length", length.as_str()), ("Content-Encoding", "gzip")];
        vec![head("200 OK", &headers), Step::Send(archive())]
    });
    Setting::new(&[server.url("")]).succeeds();
}

#[test]
fn bodies_without_a_length_are_taken() {
    let chunked = Server::start(|_, _| {
        let body = archive();
        let mut steps = vec![head("200 OK", &[("Transfer-Encoding", "chunked")])];
        for chunk in body.chunks(100_001) {
            let framed = [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
            steps.push(Step::Send(framed));
        }
        steps.push(Step::Send(b"0\r\n\r\n".to_vec()));
        steps
    });
    let until_close = Server::start(|_, _| vec![head("200 OK", &[]), Step::Send(archive())]);
    for server in [chunked, until_close] {
        Setting::new(&[server.url("")]).succeeds();
    }
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let port = std::sync::Arc::new(std::sync::OnceLock::new());
    let own = std::sync::Arc::clone(&port);
    let server = Server::start(move |request, _| {
        let to = |path: &str| {
            let url = format!("http://127.0.0.1:{}/{path}", own.get().unwrap());
            vec![head("302 Found", &[("Location", &url), ("Content-Length", "0")])]
        };
        match request.target.as_str() {
            "/moved/cifar-10-python.tar.gz" => to("there"),
            "/there" => good(request, &archive(), "\"1\""),
            _ => to("round/cifar-10-python.tar.gz"),
        }
    });
    port.set(server.port).unwrap();
    let setting = Setting::new(&[server.url("moved/")]);
    setting.start_with(&archive()[..1000]);
    setting.succeeds();
    assert_eq!(server.requests()[1].start(), Some(1000), "the range goes along");

    let before = server.requests().len();
    let setting = Setting::new(&[server.url("round/")]);
    assert!(setting.fails_and_keeps_nothing().contains("redirects without end"));
    assert!(server.requests().len() - before <= 12, "it is not tried again");
}
