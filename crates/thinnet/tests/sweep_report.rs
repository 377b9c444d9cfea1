//! The report of a sweep as its reader meets it: the files in a folder.
#![allow(clippy::unwrap_used, clippy::unnecessary_wraps)] // a test fails by panic; outcomes may be none

mod page;

use page::apart;
use thinnet::optim::OptimiserKind;
use thinnet::random::RandomState;
use thinnet::report::sweep::{FILES, SweepReport};
use thinnet::sweep::{Draws, Outcome, Plan, RunFigures, SweepConfig};
use thinnet::training::TrainingConfig;

/// A sweep whose runs all finished, with made-up figures: best near keep 0.6, a rate of 1e-3 and `adam`, and noise by seed.
fn sweep(space: &[&str], seeds: usize, random: Option<Draws>) -> (Plan, Vec<Option<Outcome>>) {
    let texts: Vec<String> = space.iter().map(ToString::to_string).collect();
    let config = SweepConfig::new(TrainingConfig::default(), &texts, seeds, random).unwrap();
    let plan = Plan::new(config).unwrap();
    let mut noise = RandomState::new(7);
    let outcomes = plan.runs.iter().map(|run| {
        let config = &run.config;
        let keep = match &config.model.keep {
            thinnet::training::Keep::All(keep) => *keep,
            thinnet::training::Keep::Each(each) => each[0],
        };
        let rate = (config.optim.learning_rate.log10() + 3.0).powi(2);
        let rule = if config.optim.rule == OptimiserKind::Adam { 0.0 } else { 0.02 };
        let size = 0.01 * config.model.hidden.len() as f64;
        let val = 0.32 - 0.15 * (keep - 0.6).powi(2) - 0.03 * rate - rule + size + noise.normal(0.0, 0.004);
        let train = val + 0.6 * keep * keep;
        Some(Outcome::Finished(RunFigures {
            best_val_score: Some(val),
            best_val_loss: Some(2.3 - val),
            best_epoch: Some(17),
            final_val_score: Some(val - 0.01),
            final_val_loss: Some(2.4 - val),
            train_score: Some(train),
            train_loss: Some(1.0 - train),
            epochs: 25,
            seconds: 3.2,
        }))
    });
    let outcomes = outcomes.collect();
    (plan, outcomes)
}

fn diverged() -> Option<Outcome> {
    Some(Outcome::Failed { reason: "step 12: the loss is NaN".to_owned(), diverged: true })
}

