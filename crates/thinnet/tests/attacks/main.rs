//! Hostile, damaged and cut files: each gets one sentence as an answer, without a panic, in bounded time and memory. The
//! table of tests/attacks/README.md is what this test finds; `THINNET_UPDATE=1` writes it anew.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // a test fails by panic

mod archives;
mod arrays;
mod columnar;
mod hdf5;
mod texts_and_images;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use thinnet::data::{DataSet, ReadOptions, limits};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How long one answer may take, on any machine and unoptimised.
const PATIENCE: Duration = Duration::from_secs(20);

type Result = thinnet::Result<DataSet>;

/// A name, what it tries, and the reading of it.
struct Attack {
    name: &'static str,
    tries: &'static str,
    /// Bytes of the file, which bound what it may take.
    size: u64,
    read: Box<dyn Fn() -> Result>,
}

/// An attack by a file's content.
fn file(name: &'static str, tries: &'static str, content: impl Into<Vec<u8>>) -> Attack {
    let content = content.into();
    let size = content.len() as u64;
    let read = Box::new(move || DataSet::from_bytes(content.clone(), &ReadOptions::default()));
    Attack { name, tries, size, read }
}

/// An attack by a file's content on the reading of numbers as targets.
fn regression(name: &'static str, tries: &'static str, content: impl Into<Vec<u8>>) -> Attack {
    let content = content.into();
    let size = content.len() as u64;
    let options = ReadOptions { regression: true, ..ReadOptions::default() };
    let read = Box::new(move || DataSet::from_bytes(content.clone(), &options));
    Attack { name, tries, size, read }
}

/// An attack by a folder's files.
fn folder(name: &'static str, tries: &'static str, files: Vec<(&'static str, Vec<u8>)>) -> Attack {
    let size = files.iter().map(|(_, content)| content.len() as u64).sum();
    let read = Box::new(move || {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in &files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let path = folder.path().display().to_string();
        DataSet::open(folder.path(), &ReadOptions::default()).map_err(|error| match error {
            thinnet::Error::Data(message) => thinnet::Error::Data(message.replace(&path, "FOLDER")),
            other => other,
        })
    });
    Attack { name, tries, size, read }
}

#[test]
fn every_attack_is_answered_with_a_sentence_in_bounded_memory() {
    let groups: Vec<(&str, Vec<Attack>)> = vec![
        ("Pickles", archives::pickles()),
        ("Archives", archives::archives()),
        ("IDX", arrays::idx_files()),
        ("NPY", arrays::npy_files()),
        ("NPZ", arrays::npz_files()),
        ("Tables", texts_and_images::tables()),
        ("Parquet and Arrow", columnar::tables()),
        ("HDF5", hdf5::files()),
        ("svmlight", texts_and_images::sparse()),
        ("MATLAB", arrays::mat_files()),
        ("Targets for regression", arrays::targets()),
        ("Images", texts_and_images::pictures()),
        ("Others", texts_and_images::others()),
    ];
    let mut readme = include_str!("head.md").to_owned();
    for (title, attacks) in groups {
        write!(readme, "\n## {title}\n\n| file | what it tries | answer |\n|---|---|---|\n").unwrap();
        for attack in attacks {
            MEMORY.reset_peak_usage();
            let (before, start) = (MEMORY.current_usage(), Instant::now());
            let answer = (attack.read)();
            let taken = MEMORY.peak_usage() - before;
            let Attack { name, tries, size, .. } = attack;
            // Growing by doubling holds the old and the new memory for a moment.
            let bound = 3 * (limits::UNPACKED_BASE + limits::UNPACKED_RATIO * size) as usize;
            assert!(taken <= bound, "{name} takes {taken} bytes, more than {bound}");
            assert!(start.elapsed() < PATIENCE, "{name} takes {:?}", start.elapsed());
            let Err(error) = answer else { panic!("{name} is read as if it were sound") };
            let message = error.to_string();
            assert!(
                !message.contains('\n') && !message.contains('\u{1b}') && message.len() < 400,
                "{name}: {message}"
            );
            writeln!(readme, "| `{name}` | {tries} | {} |", message.replace('|', "\\|")).unwrap();
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/README.md");
    if std::env::var_os("THINNET_UPDATE").is_some() {
        fs::write(path, readme).unwrap();
    } else {
        assert!(
            fs::read_to_string(path).unwrap() == readme,
            "tests/attacks/README.md is not what was found; THINNET_UPDATE=1 writes it anew:\n{readme}"
        );
    }
}
