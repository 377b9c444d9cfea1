"""Shared by the classifier and the regressor: fitting."""

from __future__ import annotations

import itertools
import math
import threading
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from thinnet._ensemble import draw_seeds, one_at_a_time, train_together, warn_once, without_network
from thinnet._estimator import Callback, TrainingData, ValidationData
from thinnet._lbfgs import LbfgsTrainer
from thinnet._losses import mean_loss
from thinnet._parameters import Architecture, check_callbacks, check_dtype, check_parameters
from thinnet._prediction import Predicting
from thinnet._samples import Floats, Indices, check_sample_weight, merge_equal
from thinnet._thinnet import Network
from thinnet._threads import thread_count
from thinnet._training import Diverged, Trainer

_AUTO_BATCH = 200
_HISTORY = ("epoch", "loss", "learning_rate", "validation_loss", "validation_score", "time")


def held_out(X_val: Any, y_val: Any, sample_weight_val: Any, eval_set: Any) -> Any:
    """The validation data as `eval_set`, whichever way they were given; None if there are none."""
    if X_val is None and y_val is None and sample_weight_val is None:
        return eval_set
    if eval_set is not None:
        raise ValueError("Give the validation data as X_val and y_val, or as eval_set, not both.")
    if X_val is None or y_val is None:
        raise ValueError("X_val and y_val must be given together.")
    return (X_val, y_val) if sample_weight_val is None else (X_val, y_val, sample_weight_val)


