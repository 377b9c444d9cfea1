//! The plain functions.

use ndarray::{Array2, array};
use thinnet::Error;
use thinnet::gradient_check::{eval_numerical_gradient, eval_numerical_gradient_array, rel_error};

#[test]
fn numerical_gradients_are_those_of_known_functions() {
    let x = array![[1.0, -2.0], [0.5, 3.0]];
    let cubes = eval_numerical_gradient(|x| Ok(x.mapv(|v: f64| v.powi(3)).sum()), x.view(), 1e-5).unwrap();
    assert!(rel_error(cubes.view(), x.mapv(|v| 3.0 * v * v).view()).unwrap() < 1e-9);
    // A transposed view comes back in its own order.
    let weights = array![[1.0, 2.0], [3.0, 4.0]];
    let linear = eval_numerical_gradient(|x| Ok((&x * &weights).sum()), x.t(), 1e-5).unwrap();
    assert!(rel_error(linear.view(), weights.view()).unwrap() < 1e-9);
    let df = array![1.0, 10.0];
    let rows = eval_numerical_gradient_array(|x| Ok(x.sum_axis(ndarray::Axis(1))), x.view(), df.view(), 1e-5)
        .unwrap();
    assert!(rel_error(rows.view(), array![[1.0, 1.0], [10.0, 10.0]].view()).unwrap() < 1e-9);
    let empty = eval_numerical_gradient(|_| Ok(1.0), Array2::<f64>::zeros((0, 3)).view(), 1e-5).unwrap();
    assert_eq!(empty.dim(), (0, 3));
}

#[test]
fn numerical_gradients_pass_errors_on() {
    let x = array![1.0, 2.0];
    let fail = |_: ndarray::ArrayView1<'_, f64>| Err(Error::configuration("no"));
    assert!(matches!(eval_numerical_gradient(fail, x.view(), 1e-5), Err(Error::Configuration { .. })));
    let df = array![1.0, 1.0, 1.0];
    let result = eval_numerical_gradient_array(|x| Ok(x.to_owned()), x.view(), df.view(), 1e-5);
    assert!(matches!(result, Err(Error::Shape { .. })));
}

#[test]
fn relative_errors_are_the_courses() {
    let error = |a: f64, b: f64| rel_error(array![0.0, a].view(), array![0.0, b].view()).unwrap();
    assert_eq!(error(1.0, 3.0), 0.5);
    assert_eq!(error(0.0, 0.0), 0.0);
    assert_eq!(error(0.0, 1e-9), 0.1); // the denominator is never below 1e-8
    assert_eq!(error(1.0, -1.0), 1.0);
    assert!(error(f64::NAN, 1.0).is_nan());
    assert!(rel_error(array![f64::NAN, 0.0].view(), array![0.0, 5.0].view()).unwrap().is_nan());
    assert!(matches!(rel_error(array![1.0].view(), array![1.0, 2.0].view()), Err(Error::Shape { .. })));
}
