//! The affine layer.

use ndarray::{Array, Array0, Array1, Array2, Array3, ArrayD, Dimension, IxDyn, arr1, array};
use thinnet::gradient_check::{eval_numerical_gradient_array, rel_error};
use thinnet::layers::{affine_backward, affine_forward};

use crate::{STEP, close, linspace, random, shape_error};

/// The course's own figures (`FullyConnectedNets.ipynb`, "Affine layer: forward").
#[test]
fn affine_gives_the_courses_figures() {
    let x = linspace(-0.1, 0.5, ndarray::Dim((2, 4, 5, 6)));
    let w = linspace(-0.2, 0.3, ndarray::Dim((120, 3)));
    let b = linspace(-0.3, 0.1, ndarray::Dim(3));
    let (out, _) = affine_forward(x.view(), w.view(), b.view()).unwrap();
    let expected =
        array![[1.498_349_67, 1.706_601_32, 1.914_852_97], [3.255_531_99, 3.514_132_7, 3.772_733_42]];
    close(&out, &expected, 1e-8);
}

/// The worst relative error of the affine layer's three gradients for inputs of any shape.
fn affine_gradient_error<D: Dimension>(shape: D, outputs: usize) -> f64 {
    let mut random = random();
    let x: Array<f64, D> = random.randn(shape);
    let features = x.shape()[1..].iter().product();
    let w: Array2<f64> = random.randn((features, outputs));
    let b: Array1<f64> = random.randn(outputs);
    let dout: Array2<f64> = random.randn((x.shape()[0], outputs));
    let (_, cache) = affine_forward(x.view(), w.view(), b.view()).unwrap();
    let gradients = affine_backward(dout.view(), &cache).unwrap();
    let (w, b, dout) = (w.view(), b.view(), dout.view());
    let dx = eval_numerical_gradient_array(|x| Ok(affine_forward(x, w, b)?.0), x.view(), dout, STEP).unwrap();
    let dw = eval_numerical_gradient_array(|w| Ok(affine_forward(x.view(), w, b)?.0), w, dout, STEP).unwrap();
    let db = eval_numerical_gradient_array(|b| Ok(affine_forward(x.view(), w, b)?.0), b, dout, STEP).unwrap();
    [
        rel_error(gradients.x.view(), dx.view()).unwrap(),
        rel_error(gradients.w.view(), dw.view()).unwrap(),
        rel_error(gradients.b.view(), db.view()).unwrap(),
    ]
    .into_iter()
    .fold(0.0, f64::max)
}

#[test]
fn affine_gradients_fit_finite_differences_for_inputs_of_every_rank() {
    assert!(affine_gradient_error(ndarray::Dim(3), 4) < 1e-8);
    assert!(affine_gradient_error(ndarray::Dim((3, 6)), 5) < 1e-8);
    assert!(affine_gradient_error(ndarray::Dim((4, 2, 3)), 5) < 1e-8);
    assert!(affine_gradient_error(ndarray::Dim((2, 2, 3, 2)), 3) < 1e-8);
    assert!(affine_gradient_error(IxDyn(&[2, 1, 2, 3, 2]), 3) < 1e-8);
}

#[test]
fn affine_flattens_a_transposed_input_in_row_major_order() {
    let x: Array3<f64> = random().randn((4, 2, 3));
    let reversed = x.t().as_standard_layout().into_owned();
    let (w, b) = (linspace(-1.0, 1.0, ndarray::Dim((8, 2))), arr1(&[0.5, -0.5]));
    let (expected, _) = affine_forward(reversed.view(), w.view(), b.view()).unwrap();
    assert_eq!(affine_forward(x.t(), w.view(), b.view()).unwrap().0, expected);
}

/// ndarray multiplies two column-major matrices into a third; a column of one output is column-major too.
#[test]
fn affine_takes_one_output_and_gradients_of_any_memory_layout() {
    assert!(affine_gradient_error(ndarray::Dim((3, 2)), 1) < 1e-8);
    assert!(affine_gradient_error(ndarray::Dim((3, 2, 2)), 1) < 1e-8);
    assert!(affine_gradient_error(ndarray::Dim((1, 4)), 3) < 1e-8);
    let mut random = random();
    let (x, w): (Array3<f64>, Array2<f64>) = (random.randn((4, 2, 3)), random.randn((6, 5)));
    let dout: Array2<f64> = random.randn((5, 4));
    let (_, cache) = affine_forward(x.view(), w.view(), Array1::zeros(5).view()).unwrap();
    let expected = affine_backward(dout.t().as_standard_layout().view(), &cache).unwrap();
    let got = affine_backward(dout.t(), &cache).unwrap();
    close(&got.x, &expected.x, 1e-12);
    close(&got.w, &expected.w, 1e-12);
}

#[test]
fn affine_refuses_what_does_not_fit() {
    let (x, w, b) = (Array3::<f64>::zeros((2, 2, 3)), Array2::<f64>::zeros((6, 4)), Array1::<f64>::zeros(4));
    shape_error(affine_forward(ArrayD::zeros(IxDyn(&[])).view(), w.view(), b.view()), "x of affine_forward");
    shape_error(affine_forward(Array0::zeros(()).view(), w.view(), b.view()), "x of affine_forward");
    // It is the input that does not fit the layer's weights, not they that do not fit it.
    let wide = affine_forward(x.view(), Array2::zeros((5, 4)).view(), b.view()).unwrap_err();
    assert_eq!(wide.to_string(), "x of affine_forward: expected shape (N, 5), got (2, 6)");
    shape_error(affine_forward(x.view(), w.view(), Array1::zeros(5).view()), "b of affine_forward");
    let (_, cache) = affine_forward(x.view(), w.view(), b.view()).unwrap();
    for wrong in [(2, 3), (1, 4), (4, 2)] {
        shape_error(affine_backward(Array2::zeros(wrong).view(), &cache), "dout of affine_backward");
    }
}

#[test]
fn affine_of_no_samples_is_empty() {
    let (w, b) = (Array2::<f64>::ones((6, 4)), Array1::<f64>::ones(4));
    let (out, cache) = affine_forward(Array3::zeros((0, 2, 3)).view(), w.view(), b.view()).unwrap();
    assert_eq!(out.dim(), (0, 4));
    let gradients = affine_backward(out.view(), &cache).unwrap();
    assert_eq!(
        (gradients.x.dim(), gradients.w, gradients.b),
        ((0, 2, 3), Array2::zeros((6, 4)), Array1::zeros(4))
    );
}
