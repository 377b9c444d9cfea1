//! Temperature scaling.

use ndarray::{Array2, Axis, array};
use thinnet::layers::{Loss, softmax_loss};
use thinnet::model::Trust;
use thinnet::random::RandomState;
use thinnet::training::fit_temperature;

use crate::figures::{golden, same, scores};

#[test]
fn the_temperature_is_the_one_that_scipy_finds() {
    let ((scores, labels), golden) = (scores(), golden());
    let temperature = fit_temperature(scores.view(), &labels).unwrap();
    let expected = golden["temperature"].as_f64().unwrap();
    assert!((temperature / expected - 1.0).abs() < 1e-5, "{temperature} is not {expected}");
    let trust = Trust::of(Loss::Softmax.predict(&scores / temperature).view(), &labels).unwrap();
    same(&trust, &golden["after"]);
    // Single precision has the same temperature.
    let single = fit_temperature(scores.mapv(|score| score as f32).view(), &labels).unwrap();
    assert!((single / temperature - 1.0).abs() < 1e-5);
}

#[test]
fn three_times_the_scores_have_three_times_the_temperature() {
    let (scores, labels) = scores();
    let temperature = |factor: f64| fit_temperature((&scores * factor).view(), &labels).unwrap();
    for factor in [0.1, 3.0, 10.0] {
        assert!((temperature(factor) / (factor * temperature(1.0)) - 1.0).abs() < 1e-5, "{factor}");
    }
}

/// Few samples, large and small scores, and labels by chance: the likelihood is never worse than without a temperature,
/// and close to the best on a grid.
#[test]
fn no_likelihood_is_worse_than_without_it() {
    let mut random = RandomState::new(3);
    for trial in 0..300 {
        let samples = 2 + trial % 20;
        let noise: Array2<f64> = random.randn((samples, 3));
        let scores = noise * 10f64.powi(i32::try_from(trial % 5).unwrap() - 2);
        let labels = random.choice(3, samples).unwrap();
        let temperature = fit_temperature(scores.view(), &labels).unwrap();
        let loss = |temperature: f64| softmax_loss((&scores / temperature).view(), &labels).unwrap().0;
        assert!(
            (0.01..=100.0).contains(&temperature) && loss(temperature) <= loss(1.0),
            "{trial}: {temperature}"
        );
        let right =
            scores.axis_iter(Axis(0)).zip(&labels).all(|(row, &label)| row.iter().all(|&s| s <= row[label]));
        let best =
            (-20..=20).map(|place| loss(10f64.powf(f64::from(place) / 10.0))).fold(f64::INFINITY, f64::min);
        assert!(right || temperature == 1.0 || loss(temperature) <= best + 1e-9, "{trial}: {temperature}");
    }
}

#[test]
fn samples_that_do_not_determine_it_leave_it_out() {
    let right = array![[5.0, 0.0], [0.0, 5.0]];
    assert_eq!(fit_temperature(right.view(), &[0, 1]).unwrap(), 1.0, "all are right");
    assert_eq!(fit_temperature(right.view(), &[1, 0]).unwrap(), 100.0, "all are wrong");
    assert_eq!(
        fit_temperature(Array2::<f64>::zeros((4, 2)).view(), &[0, 1, 0, 1]).unwrap(),
        1.0,
        "it has no effect"
    );
    assert_eq!(fit_temperature(array![[f64::NAN, 0.0]].view(), &[0]).unwrap(), 1.0);
    assert!(fit_temperature(right.view(), &[0]).is_err() && fit_temperature(right.view(), &[0, 2]).is_err());
    assert!(fit_temperature(Array2::<f64>::zeros((0, 2)).view(), &[]).is_err());
}
