"""Checks the constructor's parameters: each error names the parameter and its valid values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

ACTIVATIONS = (
    "identity",
    "logistic",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
)
SOLVERS = ("adam", "adamw", "sgd", "lbfgs")
SCHEDULES = ("constant", "invscaling", "adaptive")


@dataclass(frozen=True)
class Architecture:
    """Sizes and rates, one per hidden layer."""

    hidden: tuple[int, ...]
    dropout: tuple[float, ...]


def _number(value: Any) -> bool:
    return isinstance(value, (Real, np.floating, np.integer)) and not isinstance(value, (bool, np.bool_))


def _whole(value: Any) -> bool:
    return isinstance(value, (Integral, np.integer)) and not isinstance(value, (bool, np.bool_))


def _flag(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _in(low: float, high: float, *, open_low: bool = False, open_high: bool = False) -> Callable[[Any], bool]:
    def inside(value: Any) -> bool:
        above = value > low if open_low else value >= low
        below = value < high if open_high else value <= high
        return bool(math.isfinite(value) and above and below)

    return inside


_ABOVE_ZERO = _in(0, math.inf, open_low=True)
_NOT_NEGATIVE = _in(0, math.inf)
_SHARE = _in(0, 1, open_high=True)

# Name: the check of the type, the check of the range, and the words for both.
_RULES: dict[str, tuple[Callable[[Any], bool], Callable[[Any], bool], str]] = {
    "alpha": (_number, _NOT_NEGATIVE, "a number, not negative"),
    "learning_rate_init": (_number, _ABOVE_ZERO, "a number above 0"),
    "power_t": (_number, _NOT_NEGATIVE, "a number, not negative"),
    "max_iter": (_whole, lambda value: value >= 1, "a whole number, at least 1"),
    "shuffle": (_flag, lambda _: True, "True or False"),
    "tol": (_number, _NOT_NEGATIVE, "a number, not negative"),
    "warm_start": (_flag, lambda _: True, "True or False"),
    "momentum": (_number, _SHARE, "a number from 0, below 1"),
    "nesterovs_momentum": (_flag, lambda _: True, "True or False"),
    "early_stopping": (_flag, lambda _: True, "True or False"),
    "validation_fraction": (_number, _in(0, 1, open_low=True, open_high=True), "a number between 0 and 1"),
    "beta_1": (_number, _SHARE, "a number from 0, below 1"),
    "beta_2": (_number, _SHARE, "a number from 0, below 1"),
    "epsilon": (_number, _ABOVE_ZERO, "a number above 0"),
    "weight_decay": (_number, _NOT_NEGATIVE, "a number, not negative"),
    "max_fun": (_whole, lambda value: value >= 1, "a whole number, at least 1"),
    "batch_norm": (_flag, lambda _: True, "True or False"),
    "n_members": (_whole, lambda value: value >= 1, "a whole number, at least 1"),
}


def _refuse(name: str, wanted: str, value: Any, kind: type[Exception] = ValueError) -> Exception:
    return kind(f"{name} must be {wanted}, got {value!r}.")


def _choice(name: str, value: Any, options: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in options:
        raise _refuse(name, "one of " + ", ".join(repr(option) for option in options), value)


def plain(value: Any) -> Any:
    """The number in an array without dimensions; any other value unchanged."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _rate(name: str, value: Any) -> float:
    value = plain(value)
    wanted = "a rate DROPPED, from 0 (keep all) to below 1"
    if not _number(value):
        raise _refuse(name, wanted, value, TypeError)
    if not _SHARE(value):
        raise _refuse(name, wanted, value)
    return float(value)


def _hidden(sizes: Any) -> tuple[int, ...]:
    sizes = plain(sizes)
    listed = list(sizes) if isinstance(sizes, Iterable) and not isinstance(sizes, (str, bytes)) else [sizes]
    for size in listed:
        if not _whole(size):
            raise _refuse("hidden_layer_sizes", "a whole number or several", sizes, TypeError)
        if size <= 0:
            raise ValueError(f"hidden_layer_sizes must be > 0, got {listed}.")
    return tuple(int(size) for size in listed)


