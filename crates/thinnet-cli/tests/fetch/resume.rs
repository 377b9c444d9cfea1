//! Downloads that were cut short, and go on.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::names;
use crate::server::{Server, Step, cut, good, head, status, whole};
use crate::setting::{ARCHIVE, Setting, archive};

/// What arrives before the first connection breaks.
const HALF: usize = 123_456;

#[test]
fn a_broken_connection_is_taken_up_where_it_broke() {
    let server = Server::start(|request, number| {
        let answer = good(request, &archive(), "\"1\"");
        if number == 0 { cut(answer, HALF) } else { answer }
    });
    let setting = Setting::new(&[server.url("")]);
    let stderr = setting.succeeds();
    assert!(stderr.contains("the connection broke off") && stderr.contains("from 123.5 kB on"), "{stderr}");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!((requests[1].start(), requests[1].header("if-range")), (Some(HALF), Some("\"1\"")));
}

#[test]
fn a_stalled_body_is_taken_up() {
    let server = Server::start(|request, number| {
        let answer = good(request, &archive(), "\"1\"");
        let stall = Step::Wait(Duration::from_secs(20));
        if number == 0 { [cut(answer, HALF), vec![stall]].concat() } else { answer }
    });
    let setting = Setting::new(&[server.url("")]);
    let begin = Instant::now();
    assert!(setting.succeeds().contains("nothing came for 0.5 s"));
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert_eq!(server.requests()[1].start(), Some(HALF));
}

#[test]
fn the_next_run_goes_on_where_the_last_one_ended() {
    let server = Server::start(|request, number| match number {
        0 => cut(good(request, &archive(), "\"1\""), HALF),
        1..=3 => status("503 Service Unavailable"),
        _ => good(request, &archive(), "\"1\""),
    });
    let setting = Setting::new(&[server.url("")]);
    let sentence = setting.fails();
    assert!(sentence.contains("503") && sentence.contains("123.5 kB of 300.0 kB are kept in"), "{sentence}");
    assert!(fs::read(setting.part()).unwrap() == archive()[..HALF]);
    let asked = server.requests().len();
    setting.succeeds();
    let request = &server.requests()[asked];
    assert_eq!((request.start(), request.header("if-range")), (Some(HALF), Some("\"1\"")));
}

#[test]
fn another_version_is_fetched_from_its_start() {
    let server = Server::start(|request, number| match number {
        0 => cut(good(request, &vec![7; archive().len()], "\"old\""), HALF),
        _ => good(request, &archive(), "\"new\""),
    });
    let setting = Setting::new(&[server.url("")]);
    setting.succeeds();
    assert_eq!(server.requests()[1].header("if-range"), Some("\"old\""));
    assert_eq!(server.requests().len(), 2, "the server's 200 is taken, and nothing is asked for again");
}

#[test]
fn another_mirror_goes_on_with_what_the_first_one_sent() {
    let first = Server::start(|request, _| cut(good(request, &archive(), "\"a\""), HALF));
    let second = Server::start(|request, _| good(request, &archive(), "\"b\""));
    let setting = Setting::new(&[first.url(""), second.url("")]);
    setting.succeeds();
    let [request] = second.requests().try_into().unwrap();
    assert_eq!(
        (request.start(), request.header("if-range")),
        (Some(HALF), None),
        "the mark is the first one's"
    );
}

