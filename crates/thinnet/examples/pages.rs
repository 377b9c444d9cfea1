//! Writes a run's page, a sweep's and a comparison's into a folder, with made-up figures that are known in every digit.
//!
//! ```text
//! cargo run -p thinnet --example pages -- FOLDER
//! ```
//!
//! `tests/browser/page.test.mjs` uses them as a reader would.

use std::env;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use thinnet::report::sweep::SweepReport;
use thinnet::report::{ComparedRun, ComparisonReport, RunReport};
use thinnet::sweep::{Outcome, Plan, RunFigures, SweepConfig};
use thinnet::training::{Epoch, Keep, RunHistory, Score, TrainingConfig};

/// Ten epochs of ten steps each: training accuracy is 0.1 an epoch, validation accuracy half of that.
fn history() -> RunHistory {
    let score =
        |accuracy: f64| Score { loss: 2.0 - accuracy, accuracy: Some(accuracy), top5: None, r2: None };
    let epoch = |number: usize| Epoch {
        epoch: number,
        step: 10 * number as u64,
        learning_rate: 1e-3,
        loss: 2.2 - 0.1 * number as f64,
        train: score(0.1 * number as f64),
        val: score(0.05 * number as f64),
        seconds: 0.5,
        samples_per_second: 1000.0,
    };
    RunHistory {
        // Every second step is 1 above the others.
        loss: (0..100).map(|step| 1.0 + f64::from(step % 2)).collect(),
        epochs: (1..=10).map(epoch).collect(),
        best: Some(9),
    }
}

fn run(folder: &Path, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let config = TrainingConfig::default();
    let classes: Vec<String> = (0..10).map(|class| format!("class {class}")).collect();
    let confusion =
        Array2::from_shape_fn((10, 10), |(truth, taken)| if truth == taken { 60 } else { truth + taken });
    let weights = Array2::from_shape_fn((64, 9), |(pixel, unit)| ((pixel * 37 + unit * 11) % 23) as f64);
    RunReport {
        config: &config,
        history: &history(),
        classes: &classes,
        data: name,
        shape: &[1, 8, 8],
        first_layer: Some(weights.view()),
        confusion: Some(&confusion),
        test: None,
        command: None,
        seconds: 5.0,
        finished: true,
    }
    .write(folder)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(env::args_os().nth(1).ok_or("which folder?")?);
    // A name that ends the block of figures, or the page's own quotes, if either lets it.
    run(&folder.join("run"), "</script><b id=\"injected\">")?;

    let space = ["model.keep=0.25,0.5,1", "optim.rule=adam,sgd"].map(str::to_owned);
    let plan = Plan::new(SweepConfig::new(TrainingConfig::default(), &space, 2, None)?)?;
    let outcomes: Vec<Option<Outcome>> = plan
        .runs
        .iter()
        .map(|run| {
            let score = 0.2 + 0.02 * run.point as f64 + if run.seed % 2 == 0 { 0.01 } else { 0.0 };
            let figures = RunFigures {
                best_val_score: Some(score),
                epochs: 10 - run.point,
                seconds: 9.5 + run.point as f64,
                ..RunFigures::default()
            };
            Some(Outcome::Finished(figures))
        })
        .collect();
    let sweep = folder.join("sweep");
    if let Some(first) = plan.runs.first() {
        run(&sweep.join("runs").join(&first.name), "a sample")?;
    }
    SweepReport { plan: &plan, outcomes: &outcomes }.write(&sweep)?;

    // Two networks of two seeds each, the second network 0.1 and 0.2 below the first.
    let runs: Vec<ComparedRun> = [(1.0, 1, 0.0), (1.0, 2, 0.02), (0.5, 1, 0.1), (0.5, 2, 0.22)]
        .into_iter()
        .map(|(keep, seed, below)| {
            let mut config = TrainingConfig::default();
            (config.model.keep, config.train.seed) = (Keep::All(keep), seed);
            let mut history = history();
            for epoch in &mut history.epochs {
                epoch.val.accuracy = epoch.val.accuracy.map(|accuracy| accuracy - below);
            }
            let page = Some(folder.join("run/report.html"));
            ComparedRun { name: "a run".to_owned(), config, history, classes: Some(10), samples: None, page }
        })
        .collect();
    ComparisonReport::new(&runs)?.write(&folder.join("comparison"))?;
    Ok(())
}
