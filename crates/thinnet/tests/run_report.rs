//! The report of a training run as its reader meets it. The pages are left in the folder for tests' files, `run_report`, to
//! be looked at.
#![allow(clippy::expect_used)] // a test's helpers fail by panicking, too

mod page;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::Array2;
use page::apart;
use thinnet::Error;
use thinnet::data::{DataSet, Targets};
use thinnet::engine::{Engine, Inputs, Layers};
use thinnet::net::FullyConnectedNet;
use thinnet::random::RandomState;
use thinnet::report::RunReport;
use thinnet::training::{Epoch, Monitor, RunHistory, Score, Task, TrainingConfig, TrainingData};

/// A report on settings and a history, and nothing else.
fn report<'a>(config: &'a TrainingConfig, history: &'a RunHistory, classes: &'a [String]) -> RunReport<'a> {
    RunReport {
        config,
        history,
        classes,
        data: "a sample",
        shape: &[8],
        first_layer: None,
        confusion: None,
        test: None,
        command: None,
        seconds: 1.5,
        finished: true,
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("run_report").join(name)
}

/// Writes a report and gives its page.
fn page(report: &RunReport<'_>, name: &str) -> String {
    let folder = folder(name);
    if folder.is_dir() {
        fs::remove_dir_all(&folder).expect("an old report");
    }
    let paths = report.write(&folder).expect("a report");
    let files = report.files().expect("files");
    assert_eq!(paths, files.iter().map(|(name, _)| folder.join(name)).collect::<Vec<_>>());
    for (name, bytes) in &files {
        assert_eq!(&fs::read(folder.join(name)).expect(name), bytes, "{name}");
    }
    String::from_utf8(fs::read(folder.join("report.html")).expect("a page")).expect("UTF-8")
}

/// All text of a page, tags left out; fails if it is not well-formed.
fn text(page: &str) -> String {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(page, options).expect("well-formed");
    document.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).collect()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|class| format!("class {class}")).collect()
}

/// Losses and accuracies that look like a run's.
fn history(epochs: usize, score: impl Fn(f64) -> Score) -> RunHistory {
    let epoch = |number: usize| {
        let t = number as f64;
        Epoch {
            epoch: number,
            step: 50 * number as u64,
            learning_rate: 1e-3 * 0.9f64.powf(t),
            loss: 2.3 / t.sqrt(),
            train: score(1.2 * t),
            val: score(t),
            seconds: 0.25,
            samples_per_second: 20_000.0,
        }
    };
    let noise = |step: usize| 1.0 + 0.4 * ((step * 7919 % 101) as f64 / 101.0 - 0.5);
    RunHistory {
        loss: (0..50 * epochs).map(|step| 2.3 / (1.0 + step as f64 / 50.0).sqrt() * noise(step)).collect(),
        epochs: (1..=epochs).map(epoch).collect(),
        best: epochs.checked_sub(2),
    }
}

fn classification(t: f64) -> Score {
    let accuracy = 1.0 - 1.0 / (1.0 + t / 4.0);
    Score { loss: 2.3 / t.sqrt(), accuracy: Some(accuracy), top5: Some(accuracy.sqrt()), r2: None }
}

fn regression(t: f64) -> Score {
    Score { loss: 0.5 / t, accuracy: None, top5: None, r2: Some(1.0 - 1.0 / t) }
}

/// A network's score on samples with labels, and what it took each for.
fn score(engine: &dyn Engine<f64>, inputs: &Inputs<f64>, labels: &[usize]) -> (Score, Array2<usize>) {
    let scores = engine.scores(inputs).expect("scores");
    let mut confusion = Array2::zeros((scores.ncols(), scores.ncols()));
    let (mut loss, mut top5) = (0.0, 0);
    for (row, &label) in scores.rows().into_iter().zip(labels) {
        let highest = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        loss += row.mapv(|s| (s - highest).exp()).sum().ln() + highest - row[label];
        let above = row.iter().filter(|&&s| s > row[label]).count();
        let class = row.iter().position(|&s| s >= highest).expect("a class");
        confusion[[label, class]] += 1;
        top5 += usize::from(above < 5);
    }
    let count = labels.len() as f64;
    let accuracy = confusion.diag().sum() as f64 / count;
    let score =
        Score { loss: loss / count, accuracy: Some(accuracy), top5: Some(top5 as f64 / count), r2: None };
    (score, confusion)
}

