"""How arguments become arrays that the compiled part takes: float32 or float64, aligned, in native byte order."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Array: TypeAlias = NDArray[Any]
"""An array of any number type."""


def common_float(*arrays: ArrayLike) -> np.dtype[Any]:
    """Give float32 if NumPy would compute with these arrays in no more than float32, and float64 otherwise."""
    dtype = np.result_type(*(np.asarray(array).dtype for array in arrays))
    return np.dtype(np.float32) if dtype.kind == "f" and dtype.itemsize <= 4 else np.dtype(np.float64)


def floats(array: ArrayLike, dtype: DTypeLike) -> Array:
    """Give the array itself where it is of this dtype, and else a copy that is."""
    found = np.asarray(array)
    if found.dtype.kind not in "biuf":
        raise TypeError(f"an array of numbers was expected, got one of {found.dtype}")
    return np.require(found, dtype, ["ALIGNED"])


def labels(y: ArrayLike) -> NDArray[np.int64]:
    """Labels (N,) as the compiled part takes them."""
    found = np.asarray(y)
    if found.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got an array of {found.dtype}")
    if found.ndim != 1:
        raise ValueError(f"labels must have one dimension, (N,), got {found.shape}")
    return np.require(found, np.int64, ["ALIGNED"])