/// Sweeps at the edges of what can come in, by name.
fn sweeps() -> Vec<(&'static str, Plan, Vec<Option<Outcome>>)> {
    const KEEP: &str = "model.keep=0.25,0.5,0.75,1";
    let mut all = Vec::new();
    let mut add = |name, (plan, outcomes)| all.push((name, plan, outcomes));
    add("one", sweep(&[KEEP], 5, None));
    add("two", sweep(&[KEEP, "optim.rule=adam,rmsprop,sgd"], 3, None));
    add("four", {
        let rates = "optim.learning_rate=log:1e-4:1e-2:5";
        sweep(&["model.hidden=[100],[500],[200,200]", rates, KEEP, "optim.rule=adam,sgd"], 2, None)
    });
    add("random", {
        let space =
            ["optim.learning_rate=log:1e-4:1e-2", "model.keep=lin:0.2:1", "train.batch_size=log:10:200"];
        sweep(&space, 2, Some(Draws { points: 40, seed: 1 }))
    });
    add("seed", sweep(&[KEEP, "optim.learning_rate=1e-4,1e-3,1e-2"], 1, None));
    add("failed", {
        let (plan, mut outcomes) = sweep(&[KEEP, "optim.learning_rate=1e-4,1e-3,1e-2,1"], 3, None);
        for (run, outcome) in plan.runs.iter().zip(&mut outcomes) {
            match run.point % 4 {
                3 => *outcome = diverged(),
                2 if run.seed == 233 => *outcome = None,
                1 if run.seed == 232 => *outcome = diverged(),
                _ => {}
            }
        }
        (plan, outcomes)
    });
    add("nothing varied", sweep(&[], 3, None));
    add("nothing done", {
        let (plan, outcomes) = sweep(&[KEEP], 3, None);
        let none = vec![None; outcomes.len()];
        (plan, none)
    });
    add("all failed", {
        let (plan, outcomes) = sweep(&[KEEP], 1, None);
        let failed = vec![diverged(); outcomes.len()];
        (plan, failed)
    });
    add("no figures", {
        let (plan, outcomes) = sweep(&[KEEP], 1, None);
        let empty = vec![Some(Outcome::Finished(RunFigures::default())); outcomes.len()];
        (plan, empty)
    });
    add("all alike", {
        let (plan, mut outcomes) = sweep(&[KEEP, "train.epochs=5,10"], 2, None);
        let first = outcomes[0].clone();
        outcomes.fill(first);
        (plan, outcomes)
    });
    add("regression", {
        let texts = ["model.task=regression", KEEP].map(str::to_owned);
        let config = SweepConfig::new(TrainingConfig::default(), &texts, 2, None).unwrap();
        (Plan::new(config).unwrap(), sweep(&[KEEP], 2, None).1)
    });
    add("many", sweep(&["model.keep=lin:0.1:1:30", "optim.learning_rate=log:1e-5:1e-1:30"], 1, None));
    all
}

fn file(plan: &Plan, outcomes: &[Option<Outcome>], name: &str) -> Option<Vec<u8>> {
    let files = SweepReport { plan, outcomes }.files().unwrap();
    files.into_iter().find(|(file, _)| *file == name).map(|(_, bytes)| bytes)
}

fn page(plan: &Plan, outcomes: &[Option<Outcome>]) -> String {
    String::from_utf8(file(plan, outcomes, "report.html").unwrap()).unwrap()
}

/// All text of a page, tags left out; fails if it is not well-formed.
fn text(page: &str) -> String {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(page, options).unwrap();
    document.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).collect()
}

fn named(name: &str) -> (Plan, Vec<Option<Outcome>>) {
    let (_, plan, outcomes) = sweeps().into_iter().find(|(other, ..)| *other == name).unwrap();
    (plan, outcomes)
}

/// Figures that are easy to follow: points 0.5 and 1, three seeds each.
fn simple(scores: [f64; 6]) -> (Plan, Vec<Option<Outcome>>) {
    let (plan, _) = sweep(&["model.keep=0.5,1"], 3, None);
    let finished = |score| {
        let figures = RunFigures { best_val_score: Some(score), epochs: 1, ..RunFigures::default() };
        Some(Outcome::Finished(figures))
    };
    (plan, scores.map(finished).to_vec())
}

#[test]
fn the_page_says_what_is_best_and_whether_that_may_be_chance() {
    // Seeds are trained in turn: 0.31, 0.32, 0.33 of the first point, 0.21, 0.23, 0.25 of the second.
    let (plan, outcomes) = simple([0.31, 0.21, 0.32, 0.23, 0.33, 0.25]);
    let told = text(&page(&plan, &outcomes));
    for part in [
        "Best is model.keep=0.5: 32.0% validation accuracy, the mean of 3 seeds with a standard deviation of 1.0 points.",
        "The next, model.keep=1, is 9.0 percentage points behind: more than the spread over seeds",
        "(a standard deviation of 1.6 points)", // the root of (1 + 4) / 2
        "thinnet sweep config.toml --set model.keep=0.5,1 --seeds 3",
        "231 to 233",
    ] {
        assert!(told.contains(part), "{part:?} is not on the page: {told}");
    }
    let (plan, outcomes) = simple([0.31, 0.31, 0.32, 0.32, 0.33, 0.32]);
    let told = text(&page(&plan, &outcomes));
    assert!(
        told.contains("no more than the spread over seeds") && told.contains("it may be chance"),
        "{told}"
    );
    let (plan, outcomes) = named("seed");
    let told = text(&page(&plan, &outcomes));
    assert!(told.contains("with one seed a point it is unknown"), "{told}");
}