#[test]
fn a_server_that_knows_no_ranges_sends_all_of_it() {
    let server =
        Server::start(|_, number| if number == 0 { cut(whole(&archive()), HALF) } else { whole(&archive()) });
    Setting::new(&[server.url("")]).succeeds();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn parts_that_do_not_fit_are_dropped() {
    let other = vec![9; HALF];
    let long = vec![9; archive().len() + 1];
    let same_size = vec![9; archive().len()];
    for part in [other, long, same_size] {
        let server = Server::start(|request, _| good(request, &archive(), "\"1\""));
        let setting = Setting::new(&[server.url("")]);
        setting.start_with(&part);
        setting.succeeds();
        let last = server.requests().pop().unwrap();
        assert_eq!(last.start(), None);
    }
}

#[test]
fn a_part_that_lacks_only_its_name_is_not_fetched() {
    let server = Server::start(|_, _| status("500 Internal Server Error"));
    let setting = Setting::new(&[server.url("")]);
    setting.start_with(&archive());
    setting.succeeds();
    assert!(server.requests().is_empty());
}

#[test]
fn answers_with_another_part_are_not_written() {
    // What comes instead of bytes HALF and on.
    let wrong: [fn() -> Vec<Step>; 4] = [
        || status("416 Range Not Satisfiable"),
        || {
            let range = format!("bytes 0-{}/{}", HALF - 1, archive().len());
            vec![
                head("206 Partial Content", &[("Content-Range", &range)]),
                Step::Send(archive()[..HALF].to_vec()),
            ]
        },
        || {
            let range = format!("bytes {HALF}-{}/999999", archive().len() - 1);
            vec![
                head("206 Partial Content", &[("Content-Range", &range)]),
                Step::Send(archive()[HALF..].to_vec()),
            ]
        },
        || vec![head("206 Partial Content", &[]), Step::Send(archive()[HALF..].to_vec())],
    ];
    for answer in wrong {
        let server = Server::start(move |request, _| {
            if request.start().is_some() { answer() } else { good(request, &archive(), "\"1\"") }
        });
        let setting = Setting::new(&[server.url("")]);
        setting.start_with(&archive()[..HALF]);
        assert!(setting.succeeds().contains("starting over"));
        assert_eq!(server.requests().len(), 2);
    }
    // A part that nobody asked for.
    let server = Server::start(|_, _| {
        let range = format!("bytes 0-{}/{}", archive().len() - 1, archive().len());
        vec![head("206 Partial Content", &[("Content-Range", &range)]), Step::Send(archive())]
    });
    assert!(Setting::new(&[server.url("")]).fails_and_keeps_nothing().contains("sends a part"));
}

#[test]
fn two_at_once_do_not_write_the_same_file() {
    let server = Server::start(|request, _| {
        let answer = good(request, &archive(), "\"1\"");
        [
            cut(answer.clone(), HALF),
            vec![Step::Wait(Duration::from_millis(1500)), Step::Send(archive()[HALF..].to_vec())],
        ]
        .concat()
    });
    let setting = Setting::new(&[server.url("")]);
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            setting.fetch_with("cifar10", &["--dir", "data", "--timeout", "10"]).assert().success()
        });
        setting.wait_for(HALF);
        let sentence = setting.fails();
        assert!(sentence.contains("another thinnet is fetching"), "{sentence}");
        first.join().unwrap();
    });
    assert!(fs::read(setting.archive()).unwrap() == archive());
    assert_eq!(server.requests().len(), 1);
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_has_arrived_and_says_how_to_go_on() {
    let server = Server::start(|request, number| {
        let answer = good(request, &archive(), "\"1\"");
        // A stall far below the time-out: it is Ctrl-C that ends the wait.
        if number == 0 {
            [cut(answer, HALF), vec![Step::Wait(Duration::from_secs(20))]].concat()
        } else {
            answer
        }
    });
    let setting = Setting::new(&[server.url("")]);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
        .args(["data", "fetch", "cifar10", "--catalogue", "catalogue", "--dir", "data", "--timeout", "30"])
        .env("NO_PROXY", "*")
        .current_dir(setting.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    setting.wait_for(HALF);
    let begin = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(begin.elapsed() < Duration::from_secs(5));
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let last = stderr.lines().last().unwrap();
    assert!(last.starts_with("stopped; 123.5 kB of 300.0 kB are kept in "), "{stderr}");
    assert!(last.ends_with(&format!("{ARCHIVE}.part, and the same command resumes there")), "{stderr}");
    assert!(output.stdout.is_empty() && !setting.archive().exists());
    assert_eq!(names(&setting.data()), [format!("{ARCHIVE}.part"), format!("{ARCHIVE}.part.origin")]);
    setting.succeeds();
    assert_eq!(server.requests()[1].start(), Some(HALF));
}
