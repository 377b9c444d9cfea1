//! Networks from files: what an export wrote, what other programs write, and what nobody should write.
#![allow(clippy::unwrap_used, clippy::float_cmp)] // a test fails by panic; figures are the same or not

mod damaged;
mod foreign;
mod onnx;
mod round_trip;
mod seeds;
mod tuning;

use ndarray::{Array2, Axis};
use thinnet::Float;
use thinnet::data::{DataSet, Rows};
use thinnet::layers::Activation;
use thinnet::model::Model;
use thinnet::training::TrainingConfig;

/// 60 samples of 4 numbers, far from 0.
fn samples() -> Array2<f64> {
    Array2::from_shape_fn((60, 4), |(row, column)| 3.0 + ((row * 7 + column * 3) % 11) as f64 / 4.0)
}

/// Three classes of them.
fn classes() -> DataSet {
    let set = DataSet::new(Rows::with_classes(samples(), (0..60).map(|row| row % 3).collect(), 3).unwrap());
    set.unwrap().with_names(["lily", "rose", "tulip"].map(str::to_owned).to_vec()).unwrap()
}

/// Two numbers to predict.
fn numbers() -> DataSet {
    let y = samples().select(Axis(1), &[0, 2]) * 5.0 + 100.0;
    DataSet::new(Rows::with_numbers(samples(), y).unwrap()).unwrap()
}

fn config(changes: &[&str]) -> TrainingConfig {
    let mut config = TrainingConfig::default();
    let usual = ["model.hidden=[6, 5]", "train.epochs=2", "train.batch_size=10", "data.val=10"];
    for change in usual.iter().chain(changes) {
        config.set(&change.parse().unwrap()).unwrap();
    }
    config
}

/// A model of the settings with these changes.
fn model<F: Float>(set: DataSet, changes: &[&str]) -> Model<F> {
    let mut config = config(changes);
    config.take_task_of(&set);
    Model::fit_set(set, &config, &mut ()).unwrap()
}

/// The scores of a model on its own samples.
fn scores<F: Float>(model: &Model<F>) -> Array2<F> {
    let inputs = model.preprocessing().inputs::<F>(&samples().into()).unwrap();
    model.net().scores(inputs.to_floats().unwrap().view()).unwrap()
}

/// The scores of the network in a file, on the same samples.
fn imported<F: Float>(bytes: &[u8], activation: Activation) -> Array2<F> {
    let imported = thinnet::import::from_bytes(bytes, "file").unwrap();
    let net = imported.net::<F>(activation).unwrap();
    let x = samples().into();
    let inputs = match &imported.scale {
        Some(scale) => scale.apply::<F>(&x).unwrap(),
        None => thinnet::data::Scale::none(4).apply(&x).unwrap(),
    };
    net.scores(inputs.to_floats().unwrap().view()).unwrap()
}

/// The sentence with which bytes are refused.
fn refused(bytes: &[u8]) -> String {
    let text = thinnet::import::from_bytes(bytes, "file").unwrap_err().to_string();
    assert!(text.starts_with("file: ") && !text.contains("  ") && !text.contains('\n'), "{text}");
    text
}
