//! The experiment prints the course's log.
#![allow(clippy::unwrap_used)] // a test fails by panic

use thinnet::data::DataSet;
use thinnet::engine::EngineKind;
use thinnet::float::{Dtype, Float};
use thinnet::training::experiment::{self, Observer, Settings};
use thinnet::training::{CourseLine, Progress, Step, TrainingData};

const GOLDEN: &str = include_str!("golden/experiment_float64.log");

/// Keeps the lines that the course prints: every hundredth iteration, and every epoch.
#[derive(Default)]
struct Lines(Vec<String>);

impl Progress for Lines {
    fn step(&mut self, step: &Step, steps: u64) {
        self.0.extend(CourseLine::of(step, steps, 25, 100).map(|line| line.to_string()));
    }
}

impl Observer for Lines {
    fn network(&mut self, _: usize, keep: f64) {
        self.0.push(keep.to_string());
    }
}

fn lines<F: Float>(dtype: Dtype, engine: EngineKind) -> Vec<String> {
    let sample = DataSet::embedded_sample().unwrap();
    let settings = Settings { dtype, engine, ..Settings::course("sample", 1000, 2) };
    let mut lines = Lines::default();
    experiment::run::<F>(&settings, &TrainingData::of(&sample, 500).unwrap(), &mut lines).unwrap();
    lines.0
}

fn prints_the_golden_log(engine: EngineKind) {
    let golden: Vec<_> = GOLDEN.lines().collect();
    assert_eq!(golden.iter().filter(|line| line.starts_with('(')).count(), 56);
    assert_eq!(lines::<f64>(Dtype::F64, engine), golden);
}

#[test]
fn float64_prints_the_golden_log_thin() {
    prints_the_golden_log(EngineKind::Thin);
}

#[test]
fn float64_prints_the_golden_log_dense() {
    prints_the_golden_log(EngineKind::Dense);
}
