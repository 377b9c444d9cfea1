//! What a person sees of a run on a terminal: the program in a pseudo-terminal, what it writes as a terminal shows it.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pty_process::{Size, blocking};

use super::common::{empty_folder, names};
use super::screen::Screen;

/// A run of about a second, and one that does not end by itself while a test looks at it.
const SHORT: &[&str] = &["--set", "model.hidden=[16]", "--set", "train.epochs=8", "--set", "data.val=200"];
const LONG: &[&str] =
    &["--set", "model.hidden=[16]", "--set", "train.epochs=100000", "--set", "data.val=200"];

/// The program on a terminal.
pub(super) struct Terminal {
    pty: Arc<blocking::Pty>,
    child: Child,
    screen: Arc<Mutex<Screen>>,
    reader: JoinHandle<Vec<u8>>,
}

impl Terminal {
    fn train(folder: &Path, size: (u16, u16), arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::run(folder, size, &[&["train"], arguments].concat(), variables)
    }

    pub(super) fn run(
        folder: &Path,
        (rows, columns): (u16, u16),
        words: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let (pty, pts) = blocking::open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let child = blocking::Command::new(assert_cmd::cargo::cargo_bin!("thinnet"))
            .args(words)
            .current_dir(folder)
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR")
            .envs(variables.iter().copied())
            .spawn(pts)
            .unwrap();
        let (pty, screen) = (Arc::new(pty), Arc::new(Mutex::new(Screen::new(rows, columns))));
        let (from, to) = (Arc::clone(&pty), Arc::clone(&screen));
        let reader = thread::spawn(move || {
            let (mut bytes, mut all) = ([0; 4096], Vec::new());
            // Where the program has ended, Linux gives an error.
            while let Ok(count @ 1..) = (&*from).read(&mut bytes) {
                to.lock().unwrap().process(&bytes[..count]);
                all.extend_from_slice(&bytes[..count]);
            }
            all
        });
        Self { pty, child, screen, reader }
    }

    fn rows(&self) -> Vec<String> {
        self.screen.lock().unwrap().rows()
    }

