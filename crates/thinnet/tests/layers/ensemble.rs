//! Scores of several networks as one: their predictions are the mean of the networks' predictions.

use ndarray::{Array2, array};
use thinnet::layers::{Loss, Objective};
use thinnet::random::RandomState;

use super::close;

fn members(columns: usize) -> Vec<Array2<f64>> {
    let mut random = RandomState::new(3);
    (0..4).map(|_| random.randn((5, columns)) * 3.0).collect()
}

fn mean_of(members: &[Array2<f64>], of: impl Fn(&Array2<f64>) -> Array2<f64>) -> Array2<f64> {
    members.iter().map(of).reduce(|sum, one| sum + one).unwrap() / members.len() as f64
}

#[test]
fn predictions_are_the_mean_of_the_members() {
    let losses = [
        Loss::Softmax,
        Loss::Logistic,
        Loss::Poisson,
        Loss::SquaredError,
        Loss::AbsoluteError,
        Loss::Huber,
        Loss::Quantile,
    ];
    for loss in losses {
        let objective = Objective { quantiles: vec![0.1, 0.5, 0.9], ..loss.into() };
        let members = members(6);
        let found = objective.predict(objective.combine(&members).unwrap());
        close(&found, &mean_of(&members, |own| objective.predict(own.clone())), 1e-11);
        assert_eq!(objective.combine(&members[..1]).unwrap(), members[0], "one member is itself");
    }
}

#[test]
fn means_and_deviations_are_those_of_the_mixture() {
    let objective = Objective::from(Loss::GaussianNll);
    let members = members(4);
    let found = objective.predict(objective.combine(&members).unwrap());
    let predicted: Vec<Array2<f64>> = members.iter().map(|own| objective.predict(own.clone())).collect();
    for ((row, column), &found) in found.indexed_iter() {
        let place = column - column % 2;
        let mean = mean_of(&predicted, Clone::clone)[[row, place]];
        // E[t^2] - E[t]^2 of the mixture
        let second = mean_of(&predicted, |own| own * own);
        let variance = second[[row, place]] + second[[row, place + 1]] - mean * mean;
        let expected = if column % 2 == 0 { mean } else { variance.sqrt() };
        assert!((found / expected - 1.0).abs() < 1e-9, "{found}, {expected}");
    }
}

#[test]
fn scores_of_any_size_stay_finite() {
    for loss in [Loss::Softmax, Loss::Logistic, Loss::GaussianNll, Loss::Poisson] {
        let objective = Objective::from(loss);
        let members = [array![[-900.0f32, 900.0]], array![[-900.0, 899.0]]];
        let combined = objective.combine(&members).unwrap();
        assert!(combined.iter().all(|score| score.is_finite()), "{loss:?}: {combined}");
    }
    let different = [Array2::<f64>::zeros((2, 2)), Array2::zeros((2, 3))];
    assert!(Objective::from(Loss::Softmax).combine(&different).is_err());
    assert!(Objective::from(Loss::Softmax).combine::<f64>(&[]).is_err());
}
