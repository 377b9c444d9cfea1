"""Shared by the experiment's scripts: the embedded sample, the course's plot, the time since process start."""

import os
import pathlib
import time

import numpy as np
from numpy.typing import DTypeLike, NDArray

SAMPLE = pathlib.Path(__file__).parents[1] / "crates/thinnet/src/data/cifar10-sample.npz"
IMPORTED_AT = time.monotonic()


def load_sample(dtype: DTypeLike = np.float64) -> dict[str, NDArray]:
    """Load 500 training and 1000 validation images of CIFAR-10, minus the training set's mean image.

    Images are (N, 3, 32, 32) of `dtype`, labels (N,) of int64.
    """
    with np.load(SAMPLE) as sample:
        images = {name: sample[name] - sample["mean_image"] for name in ("X_train", "X_val")}
        labels = {name: sample[name].astype(np.int64) for name in ("y_train", "y_val")}
    return {name: pixels.astype(dtype, copy=False) for name, pixels in images.items()} | labels


def plot_accuracies(path: pathlib.Path, histories: dict[float, tuple[list[float], list[float]]]) -> None:
    """Draw training and validation accuracy over epochs, one line per keep probability, as in the course."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.figure(figsize=(15, 15))
    for row, name in enumerate(("Train", "Val")):
        plt.subplot(3, 1, row + 1)
        for keep, accuracies in histories.items():
            plt.plot(accuracies[row], "o", label=f"{keep:.2f} dropout")
        plt.title(f"{name} accuracy")
        plt.xlabel("Epoch")
        plt.ylabel("Accuracy")
        plt.legend(ncol=2, loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    plt.savefig(path)
    plt.close()


def seconds_since_process_start() -> float:
    """Wall time of this process: from Linux's record of its start (to 10 ms), elsewhere from this module's import."""
    try:
        fields = pathlib.Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.monotonic() - IMPORTED_AT
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
