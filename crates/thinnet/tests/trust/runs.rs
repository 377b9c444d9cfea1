//! What a run leaves in its model, and what the model makes of it.

use ndarray::Array2;
use thinnet::Float;
use thinnet::data::{DataSet, Rows, SplitOptions};
use thinnet::layers::{Loss, argmax};
use thinnet::model::Model;
use thinnet::random::RandomState;
use thinnet::training::{Trainer, TrainerState, TrainingConfig, TrainingData, fit_temperature};

/// 300 samples of 10 numbers in three classes that overlap.
pub fn blobs() -> Rows<f64> {
    let mut random = RandomState::new(5);
    let labels: Vec<usize> = (0..300).map(|sample| sample % 3).collect();
    let mut values: Array2<f64> = random.randn((300, 10));
    for (mut row, &label) in values.rows_mut().into_iter().zip(&labels) {
        row[label] += 1.0;
    }
    Rows::with_classes(values, labels, 3).unwrap()
}

/// Settings that learn their training samples by heart, with changes.
pub fn config(changes: &[&str]) -> TrainingConfig {
    let mut config = TrainingConfig::default();
    let usual =
        ["model.hidden=[64]", "model.keep=1", "train.epochs=30", "train.batch_size=20", "data.val=100"];
    for change in usual.iter().chain(&["train.restore_best=false"]).chain(changes) {
        config.set(&change.parse().unwrap()).unwrap();
    }
    config
}

fn data<F: Float>(config: &TrainingConfig) -> TrainingData<F> {
    TrainingData::new(DataSet::new(blobs()).unwrap(), config).unwrap()
}

/// The validation samples in the units of the data.
fn val_in_units(rows: &Rows<f64>, config: &TrainingConfig) -> Array2<f64> {
    let set = DataSet::new(rows.clone()).unwrap();
    let options = SplitOptions {
        num_val: config.data.val,
        order: config.data.split,
        seed: config.data.split_seed,
        ..SplitOptions::default()
    };
    set.split(&options).unwrap().val().unwrap().x().to_floats().unwrap().to_owned()
}

fn model<F: Float>(changes: &[&str], threads: usize) -> Model<F> {
    let config = config(changes);
    let data = data::<F>(&config);
    let mut trainer = Trainer::new(&config, &data, threads).unwrap();
    trainer.run(&mut ()).unwrap();
    Model::new(trainer.trained().unwrap(), data.preprocessing.clone()).unwrap()
}

#[test]
fn a_run_calibrates_the_network_that_it_keeps() {
    let rows = blobs();
    for restore in ["train.restore_best=true", "train.restore_best=false"] {
        let (with, without) =
            (model::<f32>(&["train.calibrate=true", restore], 1), model::<f32>(&[restore], 1));
        assert_eq!(with.net().parameters, without.net().parameters);
        assert_eq!(without.trained().temperature, None);
        let temperature = with.trained().temperature.unwrap();
        let config = config(&[restore]);
        let data = data::<f32>(&config);
        let val = Rows::with_classes(data.val.x().to_f64(), data.val.labels().to_vec(), 3).unwrap();
        let inputs = with.trained().net.scores(data.val.x().to_floats().unwrap().view()).unwrap();
        assert!((temperature / fit_temperature(inputs.view(), val.labels()).unwrap() - 1.0).abs() < 1e-4);
        // For other programs the temperature is in the last layer.
        let scores =
            with.calibrated_nets().next().unwrap().scores(data.val.x().to_floats().unwrap().view()).unwrap();
        let expected = with.predict_proba(val_in_units(&rows, &config)).unwrap();
        for (own, expected) in Loss::Softmax.predict(scores).iter().zip(&expected) {
            assert!((own - expected).abs() < 1e-5, "{own}, {expected}");
        }
        assert_eq!(without.calibrated_nets().next().unwrap().parameters, without.net().parameters);
        // No class changes; probabilities do.
        assert_eq!(with.predict(rows.x().clone()).unwrap(), without.predict(rows.x().clone()).unwrap());
        let [p, q] = [&with, &without].map(|model| model.predict_proba(rows.x().clone()).unwrap());
        assert_ne!(p, q);
        let scores = with.outputs(rows.x()).unwrap();
        let divided = scores.mapv(|score| (f64::from(score) / temperature) as f32);
        assert_eq!(p, Loss::Softmax.predict(divided));
        for (p, q) in p.rows().into_iter().zip(q.rows()) {
            assert_eq!(argmax(p), argmax(q));
        }
        assert_eq!(with.uncalibrated().predict_proba(rows.x().clone()).unwrap(), q);
    }
    let (with, without) = (model::<f64>(&["train.calibrate=true"], 1), model::<f64>(&[], 1));
    let [with, without] = [with, without].map(|model| model.evaluate(&rows).unwrap());
    assert_eq!(
        (with.accuracy, with.top5, with.confusion),
        (without.accuracy, without.top5, without.confusion)
    );
    assert_ne!(with.log_loss, without.log_loss);
}

