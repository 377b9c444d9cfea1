//! The affine (fully-connected) layer: `out = x W + b`.

use ndarray::{Array, Array1, Array2, ArrayView, ArrayView1, ArrayView2, Axis, Dimension};

use crate::error::{Error, Result, ensure, same_shape};
use crate::float::Float;

/// What [`affine_backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct AffineCache<F, D: Dimension> {
    /// The input with each sample flattened (N, D).
    x: Array2<F>,
    /// The input's own shape (N, d_1, ..., d_k).
    shape: D,
    /// The weights (D, H).
    w: Array2<F>,
}

impl<F: Float, D: Dimension> AffineCache<F, D> {
    /// The cache of a forward pass over `x` (N, d_1, ..., d_k) with the weights `w` (D, H), where D = d_1 ... d_k.
    ///
    /// # Errors
    /// [`Error::Shape`] if they do not match.
    pub fn new(x: ArrayView<'_, F, D>, w: ArrayView2<'_, F>) -> Result<Self> {
        ensure!(x.ndim() > 0, Error::shape("x of affine_forward", "(N, d_1, ..., d_k)", x.shape()));
        let samples = x.len_of(Axis(0));
        let features = x.shape()[1..].iter().product::<usize>();
        if features != w.nrows() {
            return Err(Error::shape("x of affine_forward", ("N", w.nrows()), (samples, features)));
        }
        let shape = x.raw_dim();
        let x = x
            .to_shape((samples, features))
            .map_err(|_| Error::shape("x of affine_forward", (samples, features), shape.slice()))?
            .into_owned();
        Ok(Self { x, shape, w: w.to_owned() })
    }
}

/// The gradients of an affine layer.
#[derive(Debug, Clone)]
pub struct AffineGradients<F, D: Dimension> {
    /// With respect to the input, in the input's shape.
    pub x: Array<F, D>,
    /// With respect to the weights (D, H).
    pub w: Array2<F>,
    /// With respect to the biases (H).
    pub b: Array1<F>,
}

/// `out = x W + b`.
///
/// - `x`: (N, d_1, ..., d_k), flattened to (N, D) with D = d_1 ... d_k
/// - `w`: (D, H); `b`: (H)
///
/// Returns the output (N, H).
///
/// ```
/// use ndarray::array;
/// use thinnet::layers::{affine_backward, affine_forward};
/// # fn main() -> thinnet::Result<()> {
/// let (x, w, b) = (array![[1.0, 2.0]], array![[1.0, 0.0, -1.0], [0.5, 1.0, 2.0]], array![0.1, 0.2, 0.3]);
/// let (out, cache) = affine_forward(x.view(), w.view(), b.view())?;
/// assert_eq!(out, array![[2.1, 2.2, 3.3]]);
/// let gradients = affine_backward(array![[1.0, 0.0, 0.0]].view(), &cache)?;
/// assert_eq!(gradients.x, array![[1.0, 0.5]]);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Shape`], which names `x` or `b`, the one whose width does not match `w`.
pub fn affine_forward<F: Float, D: Dimension>(
    x: ArrayView<'_, F, D>,
    w: ArrayView2<'_, F>,
    b: ArrayView1<'_, F>,
) -> Result<(Array2<F>, AffineCache<F, D>)> {
    let cache = AffineCache::new(x, w)?;
    same_shape("b of affine_forward", &[w.ncols()], b.shape())?;
    Ok((cache.x.dot(&cache.w) + b, cache))
}

/// Gradients of [`affine_forward`]: `dx = dout W^T`, `dW = x^T dout`, `db = sum over samples of dout`.
///
/// - `dout`: (N, H)
pub fn affine_backward<F: Float, D: Dimension>(
    dout: ArrayView2<'_, F>,
    cache: &AffineCache<F, D>,
) -> Result<AffineGradients<F, D>> {
    let expected = [cache.x.nrows(), cache.w.ncols()];
    same_shape("dout of affine_backward", &expected, dout.shape())?;
    let dx = dout.dot(&cache.w.t());
    let x = dx
        .to_shape(cache.shape.clone()) // not always row-major: a product may come out column by column
        .map_err(|_| Error::shape("dx of affine_backward", cache.shape.slice(), expected))?
        .into_owned();
    Ok(AffineGradients { x, w: cache.x.t().dot(&dout), b: dout.sum_axis(Axis(0)) })
}
