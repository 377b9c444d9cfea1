//! Ensembles, and averages over masks.

use ndarray::{Array2, ArrayView2, Axis};
use thinnet::layers::{Loss, argmax};
use thinnet::model::{Comparison, Model, MonteCarlo};

use super::runs::{blobs, config};

fn fitted(changes: &[&str]) -> Model<f32> {
    let rows = blobs();
    let rows = thinnet::data::Rows::with_classes(
        rows.x().to_f64().to_floats().unwrap().mapv(|x| x as f32),
        rows.labels().to_vec(),
        3,
    );
    Model::fit(&rows.unwrap(), &config(changes)).unwrap()
}

#[test]
fn an_ensemble_is_the_mean_of_runs_with_other_seeds() {
    let (rows, changes) = (blobs(), ["train.epochs=5", "model.keep=0.7"]);
    let one = |seed: u32| fitted(&[&changes[..], &[&format!("train.seed={seed}")]].concat());
    let ensemble = fitted(&[&changes[..], &["train.members=3", "train.seed=7"]].concat());
    let found = ensemble.predict_proba(rows.x().clone()).unwrap();
    let all: Vec<Array2<f32>> =
        (7..10).map(|seed| one(seed).predict_proba(rows.x().clone()).unwrap()).collect();
    let mean = (&all[0] + &all[1] + &all[2]) / 3.0;
    for (own, mean) in found.iter().zip(&mean) {
        assert!((own - mean).abs() < 1e-6, "{own}, {mean}");
    }
    let results = ensemble.trained().results();
    assert_eq!(results.iter().map(|own| own.seed).collect::<Vec<_>>(), [7, 8, 9]);
    assert_eq!(results[1].val, one(8).trained().val);
    // The score on the validation rows is the ensemble's own, and so are its temperature and its conformal scores.
    let spread = ensemble.predict_spread(rows.x().clone()).unwrap();
    assert!(
        spread.mutual_information.iter().all(|&nats| nats >= 0.0) && spread.mutual_information.sum() > 0.0
    );
    let deviation = |row: usize, class: usize| {
        let of = |own: &Array2<f32>| f64::from(own[[row, class]]);
        let mean = all.iter().map(of).sum::<f64>() / 3.0;
        (all.iter().map(|own| (of(own) - mean).powi(2)).sum::<f64>() / 3.0).sqrt()
    };
    assert!((spread.deviation[[5, 1]] - deviation(5, 1)).abs() < 1e-6);
    let members = ["train.members=3", "train.calibrate=true"];
    let calibrated = fitted(&[&changes[..], &members].concat());
    assert!(calibrated.trained().temperature.is_some() && calibrated.radii(0.9).is_ok());
}

#[test]
fn an_ensemble_is_saved_and_threads_change_nothing() {
    let rows = blobs();
    let bytes = ["train.threads=1", "train.threads=2", "train.threads=3"].map(|threads| {
        fitted(&["train.members=3", "train.epochs=3", "model.normalisation=batch", threads])
            .to_bytes()
            .unwrap()
    });
    assert!(bytes[0] == bytes[1] && bytes[0] == bytes[2]);
    let read = Model::<f32>::from_bytes(&bytes[0]).unwrap();
    assert_eq!(read.trained().others.len(), 2);
    assert_eq!(read.to_bytes().unwrap(), bytes[0]);
    let found = read.predict(rows.x().clone()).unwrap();
    let scores = read.outputs(rows.x()).unwrap();
    let expected: Vec<usize> = scores.rows().into_iter().map(argmax).collect();
    assert_eq!(found, expected);
    for cut in (0..bytes[0].len()).step_by(997) {
        assert!(Model::<f32>::from_bytes(&bytes[0][..cut]).is_err(), "{cut}");
    }
    // A version that knows no ensembles refuses the file by its number.
    let text = String::from_utf8_lossy(&bytes[0]);
    assert!(text.contains("\\\"format\\\":3"), "{}", &text[..200]);
}

#[test]
fn a_part_of_an_ensemble_is_no_model() {
    let bytes = fitted(&["train.members=2", "train.epochs=2"]).to_bytes().unwrap();
    let key = b"members = 2";
    let members = bytes.windows(key.len()).position(|own| own == key).unwrap();
    let mut wrong = bytes;
    wrong[members + 10] = b'3';
    let error = Model::<f32>::from_bytes(&wrong).unwrap_err().to_string();
    assert!(error.contains("results are not those of its networks"), "{error}");
}

#[test]
fn averages_over_masks_are_those_of_monte_carlo() {
    let rows = blobs();
    let model = fitted(&["model.keep=0.5", "train.epochs=10"]);
    let mut comparison = Comparison::new(&model, 20, 4).unwrap();
    for from in [0, 100, 200] {
        comparison.add(&rows.slice(from, from + 100), &mut || true).unwrap();
    }
    let averages = comparison.finish().unwrap();
    let evaluation = model.evaluate(&rows).unwrap();
    let accuracy = |proba: ArrayView2<'_, f64>| {
        let right =
            proba.axis_iter(Axis(0)).zip(rows.labels()).filter(|(row, label)| argmax(*row) == **label);
        Some(right.count() as f64 / 300.0)
    };
    assert_eq!(averages.scaling.accuracy, evaluation.accuracy);
    assert!((averages.scaling.log_loss.unwrap() - evaluation.log_loss.unwrap()).abs() < 1e-6);
    assert_eq!(averages.over.iter().map(|over| over.masks).collect::<Vec<_>>(), [1, 2, 5, 10, 20]);
    for over in &averages.over {
        let found = MonteCarlo::new(&model, over.masks, 4).unwrap().predict(rows.x().clone()).unwrap();
        assert_eq!(over.arithmetic.accuracy, accuracy(found.mean.view()));
        let loss = found.mean.rows().into_iter().zip(rows.labels()).map(|(row, &label)| -row[label].ln());
        assert!((over.arithmetic.log_loss.unwrap() - loss.sum::<f64>() / 300.0).abs() < 1e-9);
    }
    let first = &averages.over[0];
    assert_eq!(first.geometric.unwrap().accuracy, first.arithmetic.accuracy, "of one mask both are the same");
    assert_ne!(averages.over[4].geometric.unwrap().log_loss, averages.over[4].arithmetic.log_loss);
    assert!(Comparison::new(&model, 0, 4).is_err());
    assert!(Comparison::new(&fitted(&["train.epochs=1"]), 5, 4).is_err(), "without dropout");
    let ensemble = fitted(&["model.keep=0.5", "train.members=2", "train.epochs=1"]);
    assert!(Comparison::new(&ensemble, 5, 4).is_err());
    let mut stopped = Comparison::new(&model, 20, 4).unwrap();
    assert!(stopped.add(&rows, &mut || false).is_err());
    assert_eq!(model.objective().loss, Loss::Softmax);
}
