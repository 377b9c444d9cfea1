//! The losses with weights, and those of several outputs.

use ndarray::{Array2, array};
use thinnet::Error;
use thinnet::data::Targets;
use thinnet::gradient_check::eval_numerical_gradient;
use thinnet::layers::{Loss, softmax_loss};

use crate::{STEP, close, random, shape_error};

const OUTPUTS: [Loss; 3] = [Loss::Logistic, Loss::SquaredError, Loss::Poisson];

fn scores() -> Array2<f64> {
    array![[0.5, -1.25], [2.0, 0.0], [-3.0, 0.75]]
}

fn targets(loss: Loss) -> Array2<f64> {
    match loss {
        Loss::Poisson => array![[2.0, 0.0], [5.5, 2.0], [0.0, 3.0]],
        Loss::SquaredError => array![[2.0, -4.0], [5.5, 1.0], [0.0, 3.0]],
        _ => array![[1.0, 0.0], [0.0, 1.0], [1.0, 0.25]],
    }
}

/// NumPy 2.4.6 with SciPy's `xlogy`: `p = expit(s)`, `-(xlogy(t, p) + xlogy(1 - t, 1 - p))`; `0.5 * (s - t)**2`;
/// `xlogy(t, t / exp(s)) - t + exp(s)`; each summed over outputs, then `np.average` with the weights.
#[test]
fn values_are_numpys() {
    let weights = [1.0, 0.5, 3.0];
    let expected = [
        (2.514_679_871_605_679_3, 3.139_981_940_976_191_8),
        (6.1875, 6.513_888_888_888_889),
        (0.395_203_115_675_652_14, 0.285_583_281_181_277_96),
    ];
    for (loss, (plain, weighted)) in OUTPUTS.into_iter().zip(expected) {
        let targets = targets(loss);
        let value = |weights| loss.evaluate(scores().view(), targets.view().into(), weights).unwrap().0;
        assert!((value(None) - plain).abs() < 1e-13, "{loss:?}: {}", value(None));
        assert!((value(Some(&weights)) - weighted).abs() < 1e-13, "{loss:?}: {}", value(Some(&weights)));
    }
}

#[test]
fn gradients_fit_finite_differences_with_and_without_weights() {
    let labels = [1, 0, 1];
    for loss in [Loss::Softmax, Loss::Logistic, Loss::SquaredError, Loss::Poisson] {
        for weights in [None, Some(&[0.5, 0.0, 2.0][..])] {
            let values = targets(loss);
            let targets = match loss {
                Loss::Softmax => Targets::Classes(&labels),
                _ => Targets::Values(values.view()),
            };
            let (_, gradient) = loss.evaluate(scores().view(), targets, weights).unwrap();
            let numeric = eval_numerical_gradient(
                |scores| Ok(loss.evaluate(scores, targets, weights)?.0),
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
    let right = array![[1.0, 0.0], [0.0, 0.0]];
    let (loss, _) = Loss::Logistic.evaluate(far.view(), right.view().into(), None).unwrap();
    assert_eq!(loss, 0.0);
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