/// A small network with dropout on the embedded sample, trained over the readable layers.
#[test]
fn a_run_on_the_embedded_sample() {
    let start = Instant::now();
    let mut config = TrainingConfig::default();
    for setting in ["model.hidden=[100]", "model.keep=0.7", "train.epochs=8", "optim.schedule=decay"] {
        config.set(&setting.parse().expect(setting)).expect(setting);
    }
    let set = DataSet::embedded_sample().expect("the sample");
    let data = TrainingData::<f64>::of(&set, 500).expect("scaled samples");
    let (x, y) = (data.train.x(), data.train.labels());
    let mut random = RandomState::new(231);
    let net = config.net(set.input_dim(), set.names().len()).expect("settings");
    let net = FullyConnectedNet::new(net, &mut random).expect("a network");
    let mut engine = Layers::new(net, config.optimiser().expect("an optimiser")).expect("an engine");
    let inputs = [&data.train, &data.val].map(|part| engine.load(part.x()).expect("inputs"));

    let mut history = RunHistory::default();
    let (mut confusion, mut w1) = (Array2::zeros((10, 10)), Array2::zeros((0, 0)));
    let mut highest = 0.0;
    for epoch in 1..=config.train.epochs {
        let learning_rate = 1e-3 * 0.9f64.powf(epoch as f64 - 1.0);
        engine.set_learning_rate(learning_rate);
        let started = Instant::now();
        for _ in 0..5 {
            let batch = random.choice(y.len(), 100).expect("a batch");
            let step = engine.step(x, Targets::Classes(y), batch.as_slice().into(), &mut random);
            history.loss.push(step.expect("a step").total());
        }
        let seconds = started.elapsed().as_secs_f64();
        let (train, _) = score(&engine, &inputs[0], y);
        let (val, matrix) = score(&engine, &inputs[1], data.val.labels());
        if val.accuracy > Some(highest) {
            highest = val.accuracy.unwrap_or_default();
            history.best = Some(epoch - 1);
            confusion = matrix;
            w1 = engine.parameters().expect("parameters").layers[0].w.clone();
        }
        let mean = history.loss[5 * epoch - 5..].iter().sum::<f64>() / 5.0;
        history.epochs.push(Epoch {
            epoch,
            step: 5 * epoch as u64,
            learning_rate,
            loss: mean,
            train,
            val,
            seconds,
            samples_per_second: 500.0 / seconds,
        });
    }
    let run = RunReport {
        data: "embedded CIFAR-10 sample",
        shape: set.shape(),
        first_layer: Some(w1.view()),
        confusion: Some(&confusion),
        seconds: start.elapsed().as_secs_f64(),
        command: Some("thinnet train config.toml"),
        ..report(&config, &history, set.names())
    };
    let page = page(&run, "sample");
    let text = text(&page);
    let best = history.best_epoch().expect("a best epoch");
    let recall = |class: usize| 100.0 * confusion[[class, class]] as f64 / confusion.row(class).sum() as f64;
    for part in [
        format!("Best validation accuracy {:.1}%, in epoch {} of 8.", 100.0 * highest, best.epoch),
        format!("In that epoch training accuracy is {:.1}%", 100.0 * best.train.accuracy.expect("accuracy")),
        "Of 1000 validation samples".to_owned(),
        "The most frequent mistake: ".to_owned(),
        "8 epochs took".to_owned(),
        "airplane".to_owned(),
        format!("{:.1}%", recall(3)),
        "[model]".to_owned(),
        "hidden = [100]".to_owned(),
        "thinnet train config.toml".to_owned(),
        "float32".to_owned(),
    ] {
        assert!(text.contains(&part), "{part:?} is not on the page");
    }
    assert_eq!(page.matches("role=\"img\" aria-label=\"").count(), 4, "accuracy, loss, steps, learning rate");
    assert_eq!(page.matches("class=\"cell").count(), 100);
    assert_eq!(page.matches("cell correct").count(), 10);

    let names: Vec<&str> = run.files().expect("files").iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["report.html", "curves.png", "weights.png", "confusion.csv"]);
    // The picture on the page is the file.
    let (_, base64) = page.split_once("data:image/png;base64,").expect("a picture");
    let png = fs::read(folder("sample").join("weights.png")).expect("the weights");
    assert_eq!(base64.split_once('"').expect("its end").0.len(), png.len().div_ceil(3) * 4);
    let size = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a PNG").info().size();
    assert_eq!(size, (329, 329));
}

