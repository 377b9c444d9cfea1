//! The report that compares runs, as its reader meets it.
#![allow(clippy::unwrap_used)] // a test's helpers fail by panicking

mod page;

use std::fs;
use std::path::Path;

use page::apart;
use thinnet::report::metrics::{history_csv, parse_history_csv};
use thinnet::report::{ComparedRun, ComparisonReport};
use thinnet::training::experiment::Settings;
use thinnet::training::{Epoch, Keep, Monitor, RunHistory, Score, Task, TrainingConfig};

fn epochs(scores: &[f64]) -> Vec<Epoch> {
    let epoch = |(number, &accuracy): (usize, &f64)| {
        let score =
            |accuracy: f64| Score { loss: 1.0 - accuracy, accuracy: Some(accuracy), ..Score::default() };
        Epoch {
            epoch: number,
            step: 5 * number as u64,
            learning_rate: 1e-3,
            loss: 1.25,
            train: score(accuracy + 0.1),
            val: score(accuracy),
            seconds: 0.5,
            samples_per_second: 1000.0,
        }
    };
    (1..).zip(scores).map(epoch).collect()
}

fn run(name: &str, keep: f64, seed: u32, scores: &[f64]) -> ComparedRun {
    let mut config = TrainingConfig::default();
    (config.model.keep, config.train.seed) = (Keep::All(keep), seed);
    let history = RunHistory::of_epochs(epochs(scores), Monitor::Accuracy);
    ComparedRun { name: name.to_owned(), config, history, classes: Some(10), samples: None, page: None }
}

/// Two networks of three seeds each.
fn runs() -> Vec<ComparedRun> {
    let with = |keep, scores: [f64; 3]| {
        (1..).zip(scores).map(move |(seed, score)| run("r", keep, seed, &[0.1, score]))
    };
    with(1.0, [0.30, 0.31, 0.32]).chain(with(0.5, [0.33, 0.345, 0.36])).collect()
}

fn file(runs: &[ComparedRun], name: &str) -> String {
    let files = ComparisonReport::new(runs).unwrap().files().unwrap();
    String::from_utf8(files.into_iter().find(|(file, _)| *file == name).unwrap().1).unwrap()
}

/// All text of a page, which must be well-formed.
fn text(page: &str) -> String {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(page, options).unwrap();
    document.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).collect()
}

#[test]
fn a_page_tells_which_is_best_and_whether_that_is_chance() {
    let html = file(&runs(), "report.html");
    let (_, figures) = apart(&html);
    assert_eq!(figures.len(), 4, "two scores and two losses");
    assert_eq!(figures[1]["series"][1]["name"], "keep 0.5");
    assert_eq!(figures[1]["series"][1]["runs"][0][1], serde_json::json!([2.0, 0.345]));
    let text = text(&html);
    for part in [
        "Keep 0.5 has the highest validation accuracy at the end of training: 34.5%, the mean of 3 seeds.",
        // Differences of 3, 3.5 and 4 points: SciPy's interval is 2.258 to 4.742.
        "It is 3.5 percentage points above keep 1 (95% interval: 2.3 to 4.7). That is more than chance.",
        "Differences from keep 1",
        "3.5 (2.3 to 4.7)",
        "model.hidden = ",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert!(!text.contains("model.keep = "), "it is not shared");
    assert!(!html.contains("Reports by seed"), "no run has a page");
}

#[test]
fn tables_for_programs_have_a_line_a_network_and_a_line_a_run() {
    let runs = [(1.0, 1, 0.25), (1.0, 2, 0.5), (0.5, 1, 0.5), (0.5, 2, 0.75)];
    let runs = runs.map(|(keep, seed, score)| run("r", keep, seed, &[0.125, score]));
    let comparison = file(&runs, "comparison.csv");
    let lines: Vec<&str> = comparison.lines().collect();
    assert!(
        lines[0].starts_with("point,model.keep,finished,failed,unfinished,best_val_accuracy_mean,"),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with("1,1.0,2,0,0,0.375,"), "{}", lines[1]);
    assert!(lines[2].starts_with("2,0.5,2,0,0,0.625,"), "{}", lines[2]);
    let table = file(&runs, "runs.csv");
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("point,run,seed,best_val_accuracy,best_val_loss,best_epoch,"),
        "{}",
        lines[0]
    );
    assert!(lines.len() == 5 && lines[4].starts_with("2,r,2,0.75,0.25,2,0.75,0.25,"), "{}", lines[4]);
}