def in_epochs(estimator: Any) -> bool:
    """Whether the solver trains epoch by epoch, so that `partial_fit` exists."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit needs a solver that trains in epochs: solver='lbfgs' does not.")
    return True


class BaseMLP(Predicting):
    """Base of the estimators; do not use it directly."""

    # The differences between the two estimators.

    def _encode(self, y: Any, *, reset: bool, classes: Any = None) -> Floats:
        """Targets as the network needs them; with `reset`, classes and outputs are first learnt from them."""
        raise NotImplementedError

    def _weigh(self, y: Any, weights: Floats | None) -> Floats | None:
        """Sample weights multiplied by the class weights."""
        return weights

    def _own_score(self, y: Any, predicted: Floats, weights: Floats | None) -> float:
        """The estimator's score for the network's predictions."""
        raise NotImplementedError

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
        fresh = not self.__sklearn_is_fitted__() or (not self.warm_start and not incremental)
        check_parameters(self)
        if self.n_members > 1 or (hasattr(self, "members_") and not fresh):
            self._fit_members(
                X,
                y,
                sample_weight,
                fresh=fresh,
                incremental=incremental,
                eval_set=eval_set,
                callbacks=callbacks,
                classes=classes,
            )
            return
        try:
            self.__dict__.pop("members_", None)
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
            trainer.run()
        except Diverged:
            if fresh:
                self._become(before)
            raise

    def _fit_members(
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
    ) -> None:
        """Fit an ensemble: its members are estimators of one network each."""
        before = self.__dict__.copy()
        if not fresh and (not hasattr(self, "members_") or self.n_members != self._members_asked):
            raise ValueError(
                "A fit that continues the last one cannot change n_members: set warm_start=False and call fit."
            )
        members = [] if fresh else self.members_
        of_members = [member.__dict__.copy() for member in members]
        lock = threading.Lock()
        try:
            self._check_own_parameters()
            called = check_callbacks(callbacks)
            if fresh and hasattr(self, "_network"):
                self._become(without_network(before))
            dtype = check_dtype(self.dtype)
            # The rows are converted once; all members train on the same.
            X, y, weights = self._check_weighted(X, y, sample_weight, dtype, reset=fresh)
            self._encode(y, reset=fresh, classes=classes)
            if y.ndim == 2 and y.shape[1] == 1:
                y = y[:, 0]
            if eval_set is not None:
                eval_set = self._check_held_out(eval_set, dtype)
            parameters = {**self.get_params(deep=False), "n_members": 1}
            seeds = draw_seeds(self.random_state, int(self.n_members) if fresh else len(members))
            if fresh:
                members = [type(self)(**{**parameters, "random_state": seed}) for seed in seeds]
            trainers = []
            for number, (member, seed) in enumerate(zip(members, seeds, strict=True)):
                member.set_params(**{**parameters, "random_state": seed})
                trainers.append(
                    member._prepare(
                        X,
                        y,
                        weights,
                        fresh=fresh,
                        incremental=incremental,
                        eval_set=eval_set,
                        callbacks=one_at_a_time(called, lock, number),
                        classes=classes,
                    )
                )
        except BaseException:
            self._become(before)
            for member, attributes in zip(members, of_members, strict=False):
                member._become(attributes)
            raise
        self._members_asked = int(self.n_members)
        self.members_ = members
        told = []
        try:
            told = train_together(trainers, thread_count(self.n_jobs))
        except Diverged:
            if fresh:
                self._become(before)
            raise
        finally:
            if hasattr(self, "members_"):
                self._publish_members()
        warn_once(told, stacklevel=4)

    def _publish_members(self) -> None:
        """Show in the ensemble what its members have in common."""
        # If the user stops a fit, those that were never trained would spoil the predictions of the others.
        self.members_ = [member for member in self.members_ if member.loss_curve_] or self.members_
        first = self.members_[0]
        self._shape = first._shape
        self.n_layers_ = first.n_layers_
        self.out_activation_ = first.out_activation_
        self.n_iter_ = max(member.n_iter_ for member in self.members_)
        self.loss_ = float(np.mean([getattr(member, "loss_", math.nan) for member in self.members_]))

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
        X, y, weights = self._check_weighted(X, y, sample_weight, dtype, reset=fresh)
        targets = self._encode(y, reset=fresh, classes=classes)
        total = None if weights is None else weights
        weights = self._weigh(y, weights)
        if not fresh:
            self._check_same_network(architecture, dtype)

        random = check_random_state(self.random_state)
        if fresh:
            self._initialize(architecture, dtype, random)
        stop_early = bool(self.early_stopping) and not incremental and self.solver != "lbfgs"
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
        kind = LbfgsTrainer if self.solver == "lbfgs" else Trainer
        return kind(
            self, data, validation, random, called, stop_early=stop_early, epochs=epochs, incremental=incremental
        )

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
        whole = self.solver == "lbfgs"
        limit = n_samples if whole else _AUTO_BATCH if self.batch_size == "auto" else int(self.batch_size)
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
        if not whole and self.batch_size != "auto" and limit > n_rows:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5
            )
        batch_size = min(limit, n_rows)
        one_batch = n_rows <= batch_size
        if one_batch:
            if sample_weight is not None and not hold_out:
                seen = float(sample_weight.sum())
            if not whole:
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
        X, y, weights = self._check_held_out(eval_set, dtype)
        return ValidationData(X, y, self._encode(y, reset=False), weights)

    def _check_held_out(self, eval_set: Any, dtype: np.dtype[Any]) -> tuple[Any, Any, Floats | None]:
        """Check validation data; return rows with `dtype`, dense targets and weights."""
        if isinstance(eval_set, list) and len(eval_set) == 1:
            eval_set = eval_set[0]
        if not isinstance(eval_set, tuple) or len(eval_set) not in (2, 3):
            raise ValueError("eval_set must be (X, y) or (X, y, sample_weight), or a list of one such tuple.")
        X, y = self._check_samples(eval_set[0], eval_set[1], dtype, reset=False)
        return X, y, check_sample_weight(eval_set[2] if len(eval_set) == 3 else None, X.shape[0])

    def _check_weighted(
        self, X: Any, y: Any, sample_weight: Any, dtype: np.dtype[Any], *, reset: bool
    ) -> tuple[Any, Any, Floats | None]:
        """Check samples and their weights; leave out samples of no weight."""
        X, y = self._check_samples(X, y, dtype, reset=reset)
        weights = check_sample_weight(sample_weight, X.shape[0])
        if weights is not None and (weights == 0).any():
            kept = np.flatnonzero(weights)  # a sample of no weight is no sample
            X, y, weights = X[kept], y[kept], weights[kept]
        return X, y, weights

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
        units = (self.n_features_in_, *architecture.hidden, self._n_scores())
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

    def _evaluate(self, held: ValidationData) -> tuple[float, float]:
        """Loss and score on validation data."""
        predicted = self._predicted(held.X)
        loss = mean_loss(self._loss_name(), held.targets, predicted, held.weights, **self._loss_settings())
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
