//! Servers that send what they should not: no wrong byte gets the file's name.

use std::time::{Duration, Instant};

use predicates::str::contains;

use crate::server::{Server, Step, cut, good, head, status, whole};
use crate::setting::{Setting, archive};

#[test]
fn what_will_not_change_is_not_tried_again() {
    for answer in ["404 Not Found", "403 Forbidden", "401 Unauthorized", "304 Not Modified"] {
        let server = Server::start(move |_, _| status(answer));
        let sentence = Setting::new(&[server.url("")]).fails_and_keeps_nothing();
        assert!(sentence.contains(&format!("it answers {answer}")), "{sentence}");
        assert_eq!(server.requests().len(), 1, "{answer}");
    }
}

#[test]
fn what_may_change_is_tried_again_after_longer_and_longer_pauses() {
    for answer in ["500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests"] {
        let server = Server::start(move |_, _| status(answer));
        let setting = Setting::new(&[server.url("")]);
        let begin = Instant::now();
        let assert = setting
            .fetch_with("cifar10", &["--dir", "data", "--pause", "0.1", "--retries", "3"])
            .assert()
            .code(2);
        assert!(begin.elapsed() >= Duration::from_millis(100 + 200 + 400));
        assert
            .stderr(contains("0.1 s, 1 of 3"))
            .stderr(contains("0.2 s, 2 of 3"))
            .stderr(contains("0.4 s, 3 of 3"));
        assert_eq!(server.requests().len(), 4, "{answer}");
    }
    let server = Server::start(|request, number| match number {
        0..=2 => status("502 Bad Gateway"),
        _ => good(request, &archive(), "\"1\""),
    });
    Setting::new(&[server.url("")]).succeeds();
}

#[test]
fn attempts_that_get_on_do_not_count() {
    // Each connection breaks after 20,000 bytes: 15 of them for the file, with 3 retries.
    let server = Server::start(|request, _| cut(good(request, &archive(), "\"1\""), 20_000));
    Setting::new(&[server.url("")]).succeeds();
    assert_eq!(server.requests().len(), 15);
    // But one that never gets further than before does.
    let server = Server::start(|_, _| cut(whole(&archive()), 20_000));
    let sentence = Setting::new(&[server.url("")]).fails();
    assert!(
        sentence.contains("broke off") && sentence.contains("20.0 kB of 300.0 kB are kept"),
        "{sentence}"
    );
    assert_eq!(server.requests().len(), 1 + 3, "the first attempt got on, the others did not");
}

#[test]
fn a_servers_wish_for_a_pause_is_followed() {
    let server = Server::start(|request, number| match number {
        0 => vec![head("503 Service Unavailable", &[("Retry-After", "1"), ("Content-Length", "0")])],
        _ => good(request, &archive(), "\"1\""),
    });
    let begin = Instant::now();
    assert!(Setting::new(&[server.url("")]).succeeds().contains("next attempt in 1.0 s"));
    assert!(begin.elapsed() >= Duration::from_secs(1));
}

#[test]
fn too_little_and_too_much_are_refused() {
    let body = |change: i64| {
        let mut body = archive();
        body.resize(usize::try_from(300_000 + change).unwrap(), 0);
        body
    };
    for (change, says) in [(-1, "299999 bytes instead of 300000"), (1, "300001 bytes instead of 300000")] {
        let server = Server::start(move |_, _| whole(&body(change)));
        let sentence = Setting::new(&[server.url("")]).fails_and_keeps_nothing();
        assert!(sentence.contains(says), "{sentence}");
        assert_eq!(server.requests().len(), 1);
    }
    // The same where no length is announced: it ends by itself, or has to be ended.
    let server = Server::start(move |_, _| vec![head("200 OK", &[]), Step::Send(body(-1))]);
    let sentence = Setting::new(&[server.url("")]).fails();
    assert!(sentence.contains("ended after 299999 of 300000 bytes"), "{sentence}");
    let server = Server::start(move |_, _| vec![head("200 OK", &[]), Step::Send(body(1))]);
    let sentence = Setting::new(&[server.url("")]).fails_and_keeps_nothing();
    assert!(sentence.contains("more than the 300000 bytes"), "{sentence}");
    // A body without end fills no disk.
    let server = Server::start(|_, _| vec![head("200 OK", &[]), Step::Endless(vec![0; 4096])]);
    assert!(Setting::new(&[server.url("")]).fails_and_keeps_nothing().contains("more than the 300000 bytes"));
}

#[test]
fn wrong_bytes_are_refused() {
    let server = Server::start(|_, _| {
        let mut body = archive();
        body[150_000] ^= 1;
        whole(&body)
    });
    let sentence = Setting::new(&[server.url("")]).fails_and_keeps_nothing();
    assert!(sentence.contains("MD5 checksum") && sentence.contains("instead of"), "{sentence}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn servers_that_say_nothing_or_nonsense_are_given_up() {
    let silent = Server::start(|_, _| vec![Step::Wait(Duration::from_secs(20))]);
    let hangs_up = Server::start(|_, _| vec![]);
    let nonsense = Server::start(|_, _| vec![Step::Send(b"\x16\x03\x01 I speak no HTTP\r\n\r\n".to_vec())]);
    let endless_head = Server::start(|_, _| {
        let line = format!("X-Filler: {}\r\n", "x".repeat(1000));
        vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::Endless(line.into_bytes())]
    });
    for (server, says) in [
        (silent, "nothing came for 0.5 s"),
        (hangs_up, "the connection broke off"),
        (nonsense, "not HTTP"),
        (endless_head, "header"),
    ] {
        let begin = Instant::now();
        let sentence = Setting::new(&[server.url("")]).fails_and_keeps_nothing();
        assert!(sentence.contains(says), "{sentence}");
        assert!(begin.elapsed() < Duration::from_secs(10), "{says}");
    }
}

#[test]
fn hosts_that_are_not_there_are_named() {
    let setting = Setting::new(&["http://no-such-host.invalid/".to_owned()]);
    let sentence = setting.fails_and_keeps_nothing();
    assert!(sentence.contains("no-such-host.invalid") && sentence.contains("lookup"), "{sentence}");
    let setting = Setting::new(&["http://127.0.0.1:1/".to_owned()]);
    assert!(setting.fails_and_keeps_nothing().contains("the connection was refused"));
}

#[test]
fn all_mirrors_are_named_when_none_can_help() {
    let (first, second) =
        (Server::start(|_, _| status("404 Not Found")), Server::start(|_, _| status("410 Gone")));
    let sentence = Setting::new(&[first.url("a/"), second.url("b/")]).fails_and_keeps_nothing();
    for part in [first.url("a/"), second.url("b/"), "404".to_owned(), "410".to_owned()] {
        assert!(sentence.contains(&part), "{sentence}");
    }
}
