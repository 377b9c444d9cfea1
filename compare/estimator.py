"""One fit for estimators.py: a library's classifier or regressor on a data set; prints the results as JSON."""

import importlib.metadata
import json
import os
import pathlib
import resource
import sys
import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

THREADS = 2
LEARNING_RATE = 1e-3
Data = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
# Packages that scikit-learn needs anyway.
COMMON = {"numpy", "scipy", "joblib", "threadpoolctl", "scikit-learn", "narwhals"}


def mnist() -> Data:
    """Images over 255 as float32, 60,000 for training and 10,000 for testing."""
    cache = os.environ.get("THINNET_DATASETS") or pathlib.Path.home() / ".cache/thinnet/datasets"
    folder = pathlib.Path(cache) / "mnist"

    def read(name: str, header: int) -> NDArray[np.uint8]:
        return np.frombuffer((folder / name).read_bytes(), np.uint8)[header:]

    def images(name: str) -> NDArray[np.float32]:
        return (read(name, 16).reshape(-1, 784) / np.float32(255)).astype(np.float32)

    return (
        images("train-images-idx3-ubyte"),
        images("t10k-images-idx3-ubyte"),
        read("train-labels-idx1-ubyte", 8).astype(np.int64),
        read("t10k-labels-idx1-ubyte", 8).astype(np.int64),
    )


def housing() -> Data:
    """20,640 samples with 8 features and a noisy target: as large as California housing, generated (Friedman
    1991)."""
    from sklearn.datasets import make_friedman1
    from sklearn.model_selection import train_test_split

    x, y = make_friedman1(20_640, n_features=8, noise=1.0, random_state=0)
    return tuple(train_test_split(x, y, random_state=0))


def read(name: str) -> Data:
    """Training inputs, test inputs, training targets, test targets; standardised."""
    if name == "mnist":
        return mnist()
    from sklearn import datasets
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    if name == "housing":
        train, test, y, y_test = housing()
    else:
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        train, test, y, y_test = train_test_split(x, y, random_state=0, stratify=y)
    scaler = StandardScaler().fit(train)
    return scaler.transform(train).astype(np.float32), scaler.transform(test).astype(np.float32), y, y_test


def of_skorch(hidden: int, batch: int, epochs: int, dropout: float, seed: int) -> Any:
    import torch
    from skorch import NeuralNetClassifier
    from torch import nn

    torch.set_num_threads(THREADS)
    torch.manual_seed(seed)
    layers = [nn.Linear(784, hidden), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else []), nn.Linear(hidden, 10)]
    return NeuralNetClassifier(
        nn.Sequential(*layers),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        lr=LEARNING_RATE,
        batch_size=batch,
        max_epochs=epochs,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    )


def estimator(library: str, settings: dict[str, Any], regression: bool) -> Any:
    hidden, epochs = settings["hidden"], settings["epochs"]
    dropout, seed = settings.get("dropout", 0.0), settings.get("seed", 0)
    if library == "skorch":
        return of_skorch(hidden, settings["batch"], epochs, dropout, seed)
    common = {
        "hidden_layer_sizes": (hidden,),
        "max_iter": epochs,
        "batch_size": settings.get("batch", "auto"),
        "learning_rate_init": LEARNING_RATE,
        "random_state": seed,
    }
    if library == "sklearn":
        from sklearn import neural_network

        return (neural_network.MLPRegressor if regression else neural_network.MLPClassifier)(**common)
    import thinnet

    kind = thinnet.MLPRegressor if regression else thinnet.MLPClassifier
    return kind(**common, dropout=dropout, n_jobs=THREADS)


def megabytes_installed(package: str) -> float:
    """MB of a package's files and of all its requirements, without the common ones."""
    import re

    seen: set[str] = set()
    total = 0

    def add(name: str) -> None:
        nonlocal total
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in seen or name in COMMON:
            return
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            return  # required elsewhere, or for an extra
        seen.add(name)
        files = (pathlib.Path(str(distribution.locate_file(file))) for file in distribution.files or ())
        total += sum(file.stat().st_size for file in files if file.is_file())
        for requirement in distribution.requires or ():
            if "extra ==" not in requirement:
                add(re.split(r"[^A-Za-z0-9._-]", requirement)[0])

    add(package)
    return total / 1e6


def main() -> None:
    library, settings = sys.argv[1], json.loads(sys.argv[2])
    if settings.get("size"):
        packages = {"thinnet": ["thinnet"], "skorch": ["skorch", "torch"]}[library]
        print(json.dumps({"megabytes": sum(megabytes_installed(package) for package in packages)}))
        return
    warnings.simplefilter("ignore")  # that so few epochs do not converge is known
    x, x_test, y, y_test = read(settings["data"])
    model = estimator(library, settings, settings["data"] == "housing")
    start = time.perf_counter()
    model.fit(x, y)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"seconds": seconds, "score": float(model.score(x_test, y_test)), "megabytes": peak}))


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    for variable in ("OMP", "MKL", "OPENBLAS", "RAYON"):
        os.environ[f"{variable}_NUM_THREADS"] = str(THREADS)
    main()
