//! The losses with weights, and those of several outputs.

use ndarray::{Array2, array};
use thinnet::Error;
use thinnet::data::Targets;
use thinnet::gradient_check::eval_numerical_gradient;
use thinnet::layers::{Loss, Objective, softmax_loss};

use crate::{STEP, close, random, shape_error};

const OUTPUTS: [Loss; 5] =
    [Loss::Logistic, Loss::SquaredError, Loss::Poisson, Loss::AbsoluteError, Loss::Huber];

/// Every loss for the scores (3, 2): Huber's with a delta of 2, and two quantiles of one target.
fn objectives() -> Vec<Objective> {
    let objective = |loss: Loss| Objective { huber_delta: 2.0, quantiles: vec![0.1, 0.7], ..loss.into() };
    Loss::NAMES.iter().map(|name| objective(name.parse().unwrap())).collect()
}

fn scores() -> Array2<f64> {
    array![[0.5, -1.25], [2.0, 0.0], [-3.0, 0.75]]
}

fn targets(loss: Loss) -> Array2<f64> {
    match loss {
        Loss::Poisson => array![[2.0, 0.0], [5.5, 2.0], [0.0, 3.0]],
        Loss::Quantile | Loss::GaussianNll => array![[2.0], [5.5], [0.0]],
        Loss::SquaredError | Loss::AbsoluteError | Loss::Huber => array![[2.0, -4.0], [5.5, 1.0], [0.0, 3.0]],
        _ => array![[1.0, 0.0], [0.0, 1.0], [1.0, 0.25]],
    }
}

/// NumPy 2.4.6 with SciPy's `xlogy`: `p = expit(s)`, `-(xlogy(t, p) + xlogy(1 - t, 1 - p))`; `0.5 * (s - t)**2`;
/// `xlogy(t, t / exp(s)) - t + exp(s)`; the definitions of the absolute error, Huber's and two quantiles';
/// `-norm.logpdf(t, m, sqrt(logaddexp(0, s) + 1e-6))`; each summed over outputs, then `np.average` with the weights.
#[test]
fn values_are_numpys() {
    let weights = [1.0, 0.5, 3.0];
    let expected = [
        (2.514_679_871_605_679_3, 3.139_981_940_976_191_8),
        (6.1875, 6.513_888_888_888_889),
        (0.395_203_115_675_652_14, 0.285_583_281_181_277_96),
        (4.666_666_666_666_667, 4.944_444_444_444_445),
        (5.541_666_666_666_667, 5.972_222_222_222_222),
        (2.383_333_333_333_333_3, 1.355_555_555_555_555_4),
        (6.402_882_211_773_534, 5.401_149_822_991_452),
    ];
    assert_eq!(objectives().len(), 1 + expected.len());
    for (own, (plain, weighted)) in objectives().into_iter().skip(1).zip(expected) {
        let targets = targets(own.loss);
        let value = |weights| own.evaluate(scores().view(), targets.view().into(), weights).unwrap().0;
        assert!((value(None) - plain).abs() < 1e-13, "{own:?}: {}", value(None));
        assert!((value(Some(&weights)) - weighted).abs() < 1e-13, "{own:?}: {}", value(Some(&weights)));
    }
}

#[test]
fn gradients_fit_finite_differences_with_and_without_weights() {
    let labels = [1, 0, 1];
    for own in objectives() {
        for weights in [None, Some(&[0.5, 0.0, 2.0][..])] {
            let values = targets(own.loss);
            let targets = match own.loss {
                Loss::Softmax => Targets::Classes(&labels),
                _ => Targets::Values(values.view()),
            };
            let (_, gradient) = own.evaluate(scores().view(), targets, weights).unwrap();
            let numeric = eval_numerical_gradient(
                |scores| Ok(own.evaluate(scores, targets, weights)?.0),
                scores().view(),
                STEP,
            );
            close(&gradient, &numeric.unwrap(), 1e-8);
        }
    }
}

/// A weight of 2 is a sample that comes twice, of 0 one that is not there, and of 1 everywhere changes no bit.
#[test]
fn weights_are_repetitions() {
    let scores: Array2<f64> = random().randn((4, 3));
    let y = [0, 2, 1, 1];
    let plain = softmax_loss(scores.view(), &y).unwrap();
    assert_eq!(Loss::Softmax.evaluate(scores.view(), Targets::Classes(&y), Some(&[1.0; 4])).unwrap(), plain);
    let rows = [0, 2, 2, 3];
    let repeated = scores.select(ndarray::Axis(0), &rows);
    let (loss, gradient) = softmax_loss(repeated.view(), &rows.map(|row| y[row])).unwrap();
    let weights = [1.0, 0.0, 2.0, 1.0];
    let (weighted, by_sample) =
        Loss::Softmax.evaluate(scores.view(), Targets::Classes(&y), Some(&weights)).unwrap();
    assert!((loss - weighted).abs() < 1e-14);
    close(&(&gradient.row(1) + &gradient.row(2)), &by_sample.row(2).to_owned(), 1e-14);
    assert!(by_sample.row(1).iter().all(|&g| g == 0.0));
}

