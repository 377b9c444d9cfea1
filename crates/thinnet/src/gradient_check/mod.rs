//! Gradient checks with finite differences, as in the course (`cs231n/gradient_check.py`), and for a whole network.
//!
//! [`eval_numerical_gradient`] and [`eval_numerical_gradient_array`] take any function. [`check_net`] takes a
//! network. It runs on all cores, keeps the dropout masks fixed, and only computes again what a changed parameter
//! changes. It also tells a kink (a ReLU that is crossed within the step, where finite differences are wrong) from a
//! wrong gradient.

mod net;
mod trace;

pub use net::{Entry, NetCheckConfig, ParameterCheck, check_gradients, check_net};

use ndarray::{Array, ArrayView, Dimension, Zip};

use crate::error::{Error, Result, same_shape};
use crate::float::Float;

/// The course's step.
pub const DEFAULT_STEP: f64 = 1e-5;

/// The gradient of a scalar function at `x` by central differences, `(f(x + h) - f(x - h)) / 2h` for each element.
///
/// - `x`: any shape; the result has that shape
///
/// # Errors
/// Errors of `f`.
pub fn eval_numerical_gradient<F: Float, D: Dimension>(
    mut f: impl FnMut(ArrayView<'_, F, D>) -> Result<F>,
    x: ArrayView<'_, F, D>,
    h: F,
) -> Result<Array<F, D>> {
    central_differences(x, h, |plus, minus| Ok((f(plus)?, f(minus)?)), |plus, minus| Ok(plus - minus))
}

/// The gradient at `x` of `sum(f(x) * df)` by central differences, for a function that returns an array.
///
/// - `x`: any shape; `df`: the shape of `f(x)`, the gradient upstream of it; the result has the shape of `x`
///
/// # Errors
/// Errors of `f`; [`Error::Shape`] if `df` does not have the shape of `f(x)`.
pub fn eval_numerical_gradient_array<F: Float, D: Dimension, E: Dimension>(
    mut f: impl FnMut(ArrayView<'_, F, D>) -> Result<Array<F, E>>,
    x: ArrayView<'_, F, D>,
    df: ArrayView<'_, F, E>,
    h: F,
) -> Result<Array<F, D>> {
    central_differences(
        x,
        h,
        |plus, minus| Ok((f(plus)?, f(minus)?)),
        |plus, minus| {
            same_shape("df of eval_numerical_gradient_array", plus.shape(), df.shape())?;
            Ok(Zip::from(&plus).and(&minus).and(&df).fold(F::zero(), |sum, &p, &m, &d| sum + (p - m) * d))
        },
    )
}

/// `difference(f(x + h), f(x - h)) / 2h` for each element of `x`.
fn central_differences<F: Float, D: Dimension, V>(
    x: ArrayView<'_, F, D>,
    h: F,
    mut both: impl FnMut(ArrayView<'_, F, D>, ArrayView<'_, F, D>) -> Result<(V, V)>,
    mut difference: impl FnMut(V, V) -> Result<F>,
) -> Result<Array<F, D>> {
    let (mut plus, mut minus) = (x.to_owned(), x.to_owned());
    let mut gradient = Vec::with_capacity(x.len());
    for index in 0..x.len() {
        let value = set(&mut plus, index, |value| value + h);
        set(&mut minus, index, |value| value - h);
        let (f_plus, f_minus) = both(plus.view(), minus.view())?;
        gradient.push(difference(f_plus, f_minus)? / (h + h));
        set(&mut plus, index, |_| value);
        set(&mut minus, index, |_| value);
    }
    Array::from_shape_vec(x.raw_dim(), gradient)
        .map_err(|_| Error::shape("numerical gradient", x.shape(), [x.len()]))
}

/// Changes element `index` (row-major) of `x`, which is in standard layout; returns its old value.
fn set<F: Float, D: Dimension>(x: &mut Array<F, D>, index: usize, change: impl Fn(F) -> F) -> F {
    x.iter_mut().nth(index).map_or(F::zero(), |element| {
        let old = *element;
        *element = change(old);
        old
    })
}

/// The max relative error between two arrays of the same shape: `max |x - y| / max(1e-8, |x| + |y|)`. NaN if any
/// element is NaN.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ.
pub fn rel_error<F: Float, D: Dimension>(x: ArrayView<'_, F, D>, y: ArrayView<'_, F, D>) -> Result<f64> {
    same_shape("y of rel_error", x.shape(), y.shape())?;
    Ok(Zip::from(x).and(y).fold(0.0, |worst, &x, &y| greater(worst, relative(x.as_f64(), y.as_f64()))))
}

/// `|x - y| / max(1e-8, |x| + |y|)`.
fn relative(x: f64, y: f64) -> f64 {
    (x - y).abs() / (x.abs() + y.abs()).max(1e-8)
}

/// The max of two numbers; NaN if one is NaN.
fn greater(a: f64, b: f64) -> f64 {
    if a >= b || a.is_nan() { a } else { b }
}
