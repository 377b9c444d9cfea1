"""Converts arguments to arrays for the compiled part: float32 or float64, aligned, in native byte order."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Array: TypeAlias = NDArray[Any]
"""An array of any number type."""


def common_float(*arrays: ArrayLike) -> np.dtype[Any]:
    """Return float32 if NumPy would compute with these arrays in at most float32, otherwise float64."""
    dtype = np.result_type(*(np.asarray(array).dtype for array in arrays))
    return np.dtype(np.float32) if dtype.kind == "f" and dtype.itemsize <= 4 else np.dtype(np.float64)


def floats(array: ArrayLike, dtype: DTypeLike) -> Array:
    """Return the array itself if it has this dtype, otherwise a copy that does."""
    found = np.asarray(array)
    if found.dtype.kind not in "biuf":
        raise TypeError(f"an array of numbers was expected, got one of {found.dtype}")
    return np.require(found, dtype, ["ALIGNED"])


def labels(y: ArrayLike) -> NDArray[np.int64]:
    """Labels (N,) for the compiled part."""
    found = np.asarray(y)
    if found.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got an array of {found.dtype}")
    if found.ndim != 1:
        raise ValueError(f"labels must have one dimension, (N,), got {found.shape}")
    return np.require(found, np.int64, ["ALIGNED"])
