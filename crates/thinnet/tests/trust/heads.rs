//! Regressions that also predict their noise or quantiles, and how far their intervals can be trusted.

use ndarray::{Array2, Axis};
use serde_json::Value;
use thinnet::data::Rows;
use thinnet::layers::Loss;
use thinnet::model::{Evaluation, IntervalKind, Model, MonteCarlo, Noise, Spread};
use thinnet::random::RandomState;
use thinnet::training::TrainingConfig;

use super::figures::near;

/// `count` samples of one number; the deviation of the truth grows with it from 1 to 9, around a line.
fn noisy(count: usize, seed: u32) -> Rows<f64> {
    let mut random = RandomState::new(seed);
    let x: Array2<f64> = random.randn((count, 1));
    let noise: Array2<f64> = random.randn((count, 1));
    let squashed = x.mapv(f64::tanh);
    let y = 100.0 + 20.0 * &squashed + (5.0 + 4.0 * &squashed) * noise;
    Rows::with_numbers(x, y).unwrap()
}

fn fitted(changes: &[&str]) -> Model<f64> {
    let mut config = TrainingConfig::default();
    let usual = ["model.hidden=[20]", "model.keep=1", "train.epochs=40", "optim.learning_rate=0.01"];
    for change in usual.iter().chain(changes) {
        config.set(&change.parse().unwrap()).unwrap();
    }
    Model::fit(&noisy(3000, 1), &config).unwrap()
}

fn spread(model: &Model<f64>) -> (Evaluation, Spread) {
    let evaluation = model.evaluate(&noisy(4000, 2)).unwrap();
    let spread = evaluation.targets[0].spread.clone();
    (evaluation, spread)
}

/// Within 4 standard errors of the coverage, and what the 600 validation samples are off by.
fn covers(spread: &Spread, kind: IntervalKind, slack: f64) {
    let own: Vec<_> = spread.intervals.iter().filter(|own| own.kind == kind).collect();
    assert!(!own.is_empty());
    for own in own {
        let error = (own.coverage * (1.0 - own.coverage) / 600.0).sqrt();
        assert!((own.inside - own.coverage).abs() < 4.0 * error + slack, "{own:?}");
    }
}

#[test]
fn noise_is_found_where_it_is() {
    for loss in ["model.beta_nll=0", "model.beta_nll=0.5"] {
        let model = fitted(&["model.loss=gaussian_nll", loss]);
        let x = Array2::from_shape_vec((2, 1), vec![-1.5, 1.5]).unwrap();
        let found = model.predict_spread(&x).unwrap();
        let tanh = 1.5f64.tanh();
        for (sample, sign) in [-1.0, 1.0].into_iter().enumerate() {
            let (mean, deviation) = (100.0 + 20.0 * sign * tanh, 5.0 + 4.0 * sign * tanh);
            assert!((found.mean[[sample, 0]] - mean).abs() < 2.0, "{found:?}");
            assert!((found.deviation[[sample, 0]] / deviation - 1.0).abs() < 0.4, "{found:?}");
        }
        let outputs = model.outputs(&x.clone().into()).unwrap();
        assert_eq!(model.output_names(), ["target", "target std"]);
        assert_eq!(outputs.index_axis(Axis(1), 0), model.predict_numbers(&x).unwrap().index_axis(Axis(1), 0));
        let (_, spread) = spread(&model);
        covers(&spread, IntervalKind::Normal, 0.03);
        covers(&spread, IntervalKind::Conformal, 0.02);
        assert!(spread.noise.unwrap().calibration_error < 0.05);
        // Intervals are wide where the noise is.
        let (low, high) = model.predict_intervals(&x, 0.9).unwrap();
        let width = high - low;
        assert!(width[[1, 0]] > 2.0 * width[[0, 0]], "{width}");
    }
}