def check_parameters(estimator: Any) -> Architecture:
    """Check every parameter that both estimators have.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        The parameters to check; they are not changed.

    Returns
    -------
    Architecture
        Sizes of the hidden layers and the dropout rates.

    Raises
    ------
    ValueError
        If a value is out of range or is not supported.
    TypeError
        If a value has the wrong type.
    """
    _choice("solver", estimator.solver, SOLVERS)
    _choice("activation", estimator.activation, ACTIVATIONS)
    _choice("learning_rate", estimator.learning_rate, SCHEDULES)
    for name, (kind, within, wanted) in _RULES.items():
        value = plain(getattr(estimator, name))
        if not kind(value):
            raise _refuse(name, wanted, value, TypeError)
        if not within(value):
            raise _refuse(name, wanted, value)
    patience = plain(estimator.n_iter_no_change)
    if not (_number(patience) and (patience == math.inf or (_whole(patience) and patience >= 1))):
        raise _refuse("n_iter_no_change", "a whole number, at least 1, or numpy.inf", patience)
    batch_size = plain(estimator.batch_size)
    if not (isinstance(batch_size, str) and batch_size == "auto") and not (_whole(batch_size) and batch_size >= 1):
        raise _refuse("batch_size", "'auto' or a whole number, at least 1", batch_size)
    max_norm = plain(estimator.max_norm)
    if max_norm is not None and not (_number(max_norm) and _ABOVE_ZERO(max_norm)):
        raise _refuse("max_norm", "None or a number above 0", max_norm)
    if not (_flag(estimator.verbose) or (_whole(estimator.verbose) and estimator.verbose >= 0)):
        raise _refuse("verbose", "False, True, or a whole number, not negative", estimator.verbose)
    if estimator.n_jobs is not None and not (_whole(estimator.n_jobs) and estimator.n_jobs != 0):
        raise _refuse("n_jobs", "None or a whole number other than 0", estimator.n_jobs)
    scoring = estimator.scoring
    if not (scoring is None or isinstance(scoring, str) or callable(scoring)):
        raise _refuse("scoring", "None, 'loss', the name of a scorer, or a callable", scoring, TypeError)
    check_dtype(estimator.dtype)
    hidden = _hidden(estimator.hidden_layer_sizes)
    _rate("input_dropout", estimator.input_dropout)
    dropout = plain(estimator.dropout)
    if isinstance(dropout, (list, tuple, np.ndarray)):
        if len(dropout) != len(hidden):
            raise ValueError(
                f"dropout must be one rate DROPPED, or one for each of the {len(hidden)} hidden layers, "
                f"got {len(dropout)} of them."
            )
        rates = tuple(_rate("dropout", rate) for rate in dropout)
    else:
        rates = (_rate("dropout", dropout),) * len(hidden)
    if estimator.solver == "lbfgs" and (
        any(rates) or estimator.input_dropout or estimator.batch_norm or max_norm is not None
    ):
        raise ValueError(
            "solver='lbfgs' needs the same loss at every step: dropout and input_dropout must be 0, batch_norm False "
            "and max_norm None. With these, use 'adam', 'adamw' or 'sgd'."
        )
    return Architecture(hidden, rates)


def check_quantiles(quantile: Any) -> list[float]:
    """The probabilities that `quantile` gives: one, or several in rising order."""
    quantile = plain(quantile)
    listed = list(quantile) if isinstance(quantile, (list, tuple, np.ndarray)) else [quantile]
    numbers = [float(q) for q in listed if _number(q)]
    inside = len(numbers) == len(listed) > 0 and all(0 < q < 1 for q in numbers)
    if not inside or any(a >= b for a, b in itertools.pairwise(numbers)):
        raise _refuse("quantile", "a number between 0 and 1, or several in rising order", quantile)
    return numbers


def check_huber_delta(delta: Any) -> float:
    """The residual from which the Huber loss is linear."""
    delta = plain(delta)
    if not (_number(delta) and _ABOVE_ZERO(delta)):
        raise _refuse("huber_delta", "a number above 0", delta)
    return float(delta)


def check_callbacks(callbacks: Any) -> list[Any]:
    """One callable, or several, as a list."""
    if callbacks is None:
        return []
    if callable(callbacks):
        return [callbacks]
    listed = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in listed:
        if not callable(callback):
            raise _refuse("callbacks", "a callable or several", callback, TypeError)
    return listed


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """The NumPy type that `dtype` names: float32 or float64."""
    try:
        kind: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise _refuse("dtype", "'float32' or 'float64'", dtype) from None
    if kind not in (np.dtype("float32"), np.dtype("float64")) or dtype is None:
        raise _refuse("dtype", "'float32' or 'float64'", dtype)
    return kind
