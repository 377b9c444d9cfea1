"""The course's layers: each forward function returns ``(out, cache)``, and its backward function takes the cache.

Arrays are samples first: N samples, D inputs, M outputs, C classes. Computed in float32 if all arrays of a call are
float32, otherwise in float64.
"""

from typing import Any

import numpy as np

from thinnet import _thinnet
from thinnet.course._arrays import Array, common_float, floats, labels

__all__ = [
    "affine_backward",
    "affine_forward",
    "batchnorm_backward",
    "batchnorm_backward_alt",
    "batchnorm_forward",
    "dropout_backward",
    "dropout_forward",
    "layernorm_backward",
    "layernorm_forward",
    "relu_backward",
    "relu_forward",
    "softmax_loss",
    "svm_loss",
]


def affine_forward(x: Array, w: Array, b: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    """Compute ``out = x w + b``.

    Parameters
    ----------
    x : array of shape (N, d_1, ..., d_k)
        Input; each sample is flattened to D = d_1 * ... * d_k numbers.
    w : array of shape (D, M)
        Weights.
    b : array of shape (M,)
        Biases.

    Returns
    -------
    out : array of shape (N, M)
    cache : tuple
        ``(x, w, b)``.
    """
    dtype = common_float(x, w, b)
    return _thinnet.affine_forward(floats(x, dtype), floats(w, dtype), floats(b, dtype)), (x, w, b)


def affine_backward(dout: Array, cache: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
    """Compute the gradients ``(dx, dw, db)`` of `affine_forward`, each in the shape of its array.

    Parameters
    ----------
    dout : array of shape (N, M)
        Upstream gradient.
    cache : tuple
        ``(x, w, b)``.
    """
    x, w, _ = cache
    dtype = common_float(dout, x, w)
    return _thinnet.affine_backward(floats(dout, dtype), floats(x, dtype), floats(w, dtype))


def relu_forward(x: Array) -> tuple[Array, Array]:
    """Compute ``out = max(x, 0)`` for `x` of any shape; the cache is `x`."""
    return _thinnet.relu_forward(floats(x, common_float(x))), x


def relu_backward(dout: Array, cache: Array) -> Array:
    """Compute the gradient of `relu_forward`: `dout` where the input was above 0, and 0 elsewhere."""
    dtype = common_float(dout, cache)
    return _thinnet.relu_backward(floats(dout, dtype), floats(cache, dtype))


def softmax_loss(x: Array, y: Array) -> tuple[float, Array]:
    """Compute the mean softmax (cross-entropy) loss and its gradient.

    Parameters
    ----------
    x : array of shape (N, C)
        Scores.
    y : array of N integers
        Labels, 0 to C - 1.

    Returns
    -------
    loss : float
    dx : array of shape (N, C)
    """
    return _thinnet.softmax_loss(floats(x, common_float(x)), labels(y))


def svm_loss(x: Array, y: Array) -> tuple[float, Array]:
    """Compute the mean multiclass hinge loss, ``sum over j != y of max(0, s_j - s_y + 1)``, and its gradient.

    Parameters
    ----------
    x : array of shape (N, C)
        Scores.
    y : array of N integers
        Labels, 0 to C - 1.

    Returns
    -------
    loss : float
    dx : array of shape (N, C)
    """
    return _thinnet.svm_loss(floats(x, common_float(x)), labels(y))


def dropout_forward(x: Array, dropout_param: dict[str, Any]) -> tuple[Array, tuple[dict[str, Any], Array | None]]:
    """Inverted dropout: ``out = x * mask`` with ``mask = (rand(shape) < p) / p`` in training, ``out = x`` in test mode.

    Parameters
    ----------
    x : array of any shape
    dropout_param : dict
        ``p``, the probability to KEEP a unit, 0 < p <= 1; ``mode``, "train" or "test"; optionally ``seed``: NumPy's
        global stream is seeded with it, in either mode, before the mask is drawn.

    Returns
    -------
    out : array of the shape and dtype of `x`
    cache : tuple
        ``(dropout_param, mask)``; the mask is None in test mode.
    """
    p, mode = dropout_param["p"], dropout_param["mode"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    if mode == "train":
        # In float64, like NumPy's mask.
        out, mask = _thinnet.dropout_forward(floats(x, np.float64), p)
        return out.astype(np.asarray(x).dtype, copy=False), (dropout_param, mask)
    if mode == "test":
        return x, (dropout_param, None)
    raise ValueError(f'mode of dropout_forward must be "train" or "test", got {mode!r}')


def dropout_backward(dout: Array, cache: tuple[dict[str, Any], Array | None]) -> Array:
    """Compute the gradient of `dropout_forward`: ``dout * mask``, or `dout` in test mode."""
    dropout_param, mask = cache
    if dropout_param["mode"] == "test" or mask is None:
        return dout
    dtype = common_float(dout, mask)
    return _thinnet.dropout_backward(floats(dout, dtype), floats(mask, dtype))


def batchnorm_forward(
    x: Array, gamma: Array, beta: Array, bn_param: dict[str, Any]
) -> tuple[Array, _thinnet.NormalisationCache]:
    """Batch normalisation: by each feature's mean and variance in the batch, or by the running ones in test mode.

    Parameters
    ----------
    x : array of shape (N, D)
    gamma, beta : arrays of shape (D,)
        Scale and shift.
    bn_param : dict
        ``mode``, "train" or "test"; ``eps`` (default 1e-5); ``momentum`` of the running averages (default 0.9);
        ``running_mean`` and ``running_var`` (D,), which training updates.

    Returns
    -------
    out : array of shape (N, D)
    cache : object
        For the backward functions.
    """
    mode = bn_param["mode"]
    if mode not in ("train", "test"):
        raise ValueError(f'Invalid forward batchnorm mode "{mode}"')
    dtype = common_float(x, gamma, beta)
    zeros = np.zeros(np.shape(x)[-1:], dtype=dtype)
    out, running_mean, running_var, cache = _thinnet.batch_norm_forward(
        floats(x, dtype),
        floats(gamma, dtype),
        floats(beta, dtype),
        floats(bn_param.get("running_mean", zeros), dtype),
        floats(bn_param.get("running_var", zeros), dtype),
        bn_param.get("eps", 1e-5),
        bn_param.get("momentum", 0.9),
        mode == "train",
    )
    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return out, cache


def batchnorm_backward(dout: Array, cache: _thinnet.NormalisationCache) -> tuple[Array, Array, Array]:
    """Compute the gradients ``(dx, dgamma, dbeta)`` of `batchnorm_forward`."""
    return _thinnet.normalisation_backward(floats(dout, cache.dtype), cache)


def batchnorm_backward_alt(dout: Array, cache: _thinnet.NormalisationCache) -> tuple[Array, Array, Array]:
    """Like `batchnorm_backward`; in thinnet both use the simplified form."""
    return batchnorm_backward(dout, cache)


def layernorm_forward(
    x: Array, gamma: Array, beta: Array, ln_param: dict[str, Any]
) -> tuple[Array, _thinnet.NormalisationCache]:
    """Layer normalisation: each sample by the mean and variance of its own features, in training and in test mode.

    Parameters
    ----------
    x : array of shape (N, D)
    gamma, beta : arrays of shape (D,)
        Scale and shift.
    ln_param : dict
        ``eps`` (default 1e-5).

    Returns
    -------
    out : array of shape (N, D)
    cache : object
        For `layernorm_backward`.
    """
    dtype = common_float(x, gamma, beta)
    return _thinnet.layer_norm_forward(
        floats(x, dtype), floats(gamma, dtype), floats(beta, dtype), ln_param.get("eps", 1e-5)
    )


def layernorm_backward(dout: Array, cache: _thinnet.NormalisationCache) -> tuple[Array, Array, Array]:
    """Compute the gradients ``(dx, dgamma, dbeta)`` of `layernorm_forward`."""
    return _thinnet.normalisation_backward(floats(dout, cache.dtype), cache)
