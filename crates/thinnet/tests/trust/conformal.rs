//! Split-conformal prediction: sets and intervals hold the truth as often as they say.

use ndarray::{Array2, Axis};
use thinnet::layers::Loss;
use thinnet::model::prediction_set;
use thinnet::random::RandomState;
use thinnet::training::Conformal;

use crate::figures::scores;

/// Splits of the samples into those whose scores are kept and those that are predicted.
const SPLITS: usize = 2000;

/// The mean of `coverages` is between `wanted` and `wanted + 1 / (n + 1)`, within four standard errors.
fn holds(coverages: &[f64], wanted: f64, n: usize) {
    let count = coverages.len() as f64;
    let mean = coverages.iter().sum::<f64>() / count;
    let variance = coverages.iter().map(|coverage| (coverage - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let (error, most) = (4.0 * (variance / count).sqrt(), wanted + 1.0 / (n as f64 + 1.0));
    assert!(wanted - error < mean && mean < most + error, "{mean} +- {error} is not in {wanted}..{most}");
    assert!(error < 0.01, "{error}");
}

#[test]
fn sets_hold_the_true_class_as_often_as_they_say() {
    let (scores, labels) = scores();
    let probabilities = Loss::Softmax.predict(scores); // far too sure, which changes nothing
    let mut random = RandomState::new(7);
    for (n, wanted) in [(99, 0.9), (50, 0.8), (20, 0.5), (150, 0.95)] {
        let coverage = |_| {
            let order = random.permutation(labels.len());
            let (own, others) = order.split_at(n);
            let of = |rows: &[usize]| rows.iter().map(|&row| labels[row]).collect::<Vec<_>>();
            let conformal =
                Conformal::of_classes(probabilities.select(Axis(0), own).view(), &of(own)).unwrap();
            let radius = conformal.radii(wanted).unwrap()[0];
            let within = |&&row: &&usize| {
                prediction_set(probabilities.row(row).iter().copied(), radius).contains(&labels[row])
            };
            others.iter().filter(within).count() as f64 / others.len() as f64
        };
        holds(&(0..SPLITS).map(coverage).collect::<Vec<_>>(), wanted, n);
    }
}

#[test]
fn intervals_hold_the_number_as_often_as_they_say() {
    let mut random = RandomState::new(8);
    for (n, wanted) in [(99, 0.9), (45, 0.75)] {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for _ in 0..SPLITS {
            let truth: Array2<f64> = random.randn((n + 200, 2));
            let predicted = &truth * 0.5;
            let [own, others] = [0..n, n..n + 200].map(Vec::from_iter);
            let of = |array: &Array2<f64>, rows: &[usize]| array.select(Axis(0), rows);
            let conformal =
                Conformal::of_numbers(of(&predicted, &own).view(), of(&truth, &own).view()).unwrap();
            let radii = conformal.radii(wanted).unwrap();
            let off = (of(&predicted, &others) - of(&truth, &others)).mapv(f64::abs);
            for (column, coverages) in [&mut first, &mut second].into_iter().enumerate() {
                let within = off.column(column).iter().filter(|off| **off <= radii[column]).count();
                coverages.push(within as f64 / 200.0);
            }
        }
        holds(&first, wanted, n);
        holds(&second, wanted, n);
    }
}

#[test]
fn the_radius_is_the_right_one_of_the_sorted_scores() {
    let conformal = |n: usize, targets: usize| {
        // Scores 1 to n, in another order.
        let truth = Array2::from_shape_fn((n, targets), |(row, _)| (row * 7 % n + 1) as f64);
        Conformal::of_numbers(Array2::zeros((n, targets)).view(), truth.view()).unwrap()
    };
    let nine = conformal(9, 1);
    for (coverage, radius) in [(0.05, 1.0), (0.1, 1.0), (0.11, 2.0), (0.7, 7.0), (0.9, 9.0)] {
        assert_eq!(nine.radii(coverage).unwrap(), [radius], "{coverage}");
    }
    let refused = nine.radii(0.91).unwrap_err().to_string();
    assert!(refused.contains("with 9 it can be at most 0.9"), "{refused}");
    for coverage in [0.0, 1.0, -0.5, f64::NAN] {
        assert!(nine.radii(coverage).unwrap_err().to_string().contains("above 0 and below 1"));
    }
    // Many samples are thinned: a radius is then a little larger than need be, never smaller.
    for (n, targets, step) in [(20_001, 1, 6.0), (999, 50, 10.0)] {
        let thinned = conformal(n, targets);
        assert_eq!(thinned.samples(), n);
        for coverage in [0.0001, 0.25, 0.5, 0.9, 0.998] {
            let exact = (coverage * (n as f64 + 1.0) - 1e-9).ceil();
            for radius in thinned.radii(coverage).unwrap() {
                assert!(exact <= radius && radius <= exact + step, "{n}: {exact} and {radius}");
            }
        }
    }
    assert!(
        Conformal::of_numbers(Array2::<f64>::zeros((0, 1)).view(), Array2::zeros((0, 1)).view()).is_err()
    );
    assert!(Conformal::of_classes(Array2::<f64>::zeros((1, 2)).view(), &[2]).is_err());
}
