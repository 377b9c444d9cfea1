"""Shared by the classifier and the regressor: fitting, predictions, pickling."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import expit
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, is_classifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from thinnet._estimator import Callback, Estimator, TrainingData, ValidationData
from thinnet._losses import mean_loss
from thinnet._parameters import Architecture, check_callbacks, check_dtype, check_parameters
from thinnet._samples import Floats, Indices, check_sample_weight, merge_equal, to_samples
from thinnet._thinnet import Network
from thinnet._threads import thread_count
from thinnet._training import Diverged, Trainer

_AUTO_BATCH = 200
_PREDICT_ROWS = 4096
_PREDICT_NUMBERS = 1 << 24  # of a part that is dense: 64 MB of float32
_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
}
_BATCH_NORM_EPSILON = 1e-5
_HISTORY = ("epoch", "loss", "learning_rate", "validation_loss", "validation_score", "time")


def _parts(X: Any) -> Iterator[Any]:
    """Rows, some thousand at a time, fewer if they are wide: sparse ones are made dense in parts."""
    rows = max(1, min(_PREDICT_ROWS, _PREDICT_NUMBERS // X.shape[1]))
    return (X[start : start + rows] for start in range(0, X.shape[0], rows))


def held_out(X_val: Any, y_val: Any, sample_weight_val: Any, eval_set: Any) -> Any:
    """The validation data as `eval_set`, whichever way they were given; None if there are none."""
    if X_val is None and y_val is None and sample_weight_val is None:
        return eval_set
    if eval_set is not None:
        raise ValueError("Give the validation data as X_val and y_val, or as eval_set, not both.")
    if X_val is None or y_val is None:
        raise ValueError("X_val and y_val must be given together.")
    return (X_val, y_val) if sample_weight_val is None else (X_val, y_val, sample_weight_val)


class BaseMLP(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):  # type: ignore[misc]
    """Base of the estimators; do not use it directly."""

    # The differences between the two estimators.

    def _encode(self, y: Any, *, reset: bool, classes: Any = None) -> Floats:
        """Targets as the network needs them; with `reset`, classes and outputs are first learnt from them."""
        raise NotImplementedError

    def _loss_name(self) -> str:
        """The network's loss: softmax, logistic, squared_error or poisson."""
        raise NotImplementedError

    def _weigh(self, y: Any, weights: Floats | None) -> Floats | None:
        """Sample weights multiplied by the class weights."""
        return weights

    def _own_score(self, y: Any, predicted: Floats, weights: Floats | None) -> float:
        """The estimator's score for the network's predictions."""
        raise NotImplementedError

    def _check_own_parameters(self) -> None:
        """Check parameters that the other estimator does not have."""

    # Fitting.

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        incremental: bool,
        eval_set: Any = None,
        callbacks: Callback | Iterable[Callback] | None = None,
        classes: Any = None,
    ) -> None:
        before = self.__dict__.copy()
        fresh = not hasattr(self, "_network") or (not self.warm_start and not incremental)
        try:
            trainer = self._prepare(
                X,
                y,
                sample_weight,
                fresh=fresh,
                incremental=incremental,
                eval_set=eval_set,
                callbacks=callbacks,
                classes=classes,
            )
        except BaseException:
            self._become(before)  # a fit that cannot start changes nothing
            raise
        try:
            trainer.run(incremental=incremental)
        except Diverged:
            if fresh:
                self._become(before)
            raise

    def _become(self, attributes: dict[str, Any]) -> None:
        self.__dict__.clear()
        self.__dict__.update(attributes)

    def _prepare(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        fresh: bool,
        incremental: bool,
        eval_set: Any,
        callbacks: Callback | Iterable[Callback] | None,
        classes: Any,
    ) -> Trainer:
        """Check everything, and make the network ready for training."""
        architecture = check_parameters(self)
        self._check_own_parameters()
        dtype = check_dtype(self.dtype)
        called = check_callbacks(callbacks)
        if isinstance(self.scoring, str) and self.scoring != "loss":
            get_scorer(self.scoring)
        X, y = self._check_samples(X, y, dtype, reset=fresh)
        weights = check_sample_weight(sample_weight, X.shape[0])
        if weights is not None and (weights == 0).any():
            kept = np.flatnonzero(weights)  # a sample of no weight is no sample
            X, y, weights = X[kept], y[kept], weights[kept]
        targets = self._encode(y, reset=fresh, classes=classes)
        total = None if weights is None else weights
        weights = self._weigh(y, weights)
        if not fresh:
            self._check_same_network(architecture, dtype)

        random = check_random_state(self.random_state)
        if fresh:
            self._initialize(architecture, dtype, random)
        stop_early = bool(self.early_stopping) and not incremental
        data, validation = self._split(X, y, targets, weights, total, random, stop_early and eval_set is None)
        if eval_set is not None:
            validation = self._check_eval_set(eval_set, dtype)

        if not fresh:
            self._live_network()
            if incremental:
                self._take_settings(architecture)
            else:
                self._restart(architecture)
        if stop_early:
            self.best_loss_ = None
        epochs = 1 if incremental else int(self.max_iter)
        return Trainer(self, data, validation, random, called, stop_early=stop_early, epochs=epochs)

    def _restart(self, architecture: Architecture) -> None:
        """Make a new fit continue from the current parameters."""
        self._used_settings = self._settings(architecture, 0)
        self._network.restart(self._used_settings)
        self._learning_rate = float(self.learning_rate_init)
        self._no_improvement_count = 0
        self.best_validation_score_ = None
        if not self.early_stopping and self.best_loss_ is None:
            self.best_loss_ = math.inf

    def _follow_parameters(self, *, keep_best: bool) -> None:
        """Take what callbacks changed during a fit: `coefs_`, `intercepts_` and parameters."""
        architecture = check_parameters(self)
        self._check_own_parameters()
        self._check_same_network(architecture, check_dtype(self.dtype))
        self._live_network()
        self._take_settings(architecture, keep_best=keep_best)

    def _take_settings(self, architecture: Architecture, *, keep_best: bool = False) -> None:
        """Bring the network to the estimator's parameters; the optimiser keeps its memory."""
        now, then = self._settings(architecture, 0), self._used_settings
        changed = {name for name in now if name != "seed" and now[name] != then[name]}
        if "solver" in changed:
            raise ValueError(
                "A fit that continues the last one cannot change solver, whose memory is of another kind: set "
                "warm_start=False and call fit."
            )
        if "learning_rate" in changed:
            self._learning_rate = now["learning_rate"]
            self._network.set_learning_rate(self._learning_rate)
        if changed - {"learning_rate"}:
            self._rebuild(now, keep_best=keep_best)
        self._used_settings = now

    def _rebuild(self, settings: dict[str, Any], *, keep_best: bool) -> None:
        """Replace the network by one with other settings, and the same parameters and memory."""
        old = self._network
        layers, own = old.__getnewargs__()
        memory = old.__getstate__()
        settings = {**settings, "seed": own["seed"], "learning_rate": own["learning_rate"]}
        new = Network(layers, settings)
        if keep_best:
            old.recall()
            new.set_layers(old.layers())
            new.__setstate__(old.__getstate__())
            new.remember()
            new.set_layers(layers)
        new.__setstate__(memory)
        self._network = new

    def _split(
        self,
        X: Any,
        y: Floats,
        targets: Floats,
        weights: Floats | None,
        sample_weight: Floats | None,
        random: np.random.RandomState,
        hold_out: bool,
    ) -> tuple[TrainingData, ValidationData | None]:
        """The samples for training, and those to hold out."""
        n_samples = int(X.shape[0])
        limit = _AUTO_BATCH if self.batch_size == "auto" else int(self.batch_size)
        chosen: Indices = np.arange(n_samples, dtype=np.int64)
        validation = None
        seen = float(n_samples)
        given = weights
        if hold_out:
            if n_samples <= limit:
                # Copies of a sample belong to the same side; the split must not depend on the number of copies.
                merged, merged_weights = merge_equal(X, targets, chosen, weights)
                if merged_weights is not None:
                    chosen, weights = merged, merged_weights
            train, held = self._hold_out(chosen, y, random)
            chosen = train
            if given is None and weights is not None:
                held = np.repeat(held, weights[held].astype(np.int64))  # copies, as the data have them
            held_weights = None if given is None or weights is None else weights[held]
            validation = ValidationData(X[held], y[held], targets[held], held_weights)
            seen = float(len(train))
        n_rows = len(chosen)
        if self.batch_size != "auto" and limit > n_rows:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5
            )
        batch_size = min(limit, n_rows)
        one_batch = n_rows <= batch_size
        if one_batch:
            if sample_weight is not None and not hold_out:
                seen = float(sample_weight.sum())
            chosen, weights = merge_equal(X, targets, chosen, weights)
        data = TrainingData(X, targets, weights, chosen, n_rows, seen, batch_size, one_batch)
        return data, validation

    def _hold_out(self, chosen: Indices, y: Floats, random: np.random.RandomState) -> tuple[Indices, Indices]:
        stratify = None
        if is_classifier(self) and self._one_label and self.n_outputs_ == 1:  # as scikit-learn does
            labels = y[chosen]
            _, counts = np.unique(labels, return_counts=True)
            held = math.ceil(self.validation_fraction * len(chosen))
            # If a class is too small for both sides, the split is not stratified.
            if counts.min() >= 2 and min(held, len(chosen) - held) >= len(counts):
                stratify = labels
        if math.ceil(self.validation_fraction * len(chosen)) < 2 or len(chosen) < 3:
            raise ValueError(
                f"The validation set is too small: n_samples = {len(chosen)}. Increase 'validation_fraction' or the "
                "size of your dataset."
            )
        train, validation = train_test_split(
            chosen, random_state=random, test_size=self.validation_fraction, stratify=stratify
        )
        return train, validation

    def _check_eval_set(self, eval_set: Any, dtype: np.dtype[Any]) -> ValidationData:
        if isinstance(eval_set, list) and len(eval_set) == 1:
            eval_set = eval_set[0]
        if not isinstance(eval_set, tuple) or len(eval_set) not in (2, 3):
            raise ValueError("eval_set must be (X, y) or (X, y, sample_weight), or a list of one such tuple.")
        X, y = self._check_samples(eval_set[0], eval_set[1], dtype, reset=False)
        weights = check_sample_weight(eval_set[2] if len(eval_set) == 3 else None, X.shape[0])
        return ValidationData(X, y, self._encode(y, reset=False), weights)

    def _check_samples(self, X: Any, y: Any, dtype: np.dtype[Any], *, reset: bool) -> tuple[Any, Any]:
        """Check rows and targets; return rows with `dtype` and dense targets."""
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=not is_classifier(self),
            dtype=dtype,
            order="C",
            reset=reset,
        )
        return X, y.toarray() if sparse.issparse(y) else y

    def _initialize(self, architecture: Architecture, dtype: np.dtype[Any], random: np.random.RandomState) -> None:
        """Draw the parameters as scikit-learn does (Glorot and Bengio 2010), and reset all records."""
        units = (self.n_features_in_, *architecture.hidden, self.n_outputs_)
        factor = 2.0 if self.activation == "logistic" else 6.0
        layers: list[Any] = []
        for index, (fan_in, fan_out) in enumerate(itertools.pairwise(units)):
            bound = math.sqrt(factor / (fan_in + fan_out))
            w = random.uniform(-bound, bound, (fan_in, fan_out)).astype(dtype)
            b = random.uniform(-bound, bound, fan_out).astype(dtype)
            normal = self.batch_norm and index < len(architecture.hidden)
            layers.append((w, b, (np.ones(fan_out, dtype), np.zeros(fan_out, dtype)) if normal else None))
        # The stream of the masks; without dropout nothing is drawn, so that the shuffling equals scikit-learn's.
        drops = self.input_dropout > 0 or any(rate > 0 for rate in architecture.dropout)
        seed = int(random.randint(0, np.iinfo(np.int64).max, dtype=np.int64)) if drops else 0
        self._used_settings = self._settings(architecture, seed)
        self._network = Network(layers, self._used_settings)
        self._shape = (units, self.activation, bool(self.batch_norm), dtype.name, self._loss_name())
        self.n_layers_ = len(units)
        self.out_activation_ = {"softmax": "softmax", "logistic": "logistic", "poisson": "exp"}.get(
            self._loss_name(), "identity"
        )
        self._learning_rate = float(self.learning_rate_init)
        self._seen = 0.0
        self._no_improvement_count = 0
        self.n_iter_ = 0
        self.t_ = 0
        self.loss_curve_ = []
        self.best_loss_ = None if self.early_stopping else math.inf
        self.validation_scores_ = None
        self.validation_loss_curve_ = None
        self.best_validation_score_ = None
        self.history_ = {name: [] for name in _HISTORY}
        self._publish()

    def _settings(self, architecture: Architecture, seed: int) -> dict[str, Any]:
        return {
            "activation": self.activation,
            "loss": self._loss_name(),
            "dropout": list(architecture.dropout),
            "input_dropout": float(self.input_dropout),
            "max_norm": None if self.max_norm is None else float(self.max_norm),
            "batch_norm": bool(self.batch_norm),
            "solver": self.solver,
            "learning_rate": float(self.learning_rate_init),
            "momentum": float(self.momentum),
            "nesterov": bool(self.nesterovs_momentum),
            "beta_1": float(self.beta_1),
            "beta_2": float(self.beta_2),
            "epsilon": float(self.epsilon),
            "seed": seed,
        }

    def _check_same_network(self, architecture: Architecture, dtype: np.dtype[Any]) -> None:
        units = (self.n_features_in_, *architecture.hidden, self.n_outputs_)
        shape = (units, self.activation, bool(self.batch_norm), dtype.name, self._loss_name())
        if shape != self._shape:
            names = ("layer sizes", "activation", "batch_norm", "dtype", "loss")
            changed = [name for name, now, then in zip(names, shape, self._shape, strict=True) if now != then]
            raise ValueError(
                f"A fit that continues the last one cannot change {', '.join(changed)}: set warm_start=False and "
                "call fit."
            )

    # The network and the attributes that show it.

    def _publish(self) -> None:
        layers = self._network.layers()
        self.coefs_ = [layer[0] for layer in layers]
        self.intercepts_ = [layer[1] for layer in layers]
        self._mark_synced()

    def _mark_synced(self) -> None:
        # The arrays are read-only, so changes in place are impossible; replaced arrays are noticed.
        self._synced = (*self.coefs_, *self.intercepts_)
        for array in self._synced:
            array.flags.writeable = False

    def _live_network(self) -> Network:
        """The network, with the user's parameters if `coefs_` or `intercepts_` were replaced."""
        shown = (*self.coefs_, *self.intercepts_)
        if len(shown) != len(self._synced) or any(a is not b for a, b in zip(shown, self._synced, strict=True)):
            kind = np.dtype(self._shape[3])
            own = self._network.layers()
            if len(self.coefs_) != len(own) or len(self.intercepts_) != len(own):
                raise ValueError(f"coefs_ and intercepts_ must have {len(own)} arrays each.")
            self.coefs_ = [np.array(w, dtype=kind) for w in self.coefs_]
            self.intercepts_ = [np.array(b, dtype=kind) for b in self.intercepts_]
            normal = [layer[2] for layer in own]
            self._network.set_layers(list(zip(self.coefs_, self.intercepts_, normal, strict=True)))
            self._mark_synced()
        return self._network

    def __getstate__(self) -> dict[str, Any]:
        # The network goes as arrays and plain values, which every protocol and safe format can hold.
        fitted = hasattr(self, "_network")
        network = self._live_network() if fitted else None
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_synced", None)
        if network is not None:
            layers, settings = network.__getnewargs__()
            normal = [layer[2] for layer in layers]
            state["_network"] = {"normal": normal, "settings": settings, "memory": network.__getstate__()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "_network"):
            parts: Any = self._network
            layers = list(zip(self.coefs_, self.intercepts_, parts["normal"], strict=True))
            self._network = Network(layers, parts["settings"])
            self._network.__setstate__(parts["memory"])
            self._mark_synced()

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_network")

    # Predictions.

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
        """The network's predictions (N, C) for checked rows, some thousand at a time."""
        network, threads = self._live_network(), thread_count(self.n_jobs)
        rows = to_samples if sparse.issparse(X) else np.ascontiguousarray
        predicted = [network.predict(rows(part), threads) for part in _parts(X)]
        return predicted[0] if len(predicted) == 1 else np.concatenate(predicted)

    def _masked(self, X: Any, mc_samples: Any) -> Iterator[tuple[Any, int, int]]:
        """Checked rows in parts, each with the number of its first mask and how many masks it gets."""
        if isinstance(mc_samples, bool) or not isinstance(mc_samples, (int, np.integer)):
            raise TypeError(f"mc_samples must be a whole number, at least 1, got {mc_samples!r}.")
        if mc_samples < 1:
            raise ValueError(f"mc_samples must be a whole number, at least 1, got {mc_samples!r}.")
        # Each part has masks of its own: numbers that follow each other from a random one.
        first = int(check_random_state(self.random_state).randint(0, 1 << 62, dtype=np.int64))
        draws = int(mc_samples)
        return ((to_samples(part), first + number * draws, draws) for number, part in enumerate(_parts(X)))

    def _predicted_dist(self, X: Any, mc_samples: Any) -> tuple[Floats, Floats]:
        """Mean and standard deviation (N, C) over masks, for checked rows."""
        network, threads = self._live_network(), thread_count(self.n_jobs)
        drawn = [network.predict_masked(*part, threads) for part in self._masked(X, mc_samples)]
        kind = np.dtype(self._shape[3])
        mean, deviation = (np.concatenate(parts).astype(kind) for parts in zip(*drawn, strict=True))
        return mean, deviation

    def _each_drawn(self, X: Any, mc_samples: Any) -> Iterator[Iterator[Floats]]:
        """For each part of the checked rows its predictions (rows, C), mask by mask."""
        network, threads = self._live_network(), thread_count(self.n_jobs)
        for samples, first, draws in self._masked(X, mc_samples):
            yield (network.predict_masked(samples, first + draw, 1, threads)[0] for draw in range(draws))

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
            Activations of the last hidden layer; without hidden layers the rows themselves.
        """
        X = self._check_rows(X)
        activate = _ACTIVATIONS[self.activation]
        layers, norms = self._live_network().layers()[:-1], self.batch_norms_
        parts = []
        for part in _parts(X):
            out = part.toarray() if sparse.issparse(part) and not layers else part
            for (w, b, _), norm in itertools.zip_longest(layers, norms):
                out = out @ w + b
                if norm is not None:
                    scale = norm["gamma"] / np.sqrt(norm["running_variance"] + _BATCH_NORM_EPSILON)
                    out = scale * (out - norm["running_mean"]) + norm["beta"]
                out = activate(out)
            parts.append(np.asarray(out, dtype=self._shape[3]))
        return np.concatenate(parts)

    @property
    def batch_norms_(self) -> list[dict[str, Floats]]:
        """Scale, shift, running mean and running variance of each batch normalisation, (n_units,) each."""
        check_is_fitted(self)
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
        return units

    def _evaluate(self, held: ValidationData) -> tuple[float, float]:
        """Loss and score on validation data."""
        predicted = self._predicted(held.X)
        loss = mean_loss(self._loss_name(), held.targets, predicted, held.weights)
        if self.scoring is None:
            if not np.isfinite(predicted).all():
                return loss, math.nan
            return loss, self._own_score(held.y, predicted, held.weights)
        if self.scoring == "loss":
            return loss, -loss
        scorer = get_scorer(self.scoring) if isinstance(self.scoring, str) else self.scoring
        judged = object.__new__(type(self))
        judged.__dict__.update(self.__dict__)
        if hasattr(judged, "feature_names_in_"):
            del judged.feature_names_in_  # the rows are arrays by now
        given: dict[str, npt.NDArray[Any]] = {} if held.weights is None else {"sample_weight": held.weights}
        return loss, float(scorer(judged, held.X, held.y, **given))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = []  # features have the network's precision
        return tags
