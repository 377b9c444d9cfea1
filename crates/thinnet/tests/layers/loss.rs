//! The losses.

use ndarray::{Array2, ArrayView2, array};
use thinnet::gradient_check::eval_numerical_gradient;
use thinnet::layers::{softmax_loss, svm_loss};
use thinnet::{Error, Result};

use crate::{STEP, close, random, shape_error};

/// The scores of cs231n's notes on linear classification: a cat, a car and a frog.
fn scores() -> Array2<f64> {
    array![[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]]
}

/// By hand: `max(0, 5.1 - 3.2 + 1) + 0 = 2.9`, `0`, and `6.3 + 6.6 = 12.9`.
#[test]
fn svm_loss_gives_the_figures_of_the_courses_lecture() {
    let (loss, gradient) = svm_loss(scores().view(), &[0, 1, 2]).unwrap();
    assert!((loss - (2.9 + 0.0 + 12.9) / 3.0).abs() < 1e-14);
    close(&gradient, &(array![[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, -2.0]] / 3.0), 1e-14);
}

/// NumPy 2.4.6: `e = np.exp(s - s.max(1, keepdims=True)); p = e / e.sum(1, keepdims=True)`,
/// `-np.log(p[range(3), y]).mean()`, `p[range(3), y] -= 1; p / 3`.
#[test]
fn softmax_loss_gives_numpys_figures() {
    let (loss, gradient) = softmax_loss(scores().view(), &[0, 1, 2]).unwrap();
    assert!((loss - 2.758_654_710_918_577).abs() < 1e-14);
    let expected = array![
        [-0.290_005_820_327_608_97, 0.289_683_178_402_755_3, 0.000_322_641_924_853_681_3],
        [0.008_414_961_159_646_565, -0.025_360_611_978_143_766, 0.016_945_650_818_497_176],
        [0.141_551_808_608_913_9, 0.191_074_955_579_055_07, -0.332_626_764_187_968_94]
    ];
    close(&gradient, &expected, 1e-12);
}

#[test]
fn loss_gradients_fit_finite_differences() {
    let scores: Array2<f64> = random().randn((6, 5));
    let y = [0, 4, 2, 2, 1, 3];
    for loss in [softmax_loss::<f64>, svm_loss::<f64>] {
        let (_, gradient) = loss(scores.view(), &y).unwrap();
        let numeric = eval_numerical_gradient(|scores| Ok(loss(scores, &y)?.0), scores.view(), STEP).unwrap();
        close(&gradient, &numeric, 1e-7);
        assert!(gradient.sum_axis(ndarray::Axis(1)).iter().all(|sum| sum.abs() < 1e-15));
    }
}

#[test]
fn softmax_loss_is_stable_for_great_scores() {
    for scale in [1e4, 1e300] {
        let scores = array![[scale, 0.0, -scale], [-scale, 0.0, scale]];
        let (loss, gradient) = softmax_loss(scores.view(), &[0, 2]).unwrap();
        assert_eq!(loss, 0.0);
        assert_eq!(gradient, Array2::<f64>::zeros((2, 3)));
    }
    let (loss, gradient) = softmax_loss(array![[1e4_f32, 0.0]].view(), &[1]).unwrap();
    assert_eq!((loss, gradient), (1e4, array![[1.0, -1.0]]));
    // A common shift changes nothing.
    let base = softmax_loss(scores().view(), &[0, 1, 2]).unwrap().0;
    assert!((softmax_loss((scores() + 1e4).view(), &[0, 1, 2]).unwrap().0 - base).abs() < 1e-10);
}

#[test]
fn losses_of_equal_scores_are_known() {
    let scores = Array2::<f64>::from_elem((3, 10), 0.7);
    assert!((softmax_loss(scores.view(), &[1, 2, 3]).unwrap().0 - 10f64.ln()).abs() < 1e-15);
    assert_eq!(svm_loss(scores.view(), &[1, 2, 3]).unwrap().0, 9.0);
    assert_eq!(softmax_loss(Array2::<f64>::ones((2, 1)).view(), &[0, 0]).unwrap().0, 0.0);
}

#[test]
fn losses_refuse_what_does_not_fit() {
    type Loss = fn(ArrayView2<'_, f64>, &[usize]) -> Result<(f64, Array2<f64>)>;
    let losses: [(Loss, &str); 2] = [(softmax_loss, "softmax_loss"), (svm_loss, "svm_loss")];
    for (loss, name) in losses {
        let loss = |shape: (usize, usize), y: &[usize]| loss(Array2::zeros(shape).view(), y);
        shape_error(loss((0, 3), &[]), &format!("scores of {name}"));
        shape_error(loss((2, 3), &[0]), &format!("y of {name}"));
        shape_error(loss((2, 3), &[0, 1, 2]), &format!("y of {name}"));
        let message = loss((2, 3), &[0, 3]).unwrap_err().to_string();
        assert_eq!(message, "label 3 does not fit 3 classes: labels count from 0 to 2");
        assert!(matches!(loss((1, 0), &[0]), Err(Error::Data(_))));
    }
}
