//! Affine, ReLU, dropout and the losses.

use ndarray::{Ix1, Ix2, IxDyn};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use thinnet::Float;
use thinnet::layers::{self, AffineCache, Dropout, DropoutCache, Mode, ReluCache};

use super::arrays::{Argument, by_dtype, give, labels};
use super::random::with_stream;
use crate::errors::to_python;

type Any<'py> = Bound<'py, PyAny>;

/// `out = x W + b`: x (N, d_1, ..., d_k), w (D, H), b (H); returns (N, H).
#[pyfunction]
pub(crate) fn affine_forward<'py>(x: &Any<'py>, w: &Any<'py>, b: &Any<'py>) -> PyResult<Any<'py>> {
    by_dtype!(x, F, {
        let (x_, w_, b_) = (Argument::<F>::new(x, "x")?, Argument::new(w, "w")?, Argument::new(b, "b")?);
        let (x_, w_, b_) = (x_.view::<IxDyn>()?, w_.view::<Ix2>()?, b_.view::<Ix1>()?);
        let done = x.py().detach(|| layers::affine_forward(x_, w_, b_));
        Ok(give(x.py(), &done.map_err(to_python)?.0))
    })
}

/// Gradients (dx, dw, db) of `affine_forward`: dout (N, H).
#[pyfunction]
pub(crate) fn affine_backward<'py>(
    dout: &Any<'py>,
    x: &Any<'py>,
    w: &Any<'py>,
) -> PyResult<(Any<'py>, Any<'py>, Any<'py>)> {
    by_dtype!(dout, F, {
        let py = dout.py();
        let (d, x, w) = (Argument::<F>::new(dout, "dout")?, Argument::new(x, "x")?, Argument::new(w, "w")?);
        let (d, x, w) = (d.view::<Ix2>()?, x.view::<IxDyn>()?, w.view::<Ix2>()?);
        let done = py.detach(|| AffineCache::new(x, w).and_then(|cache| layers::affine_backward(d, &cache)));
        let gradients = done.map_err(to_python)?;
        Ok((give(py, &gradients.x), give(py, &gradients.w), give(py, &gradients.b)))
    })
}

/// `out = max(x, 0)`: x of any shape.
#[pyfunction]
pub(crate) fn relu_forward<'py>(x: &Any<'py>) -> PyResult<Any<'py>> {
    by_dtype!(x, F, {
        let argument = Argument::<F>::new(x, "x")?;
        let view = argument.view::<IxDyn>()?;
        Ok(give(x.py(), &x.py().detach(|| layers::relu_forward(view)).0))
    })
}

/// Gradient of `relu_forward`: dout has the shape of x.
#[pyfunction]
pub(crate) fn relu_backward<'py>(dout: &Any<'py>, x: &Any<'py>) -> PyResult<Any<'py>> {
    by_dtype!(dout, F, {
        let (d, x) = (Argument::<F>::new(dout, "dout")?, Argument::<F>::new(x, "x")?);
        let (d, x) = (d.view::<IxDyn>()?, x.view::<IxDyn>()?);
        let done = dout.py().detach(|| layers::relu_backward(d, &ReluCache::new(x.to_owned())));
        Ok(give(dout.py(), &done.map_err(to_python)?))
    })
}

/// `(x * mask, mask)` with `mask = (rand(shape) < p) / p` from NumPy's global stream: p is the probability to keep.
#[pyfunction]
pub(crate) fn dropout_forward<'py>(x: &Any<'py>, p: f64) -> PyResult<(Any<'py>, Any<'py>)> {
    let (py, dropout) = (x.py(), Dropout::new(p, None).map_err(to_python)?);
    by_dtype!(x, F, {
        let argument = Argument::<F>::new(x, "x")?;
        let view = argument.view::<IxDyn>()?;
        let (out, cache) = with_stream(py, |random| {
            Ok(py.detach(|| layers::dropout_forward(view, dropout, Mode::Train, random)))
        })?;
        let mask = cache.mask().map_or_else(|| py.None().into_bound(py), |mask| give(py, mask));
        Ok((give(py, &out), mask))
    })
}

/// Gradient of `dropout_forward`: dout and mask have the same shape.
#[pyfunction]
pub(crate) fn dropout_backward<'py>(dout: &Any<'py>, mask: &Any<'py>) -> PyResult<Any<'py>> {
    by_dtype!(dout, F, {
        let (d, mask) = (Argument::<F>::new(dout, "dout")?, Argument::<F>::new(mask, "mask")?);
        let (d, mask) = (d.view::<IxDyn>()?, mask.view::<IxDyn>()?);
        let done =
            dout.py().detach(|| layers::dropout_backward(d, &DropoutCache::from_mask(mask.to_owned())));
        Ok(give(dout.py(), &done.map_err(to_python)?))
    })
}

/// The mean softmax loss of scores (N, C) with labels (N), and its gradient (N, C).
#[pyfunction]
pub(crate) fn softmax_loss<'py>(x: &Any<'py>, y: PyReadonlyArray1<'_, i64>) -> PyResult<(f64, Any<'py>)> {
    let y = labels(&y)?;
    by_dtype!(x, F, {
        let argument = Argument::<F>::new(x, "x")?;
        let (loss, dx) = layers::softmax_loss(argument.view::<Ix2>()?, &y).map_err(to_python)?;
        Ok((loss.as_f64(), give(x.py(), &dx)))
    })
}

/// The mean multiclass hinge loss of scores (N, C) with labels (N), and its gradient (N, C).
#[pyfunction]
pub(crate) fn svm_loss<'py>(x: &Any<'py>, y: PyReadonlyArray1<'_, i64>) -> PyResult<(f64, Any<'py>)> {
    let y = labels(&y)?;
    by_dtype!(x, F, {
        let argument = Argument::<F>::new(x, "x")?;
        let (loss, dx) = layers::svm_loss(argument.view::<Ix2>()?, &y).map_err(to_python)?;
        Ok((loss.as_f64(), give(x.py(), &dx)))
    })
}
