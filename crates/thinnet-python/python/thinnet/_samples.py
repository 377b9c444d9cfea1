"""Converts rows and weights to the form that the compiled module needs, and merges equal rows."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils import check_array

from thinnet._thinnet import Samples

Floats = npt.NDArray[Any]
Indices = npt.NDArray[np.int64]


_LARGE = 1 << 26  # bytes: gathering each batch from Python's memory takes time, but copying all takes memory


def to_samples(X: Any, sparse_below: float = 0.0, *, in_place: bool = False) -> Samples:
    """Copy checked rows, dense or CSR, of float32 or float64, out of Python's memory.

    Dense rows become sparse if the share of nonzero numbers is below `sparse_below`. With `in_place`, other large dense
    rows stay where they are.
    """
    if sparse.issparse(X):
        return Samples.sparse(X.shape[1], X.indptr.astype(np.int64), X.indices.astype(np.int64), X.data)
    return Samples.dense(X, sparse_below, in_place=in_place and X.nbytes >= _LARGE and X.flags.c_contiguous)


def check_sample_weight(sample_weight: Any, n_samples: int) -> npt.NDArray[np.float64] | None:
    """Check weights: one per sample, not negative, not all 0. A number applies to all samples.

    Raises
    ------
    ValueError
        If they are not valid.
    """
    if sample_weight is None:
        return None
    if np.isscalar(sample_weight):
        sample_weight = np.full(n_samples, sample_weight)
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, order="C", input_name="sample_weight", ensure_min_samples=0
    )
    if weights.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {weights.ndim}D array.")
    if weights.shape[0] != n_samples:
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}!")
    if (weights < 0).any():
        raise ValueError("Negative values in data passed to `sample_weight`: weights must not be negative.")
    if not (weights > 0).any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return np.asarray(weights, dtype=np.float64)


def _row_keys(X: Any, y: Floats) -> list[bytes]:
    """The content of each sample, features and target, as bytes; equal samples have equal keys."""
    targets = np.ascontiguousarray(y.reshape(len(y), -1) + 0)  # -0.0 is 0.0
    if sparse.issparse(X):
        # A column that occurs twice in a row is summed, and a stored zero counts as zero.
        X = X.copy()
        X.sum_duplicates()
        X.eliminate_zeros()
        starts = X.indptr
        rows = [
            X.indices[a:b].astype(np.int64).tobytes() + X.data[a:b].tobytes() for a, b in itertools.pairwise(starts)
        ]
    else:
        rows = [row.tobytes() for row in X + X.dtype.type(0)]
    return [row + target.tobytes() for row, target in zip(rows, targets, strict=True)]


def merge_equal(
    X: Any, y: Floats, chosen: Indices, weights: npt.NDArray[np.float64] | None
) -> tuple[Indices, npt.NDArray[np.float64] | None]:
    """Merge equal samples and order them by content.

    A data set that is a single batch gives one gradient, a sum over its samples. It does not depend on their order, and
    a sample that occurs three times equals one with weight 3. Merging makes this true to the last bit.

    Parameters
    ----------
    X, y : rows and targets of all samples
    chosen : ndarray of int64
        The training samples.
    weights : ndarray of shape (n_samples,) or None

    Returns
    -------
    chosen : ndarray of int64
        One of each set of equal samples, ordered by content.
    weights : ndarray of shape (n_samples,) or None
        The sum of each set's weights, at the position of its representative; None if every sum is 1.
    """
    keys = _row_keys(X[chosen], y[chosen])
    order = sorted(range(len(keys)), key=keys.__getitem__)
    heads: list[int] = []
    total = np.zeros(len(y))
    head = -1
    for place in order:
        sample = int(chosen[place])
        if not heads or keys[place] != keys[head]:
            heads.append(sample)
            head = place
        total[heads[-1]] += 1.0 if weights is None else weights[sample]
    merged = np.asarray(heads, dtype=np.int64)
    return merged, (None if (total[merged] == 1.0).all() else total)
