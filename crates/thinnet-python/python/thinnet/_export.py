"""Estimators for other runtimes: as ONNX files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

from thinnet import _thinnet
from thinnet._classifier import MLPClassifier
from thinnet._regressor import MLPRegressor


def to_onnx(
    estimator: MLPClassifier | MLPRegressor,
    path: str | os.PathLike[str] | None = None,
    *,
    zipmap: bool = False,
    dropout: bool = False,
) -> bytes:
    """The estimator as an ONNX file, which needs neither Python nor thinnet to predict.

    The file has opset 17 and computes in float32. Its input is ``X``, of shape (n_samples, n_features).

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        A fitted estimator; an ensemble becomes one graph.
    path : str or path-like, default=None
        Where to write the file; an existing one is replaced.
    zipmap : bool, default=False
        Give the probabilities as a map for each sample, from the class to its probability. Not for several labels per
        sample.
    dropout : bool, default=False
        Keep dropout: the runtime draws masks, others for each sample.

    Returns
    -------
    bytes
        The file's content. Outputs of a classifier are ``label`` and ``probabilities``, as `predict` and
        `predict_proba` give them. The output of a regressor is ``variable`` of shape (n_samples, n_outputs); with
        ``loss="gaussian_nll"`` there is also ``std``, the noise in the data, and in an ensemble what its members differ
        by. Several quantiles are the last axis.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from thinnet import MLPClassifier, to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=300, random_state=1).fit(X, y)
    >>> model = to_onnx(clf)
    >>> model[:2]
    b'\\x08\\x08'
    """
    if not isinstance(estimator, (MLPClassifier, MLPRegressor)):
        raise TypeError(
            f"to_onnx takes an MLPClassifier or an MLPRegressor of thinnet, got {type(estimator).__name__}."
        )
    check_is_fitted(estimator)
    model = graph(estimator, labels(estimator), zipmap=zipmap, dropout=dropout)
    if path is not None:
        _write(Path(path), model)
    return model


def graph(
    estimator: MLPClassifier | MLPRegressor,
    classes: list[int] | list[str] | None,
    *,
    zipmap: bool = False,
    dropout: bool = False,
) -> bytes:
    """The file of a fitted estimator, with these classes."""
    if not hasattr(estimator, "members_"):
        return estimator._live_network().to_onnx(classes, zipmap=zipmap, dropout=dropout)
    networks = [member._live_network() for member in estimator.members_]
    return _thinnet.ensemble_to_onnx(networks, classes, zipmap=zipmap, dropout=dropout)


def labels(estimator: MLPClassifier | MLPRegressor) -> list[int] | list[str] | None:
    """The classes as ints or strings; None for several labels per sample, and for numbers."""
    if isinstance(estimator, MLPRegressor) or not estimator._one_label:
        return None
    classes = estimator.classes_
    if classes.dtype.kind in "biu":
        return [int(label) for label in classes]
    if classes.dtype.kind == "f" and (classes == np.floor(classes)).all():
        return [int(label) for label in classes]
    own = classes.tolist()
    if all(isinstance(label, str) for label in own):
        return [str(label) for label in own]
    raise TypeError(f"ONNX has labels that are whole numbers or strings; the classes are {own}.")


def _write(path: Path, content: bytes) -> None:
    """Write a file completely or not at all."""
    unfinished = path.with_name(f".thinnet-{os.getpid()}-{path.name}")
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
