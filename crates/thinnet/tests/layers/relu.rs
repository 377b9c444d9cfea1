//! ReLU.

use ndarray::{Array0, Array1, Array2, Array4, arr1, array};
use thinnet::gradient_check::eval_numerical_gradient_array;
use thinnet::layers::{relu_backward, relu_forward};

use crate::{STEP, away_from_kinks, close, linspace, random, shape_error};

/// The course's own figures (`FullyConnectedNets.ipynb`, "ReLU activation: forward").
#[test]
fn relu_gives_the_courses_figures() {
    let (out, _) = relu_forward(linspace(-0.5, 0.5, ndarray::Dim((3, 4))).view());
    let expected = array![
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.045_454_55, 0.136_363_64],
        [0.227_272_73, 0.318_181_82, 0.409_090_91, 0.5]
    ];
    close(&out, &expected, 1e-7);
}

#[test]
fn relu_gradient_fits_finite_differences_away_from_kinks() {
    let mut random = random();
    let x: Array4<f64> = away_from_kinks(&mut random, ndarray::Dim((3, 2, 4, 2)));
    let dout: Array4<f64> = random.randn(x.raw_dim());
    let dx = relu_backward(dout.view(), &relu_forward(x.view()).1).unwrap();
    let numeric =
        eval_numerical_gradient_array(|x| Ok(relu_forward(x).0), x.view(), dout.view(), STEP).unwrap();
    close(&dx, &numeric, 1e-8);
    assert!(dx.iter().any(|&d| d == 0.0) && dx.iter().any(|&d| d != 0.0));
}

#[test]
fn relu_has_gradient_0_at_0_keeps_nan_and_takes_any_shape() {
    let x = arr1(&[-1.0, 0.0, -0.0, 1.0, f64::INFINITY, f64::NEG_INFINITY]);
    let (out, cache) = relu_forward(x.view());
    assert_eq!(out, arr1(&[0.0, 0.0, 0.0, 1.0, f64::INFINITY, 0.0]));
    let dout = Array1::from_elem(6, 2.0);
    assert_eq!(relu_backward(dout.view(), &cache).unwrap(), arr1(&[0.0, 0.0, 0.0, 2.0, 2.0, 0.0]));
    assert!(relu_forward(arr1(&[f64::NAN]).view()).0[0].is_nan());
    let (out, cache) = relu_forward(Array0::from_elem((), 3.0).view());
    assert_eq!(out.into_scalar(), 3.0);
    assert_eq!(relu_backward(Array0::from_elem((), 5.0).view(), &cache).unwrap().into_scalar(), 5.0);
    assert_eq!(relu_forward(Array2::<f32>::zeros((0, 3)).view()).0.dim(), (0, 3));
}

#[test]
fn relu_refuses_what_does_not_fit() {
    let (_, cache) = relu_forward(Array2::<f64>::zeros((2, 3)).view());
    shape_error(relu_backward(Array2::zeros((3, 2)).view(), &cache), "dout of relu_backward");
}