    /// The rows, as soon as they are as they should be.
    fn wait(&self, what: &str, right: impl Fn(&[String]) -> bool) -> Vec<String> {
        let start = Instant::now();
        loop {
            let rows = self.rows();
            if right(&rows) {
                return rows;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "{what} never came; there is {rows:#?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn resize(&self, rows: u16, columns: u16) {
        self.screen.lock().unwrap().cut_to(rows, columns);
        self.pty.resize(Size::new(rows, columns)).unwrap();
    }

    /// Takes this many columns, and tells the program later, as terminals do that flow their lines anew.
    fn flow(&self, rows: u16, columns: u16, later: Duration) {
        // Between two drawings: a terminal takes a drawing whole.
        let whole = |screen: &Screen| {
            screen
                .lines()
                .iter()
                .rfind(|line| !line.is_empty())
                .is_some_and(|line| line.ends_with("so far") && screen.cursor_is_below())
        };
        loop {
            let mut screen = self.screen.lock().unwrap();
            if whole(&screen) {
                screen.flow_to(rows, columns);
                break;
            }
            drop(screen);
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(later);
        self.pty.resize(Size::new(rows, columns)).unwrap();
    }

    fn press(&self, key: u8) {
        (&*self.pty).write_all(&[key]).unwrap();
    }

    /// Waits for the end: what the terminal shows then.
    pub(super) fn shown(self) -> Arc<Mutex<Screen>> {
        let screen = Arc::clone(&self.screen);
        self.end();
        screen
    }

    /// Waits for the end: status, rows that are not empty, the cursor's row and column, all bytes.
    fn end(mut self) -> (Option<i32>, Vec<String>, (u16, u16), String) {
        let status = self.child.wait().unwrap();
        let bytes = self.reader.join().unwrap();
        let screen = self.screen.lock().unwrap();
        assert!(!screen.hides_cursor() && screen.wraps());
        let rows = screen.rows().into_iter().filter(|row| !row.is_empty()).collect();
        (status.code(), rows, screen.cursor(), String::from_utf8(bytes).unwrap())
    }
}

/// The rows of the display.
const LABELS: [&str; 6] = ["epoch", "loss", "train accuracy", "val accuracy", "best", "samples/s"];

/// Whether the display stands below the two rows of the announcement, whole, and nothing else.
fn displayed(rows: &[String]) -> bool {
    let filled: Vec<&String> = rows.iter().filter(|row| !row.is_empty()).collect();
    filled.len() == 2 + LABELS.len()
        && filled[0].starts_with("thinnet-run: ")
        && filled[2..].iter().zip(LABELS).all(|(row, label)| row.starts_with(label))
        && filled[7].ends_with("so far")
}

#[test]
fn a_run_is_drawn_in_place_and_leaves_its_conclusion() {
    let place = empty_folder();
    let terminal = Terminal::train(place.path(), (24, 80), SHORT, &[]);
    let (status, rows, cursor, bytes) = terminal.end();
    assert_eq!(status, Some(0), "{rows:#?}");
    let starts = [
        "thinnet-run: 3072-16-10 with 49,338 parameters, f32",
        "sample: ",
        "loss ",
        "train accuracy ",
        "val accuracy ",
        "8 epochs in ",
        "model of epoch ",
        "the run is in thinnet-run: open thinnet-run/report.html",
    ];
    assert_eq!(rows.len(), starts.len(), "{rows:#?}");
    for (row, start) in rows.iter().zip(starts) {
        assert!(row.starts_with(start), "{start:?} in {rows:#?}");
    }
    assert_eq!(cursor, (8, 0), "below the last line");
    assert!(bytes.contains("\x1b[36m"), "curves have a colour");
}

#[test]
fn the_display_follows_the_terminals_size() {
    let place = empty_folder();
    let terminal = Terminal::train(place.path(), (24, 80), LONG, &[]);
    terminal.wait("the display", displayed);
    // Wider alone: this terminal does not flow its lines anew where it is made narrower, as most do.
    let bar = |rows: &[String]| {
        rows.iter().find(|row| row.starts_with("epoch")).map_or(0, |row| row.chars().count())
    };
    for columns in [100, 130] {
        terminal.resize(24, columns);
        let fills = |rows: &[String]| displayed(rows) && bar(rows) == usize::from(columns) - 1;
        let rows = terminal.wait("a display of the new width", fills);
        assert!(rows[0].starts_with("thinnet-run: "), "what stands above stays: {rows:#?}");
    }
    terminal.press(0x03);
    assert_eq!(terminal.end().0, Some(130));
}

#[test]
fn what_was_drawn_is_cleared_where_the_terminal_flows_it_anew() {
    let place = empty_folder();
    let terminal = Terminal::train(place.path(), (40, 80), LONG, &[]);
    terminal.wait("the display", displayed);
    for later in [Duration::ZERO, Duration::from_millis(400)] {
        for columns in [130, 60, 100, 40, 130, 50, 80] {
            terminal.flow(40, columns, later);
            let start = Instant::now();
            loop {
                // Each line of the display once, of the new width, however many rows those above it take.
                let lines = terminal.screen.lock().unwrap().lines();
                let wide = lines.iter().any(|line| {
                    line.starts_with("epoch") && line.chars().count() == usize::from(columns) - 1
                });
                if wide && displayed(&lines) {
                    break;
                }
                assert!(start.elapsed() < Duration::from_secs(30), "{columns} columns: {lines:#?}");
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
    terminal.press(0x03);
    assert_eq!(terminal.end().0, Some(130));
}

#[test]
fn a_large_file_is_read_with_a_bar() {
    let place = empty_folder();
    // 18 million lines, which take seconds to read.
    fs::write(place.path().join("long.csv"), "a,label\n".to_owned() + &"1,0\n2,1\n".repeat(9_000_000))
        .unwrap();
    let terminal = Terminal::train(place.path(), (24, 90), &["--data", "long.csv"], &[]);
    // "reading long.csv  ━━━━━━━────────  12.3 of 72.0 MB       3 s left"
    let part = |rows: &[String]| {
        let row = rows.first().filter(|row| row.starts_with("reading long.csv ") && row.contains('━'))?;
        let (before, _) = row.split_once(" of 72.0 MB")?;
        before.rsplit(' ').next()?.parse::<f64>().ok()
    };
    let early = terminal.wait("a bar", |rows| part(rows).is_some_and(|done| done > 0.0));
    let begun = part(&early).unwrap();
    let rows = terminal.wait("progress", |rows| part(rows).is_some_and(|done| done > begun));
    assert_eq!(rows.iter().filter(|row| !row.is_empty()).count(), 1, "{rows:#?}");
    terminal.press(0x03);
    let pressed = Instant::now();
    let (status, rows, cursor, _) = terminal.end();
    assert!(pressed.elapsed() < Duration::from_secs(2), "{:?}", pressed.elapsed());
    assert_eq!(status, Some(130));
    assert_eq!(rows, ["stopped while reading the data; nothing was written"]);
    assert_eq!(cursor, (1, 0));
}

/// A NumPy file of this kind and shape.
fn npy(kind: &str, shape: &str, content: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    [b"\x93NUMPY\x01\x00\x76\x00", format!("{header:<117}\n").as_bytes(), content].concat()
}

#[test]
fn ctrl_c_while_data_are_prepared_ends_at_once() {
    const ROWS: usize = 1_000_000;
    let place = empty_folder();
    let labels: Vec<u8> = (0..ROWS).map(|row| u8::from(row % 2 == 0)).collect();
    fs::write(place.path().join("y.npy"), npy("|u1", &format!("{ROWS},"), &labels)).unwrap();
    // Zeros that take no place on the disk.
    let head = npy("<f8", &format!("{ROWS}, 16"), &[]);
    fs::write(place.path().join("x.npy"), &head).unwrap();
    let samples = fs::File::options().write(true).open(place.path().join("x.npy")).unwrap();
    samples.set_len((head.len() + ROWS * 16 * 8) as u64).unwrap();
    let terminal = Terminal::train(place.path(), (24, 90), &["--data", "x.npy"], &[]);
    terminal.wait("the preparation", |rows| rows[0].starts_with("preparing the data ..."));
    terminal.press(0x03);
    let (status, rows, cursor, _) = terminal.end();
    assert_eq!(rows, ["stopped before the first step; nothing was written"]);
    assert_eq!((status, cursor), (Some(130), (1, 0)));
    assert_eq!(names(place.path()), ["x.npy", "y.npy"], "no folder of a run");
}

#[test]
fn ctrl_c_leaves_the_terminal_clean_and_the_run_goes_on_with_its_history() {
    let place = empty_folder();
    let terminal = Terminal::train(place.path(), (24, 100), LONG, &[]);
    terminal.wait("the display", displayed);
    terminal.press(0x03);
    let (status, rows, (row, column), _) = terminal.end();
    assert_eq!((status, rows.len()), (Some(130), 3), "{rows:#?}");
    assert!(rows[2].starts_with("stopped after step "), "{rows:#?}");
    assert!(rows[2].ends_with("`thinnet train --resume thinnet-run` continues from there"), "{rows:#?}");
    assert_eq!((row, column), (3, 0));

    let terminal = Terminal::train(place.path(), (24, 100), &["--resume", "thinnet-run"], &[]);
    let rows = terminal.wait("the display", displayed);
    assert!(rows[0].contains("resumed after step "), "{rows:#?}");
    assert!(!rows[2].starts_with("epoch      1/"), "{rows:#?}");
    terminal.press(0x03);
    assert_eq!(terminal.end().0, Some(130));
}

#[test]
fn plain_terminals_get_what_they_can_show() {
    let place = empty_folder();
    let terminal = |variable| Terminal::train(place.path(), (24, 100), SHORT, &[variable]);
    let (_, rows, _, bytes) = terminal(("NO_COLOR", "1")).end();
    assert!(!bytes.contains("\x1b[36m") && !bytes.contains("\x1b[1m"), "{bytes:?}");
    assert!(rows.iter().any(|row| row.starts_with("loss ") && row.contains('█')), "{rows:#?}");

    let (_, rows, _, bytes) = terminal(("LC_ALL", "C")).end();
    assert!(bytes.is_ascii(), "{rows:#?}");
    assert!(rows.iter().any(|row| row.starts_with("model of epoch")), "{rows:#?}");

    let (_, rows, _, bytes) = terminal(("TERM", "dumb")).end();
    assert!(!bytes.contains('\x1b'), "{bytes:?}");
    assert!(rows.iter().filter(|row| row.starts_with("epoch ")).count() == 8, "{rows:#?}");
}
