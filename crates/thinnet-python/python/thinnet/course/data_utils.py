"""The course's CIFAR-10 readers."""

import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thinnet import _thinnet
from thinnet.course._arrays import Array

__all__ = ["get_CIFAR10_data", "load_CIFAR10", "load_CIFAR_batch"]

Folder: TypeAlias = str | os.PathLike[str]

#: Possible names of CIFAR-10 in a folder of data sets, the fastest to read first.
_NAMES = ("cifar-10-batches-py", "cifar-10-batches-bin", "cifar-10-python.tar.gz", "cifar-10-binary.tar.gz")


def load_CIFAR_batch(filename: Folder) -> tuple[Array, NDArray[np.int64]]:
    """Read one batch of CIFAR-10.

    Returns
    -------
    X : array of shape (10000, 32, 32, 3), float64
        Images, 0 to 255, colours last.
    Y : array of 10000 labels
    """
    parts, shape, _ = _thinnet.read_images(os.fspath(filename))
    _, pixels, labels = parts[0]
    return _colours_last(pixels, shape), labels


def load_CIFAR10(ROOT: Folder) -> tuple[Array, NDArray[np.int64], Array, NDArray[np.int64]]:
    """Read all of CIFAR-10 from its folder or archive.

    Returns
    -------
    Xtr, Ytr : arrays of shape (50000, 32, 32, 3), float64, and (50000,)
        Training images, colours last, and labels.
    Xte, Yte : arrays of shape (10000, 32, 32, 3) and (10000,)
        Test images and labels.
    """
    parts, shape, _ = _thinnet.read_images(os.fspath(ROOT))
    by_name = {name: (_colours_last(pixels, shape), labels) for name, pixels, labels in parts}
    if "test" not in by_name:
        raise ValueError(f"{os.fspath(ROOT)} has no test images; all of CIFAR-10 was expected")
    return *by_name["train"], *by_name["test"]


def get_CIFAR10_data(
    num_training: int = 49000,
    num_validation: int = 1000,
    num_test: int = 1000,
    subtract_mean: bool = True,
    folders: Iterable[Folder] | None = None,
) -> dict[str, Array]:
    """Read CIFAR-10 and split it as in the course.

    Parameters
    ----------
    num_training, num_validation, num_test : int
        The first images are for training, the next ones for validation, the first test images for testing.
    subtract_mean : bool
        Whether to subtract the training images' mean image.
    folders : paths, optional
        Where to look for CIFAR-10: the data set itself, or a folder that holds it. After these, ``THINNET_DATASETS`` is
        searched, or the cache that ``thinnet data fetch`` fills.

    Returns
    -------
    data : dict
        ``X_train``, ``X_val`` and ``X_test`` of shape (N, 3, 32, 32), float64; ``y_train``, ``y_val`` and ``y_test``.
        If CIFAR-10 is not found, a warning says so, and the data are the sample that comes with thinnet: the first 500
        training images, all 1000 validation images, no test images, and the mean of all 49,000.
    """
    path = find_cifar10(folders or ())
    if path is None:
        return _sample(num_training, num_validation, subtract_mean)
    parts, shape, _ = _thinnet.read_images(str(path))
    by_name = {name: (pixels.reshape(-1, *shape), labels) for name, pixels, labels in parts}
    if "test" not in by_name:
        raise ValueError(f"{path} has no test images; all of CIFAR-10 was expected")
    (images, labels), (test_images, test_labels) = by_name["train"], by_name["test"]
    taken = num_training + num_validation
    for what, asked, there in (
        ("training and validation", taken, len(labels)),
        ("test", num_test, len(test_labels)),
    ):
        if asked > there:
            raise ValueError(f"{asked} {what} images are requested, but CIFAR-10 at {path} has {there}")
    # Exact: a sum of whole numbers, divided once.
    mean = images[:num_training].mean(axis=0, dtype=np.float64) if subtract_mean and num_training else 0.0
    return {
        "X_train": images[:num_training] - mean if subtract_mean else images[:num_training].astype(np.float64),
        "y_train": labels[:num_training],
        "X_val": images[num_training:taken] - mean if subtract_mean else images[num_training:taken].astype(np.float64),
        "y_val": labels[num_training:taken],
        "X_test": test_images[:num_test] - mean if subtract_mean else test_images[:num_test].astype(np.float64),
        "y_test": test_labels[:num_test],
    }


def find_cifar10(folders: Iterable[Folder]) -> Path | None:
    """Find CIFAR-10: in these folders, then where ``thinnet data fetch`` stores it."""
    for folder in [*map(Path, folders), *_fetched()]:
        if folder.name in _NAMES and folder.exists():
            return folder
        for name in _NAMES:
            if (folder / name).exists():
                return folder / name
    return None


def _fetched() -> list[Path]:
    """The folder that ``thinnet data fetch`` writes into (docs/data-fetching.md)."""
    chosen = os.environ.get("THINNET_DATASETS")
    if chosen:
        return [Path(chosen)]
    if os.name == "nt":
        cache = os.environ.get("LOCALAPPDATA")
    elif os.uname().sysname == "Darwin":
        cache = str(Path.home() / "Library/Caches")
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return [Path(cache) / "thinnet" / "datasets"] if cache else []


def _colours_last(pixels: NDArray[np.uint8], shape: list[int]) -> Array:
    colours_last: Array = pixels.reshape(-1, *shape).transpose(0, 2, 3, 1).astype(np.float64)
    return colours_last


def _sample(num_training: int, num_validation: int, subtract_mean: bool) -> dict[str, Array]:
    parts, shape, mean = _thinnet.sample_images()
    by_name = {name: (pixels.reshape(-1, *shape), labels) for name, pixels, labels in parts}
    (images, labels), (val_images, val_labels) = by_name["train"], by_name["val"]
    num_training, num_validation = min(num_training, len(labels)), min(num_validation, len(val_labels))
    warnings.warn(
        f"CIFAR-10 was not found, so this is the sample that comes with thinnet: {num_training} training images, "
        f"{num_validation} validation images and no test images. datasets/get_datasets.sh fetches all of it.",
        stacklevel=3,
    )
    shift = mean.reshape(shape) if subtract_mean and mean is not None else np.zeros(shape)
    return {
        "X_train": images[:num_training] - shift,
        "y_train": labels[:num_training],
        "X_val": val_images[:num_validation] - shift,
        "y_val": val_labels[:num_validation],
        "X_test": np.zeros((0, *shape)),
        "y_test": np.zeros(0, dtype=np.int64),
    }