#[test]
fn predictions_are_probabilities_and_do_not_overflow() {
    let far = array![[1000.0, -1000.0], [-1000.0, -1000.0]];
    assert_eq!(Loss::Softmax.predict(far.clone()), array![[1.0, 0.0], [0.5, 0.5]]);
    assert_eq!(Loss::Logistic.predict(far.clone()), array![[1.0, 0.0], [0.0, 0.0]]);
    assert_eq!(Loss::SquaredError.predict(far.clone()), far);
    assert_eq!(Loss::Poisson.predict(array![[0.0, 1.0]]), array![[1.0, std::f64::consts::E]]);
    let [quantiles, spread] = [6, 7].map(|at| objectives().swap_remove(at));
    assert_eq!(quantiles.predict(array![[3.0, 1.0], [-1.0, 2.0]]), array![[1.0, 3.0], [-1.0, 2.0]]);
    let predicted = spread.predict(array![[3.0, 0.0], [1.0, 1000.0], [2.0, -1000.0]]);
    let deviation = (2.0_f64.ln() + 1e-6).sqrt();
    close(&predicted, &array![[3.0, deviation], [1.0, 1_000.000_001_f64.sqrt()], [2.0, 1e-3]], 1e-14);
    let right = array![[1.0, 0.0], [0.0, 0.0]];
    let (loss, _) = Loss::Logistic.evaluate(far.view(), right.view().into(), None).unwrap();
    assert_eq!(loss, 0.0);
}

/// scikit-learn's `log_loss` and `binary_log_loss` clip probabilities at the type's epsilon: a value has a bound, its
/// gradient does not change.
#[test]
fn clipped_probabilities_bound_the_value_alone() {
    let far = array![[0.0, 100.0], [0.0, 1.0]];
    let (labels, values) = ([0, 0], array![[1.0, 0.0], [1.0, 1.0]]);
    let largest = -f64::EPSILON.ln();
    let clipped = |loss: Loss, targets: Targets<'_, f64>| {
        let own = Objective { clip_probabilities: true, ..loss.into() };
        let (value, gradient) = own.evaluate(far.view(), targets, None).unwrap();
        assert_eq!(gradient, loss.evaluate(far.view(), targets, None).unwrap().1);
        value
    };
    let soft = 0.5 * (largest + 1.0_f64.exp().ln_1p());
    assert!((clipped(Loss::Softmax, Targets::Classes(&labels)) - soft).abs() < 1e-13);
    let logistic = 0.5 * (2.0_f64.ln() + largest + 2.0_f64.ln() + (-1.0_f64).exp().ln_1p());
    assert!((clipped(Loss::Logistic, values.view().into()) - logistic).abs() < 1e-12);
    let plain = Loss::Softmax.evaluate(far.view(), Targets::Classes(&labels), None).unwrap().0;
    assert!(plain > 50.0);
}

#[test]
fn settings_out_of_range_are_refused() {
    let bad = |own: Objective, words: &str| {
        let message = own.check().unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    };
    for huber_delta in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        bad(Objective { huber_delta, ..Loss::Huber.into() }, "huber_delta must be finite and above 0");
    }
    for quantiles in [vec![], vec![0.0], vec![1.0], vec![0.5, 0.1], vec![0.5, 0.5], vec![f64::NAN]] {
        let own = Objective { quantiles, ..Loss::Quantile.into() };
        bad(own, "quantiles must be probabilities between 0 and 1 in rising order");
    }
    for own in objectives() {
        own.check().unwrap();
    }
}

#[test]
fn bad_targets_and_weights_are_refused() {
    let scores = scores();
    let bad = |loss: Loss, value: f64| {
        let targets = Array2::from_elem((3, 2), value);
        let result = loss.evaluate(scores.view(), targets.view().into(), None);
        assert!(matches!(result, Err(Error::Data(_))), "{loss:?}: {value}");
    };
    bad(Loss::Logistic, 1.5);
    bad(Loss::Logistic, -0.1);
    bad(Loss::Poisson, -1.0);
    for loss in OUTPUTS {
        bad(loss, f64::NAN);
        let narrow = Array2::zeros((3, 1));
        shape_error(
            loss.evaluate(scores.view(), narrow.view().into(), None),
            &format!("targets of {}", loss.name()),
        );
        let labels = loss.evaluate(scores.view(), Targets::Classes(&[0, 1, 0]), None);
        assert!(matches!(labels, Err(Error::Configuration { .. })), "{loss:?}");
    }
    let y = Targets::Classes(&[0, 1, 0]);
    for weights in [[1.0, -1.0, 1.0], [0.0; 3], [f64::INFINITY, 1.0, 1.0]] {
        let result = Loss::Softmax.evaluate(scores.view(), y, Some(&weights));
        assert!(matches!(result, Err(Error::Data(_))), "{weights:?}");
    }
    shape_error(Loss::Softmax.evaluate(scores.view(), y, Some(&[1.0])), "sample weights");
}

#[test]
fn beta_multiplies_the_gradient_by_a_power_of_the_variance() {
    let (scores, targets) = (array![[0.3, -0.7], [-1.2, 2.0]], array![[1.0], [-0.5]]);
    let of = |beta_nll| {
        let objective = Objective { beta_nll, ..Loss::GaussianNll.into() };
        objective.evaluate(scores.view(), Targets::Values(targets.view()), None).unwrap()
    };
    let ((loss, plain), (same, half)) = (of(0.0), of(0.5));
    assert_eq!(loss, same, "the loss is the log-density");
    let deviations = Objective::from(Loss::GaussianNll).predict(scores.clone());
    for ((row, column), &gradient) in half.indexed_iter() {
        let expected: f64 = plain[[row, column]] * deviations[[row, 1]];
        assert!((gradient - expected).abs() < 1e-12);
    }
    // With 1 the mean learns as by the squared error.
    let (_, whole) = of(1.0);
    assert!((whole[[0, 0]] - 0.5 * (0.3 - 1.0_f64)).abs() < 1e-12);
    for beta_nll in [-0.1, 1.1, f64::NAN] {
        assert!(Objective { beta_nll, ..Loss::GaussianNll.into() }.check().is_err());
    }
}
