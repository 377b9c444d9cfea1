"""What the training loop needs of an estimator, and the data that they exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from thinnet._samples import Floats, Indices
from thinnet._thinnet import Network

Callback = Callable[[Any, dict[str, float]], Any]


@dataclass
class TrainingData:
    """The training data."""

    X: Any
    targets: npt.NDArray[Any]
    weights: npt.NDArray[np.float64] | None
    chosen: Indices
    """The samples, already merged and ordered if they are a single batch."""
    n_rows: int
    """Rows before equal ones were merged."""
    seen_an_epoch: float
    """How far the clock of ``invscaling`` advances in an epoch."""
    batch_size: int
    one_batch: bool


@dataclass
class ValidationData:
    """The held-out data: rows, labels or values as the user gave them, encoded targets, weights."""

    X: Any
    y: npt.NDArray[Any]
    targets: npt.NDArray[Any]
    weights: npt.NDArray[np.float64] | None


class Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The attributes that a fit sets in an estimator, and the methods that the loop calls."""

    loss_: float
    best_loss_: float | None
    loss_curve_: list[float]
    validation_scores_: list[float] | None
    validation_loss_curve_: list[float] | None
    best_validation_score_: float | None
    coefs_: list[Floats]
    intercepts_: list[Floats]
    history_: dict[str, list[Any]]
    n_iter_: int
    t_: int
    n_layers_: int
    n_outputs_: int
    n_features_in_: int
    out_activation_: str
    _members_asked: int
    members_: list[Any]
    """The fitted networks of an ensemble; only ensembles have it."""
    _network: Network
    _used_settings: dict[str, Any]
    _one_label: bool

    def _publish(self) -> None:
        """Copy the network's weights to the estimator's attributes."""
        raise NotImplementedError

    def _follow_parameters(self, *, keep_best: bool) -> None:
        """Take what callbacks changed: weights and parameters."""
        raise NotImplementedError

    def _is_changed(self) -> bool:
        """Whether weights or parameters are not those of the network."""
        raise NotImplementedError

    def _evaluate(self, held: ValidationData) -> tuple[float, float]:
        """Loss and score on validation data."""
        raise NotImplementedError
