//! Training runs: what they compute, and that they go on where they stopped.
#![allow(clippy::unwrap_used, clippy::float_cmp)] // a test fails by panic; figures are the same or not

mod every_key;
mod explained;
mod folders;
mod going_on;
mod settings;
#[cfg(all(feature = "columnar", feature = "streams"))]
mod streamed;

use ndarray::Array2;
use thinnet::Float;
use thinnet::data::{DataSet, Rows};
use thinnet::random::RandomState;
use thinnet::training::{Trainer, TrainingConfig, TrainingData};

/// 70 samples of 12 numbers in three classes that can be told apart, mostly.
fn blobs() -> DataSet {
    let mut random = RandomState::new(5);
    let labels: Vec<usize> = (0..70).map(|sample| sample % 3).collect();
    let mut values: Array2<f64> = random.randn((70, 12));
    for (mut row, &label) in values.rows_mut().into_iter().zip(&labels) {
        row[label] += 2.0;
    }
    let set = DataSet::new(Rows::with_classes(values, labels, 3).unwrap()).unwrap();
    set.with_names(["a", "b", "c"].map(str::to_owned).to_vec()).unwrap()
}

/// Settings for [`blobs`], with changes.
fn config(changes: &[&str]) -> TrainingConfig {
    let mut config = TrainingConfig::default();
    let usual = ["model.hidden=[16]", "train.epochs=4", "train.batch_size=10", "data.val=14"];
    for change in usual.iter().chain(changes) {
        config.set(&change.parse().unwrap()).unwrap();
    }
    config
}

fn data<F: Float>(config: &TrainingConfig) -> TrainingData<F> {
    TrainingData::new(blobs(), config).unwrap()
}

/// Trains to the end.
fn finish<F: Float>(trainer: &mut Trainer<'_, F>) {
    while trainer.finished().is_none() {
        trainer.step().unwrap();
    }
}
