//! The report as its reader meets it: the files in a folder.
#![allow(clippy::expect_used)] // a test's helpers fail by panicking, too

mod page;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use page::apart;
use thinnet::optim::OptimiserKind;
use thinnet::report::{Report, parse, write};
use thinnet::training::Accuracies;
use thinnet::training::experiment::{Ending, NetworkRun, Outcome, Settings};
use thinnet::{Dtype, Error};

const FILES: [&str; 5] = ["report.html", "accuracy.png", "history.csv", "loss.csv", "experiment.json"];

/// The course's experiment: accuracies from its log, losses made up between those that the log prints.
fn golden() -> Outcome {
    let mut networks: Vec<NetworkRun> = Vec::new();
    for line in include_str!("golden/experiment_float64.log").lines() {
        let numbers: Vec<f64> =
            line.split(|c: char| !(c.is_ascii_digit() || c == '.')).filter_map(|n| n.parse().ok()).collect();
        if let [keep] = numbers[..] {
            networks.push(NetworkRun { keep, history: Accuracies::default(), seconds: 0.123_456, end: None });
            continue;
        }
        let run = networks.last_mut().expect("a network before its lines");
        if line.contains("loss") {
            let (start, end) = (run.history.loss.len(), if numbers[0] > 1.0 { 125 } else { 1 });
            let first = run.history.loss.first().copied().unwrap_or(numbers[2]);
            for i in start..end {
                let decay = (numbers[2] / first).powf(i as f64 / 100.0);
                let noise = 1.0 + 0.6 * ((i * 7919 % 101) as f64 / 101.0 - 0.5);
                run.history.loss.push(if i == 0 { numbers[2] } else { first * decay * noise });
            }
        } else {
            run.history.epoch.push(run.history.epoch.len());
            run.history.train_accuracy.push(numbers[2]);
            run.history.val_accuracy.push(numbers[3]);
        }
    }
    for (place, run) in (0u32..).zip(&mut networks) {
        let hits = run.history.val_accuracy.last().expect("a check") * 1000.0 - 0.5;
        let val_correct = (0..1000).map(|i| f64::from((i * 31 + 97 * place) % 1000) < hits).collect();
        run.end = Some(Ending { train_loss: 0.0625, val_loss: 4.5, val_correct });
    }
    Outcome { settings: settings(&networks), networks, seconds: 0.25 }
}

fn settings(networks: &[NetworkRun]) -> Settings {
    Settings {
        data: "embedded CIFAR-10 sample".to_owned(),
        classes: thinnet::data::CIFAR10_CLASSES.map(str::to_owned).to_vec(),
        num_train: 500,
        num_val: 1000,
        keep: networks.iter().map(|n| n.keep).collect(),
        hidden: vec![500],
        epochs: 25,
        batch_size: 100,
        update_rule: OptimiserKind::Adam,
        learning_rate: 5e-4,
        reg: 0.0,
        seed: 231,
        dtype: Dtype::F64,
        engine: thinnet::engine::EngineKind::Auto,
        threads: 2,
    }
}

/// The contents of one file of the report.
fn file(outcome: &Outcome, name: &str) -> Vec<u8> {
    let files = Report::new(outcome).command("thinnet experiment --keep 1,0.25").files().expect("files");
    files.into_iter().find(|(n, _)| *n == name).expect(name).1
}

fn page(outcome: &Outcome) -> String {
    String::from_utf8(file(outcome, "report.html")).expect("UTF-8")
}

/// All text of a page, tags left out; fails if it is not well-formed.
fn text(page: &str) -> String {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(page, options).expect("well-formed");
    document.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).collect()
}

fn names(folder: &Path) -> HashSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|e| e.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
}

#[test]
fn every_file_is_there_and_whole() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("made/on the way");
    let outcome = golden();
    for _ in 0..2 {
        // the second time over the first one's files
        let paths = write(&outcome, &folder).expect("a report");
        assert_eq!(paths, FILES.map(|name| folder.join(name)));
        assert_eq!(names(&folder), FILES.iter().map(ToString::to_string).collect());
    }
    for (name, bytes) in Report::new(&outcome).files().expect("files") {
        assert_eq!(fs::read(folder.join(name)).expect(name), bytes, "{name}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::write(folder.join("other"), "").expect("a file");
        let mode = |name: &str| fs::metadata(folder.join(name)).expect(name).permissions().mode();
        assert_eq!(mode("report.html"), mode("other"), "readable by whoever can read other files");
    }
}

#[test]
fn what_cannot_be_written_is_an_error_and_leaves_nothing() {
    let parent = tempfile::tempdir().expect("a folder");
    let outcome = golden();

    let taken = parent.path().join("a file");
    fs::write(&taken, "mine").expect("a file");
    let error = write(&outcome, &taken).expect_err("a file is no folder");
    assert!(matches!(error, Error::Io { .. }), "{error}");
    assert_eq!(fs::read(&taken).expect("still there"), b"mine");

    for name in FILES {
        let folder = parent.path().join(name);
        fs::create_dir_all(folder.join(name)).expect("a folder where the file should go");
        let error = write(&outcome, &folder).expect_err("a folder is in the way");
        assert!(matches!(&error, Error::Io { path, .. } if *path == folder.join(name)), "{error}");
        assert_eq!(names(&folder), HashSet::from([name.to_owned()]), "nothing beside it");
    }
}

