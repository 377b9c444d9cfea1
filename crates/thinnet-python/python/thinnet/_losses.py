"""The losses of predictions on validation data, as in scikit-learn (``sklearn/neural_network/_base.py``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy


def mean_loss(name: str, y: npt.NDArray[Any], predicted: npt.NDArray[Any], weights: npt.NDArray[Any] | None) -> float:
    """Mean loss of predictions, without the L2 term.

    Parameters
    ----------
    name : {"softmax", "logistic", "squared_error", "poisson"}
    y : ndarray
        Class indices (N,) for softmax, otherwise values (N, C).
    predicted : ndarray of shape (N, C)
        Probabilities or values.
    weights : ndarray of shape (N,) or None
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
    else:
        each = (xlogy(y, y / p) - y + p).sum(axis=1)
    return float(np.average(each, weights=weights))