#[test]
fn quantiles_hold_their_shares_and_widen_with_the_noise() {
    let model = fitted(&["model.loss=quantile", "model.quantiles=[0.1, 0.5, 0.9]"]);
    assert_eq!(model.output_names(), ["target 0.1", "target 0.5", "target 0.9"]);
    let (evaluation, spread) = spread(&model);
    for own in &spread.quantiles {
        assert!((own.below - own.probability).abs() < 0.05, "{own:?}");
    }
    covers(&spread, IntervalKind::Conformal, 0.02);
    covers(&spread, IntervalKind::Quantiles, 0.05);
    let outputs = model.outputs(noisy(50, 3).x()).unwrap();
    assert!(outputs.rows().into_iter().all(|row| row[0] <= row[1] && row[1] <= row[2]));
    let points = model.predict_numbers(noisy(50, 3).x().clone()).unwrap();
    assert_eq!(points.index_axis(Axis(1), 0), outputs.index_axis(Axis(1), 1));
    assert!(evaluation.targets[0].r2.unwrap() > 0.7);
}

#[test]
fn other_losses_train_and_are_saved() {
    for loss in ["absolute_error", "huber", "squared_error"] {
        let model = fitted(&[&format!("model.loss={loss}"), "train.epochs=10"]);
        let read = Model::<f64>::from_bytes(&model.to_bytes().unwrap()).unwrap();
        let x = noisy(20, 4).x().clone();
        assert_eq!(read.predict_numbers(x.clone()).unwrap(), model.predict_numbers(x).unwrap(), "{loss}");
        assert!(spread(&model).0.targets[0].r2.unwrap() > 0.6, "{loss}");
    }
    let counts = noisy(300, 5);
    let y = counts.numbers().unwrap().mapv(|value| (value / 20.0).round().max(0.0));
    let counts = Rows::with_numbers(counts.x().to_floats().unwrap().to_owned(), y).unwrap();
    let mut config = TrainingConfig::default();
    for change in ["model.loss=poisson", "data.target_scaling=none", "model.hidden=[8]", "train.epochs=20"] {
        config.set(&change.parse().unwrap()).unwrap();
    }
    let model = Model::fit(&counts, &config).unwrap();
    assert!(model.predict_numbers(counts.x().clone()).unwrap().iter().all(|&count| count > 0.0));
}

#[test]
fn an_ensemble_of_noise_is_wider_than_its_members_and_holds_masks_too() {
    let model = fitted(&[
        "model.loss=gaussian_nll",
        "model.keep=0.8",
        "train.members=3",
        "train.epochs=5",
        "model.hidden=[10]",
    ]);
    let x = noisy(30, 6).x().clone();
    let spread = model.predict_spread(x.clone()).unwrap();
    let outputs = model.outputs(&x).unwrap();
    for (sample, row) in outputs.rows().into_iter().enumerate() {
        // The mixture's deviation, by two ways.
        assert!((spread.mean[[sample, 0]] - row[0]).abs() < 1e-9 * row[0].abs());
        assert!((spread.deviation[[sample, 0]] / row[1] - 1.0).abs() < 1e-9);
    }
    let masked = MonteCarlo::new(&model, 50, 1).unwrap().predict(x.clone()).unwrap();
    assert_eq!(masked.mean.dim(), (30, 1));
    assert_eq!(model.objective().loss, Loss::GaussianNll);
    assert!(masked.deviation.mean() > spread.deviation.mean(), "masks differ, too");
}

#[test]
fn figures_of_noise_are_those_of_published_packages() {
    let golden: Value = serde_json::from_str(include_str!("regression.json")).unwrap();
    let mut columns = [Vec::new(), Vec::new(), Vec::new()];
    for line in include_str!("regression.csv").lines() {
        for (column, value) in columns.iter_mut().zip(line.split(',')) {
            column.push(value.parse::<f64>().unwrap());
        }
    }
    let [means, deviations, truth] = columns;
    let noise = Noise::of(&means, &deviations, &truth).unwrap();
    near(-noise.log_likelihood, &golden["nll"]);
    near(noise.sharpness, &golden["sharpness"]);
    near(noise.calibration_error, &golden["mean_absolute_calibration_error"]);
    let spread = Spread::of_noise(&means, &deviations, &truth).unwrap();
    let intervals = golden["intervals"].as_array().unwrap();
    assert_eq!(spread.intervals.len(), intervals.len());
    for (own, golden) in spread.intervals.iter().zip(intervals) {
        near(own.coverage, &golden["level"]);
        near(own.inside, &golden["coverage"]);
        near(own.width, &golden["width"]);
    }
    assert!(Noise::of(&means, &[1.0], &truth).is_err() && Noise::of(&[], &[], &[]).is_err());
    assert!(Noise::of(&[0.0], &[0.0], &[0.0]).is_err());
}