#[test]
fn what_failed_is_told() {
    let (plan, outcomes) = named("failed");
    let told = text(&page(&plan, &outcomes));
    assert!(told.contains("16 of 48 runs failed and are in no figure."), "{told}");
    assert!(told.contains("4 of 48 runs are unfinished."), "{told}");
    assert!(told.contains("0, 3 failed") && told.contains("2, 1 unfinished"), "{told}");
}

/// Nothing that can come in may stop a report or make it ill-formed.
#[test]
fn every_sweep_has_a_page_that_needs_nothing_from_elsewhere() {
    for (name, plan, outcomes) in sweeps() {
        let files = SweepReport { plan: &plan, outcomes: &outcomes }.files().unwrap();
        assert!(files.iter().all(|(file, bytes)| FILES.contains(file) && !bytes.is_empty()), "{name}");
        let html = page(&plan, &outcomes);
        assert!(text(&html).contains("Settings"), "{name}");
        assert!(html.len() < 3_000_000, "{name}: {}", html.len());
        let (kept, figures) = apart(&html);
        assert!(figures.iter().all(|figures| figures["series"].is_array()), "{name}");
        let lower = kept.to_lowercase();
        for part in ["http", "src=", "@import", "url(", "<script", "<link", "<iframe", "xmlns", "nan", "inf%"]
        {
            // The reason of a failed run is in runs.csv alone.
            assert!(!lower.contains(part), "{name}: {part}");
        }
        let written: Vec<&str> = files.iter().map(|(file, _)| *file).collect();
        for link in html.split("href=\"").skip(1) {
            let to = link.split('"').next().unwrap();
            assert!(written.contains(&to), "{name}: {to}");
        }
    }
}