#[test]
fn a_model_has_the_same_bytes_however_it_came_about() {
    let changes = ["train.calibrate=true"];
    let one = model::<f32>(&changes, 1);
    let bytes = one.to_bytes().unwrap();
    assert_eq!(bytes, model::<f32>(&changes, 2).to_bytes().unwrap());
    let read = Model::<f32>::from_bytes(&bytes).unwrap();
    assert_eq!(read.trained().temperature, one.trained().temperature);
    assert_eq!(read.trained().conformal, one.trained().conformal);
    let x = blobs().x().clone();
    assert_eq!(read.predict_proba(x.clone()).unwrap(), one.predict_proba(x.clone()).unwrap());
    assert_eq!(read.predict_sets(x.clone(), 0.9).unwrap(), one.predict_sets(x, 0.9).unwrap());
    // Stopped, written, read and resumed.
    let config = config(&changes);
    let data = data::<f32>(&config);
    let mut trainer = Trainer::new(&config, &data, 1).unwrap();
    for _ in 0..77 {
        trainer.step().unwrap();
    }
    let checkpoint = trainer.state().unwrap().to_bytes(&config).unwrap();
    let (state, config) = TrainerState::from_bytes(&checkpoint).unwrap();
    let mut trainer = Trainer::resume(&config, &data, 2, &state).unwrap();
    trainer.run(&mut ()).unwrap();
    let resumed = Model::new(trainer.trained().unwrap(), data.preprocessing.clone()).unwrap();
    assert_eq!(resumed.to_bytes().unwrap(), bytes);
}

#[test]
fn sets_and_intervals_are_those_of_the_validation_rows() {
    let model = model::<f64>(&[], 1);
    let config = config(&[]);
    let data = data::<f64>(&config);
    let probabilities =
        Loss::Softmax.predict(model.net().scores(data.val.x().to_floats().unwrap().view()).unwrap());
    let within = |coverage: f64| {
        let radius = model.radii(coverage).unwrap()[0];
        let own = probabilities.rows().into_iter().zip(data.val.labels());
        own.filter(|(row, label)| 1.0 - row[**label] <= radius + 1e-9).count()
    };
    assert_eq!([0.5, 0.9].map(within), [51, 91], "of 100 validation samples");
    assert!(model.radii(0.995).unwrap_err().to_string().contains("validation samples"));
    assert!(model.predict_intervals(blobs().x().clone(), 0.9).is_err(), "it predicts classes");

    let x = Array2::from_shape_fn((200, 1), |(row, _)| row as f64);
    let y = x.mapv(|x| 1000.0 + 50.0 * x + (x * 12.9).sin() * 300.0);
    let rows = Rows::with_numbers(x.clone(), y.clone()).unwrap();
    let model = Model::fit(&rows, &self::config(&["optim.learning_rate=0.01", "train.epochs=100"])).unwrap();
    let (low, high) = model.predict_intervals(x, 0.8).unwrap();
    let radius = model.radii(0.8).unwrap()[0];
    assert!((30.0..1000.0).contains(&radius), "{radius}");
    assert!(((&high - &low) - 2.0 * radius).iter().all(|off| off.abs() < 1e-6));
    let inside = y.iter().zip(&low).zip(&high).filter(|((y, low), high)| *low <= *y && *y <= *high).count();
    assert!((140..185).contains(&inside), "{inside} of 200");
}

/// What the version that wrote older.safetensors predicted for two samples.
const OLDER: [f32; 6] = [0.555_208, 0.176_447_5, 0.268_344_5, 0.343_317_9, 0.326_918_3, 0.329_763_9];

/// A model that an older version wrote has neither temperature nor scores.
#[test]
fn an_older_model_predicts_and_says_what_it_lacks() {
    let model = Model::<f32>::from_bytes(include_bytes!("older.safetensors")).unwrap();
    assert_eq!((model.trained().temperature, &model.trained().conformal), (None, &None));
    let probabilities = model.predict_proba(ndarray::array![[1.5, 2.5], [2.0, 2.0]]).unwrap();
    for (own, printed) in probabilities.iter().zip(OLDER) {
        assert!((own - printed).abs() < 1e-5, "{probabilities}");
    }
    let refused = model.predict_sets(ndarray::array![[1.5, 2.5]], 0.9).unwrap_err().to_string();
    assert!(refused.contains("train it again"), "{refused}");
}

#[test]
fn a_regression_has_no_temperature() {
    let refused = config(&["model.task=regression", "train.calibrate=true"]).check().unwrap_err().to_string();
    assert!(refused.contains("train.calibrate") && refused.contains("classification"), "{refused}");
    assert!(config(&["train.calibrate=true"]).check().is_ok());
}
