//! The figures of an evaluation.

use ndarray::{Array2, array};
use serde_json::Value;
use thinnet::layers::Loss;
use thinnet::model::{Bin, Trust};

/// The figures of golden.py.
pub fn golden() -> Value {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

/// The figures of packages.py.
fn packages() -> Value {
    serde_json::from_str(include_str!("packages.json")).unwrap()
}

/// The scores (400, 4) and labels of golden.py.
pub fn scores() -> (Array2<f64>, Vec<usize>) {
    let lines: Vec<Vec<&str>> =
        include_str!("scores.csv").lines().map(|line| line.split(',').collect()).collect();
    let scores = Array2::from_shape_fn((lines.len(), 4), |(row, class)| lines[row][class].parse().unwrap());
    (scores, lines.iter().map(|line| line[4].parse().unwrap()).collect())
}

#[track_caller]
pub fn near(own: f64, golden: &Value) {
    let golden = golden.as_f64().unwrap();
    assert!((own - golden).abs() < 1e-12 * golden.abs().max(1.0), "{own} is not {golden}");
}

/// The bin is that of `golden`: its place, samples, mean confidence and accuracy.
#[track_caller]
fn same_bin(own: &Bin, golden: &Value) {
    near(own.above, &Value::from(golden[0].as_f64().unwrap() / 15.0));
    assert_eq!(own.samples as u64, golden[1]);
    near(own.confidence, &golden[2]);
    near(own.accuracy, &golden[3]);
}

/// Every figure is that of `golden`.
pub fn same(trust: &Trust, golden: &Value) {
    near(trust.log_likelihood, &golden["log_likelihood"]);
    near(trust.brier, &golden["brier"]);
    near(trust.calibration_error, &golden["calibration_error"]);
    near(trust.debiased_error, &golden["debiased_error"]);
    near(trust.rejection_area, &golden["rejection_area"]);
    let bins = golden["bins"].as_array().unwrap();
    assert_eq!(trust.bins.len(), bins.len());
    for (own, golden) in trust.bins.iter().zip(bins) {
        same_bin(own, golden);
    }
    let kept = golden["kept"].as_array().unwrap();
    assert_eq!(trust.rejection.len(), kept.len());
    for (own, golden) in trust.rejection.iter().zip(kept) {
        near(own.share, &golden[0]);
        near(own.accuracy, &golden[1]);
    }
    let mistakes = golden["mistakes"].as_array().unwrap();
    assert_eq!(trust.mistakes.len(), mistakes.len());
    for (own, golden) in trust.mistakes.iter().zip(mistakes) {
        assert_eq!(
            [own.sample, own.class, own.predicted],
            [0, 1, 2].map(|at| golden[at].as_u64().unwrap() as usize)
        );
        near(own.probability, &golden[3]);
    }
}

#[test]
fn figures_are_those_of_numpy() {
    let (scores, labels) = scores();
    let trust = Trust::of(Loss::Softmax.predict(scores).view(), &labels).unwrap();
    same(&trust, &golden()["before"]);
}

/// scikit-learn's, netcal's, and those of uncertainty-calibration, which the authors of the debiased error wrote.
#[test]
fn figures_are_those_of_published_packages() {
    let ((scores, labels), packages) = (scores(), packages());
    for state in ["before", "after"] {
        let golden = &packages[state];
        let temperature = golden["temperature"].as_f64().unwrap();
        let trust = Trust::of(Loss::Softmax.predict(&scores / temperature).view(), &labels).unwrap();
        near(-trust.log_likelihood, &golden["scikit-learn"]["log_loss"]);
        near(trust.brier, &golden["scikit-learn"]["brier"]);
        near(trust.debiased_error, &golden["uncertainty-calibration"]["debiased_error"]);
        let netcal = &golden["netcal"];
        near(trust.calibration_error, &netcal["ece"]);
        let differences = trust.bins.iter().map(|bin| (bin.accuracy - bin.confidence).abs());
        near(differences.fold(0.0, f64::max), &netcal["mce"]);
        let bins = netcal["bins"].as_array().unwrap();
        assert_eq!(trust.bins.len(), bins.len());
        for (own, golden) in trust.bins.iter().zip(bins) {
            same_bin(own, golden);
        }
    }
}

#[test]
fn equal_confidences_are_one_place_of_the_curve() {
    let sure = array![[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.75, 0.25]];
    let [one, other] = [[0, 1, 1, 0], [1, 1, 0, 0]].map(|labels| Trust::of(sure.view(), &labels).unwrap());
    assert_eq!((&one.rejection, one.rejection_area), (&other.rejection, other.rejection_area));
    let accuracies: Vec<f64> = one.rejection.iter().map(|kept| kept.accuracy).collect();
    assert_eq!(accuracies.len(), 4);
    for (own, expected) in accuracies.iter().zip([1.0, 4.0 / 6.0, 5.0 / 9.0, 0.5]) {
        assert!((own - expected).abs() < 1e-12, "{accuracies:?}");
    }
    let samples: Vec<usize> = one.mistakes.iter().map(|mistake| mistake.sample).collect();
    assert_eq!(samples, [1, 2], "of equals the first come first");
}

#[test]
fn the_surest_ten_mistakes_are_kept_whatever_the_order() {
    let sure: Vec<f64> = (0..100).map(|sample| 0.5 + f64::from(sample * 37 % 100) / 250.0).collect();
    let rows =
        Array2::from_shape_fn((100, 2), |(row, class)| if class == 0 { sure[row] } else { 1.0 - sure[row] });
    let trust = Trust::of(rows.view(), &[1; 100]).unwrap();
    let mut sorted = sure.clone();
    sorted.sort_by(|one, other| other.total_cmp(one));
    let found: Vec<f64> = trust.mistakes.iter().map(|mistake| mistake.probability).collect();
    assert_eq!(found, sorted[..10]);
    assert!(
        trust.mistakes.iter().all(|mistake| sure[mistake.sample].to_bits() == mistake.probability.to_bits())
    );
}

#[test]
fn bins_are_open_below_and_closed_above() {
    // 3/5 and 4/5 are edges of bins; a probability of 0 or 1 has a bin, too.
    let rows = array![[0.6, 0.4], [0.8, 0.2], [1.0, 0.0], [0.0, 1.0]];
    let trust = Trust::of(rows.view(), &[0, 0, 0, 0]).unwrap();
    let bins: Vec<(f64, usize)> = trust.bins.iter().map(|bin| (bin.to, bin.samples)).collect();
    assert_eq!(bins, [(0.6, 1), (0.8, 1), (1.0, 2)]);
    assert!(trust.log_likelihood.is_finite());
    assert!(Trust::of(rows.view(), &[0; 3]).is_err() && Trust::of(rows.view(), &[2; 4]).is_err());
    assert!(Trust::of(Array2::zeros((0, 2)).view(), &[]).is_err());
}