#[test]
fn each_varied_setting_has_a_plot_with_keep_first() {
    let titles = |name: &str| -> Vec<String> {
        let (plan, outcomes) = named(name);
        let html = page(&plan, &outcomes);
        html.split("<figcaption><strong>")
            .skip(1)
            .map(|rest| rest.split('<').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(titles("four"), ["model.keep", "model.hidden", "optim.learning_rate", "optim.rule"]);
    assert_eq!(titles("one"), ["model.keep"]);
    assert!(titles("nothing varied").is_empty() && titles("nothing done").is_empty());
    let (plan, outcomes) = named("two");
    let html = page(&plan, &outcomes);
    assert!(html.contains("optim.rule=adam") && html.contains("Bars: one standard deviation over 3 seeds."));
    assert!(html.contains("12 points as lines across the axes model.keep, optim.rule, Validation accuracy"));
    assert!(!page(&named("one").0, &named("one").1).contains("id=\"parallel\""));
    let (plan, outcomes) = named("four");
    assert!(page(&plan, &outcomes).contains("Learning rate (log scale)"));
}

/// The plot's figures are those of the table, for the script to show.
#[test]
fn a_plot_brings_its_figures() {
    let (plan, outcomes) = simple([0.31, 0.21, 0.32, 0.23, 0.33, 0.25]);
    let (_, figures) = apart(&page(&plan, &outcomes));
    let series = &figures[0]["series"];
    assert_eq!(series.as_array().unwrap().len(), 1);
    assert_eq!(series[0]["runs"], serde_json::json!([[[0.5, 0.32], [1.0, 0.23]]]));
    assert_eq!(series[0]["deviations"], serde_json::json!([0.01, 0.02]));
    assert_eq!(figures[0]["y"]["reads"], "percent");
}

/// Rows lead to the pages of those runs that have one, beside the sweep's.
#[test]
fn points_link_to_the_pages_of_their_runs() {
    let (plan, outcomes) = simple([0.31, 0.21, 0.32, 0.23, 0.33, 0.25]);
    let parent = tempfile::tempdir().unwrap();
    let links = |folder: &std::path::Path| -> Vec<String> {
        SweepReport { plan: &plan, outcomes: &outcomes }.write(folder).unwrap();
        let html = std::fs::read_to_string(folder.join("report.html")).unwrap();
        assert!(text(&html).contains("Settings"));
        let all = html.split("href=\"runs/").skip(1);
        all.map(|rest| rest.split("</a>").next().unwrap().to_owned()).collect()
    };
    assert!(links(parent.path()).is_empty(), "no run has a page");
    for run in [&plan.runs[0], &plan.runs[4]] {
        let page = parent.path().join(run.report_link());
        std::fs::create_dir_all(page.parent().unwrap()).unwrap();
        std::fs::write(page, "a page").unwrap();
    }
    assert_eq!(
        links(parent.path()),
        ["0001-seed231/report.html\">231", "0001-seed233/report.html\">233"],
        "the first point, the best, has two"
    );
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "\"><script>alert(1)</script>&amp;<img src=x onerror='y'>";
    let texts = [format!("data.path=sample,{hostile:?}"), "model.keep=0.5,1".to_owned()];
    let config = SweepConfig { space: texts.to_vec(), seeds: 1, ..SweepConfig::default() };
    let plan = Plan::new(config).unwrap();
    let outcomes = sweep(&["model.keep=0.25,0.5,0.75,1"], 1, None).1;
    let html = page(&plan, &outcomes);
    let (kept, _) = apart(&html);
    assert!(!kept.contains("<script") && !html.contains("<img"));
    assert!(text(&html).matches(hostile).count() >= 3, "in the plots, the table and the settings");
}

#[test]
fn the_picture_has_a_curve_and_bars_for_each_value_of_the_second_setting() {
    let (plan, outcomes) = named("two");
    let bytes = file(&plan, &outcomes, "accuracy.png").unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height, info.color_type), (1600, 900, png::ColorType::Rgb));
    let count = |color: [u8; 3]| pixels.chunks_exact(3).filter(|pixel| *pixel == color).count();
    for color in [[0x00, 0x72, 0xB2], [0xD5, 0x5E, 0x00], [0x00, 0x9E, 0x73]] {
        assert!(count(color) > 1000, "{color:?}: {}", count(color));
    }
    assert_eq!(count([0xCC, 0x79, 0xA7]), 0, "no fourth curve");
    let edge = |pixels: &[u8]| pixels.iter().all(|byte| *byte == 255);
    assert!(
        edge(&pixels[..1600 * 3 * 8]) && edge(&pixels[pixels.len() - 1600 * 3 * 8..]),
        "nothing is clipped"
    );
    for row in pixels.chunks_exact(1600 * 3) {
        assert!(edge(&row[..3 * 8]) && edge(&row[row.len() - 3 * 8..]), "nothing is clipped");
    }
    assert!(file(&plan, &outcomes, "r2.png").is_none());
    let (plan, outcomes) = named("regression");
    assert!(file(&plan, &outcomes, "r2.png").is_some() && file(&plan, &outcomes, "accuracy.png").is_none());
}

#[test]
fn the_base_settings_are_beside_it_as_a_file() {
    let (plan, outcomes) = named("four");
    let bytes = file(&plan, &outcomes, "config.toml").unwrap();
    let base = TrainingConfig::from_toml(std::str::from_utf8(&bytes).unwrap()).unwrap();
    assert_eq!(base, plan.config.base);
    let parent = tempfile::tempdir().unwrap();
    let paths = SweepReport { plan: &plan, outcomes: &outcomes }.write(&parent.path().join("a/b")).unwrap();
    assert_eq!(paths.len(), 5);
    assert!(paths.iter().all(|path| path.is_file()));
}