#[test]
fn the_tables_read_back_as_they_were() {
    let mut outcome = golden();
    outcome.networks[1].keep = 1.0; // two networks of one name
    outcome.networks[0].history.loss[3] = 0.1 + 0.2;
    outcome.networks[0].history.loss[4] = f64::NAN;
    outcome.networks[1].history.train_accuracy.pop();
    outcome.networks[1].history.epoch[25] = 30; // accuracies are checked when they are checked

    let bytes = file(&outcome, "history.csv");
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    assert_eq!(
        reader.headers().expect("headers"),
        vec!["network", "epoch", "train_accuracy", "val_accuracy"]
    );
    let rows: Vec<(String, usize, Option<f64>, Option<f64>)> =
        reader.deserialize().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 52);
    for (n, name) in ["1.00", "1.00 (2)"].into_iter().enumerate() {
        let history = &outcome.networks[n].history;
        for (check, row) in rows.iter().filter(|r| r.0 == name).enumerate() {
            assert_eq!(row.1, history.epoch[check]);
            assert_eq!(row.2, history.train_accuracy.get(check).copied());
            assert_eq!(row.3, history.val_accuracy.get(check).copied());
        }
    }

    let bytes = file(&outcome, "loss.csv");
    let rows: Vec<(String, usize, f64)> =
        csv::Reader::from_reader(&bytes[..]).deserialize().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 250);
    assert_eq!(rows[0], ("1.00".to_owned(), 1, 7.856_643));
    for (row, run) in [(3, 0), (124, 0), (125, 1), (249, 1)] {
        let loss = outcome.networks[run].history.loss[row - 125 * run];
        assert_eq!((rows[row].1, rows[row].2.to_bits()), (row - 125 * run + 1, loss.to_bits()));
    }
    assert!(rows[4].2.is_nan());
}

#[test]
fn an_outcome_reads_back_from_its_json() {
    let mut outcome = golden();
    outcome.networks[0].history.loss[7] = 1.0 / 3.0;
    let bytes = file(&outcome, "experiment.json");
    assert_eq!(parse(&bytes).expect("an outcome"), outcome);
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert!(text.contains("\"format\": \"thinnet-experiment/1\""));
    assert!(text.contains(&format!("\"thinnet\": \"{}\"", env!("CARGO_PKG_VERSION"))));

    outcome.networks[0].history.loss = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let back = parse(&file(&outcome, "experiment.json")).expect("an outcome");
    let loss = &back.networks[0].history.loss;
    assert!(loss[0].is_nan() && loss[1..] == [f64::INFINITY, f64::NEG_INFINITY], "{loss:?}");

    let other = text.replace("thinnet-experiment/1", "thinnet-experiment/9");
    // Files of versions that did not measure the end have none.
    outcome.networks.iter_mut().for_each(|run| run.end = None);
    let without = file(&outcome, "experiment.json");
    assert!(!String::from_utf8_lossy(&without).contains("val_correct"));
    assert!(parse(&without).expect("an outcome").networks.iter().all(|run| run.end.is_none()));
    for (wrong, says) in [
        (other.as_str(), "thinnet-experiment/9"),
        ("{}", "format"),
        ("{\"format\": \"thinnet-experiment/1\"}", "versions"),
        ("no JSON", "expected"),
    ] {
        let error = parse(wrong.as_bytes()).expect_err(says);
        assert!(matches!(error, Error::Data(_)) && error.to_string().contains(says), "{error}");
    }
}

#[test]
fn the_page_says_what_the_figures_say() {
    let page = page(&golden());
    let text = text(&page);
    for part in [
        "In this run dropout (keep 0.25) narrowed the gap between training and validation accuracy from 68.3 to 63.8 \
         percentage points at the end of training.",
        "At the end keep 0.25 recognises 30.0% of the same 1000 validation samples, 0.1 percentage points fewer than keep 1.00 (95% \
         interval of the difference: \u{2212}",
        "McNemar's exact test: p = 1.00). That can be chance.",
        "0.06250",
        "4.500",
        "Keep 1.00 over-fits more",
        "32.3% for keep 0.25 in epoch 16, against 30.6% for keep 1.00 in epoch 20",
        "about ±2.9 percentage points",
        "98.4%",
        "63.8",
        "embedded CIFAR-10 sample",
        "231",
        "float64",
        "thinnet experiment --keep 1,0.25",
        "Loss (log scale)",
        env!("CARGO_PKG_VERSION"),
    ] {
        assert!(text.contains(part), "{part:?} is not on the page");
    }
    assert!(
        page.contains("keep 0.25 from 20.2% to 93.8%, lowest 20.2%, highest 93.8%"),
        "the plots in words"
    );
    assert!(page.contains("<meta name=\"viewport\""));
    assert_eq!(page.matches("role=\"img\" aria-label=\"").count(), 3);
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let (page, figures) = apart(&page(&golden()));
    let names: Vec<&str> = figures.iter().filter_map(|plot| plot["series"][1]["name"].as_str()).collect();
    assert_eq!(names, ["keep 0.25"; 3]);
    assert_eq!(figures[0]["y"], figures[1]["y"], "training and validation on one scale");
    let page = page.to_lowercase();
    for part in ["http", "src=", "@import", "url(", "<script", "<link", "<iframe", "xmlns"] {
        assert!(!page.contains(part), "{part}");
    }
    for link in page.split("href=\"").skip(1) {
        let to = link.split('"').next().unwrap_or_default();
        assert!(FILES.contains(&to), "{to}");
    }
}