#[test]
fn a_regression_says_loss_and_r_squared() {
    let mut config = TrainingConfig::default();
    config.model.task = Task::Regression;
    config.train.epochs = 30;
    let history = history(12, regression);
    let stopped =
        RunReport { finished: false, test: Some(regression(4.0)), ..report(&config, &history, &[]) };
    let page = page(&stopped, "regression");
    let text = text(&page);
    for part in [
        "Lowest validation loss 0.04545, in epoch 11 of 30, with validation R squared 0.9091; test loss 0.1250, test R \
         squared 0.7500.",
        "In that epoch the training loss is 0.03788 and R squared 0.9242; in the last (12)",
        "The run was stopped after 12 of 30 epochs and 1.500 seconds.",
        "Shape of a sample",
    ] {
        assert!(text.contains(part), "{part:?} is not on the page: {text}");
    }
    assert!(!text.contains("ccuracy") && !text.contains("Confusion") && !text.contains("Classes"), "{text}");
}

#[test]
fn a_hundred_classes_show_the_most_confused_pairs() {
    let mut config = TrainingConfig::default();
    config.train.patience = Some(5);
    config.train.monitor = Some(Monitor::Loss);
    let (history, classes) = (history(20, classification), names(100));
    let mut confusion = Array2::from_shape_fn((100, 100), |(a, b)| (a * 31 + b * 17) % 97 / 95);
    confusion.diag_mut().fill(60);
    confusion[[12, 57]] = 33;
    let w1 = Array2::from_shape_fn((64, 20), |(input, unit)| ((input * 7 + unit * 13) % 29) as f64);
    let run = RunReport {
        shape: &[1, 8, 8],
        first_layer: Some(w1.view()),
        confusion: Some(&confusion),
        test: Some(classification(10.0)),
        ..report(&config, &history, &classes)
    };
    let page = page(&run, "hundred");
    let text = text(&page);
    for part in [
        "Lowest validation loss 0.5277, in epoch 19 of 25, with validation accuracy 82.6%; test loss 0.7273, test accuracy \
         71.4%.",
        "Validation top-5 accuracy is 90.9% in that epoch, that on test samples 84.5%.",
        "Training ended after 20 of at most 25 epochs and 1.500 seconds, when 5 had passed without a better one.",
        "The most frequent mistake: 33 of ",
        "samples of class 12 are taken for class 57.",
        "Recall of every class",
        "100: class 0, class 1",
        "Top-5",
        " test samples, ",
    ] {
        assert!(text.contains(part), "{part:?} is not on the page: {text}");
    }
    assert!(!page.contains("class=\"cell"));
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let (config, history, classes) = (TrainingConfig::default(), history(5, classification), names(2));
    let (confusion, w1) = (Array2::eye(2), Array2::zeros((4, 3)));
    let run = RunReport {
        shape: &[1, 2, 2],
        first_layer: Some(w1.view()),
        confusion: Some(&confusion),
        ..report(&config, &history, &classes)
    };
    let files: Vec<_> = run.files().expect("files").into_iter().map(|(name, _)| name).collect();
    let (page, figures) = apart(&page(&run, "small"));
    assert_eq!(figures.len(), 4);
    let page = page.to_lowercase();
    for part in ["http", "@import", "url(", "<script", "<link", "<iframe", "xmlns"] {
        assert!(!page.contains(part), "{part}");
    }
    let targets = |attribute: &str| -> Vec<String> {
        let all = page.split(attribute).skip(1);
        all.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(targets("href=\""), files[1..]);
    assert!(targets("src=\"").iter().all(|target| target.starts_with("data:image/png;base64,")));
    assert_eq!(targets("src=\"").len(), 1);
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "\"><script>alert(1)</script>&amp;<img src=x onerror='y'>";
    let mut config = TrainingConfig::default();
    config.data.path = hostile.to_owned();
    let history = history(3, classification);
    for count in [3, 30] {
        let classes = vec![hostile.to_owned(); count];
        let confusion = Array2::from_elem((count, count), 1);
        let run = RunReport {
            data: hostile,
            command: Some(hostile),
            confusion: Some(&confusion),
            ..report(&config, &history, &classes)
        };
        let page = page(&run, "hostile");
        let (kept, _) = apart(&page);
        assert!(!kept.contains("<script") && !page.contains("<img"));
        assert!(text(&page).matches(hostile).count() > 2 * count.min(20));
    }
}

#[test]
fn odd_runs_are_reported_too() {
    let config = TrainingConfig::default();
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let bad = |value: f64| move |_| Score { loss: value, accuracy: Some(value), top5: None, r2: Some(value) };
    let mut diverged = history(6, classification);
    for epoch in &mut diverged.epochs[3..] {
        (epoch.loss, epoch.train, epoch.val) = (nan, bad(nan)(0.0), bad(nan)(0.0));
    }
    diverged.best = Some(2);
    diverged.loss[150..].fill(nan);
    let beyond = RunHistory { best: Some(99), ..history(2, classification) };
    let runs = [
        ("empty", RunHistory::default(), "No epoch was completed."),
        ("one", history(1, classification), "No epoch has a finite validation accuracy."),
        ("diverged", diverged, "In epoch 4 a loss is not finite"),
        ("nan", history(4, bad(nan)), "No epoch has a finite validation accuracy."),
        ("inf", history(4, bad(inf)), "No epoch has a finite validation accuracy."),
        ("great", history(4, bad(1e300)), "Best validation accuracy"),
        ("beyond", beyond, "No epoch has a finite validation accuracy."),
    ];
    for (name, history, says) in runs {
        for task in [Task::Classification, Task::Regression] {
            let mut config = config.clone();
            config.model.task = task;
            let confusion = Array2::zeros((2, 2));
            let classes = names(2);
            let run = RunReport {
                confusion: Some(&confusion),
                test: Some(bad(nan)(0.0)),
                seconds: nan,
                finished: false,
                ..report(&config, &history, &classes)
            };
            let text = text(&page(&run, name));
            assert!(task == Task::Regression || text.contains(says), "{name}: {says:?} is not in {text}");
            assert!(text.contains("The run was stopped after") && text.contains("Settings"), "{name}");
        }
        page(&report(&config, &history, &[]), name); // what a person looks at
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (config, history, classes) = (TrainingConfig::default(), history(2, classification), names(3));
    let confusion = Array2::eye(2);
    let error = RunReport { confusion: Some(&confusion), ..report(&config, &history, &classes) }.files();
    assert!(matches!(error.expect_err("a matrix of two"), Error::Shape { .. }));
    let w1 = Array2::zeros((5, 2));
    let wrong =
        RunReport { first_layer: Some(w1.view()), shape: &[1, 2, 2], ..report(&config, &history, &classes) };
    assert!(matches!(wrong.files().expect_err("weights of five inputs"), Error::Shape { .. }));
    let table = RunReport { shape: &[5], ..wrong };
    let names: Vec<_> = table.files().expect("files").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["report.html", "curves.png"], "a table has no picture of its weights");
}
