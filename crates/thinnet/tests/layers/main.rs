//! Every layer: its output against figures worked elsewhere, its gradients against finite differences.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp, clippy::excessive_precision)] // a test fails by panic; exact where it says so; NumPy's digits as it prints them

mod activation;
mod affine;
mod batch_norm;
mod composite;
mod curriculum;
mod drop_connect;
mod dropout;
mod ensemble;
mod gaussian_dropout;
mod layer_norm;
mod loss;
mod objective;
mod relu;

use ndarray::{Array, Array1, Dimension};
use thinnet::gradient_check::rel_error;
use thinnet::random::RandomState;
use thinnet::{Error, Float, Result};

const STEP: f64 = 1e-5;

/// Asserts that the elements agree, relative to the greater of them (and never closer than 1e-8).
#[track_caller]
fn close<F: Float, D: Dimension>(got: &Array<F, D>, expected: &Array<F, D>, tolerance: f64) {
    let error = rel_error(got.view(), expected.view()).unwrap();
    assert!(error <= tolerance, "relative error {error:e}: {got:?}, expected {expected:?}");
}

#[track_caller]
fn shape_error<T>(result: Result<T>, what: &str) {
    match result {
        Err(Error::Shape { what: named, .. }) => assert_eq!(named, what),
        Err(other) => panic!("{what}: {other}"),
        Ok(_) => panic!("{what}: no error"),
    }
}

/// `np.linspace(start, end, len)` in the given shape.
fn linspace<D: Dimension>(start: f64, end: f64, shape: D) -> Array<f64, D> {
    Array::from_shape_vec(shape.clone(), Array1::linspace(start, end, shape.size()).to_vec()).unwrap()
}

fn random() -> RandomState {
    RandomState::new(231)
}

/// Standard normals, none nearer to 0 than a finite difference reaches.
fn away_from_kinks<D: Dimension>(random: &mut RandomState, shape: D) -> Array<f64, D> {
    random.randn(shape).mapv(|value: f64| if value.abs() < 0.01 { value + 0.1 } else { value })
}