#[test]
fn hostile_text_stays_text() {
    let mut outcome = golden();
    let hostile = "\"><script>alert(1)</script>&amp;<img src=x onerror='y'>";
    outcome.settings.data = hostile.to_owned();
    let bytes = Report::new(&outcome).command(hostile).files().expect("files").swap_remove(0).1;
    let page = String::from_utf8(bytes).expect("UTF-8");
    let (kept, _) = apart(&page);
    assert!(!kept.contains("<script") && !page.contains("<img"));
    assert_eq!(text(&page).matches(hostile).count(), 2);
}

#[test]
fn the_picture_decodes_and_has_both_curves() {
    let bytes = file(&golden(), "accuracy.png");
    assert!(bytes.len() < 300_000, "{} bytes", bytes.len());
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("a picture");
    assert_eq!((info.width, info.height, info.color_type), (1600, 1800, png::ColorType::Rgb));
    let count = |rows: std::ops::Range<usize>, color: [u8; 3]| {
        pixels
            .chunks_exact(1600 * 3)
            .skip(rows.start)
            .take(rows.len())
            .flat_map(|row| row.chunks_exact(3))
            .filter(|p| *p == color)
            .count()
    };
    for half in [0..900, 900..1800] {
        let (blue, vermillion) =
            (count(half.clone(), [0x00, 0x72, 0xB2]), count(half.clone(), [0xD5, 0x5E, 0x00]));
        assert!(blue > 3000 && vermillion > 3000, "{half:?}: {blue} {vermillion}");
        assert_eq!(count(half, [0x00, 0x9E, 0x73]), 0, "no third curve");
    }
    let edge = |p: &[u8]| p.chunks_exact(3).all(|p| p == [255; 3]);
    assert!(
        edge(&pixels[..1600 * 3 * 8]) && edge(&pixels[pixels.len() - 1600 * 3 * 8..]),
        "nothing is clipped"
    );
    for row in pixels.chunks_exact(1600 * 3) {
        assert!(edge(&row[..3 * 8]) && edge(&row[row.len() - 3 * 8..]), "nothing is clipped");
    }
}

/// Outcomes at the edges of what can come in: nothing of them may stop a report or make it ill-formed.
#[test]
fn odd_outcomes_are_reported_too() {
    let history = |loss: &[f64], train: &[f64], val: &[f64]| Accuracies {
        loss: loss.to_vec(),
        epoch: (0..val.len()).collect(),
        train_accuracy: train.to_vec(),
        val_accuracy: val.to_vec(),
    };
    let noisy: Vec<f64> = (0..5000u32).map(|i| f64::from(i % 13) * 0.1).collect();
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let odd = [
        history(&[], &[], &[]),
        history(&[2.3], &[0.1], &[0.1]),
        history(&[2.3, 2.2], &[0.1, 0.2], &[0.1, 0.2]),
        history(&[nan, inf, -inf], &[nan; 3], &[inf, nan, -inf]),
        history(&[1.0, nan, 3.0, inf, 2.0], &[0.1, nan, 0.3], &[0.2, 0.3]),
        history(&[0.0; 200], &[0.0; 200], &[1.0; 200]),
        history(&[1e300, -1e300, 5e-324], &[1e300, -1e300], &[f64::MAX, f64::MIN]),
        history(&noisy, &noisy, &noisy),
    ];
    let outcome = |histories: &[Accuracies]| {
        let keeps = [1.0, 0.5, 0.25, 0.125, 1.0 / 3.0];
        let networks: Vec<NetworkRun> = histories
            .iter()
            .enumerate()
            .map(|(i, h)| NetworkRun { keep: keeps[i % 5], history: h.clone(), seconds: nan, end: None })
            .collect();
        Outcome { settings: settings(&networks), networks, seconds: inf }
    };
    let mut outcomes: Vec<Outcome> = odd.iter().map(|h| outcome(std::slice::from_ref(h))).collect();
    outcomes.extend([outcome(&[]), outcome(&odd), outcome(&[&odd[..]; 4].concat())]);
    for outcome in outcomes {
        for (name, bytes) in Report::new(&outcome).files().expect("files") {
            match name {
                "report.html" => {
                    assert!(text(std::str::from_utf8(&bytes).expect("UTF-8")).contains("Settings"));
                }
                "experiment.json" => {
                    assert_eq!(parse(&bytes).expect("an outcome").networks.len(), outcome.networks.len());
                }
                _ => assert!(!bytes.is_empty(), "{name}"),
            }
        }
    }
}
