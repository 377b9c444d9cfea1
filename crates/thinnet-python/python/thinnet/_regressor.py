"""The regressor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from thinnet._base import BaseMLP, held_out, in_epochs
from thinnet._docs import ATTRIBUTES, FIT, PARAMETERS, documented
from thinnet._estimator import Callback
from thinnet._parameters import check_dtype, check_huber_delta, check_quantiles, plain
from thinnet._samples import Floats

_LOSSES = ("squared_error", "absolute_error", "huber", "quantile", "gaussian_nll", "poisson")


@documented(parameters=PARAMETERS, attributes=ATTRIBUTES)
class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]  # scikit-learn has no types
    """Multi-layer perceptron regressor with dropout.

    scikit-learn's `MLPRegressor` with the same parameters, plus dropout, max-norm and batch normalisation. Without
    these, and with ``dtype="float64"``, training gives the same results.

    {parameters}
    loss : str, default="squared_error"
        One of "squared_error", "absolute_error", "huber", "quantile", "gaussian_nll" and "poisson". In this order: half
        the squared error; the absolute error, which estimates medians; half the squared error up to a residual of
        `huber_delta`, linear beyond; the pinball loss of quantiles; the negative log-likelihood of a normal
        distribution whose mean and variance both depend on the row; half the Poisson deviance of counts or rates,
        which must not be negative, with an exponential as the output's activation.
    huber_delta : float, default=1.0
        For the Huber loss, in units of `y`.
    quantile : float or sequence of float, default=0.5
        For the quantile loss: probabilities between 0 and 1, in rising order. With a sequence, `predict` returns a
        column for each.

    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from thinnet import MLPRegressor
    >>> X, y = make_regression(n_samples=200, n_features=20, random_state=1)
    >>> regr = MLPRegressor(hidden_layer_sizes=50, dropout=0.1, max_iter=500, tol=0.1, random_state=1).fit(X, y)
    >>> mean, deviation = regr.predict_dist(X[:3], mc_samples=20)
    >>> mean.shape, bool((deviation > 0).all())
    ((3,), True)
    """

    def __init__(
        self,
        loss: str = "squared_error",
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
        huber_delta: float = 1.0,
        quantile: float | Sequence[float] = 0.5,
        scoring: Any = None,
        n_members: int = 1,
        n_jobs: int | None = None,
        dtype: str = "float32",
    ) -> None:
        self.loss = loss
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
        self.huber_delta = huber_delta
        self.quantile = quantile
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
    ) -> MLPRegressor:
        """Train on rows and values.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        {fit}

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        held = held_out(X_val, y_val, sample_weight_val, eval_set)
        self._fit(X, y, sample_weight, incremental=False, eval_set=held, callbacks=callbacks)
        return self

    @available_if(in_epochs)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train one epoch on rows and values, starting from the current parameters.

        Nothing is held out and training does not stop early, whatever `early_stopping` is: the caller decides when to
        stop.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; a weight of 0 leaves the sample out.

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        self._fit(X, y, sample_weight, incremental=True)
        return self

    @overload
    def predict(self, X: Any) -> Floats: ...

    @overload
    def predict(self, X: Any, *, return_std: bool, mc_samples: int = 100) -> Floats | tuple[Floats, Floats]: ...

    def predict(self, X: Any, *, return_std: bool = False, mc_samples: int = 100) -> Floats | tuple[Floats, Floats]:
        """The value for each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.
        return_std : bool, default=False
            Return mean and standard deviation, as `predict_dist` does; pipelines pass this on.
        mc_samples : int, default=100
            Number of masks, if `return_std`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs), or two of them
            Values; with `return_std`, mean and standard deviation. With a sequence of quantiles there is one more axis,
            for these.
        """
        if return_std:
            return self.predict_dist(X, mc_samples)
        X = self._check_rows(X)
        return self._values(self._predicted(X))

    def predict_dist(self, X: Any, mc_samples: int = 100) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the values over dropout masks, and over the members of an ensemble.

        The standard deviation is the network's own uncertainty (Gal and Ghahramani, "Dropout as a Bayesian
        Approximation", ICML 2016; Lakshminarayanan et al., "Deep Ensembles", NIPS 2017); one network without dropout
        has 0. With ``loss="gaussian_nll"`` it includes the noise in the
        data (Kendall and Gal, "What Uncertainties Do We Need", NIPS 2017), otherwise not.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.
        mc_samples : int, default=100
            Number of masks, for each member. `random_state` determines them: with an int, the same call gives the same
            result.

        Returns
        -------
        mean, deviation : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In units of `y`.
        """
        X = self._check_rows(X)
        mean, deviation, *_ = self._over_masks(X, mc_samples)
        if self.loss == "gaussian_nll":
            # The mean's variance over masks, and the mean of the noise's variance.
            noise, spread = mean[:, 1::2], deviation[:, 1::2]
            deviation = np.sqrt(deviation[:, 0::2] ** 2 + noise**2 + spread**2)
            return self._values(mean), _as_given(deviation)
        return self._values(mean), self._values(deviation)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R squared of the predictions; for quantiles the mean of D squared with the pinball loss.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        float
            At most 1, which is perfect; 0 for a model that always predicts the mean, or the quantile.
        """
        return self._score_of(y, self.predict(X), sample_weight)

    def _score_of(self, y: Any, values: Floats, weights: Any) -> float:
        if self.loss != "quantile":
            return float(r2_score(y, values, sample_weight=weights))
        several = np.ndim(plain(self.quantile)) > 0
        columns = np.moveaxis(values, -1, 0) if several else [values]
        quantiles = zip(check_quantiles(self.quantile), columns, strict=True)
        return float(np.mean([d2_pinball_score(y, own, alpha=q, sample_weight=weights) for q, own in quantiles]))

    def _values(self, predicted: Floats) -> Floats:
        """What `predict` returns, from the network's outputs."""
        if self.loss == "gaussian_nll":
            predicted = predicted[:, 0::2]
        elif self.loss == "quantile" and np.ndim(plain(self.quantile)) > 0:
            values = predicted.reshape(len(predicted), self.n_outputs_, -1)
            return values[:, 0] if self.n_outputs_ == 1 else values
        return _as_given(predicted)

    def _loss_name(self) -> str:
        return self.loss

    def _loss_settings(self) -> dict[str, Any]:
        return {"huber_delta": check_huber_delta(self.huber_delta), "quantiles": check_quantiles(self.quantile)}

    def _n_scores(self) -> int:
        each = {"gaussian_nll": 2, "quantile": len(check_quantiles(self.quantile))}
        return self.n_outputs_ * each.get(self.loss, 1)

    def _own_score(self, y: Any, predicted: Floats, weights: Floats | None) -> float:
        return self._score_of(y, self._values(predicted), weights)

    def _check_own_parameters(self) -> None:
        if self.loss not in _LOSSES:
            raise ValueError(f"loss must be one of {', '.join(map(repr, _LOSSES))}, got {self.loss!r}.")
        self._loss_settings()

    def _encode(self, y: Any, *, reset: bool, classes: Any = None) -> Floats:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        values = np.ascontiguousarray(y.reshape(len(y), -1), dtype=check_dtype(self.dtype))
        if not np.isfinite(values).all():
            raise ValueError(f"y contains a value too large for dtype={self.dtype!r}.")
        if self.loss == "poisson" and (values < 0).any():
            raise ValueError("loss='poisson' needs values of y that are not negative.")
        if reset:
            self._one_label = values.shape[1] == 1
            self.n_outputs_ = values.shape[1]
        elif values.shape[1] != self.n_outputs_:
            raise ValueError(
                f"`y` has {values.shape[1]} outputs; to continue the last fit it must have {self.n_outputs_}."
            )
        return values


def _as_given(values: Floats) -> Floats:
    """A single output becomes a vector."""
    return values[:, 0] if values.shape[1] == 1 else values
