"""The losses of predictions on validation data, as in scikit-learn (``sklearn/neural_network/_base.py``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy
from scipy.stats import norm


def mean_loss(
    name: str,
    y: npt.NDArray[Any],
    predicted: npt.NDArray[Any],
    weights: npt.NDArray[Any] | None,
    *,
    huber_delta: float,
    quantiles: Sequence[float],
) -> float:
    """Mean loss of predictions, without the L2 term; losses of numbers are the mean over outputs and quantiles.

    Parameters
    ----------
    name : str
        The network's loss.
    y : ndarray
        Class indices (N,) for softmax, otherwise values (N, T).
    predicted : ndarray of shape (N, C)
        Probabilities or values: T of them, or T times as many quantiles, or pairs of mean and standard deviation.
    weights : ndarray of shape (N,) or None
    huber_delta : float
        The residual from which the Huber loss is linear.
    quantiles : sequence of float
        The quantiles' probabilities.
    """
    p = np.asarray(predicted, dtype=np.float64)
    eps = float(np.finfo(predicted.dtype).eps)
    if name == "softmax":
        each = -np.log(np.clip(p[np.arange(len(p)), y], eps, 1.0))
    elif name == "logistic":
        clipped = np.clip(p, eps, 1 - eps)
        each = -(xlogy(y, clipped) + xlogy(1 - y, 1 - clipped)).sum(axis=1)
    elif name == "squared_error":
        each = 0.5 * ((y - p) ** 2).mean(axis=1)
    elif name == "absolute_error":
        each = np.abs(y - p).mean(axis=1)
    elif name == "huber":
        size = np.abs(y - p)
        linear = huber_delta * (size - 0.5 * huber_delta)
        each = np.where(size <= huber_delta, 0.5 * size**2, linear).mean(axis=1)
    elif name == "quantile":
        q = np.tile(quantiles, y.shape[1])
        short = np.repeat(y, len(quantiles), axis=1) - p
        each = np.maximum(q * short, (q - 1) * short).mean(axis=1)
    elif name == "gaussian_nll":
        mean, deviation = p[:, 0::2], p[:, 1::2]
        each = -norm.logpdf(y, mean, deviation).mean(axis=1)
    else:
        each = (xlogy(y, y / p) - y + p).sum(axis=1)
    return float(np.average(each, weights=weights))