#[test]
fn the_page_links_to_the_pages_of_runs_wherever_it_is() {
    let place = tempfile::tempdir().unwrap();
    let mut runs = runs();
    for (number, run) in runs.iter_mut().enumerate() {
        let folder = place.path().join(format!("my runs/{number}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("report.html"), "").unwrap();
        run.page = Some(folder.join("report.html"));
    }
    let out = place.path().join("reports/new");
    ComparisonReport::new(&runs).unwrap().write(&out).unwrap();
    let html = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains("<a href=\"../../my%20runs/5/report.html\">3</a>"), "{html}");
    assert_eq!(html.matches("/report.html\">").count(), 6);
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "\"><script>alert(1)</script>&amp;<img src=x onerror='y'>";
    let runs = [run(hostile, 1.0, 1, &[0.1, 0.2]), run(hostile, 1.0, 1, &[0.1, 0.2])];
    let files = ComparisonReport::new(&runs).unwrap().command(hostile).files().unwrap();
    let html = String::from_utf8(files[0].1.clone()).unwrap();
    let (kept, _) = apart(&html);
    assert!(!kept.contains("<script") && !html.contains("<img"));
    assert!(text(&html).matches(hostile).count() >= 4, "in the legend, the table and the command");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let refused = |runs: &[ComparedRun]| ComparisonReport::new(runs).unwrap_err().to_string();
    assert_eq!(refused(&[]), "there is no run to report on");
    assert_eq!(refused(&runs()[..1]), "r is the only run: a comparison needs two or more");
    let mut mixed = vec![run("a", 1.0, 1, &[0.5]), run("b", 1.0, 1, &[0.5])];
    mixed[1].config.model.task = Task::Regression;
    assert_eq!(refused(&mixed), "a predicts classes and b predicts numbers: these cannot be compared");
}

#[test]
fn regressions_are_compared_by_r_squared() {
    let mut runs = runs();
    for run in &mut runs {
        run.config.model.task = Task::Regression;
        for epoch in &mut run.history.epochs {
            (epoch.val.r2, epoch.train.r2) = (epoch.val.accuracy.take(), epoch.train.accuracy.take());
        }
    }
    let html = file(&runs, "report.html");
    let text = text(&html);
    assert!(
        text.contains("highest validation R squared at the end of training: 0.3450, the mean of 3 seeds."),
        "{text}"
    );
    assert!(text.contains("Val R squared") && !text.contains("chance 10%"));
}

#[test]
fn an_experiment_gives_a_run_for_each_of_its_networks() {
    use thinnet::training::Accuracies;
    use thinnet::training::experiment::{Ending, NetworkRun, Outcome};
    let network = |keep: f64| NetworkRun {
        keep,
        history: Accuracies {
            loss: vec![2.3; 10],
            epoch: vec![0, 1, 2],
            train_accuracy: vec![0.1, 0.4, 0.6],
            val_accuracy: vec![0.1, 0.3, 0.2],
        },
        seconds: 1.5,
        end: Some(Ending { train_loss: 0.5, val_loss: 2.0, val_correct: vec![true, false] }),
    };
    let settings = Settings { keep: vec![1.0, 0.25], ..Settings::course("images", 1000, 1) };
    let outcome = Outcome { settings, networks: vec![network(1.0), network(0.25)], seconds: 3.0 };
    let runs = ComparedRun::of_experiment(&outcome, "thinnet-report", Some(Path::new("page")));
    assert_eq!(runs.len(), 2);
    let run = &runs[1];
    assert_eq!((run.name.as_str(), run.classes), ("thinnet-report (keep 0.25)", Some(10)));
    assert_eq!((run.config.model.keep.clone(), run.config.data.path.as_str()), (Keep::All(0.25), "images"));
    assert_eq!(run.history.best, Some(1), "the epoch of the highest validation accuracy");
    let last = run.history.epochs.last().unwrap();
    assert_eq!((last.epoch, last.val.loss, last.val.accuracy, last.seconds), (2, 2.0, Some(0.2), 1.5));
    assert!(run.history.epochs[0].val.loss.is_nan(), "it is not known");
    let text = text(&file(&runs, "report.html"));
    assert!(text.contains("Val accuracy") && !text.contains("Val loss"), "one loss is no curve: {text}");
}

#[test]
fn a_history_is_read_back_float_for_float_as_far_as_it_is_written() {
    let mut written = RunHistory { epochs: epochs(&[0.1, 1.0 / 3.0, 0.7]), ..RunHistory::default() };
    written.epochs[1].loss = f64::INFINITY;
    written.epochs[2].val = Score { loss: 0.25, r2: Some(-0.5), ..Score::default() };
    let bytes = history_csv(&written).unwrap();
    assert_eq!(parse_history_csv(&bytes).unwrap(), written.epochs);
    let half = &bytes[..bytes.len() - 7];
    assert_eq!(parse_history_csv(half).unwrap(), written.epochs[..2], "a line without its end");
    assert_eq!(parse_history_csv(b"").unwrap(), []);
    let wrong = String::from_utf8(bytes).unwrap().replacen("0.1", "ten", 1);
    let error = parse_history_csv(wrong.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("it is no history of epochs: ") && error.contains("line: 2"), "{error}");
    assert!(parse_history_csv(b"a,b\n1,2\n").is_err());
}

#[test]
fn the_best_epoch_is_what_the_run_watches() {
    let best = |scores: &[f64], monitor| RunHistory::of_epochs(epochs(scores), monitor).best;
    assert_eq!(best(&[0.1, 0.3, 0.3, 0.2], Monitor::Accuracy), Some(1), "the first of equals");
    assert_eq!(best(&[0.1, 0.3, 0.4], Monitor::Loss), Some(2), "losses are 1 minus these");
    assert_eq!(best(&[f64::NAN, 0.2], Monitor::Accuracy), Some(1));
    assert_eq!(best(&[f64::NAN], Monitor::Loss), None);
    assert_eq!(best(&[], Monitor::Loss), None);
}
