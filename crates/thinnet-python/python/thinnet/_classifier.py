"""The classifier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from thinnet._base import BaseMLP, held_out, in_epochs
from thinnet._docs import ATTRIBUTES, FIT, PARAMETERS, documented
from thinnet._ensemble import combined
from thinnet._estimator import Callback
from thinnet._parameters import check_dtype
from thinnet._samples import Floats


class Uncertainty(NamedTuple):
    """What `MLPClassifier.predict_uncertainty` returns."""

    probabilities: Floats
    std: Floats
    entropy: Floats
    mutual_information: Floats


@documented(parameters=PARAMETERS, attributes=ATTRIBUTES)
class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]  # scikit-learn has no types
    """Multi-layer perceptron classifier with dropout.

    scikit-learn's `MLPClassifier` with the same parameters, plus dropout, max-norm and batch normalisation. Without
    these, and with ``dtype="float64"``, training gives the same results. Two classes have one logistic output, more
    classes a softmax, and several labels per sample one logistic output each.

    {parameters}
    class_weight : dict or "balanced", default=None
        Weights of the classes, which are multiplied with the sample weights; "balanced" weighs each class by the
        inverse of its share of the total weight. Not for several labels per sample.

    {attributes}
    classes_ : ndarray of shape (n_classes,)
        The classes; for several labels per sample the numbers of the columns.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.model_selection import train_test_split
    >>> from thinnet import MLPClassifier
    >>> X, y = make_classification(n_samples=400, random_state=1)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
    >>> clf = MLPClassifier(dropout=0.5, max_iter=300, random_state=1).fit(X_train, y_train)
    >>> clf.predict(X_test).shape
    (100,)
    >>> clf.predict_proba(X_test, mc_samples=20).shape
    (100, 2)
    """

    classes_: npt.NDArray[Any]

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float | Sequence[float] = 0.0,
        input_dropout: float = 0.0,
        max_norm: float | None = None,
        batch_norm: bool = False,
        weight_decay: float = 0.01,
        class_weight: Any = None,
        scoring: Any = None,
        n_members: int = 1,
        n_jobs: int | None = None,
        dtype: str = "float32",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.max_norm = max_norm
        self.batch_norm = batch_norm
        self.weight_decay = weight_decay
        self.class_weight = class_weight
        self.scoring = scoring
        self.n_members = n_members
        self.n_jobs = n_jobs
        self.dtype = dtype

    @documented(fit=FIT)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        eval_set: Any = None,
        callbacks: Callback | Iterable[Callback] | None = None,
    ) -> MLPClassifier:
        """Train on rows and labels.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            One class each, or an indicator (0 or 1) for each of several labels.
        {fit}

        Returns
        -------
        MLPClassifier
            The estimator itself.
        """
        held = held_out(X_val, y_val, sample_weight_val, eval_set)
        self._fit(X, y, sample_weight, incremental=False, eval_set=held, callbacks=callbacks)
        return self

    @available_if(in_epochs)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Train one epoch on rows and labels, starting from the current parameters.

        Nothing is held out and training does not stop early, whatever `early_stopping` is: the caller decides when to
        stop.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; a weight of 0 leaves the sample out.
        classes : array-like of shape (n_classes,), default=None
            All classes that may occur: required in the first call, unless samples have several labels each.

        Returns
        -------
        MLPClassifier
            The estimator itself.
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight 'balanced' is not supported by partial_fit: a part of the data does not show the shares "
                "of the classes. Give the weights as a dict."
            )
        if classes is not None and hasattr(self, "classes_"):
            if not np.array_equal(np.unique(classes), self.classes_):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
                )
        elif classes is None and not self.__sklearn_is_fitted__() and not _is_multilabel(y):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        self._fit(X, y, sample_weight, incremental=True, classes=classes)
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable class of each row; for several labels those with a probability above 0.5.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            Classes, or indicators.
        """
        X = self._check_rows(X)
        return self._decide(self._predicted(X))

    @overload
    def predict_proba(self, X: Any, mc_samples: int | None = None) -> Floats: ...

    @overload
    def predict_proba(
        self, X: Any, mc_samples: int | None = None, *, return_std: bool
    ) -> Floats | tuple[Floats, Floats]: ...

    def predict_proba(
        self, X: Any, mc_samples: int | None = None, *, return_std: bool = False
    ) -> Floats | tuple[Floats, Floats]:
        """Probability of each class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.
        mc_samples : int, default=None
            Average over this many dropout masks (Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016);
            None drops nothing. `random_state` determines the masks: with an int, the same call gives the same result.
        return_std : bool, default=False
            Whether to return the standard deviation over the masks as well; needs `mc_samples`, or an ensemble, whose
            deviation is over its members (and their masks).

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of `classes_`; for several labels each label's own.
        std : ndarray of shape (n_samples, n_classes)
            Standard deviations of the probabilities over masks and members, if `return_std`.
        """
        X = self._check_rows(X)
        if mc_samples is None:
            if not return_std:
                return self._columns(self._predicted(X))
            if not hasattr(self, "members_"):
                raise ValueError("return_std needs mc_samples: without masks there is no deviation.")
            each = np.stack(self._predicted_by_each(X))
            std = each.std(axis=0, dtype=np.float64).astype(each.dtype)
            return self._columns(combined(list(each), self._loss_name())), self._deviations(std)
        mean, deviation, *_ = self._over_masks(X, mc_samples)
        return (self._columns(mean), self._deviations(deviation)) if return_std else self._columns(mean)

    def _columns(self, p: Floats) -> Floats:
        """A probability for each class, from the network's outputs."""
        if not self._one_label or self.n_outputs_ > 1:
            return p
        if len(self.classes_) == 1:
            return np.ones_like(p)
        return np.hstack([1 - p, p])

    def _deviations(self, deviation: Floats) -> Floats:
        """A standard deviation for each class, from those of the network's outputs."""
        if not self._one_label or self.n_outputs_ > 1:
            return deviation
        # One output for two classes moves both; a single class is certain.
        return np.zeros_like(deviation) if len(self.classes_) == 1 else np.hstack([deviation, deviation])

    def predict_uncertainty(self, X: Any, mc_samples: int = 100) -> Uncertainty:
        """How sure the predictions are, over dropout masks, or over the members of an ensemble and their masks.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.
        mc_samples : int, default=100
            Number of masks, as in `predict_proba`, for each member. An ensemble without dropout does not need them.

        Returns
        -------
        Uncertainty
            `probabilities` and `std` as of `predict_proba`; `entropy` of the mean probabilities, in nats, of shape
            (n_samples,); and `mutual_information` of the class and the mask, the part of the entropy that the network's
            own uncertainty makes, which more data would reduce (Houlsby et al., "Bayesian Active Learning", 2011; Gal,
            thesis, 2016, section 3.3). For several labels the last two have a column for each label.
        """
        mean, deviation, entropy, information = self._over_masks(self._check_rows(X), mc_samples)
        if self._one_label:
            certain = 0.0 if len(self.classes_) == 1 else 1.0
            entropy, information = certain * entropy[:, 0], certain * information[:, 0]
        return Uncertainty(self._columns(mean), self._deviations(deviation), entropy, information)

    def predict_log_proba(self, X: Any, mc_samples: int | None = None) -> Floats:
        """Logarithm of `predict_proba`.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.
        mc_samples : int, default=None
            As in `predict_proba`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Logarithms of probabilities; the logarithm of 0 is minus infinity.
        """
        with np.errstate(divide="ignore"):
            logarithm: Floats = np.log(self.predict_proba(X, mc_samples))
        return logarithm

    def _decide(self, p: Floats) -> npt.NDArray[Any]:
        if not self._one_label:
            return (p > 0.5).astype(int)
        if self.n_outputs_ > 1:
            best: npt.NDArray[Any] = self.classes_[p.argmax(axis=1)]
            return best
        if len(self.classes_) == 1:
            return np.repeat(self.classes_, len(p))
        likelier: npt.NDArray[Any] = self.classes_[(p[:, 0] > 0.5).astype(int)]
        return likelier

    def _loss_name(self) -> str:
        return "softmax" if self._one_label and self.n_outputs_ > 1 else "logistic"

    def _own_score(self, y: Any, predicted: Floats, weights: Floats | None) -> float:
        return float(accuracy_score(y, self._decide(predicted), sample_weight=weights))

    def _check_own_parameters(self) -> None:
        weight = self.class_weight
        if (
            weight is not None
            and not isinstance(weight, dict)
            and not (isinstance(weight, str) and weight == "balanced")
        ):
            raise ValueError(f"class_weight must be None, a dict or 'balanced', got {weight!r}.")

    def _encode(self, y: Any, *, reset: bool, classes: Any = None) -> Floats:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        several = _is_multilabel(y)
        if y.ndim == 2 and not several:
            raise ValueError(
                "y has several columns that are not indicators: multiclass-multioutput is not supported. Train a "
                "classifier for each column."
            )
        dtype = check_dtype(self.dtype)
        if reset:
            self._one_label = not several
            self.classes_ = np.arange(y.shape[1]) if several else np.unique(y if classes is None else classes)
            self.n_outputs_ = y.shape[1] if several else (len(self.classes_) if len(self.classes_) > 2 else 1)
        elif several == self._one_label or (several and y.shape[1] != len(self.classes_)):
            raise ValueError(
                f"`y` has shape {y.shape}; to continue the last fit it must have "
                + ("one label per sample." if self._one_label else f"{len(self.classes_)} labels per sample.")
            )
        if several:
            return np.ascontiguousarray(y, dtype=dtype)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {np.unique(y)}."
            )
        labels: Floats = np.searchsorted(self.classes_, y).astype(np.int64)
        if self.n_outputs_ > 1:
            return labels
        column: Floats = labels.reshape(-1, 1).astype(dtype)
        return column

    def _weigh(self, y: Any, weights: Floats | None) -> Floats | None:
        if self.class_weight is None:
            return weights
        if not self._one_label:
            raise ValueError("class_weight is not supported for several labels per sample; use sample_weight.")
        labels = np.searchsorted(self.classes_, np.ravel(y))
        own = np.ones(len(labels)) if weights is None else weights
        if isinstance(self.class_weight, dict):
            unknown = [label for label in self.class_weight if label not in self.classes_]
            if len(unknown) == len(self.class_weight) and unknown:
                raise ValueError(f"class_weight names {unknown}; the classes are {list(self.classes_)}.")
            factors = np.array([float(self.class_weight.get(label, 1.0)) for label in self.classes_.tolist()])
            if not np.isfinite(factors).all() or (factors <= 0).any():
                raise ValueError(f"the weights in class_weight must be finite and above 0, got {self.class_weight!r}.")
        else:
            mass = np.bincount(labels, weights=own, minlength=len(self.classes_))
            factors = own.sum() / (np.count_nonzero(mass) * np.where(mass > 0, mass, 1.0))
        return np.asarray(own * factors[labels], dtype=np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _is_multilabel(y: Any) -> bool:
    return bool(type_of_target(y, input_name="y") == "multilabel-indicator")
