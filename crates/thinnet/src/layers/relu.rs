//! The rectified linear unit: `out = max(x, 0)`.

use ndarray::{Array, ArrayView, Dimension, Zip};

use crate::error::{Result, same_shape};
use crate::float::Float;

/// What [`relu_backward`] needs of the forward pass: the input.
#[derive(Debug, Clone)]
pub struct ReluCache<F, D: Dimension>(Array<F, D>);

impl<F, D: Dimension> ReluCache<F, D> {
    /// The cache of a forward pass over `x`.
    pub fn new(x: Array<F, D>) -> Self {
        Self(x)
    }

    /// The input of the forward pass.
    pub(crate) fn input(&self) -> &Array<F, D> {
        &self.0
    }
}

/// `out = max(x, 0)`, for `x` of any shape. NaN stays NaN, so that divergence is visible.
pub fn relu_forward<F: Float, D: Dimension>(x: ArrayView<'_, F, D>) -> (Array<F, D>, ReluCache<F, D>) {
    let out = x.mapv(|value| if value < F::zero() { F::zero() } else { value });
    (out, ReluCache(x.to_owned()))
}

/// Gradient of [`relu_forward`] with respect to `x`: `dout` where `x > 0`, and 0 elsewhere (at the kink as well).
///
/// - `dout`: the shape of `x`
pub fn relu_backward<F: Float, D: Dimension>(
    dout: ArrayView<'_, F, D>,
    cache: &ReluCache<F, D>,
) -> Result<Array<F, D>> {
    let ReluCache(x) = cache;
    same_shape("dout of relu_backward", x.shape(), dout.shape())?;
    Ok(Zip::from(dout).and(x).map_collect(|&d, &x| if x > F::zero() { d } else { F::zero() }))
}
