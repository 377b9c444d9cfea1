"""Predictions of a fitted estimator: of its outputs, over dropout masks, and of its last hidden layer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from thinnet._ensemble import combined, combined_over_masks
from thinnet._samples import Floats, to_samples
from thinnet._state import NetworkState
from thinnet._thinnet import activate
from thinnet._threads import sharing, thread_count

_PREDICT_ROWS = 4096
_PREDICT_NUMBERS = 1 << 24  # of a part that is dense: 64 MB of float32
_BATCH_NORM_EPSILON = 1e-5


def _parts(X: Any) -> Iterator[Any]:
    """Rows, some thousand at a time, fewer if they are wide: sparse ones are made dense in parts."""
    rows = max(1, min(_PREDICT_ROWS, _PREDICT_NUMBERS // X.shape[1]))
    return (X[start : start + rows] for start in range(0, X.shape[0], rows))


class Predicting(ClassNamePrefixFeaturesOutMixin, TransformerMixin, NetworkState):  # type: ignore[misc]
    """An estimator that predicts."""

    def _check_rows(self, X: Any) -> Any:
        check_is_fitted(self)
        dtype = np.dtype(self._shape[3])
        if self._is_as_fitted(X, dtype):
            return X
        return validate_data(self, X, accept_sparse="csr", dtype=dtype, order="C", reset=False)

    def _is_as_fitted(self, X: Any, dtype: np.dtype[Any]) -> bool:
        """Whether `validate_data` would return this array unchanged: it takes 45 us, most of the time of one row."""
        if type(X) is not np.ndarray or X.dtype != dtype or hasattr(self, "feature_names_in_"):
            return False
        if X.ndim != 2 or not len(X) or X.shape[1] != self.n_features_in_ or not X.flags.c_contiguous:
            return False
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(np.isfinite(X.sum()))  # a sum that is finite has no other terms

    def _predicted(self, X: Any) -> Floats:
        """Predictions (N, C) for checked rows, some thousand at a time: the network's, or those of an ensemble."""
        if hasattr(self, "members_"):
            return combined(self._predicted_by_each(X), self._loss_name())
        network, threads = self._live_network(), thread_count(self.n_jobs)
        rows = to_samples if sparse.issparse(X) else np.ascontiguousarray
        predicted = [network.predict(rows(part), threads) for part in _parts(X)]
        return predicted[0] if len(predicted) == 1 else np.concatenate(predicted)

    def _predicted_by_each(self, X: Any) -> list[Floats]:
        """The predictions of each member of an ensemble."""
        with sharing(thread_count(self.n_jobs)):
            return [member._predicted(X) for member in self.members_]

    def _over_masks(self, X: Any, mc_samples: Any) -> list[Floats]:
        """Checked rows over dropout masks: mean, deviation, entropy and mutual information of the outputs.

        For an ensemble they are over the masks of all members; over the members if these do not drop anything.
        """
        if isinstance(mc_samples, bool) or not isinstance(mc_samples, (int, np.integer)):
            raise TypeError(f"mc_samples must be a whole number, at least 1, got {mc_samples!r}.")
        if mc_samples < 1:
            raise ValueError(f"mc_samples must be a whole number, at least 1, got {mc_samples!r}.")
        draw = int(check_random_state(self.random_state).randint(0, 1 << 62, dtype=np.int64))
        kind = np.dtype(self._shape[3])
        if not hasattr(self, "members_"):
            return [part.astype(kind) for part in self._over_draws(X, draw, int(mc_samples))]
        each = []
        with sharing(thread_count(self.n_jobs)):
            for number, member in enumerate(self.members_):
                settings = member._used_settings
                drops = settings["input_dropout"] > 0 or any(rate > 0 for rate in settings["dropout"])
                draws = int(mc_samples) if drops else 1  # without dropout all are the same
                each.append(member._over_draws(X, draw + number * draws, draws))
        return [part.astype(kind) for part in combined_over_masks(each, self._loss_name())]

    def _over_draws(self, X: Any, draw: int, draws: int) -> list[Floats]:
        """The same of one network, in float64."""
        network, threads = self._live_network(), thread_count(self.n_jobs)
        drawn, first = [], 0
        for part in _parts(X):
            drawn.append(network.predict_masked(to_samples(part), draw, draws, first, threads))
            first += part.shape[0]  # each row has masks of its own
        return [np.concatenate(parts) for parts in zip(*drawn, strict=True)]

    # The hidden layers.

    def transform(self, X: Any) -> Floats:
        """What the last hidden layer makes of each row: features for another model.

        Dropout is off, and batch normalisation uses its running statistics.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_units)
            Activations of the last hidden layer; without hidden layers the rows themselves. Those of an ensemble's
            members are side by side.
        """
        X = self._check_rows(X)
        if hasattr(self, "members_"):
            return np.hstack([member.transform(X) for member in self.members_])
        layers, norms = self._live_network().layers()[:-1], self.batch_norms_
        parts = []
        for part in _parts(X):
            out = part.toarray() if sparse.issparse(part) and not layers else part
            for (w, b, _), norm in itertools.zip_longest(layers, norms):
                out = out @ w + b
                if norm is not None:
                    scale = norm["gamma"] / np.sqrt(norm["running_variance"] + _BATCH_NORM_EPSILON)
                    out = scale * (out - norm["running_mean"]) + norm["beta"]
                out = activate(out, self.activation)
            parts.append(np.asarray(out, dtype=self._shape[3]))
        return np.concatenate(parts)

    @property
    def batch_norms_(self) -> list[dict[str, Floats]]:
        """Scale, shift, running mean and running variance of each batch normalisation, (n_units,) each."""
        check_is_fitted(self)
        if hasattr(self, "members_"):
            raise AttributeError("an ensemble has no batch_norms_ of its own: see those of its members_.")
        network = self._live_network()
        names = ("gamma", "beta", "running_mean", "running_variance")
        shapes = [layer[2] for layer in network.layers()[:-1] if layer[2] is not None]
        statistics = network.__getstate__()["running"] if shapes else []
        pairs = zip(shapes, statistics, strict=True)
        return [dict(zip(names, (*shape, *own), strict=True)) for shape, own in pairs]

    @property
    def _n_features_out(self) -> int:
        """How many features `transform` makes."""
        units: int = self._shape[0][-2]
        return units * len(self.members_) if hasattr(self, "members_") else units

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = []  # features have the network's precision
        return tags
