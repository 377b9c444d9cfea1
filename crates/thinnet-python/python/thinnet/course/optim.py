"""The course's update rules: ``next_w, config = rule(w, dw, config)``.

``config`` holds a rule's settings and its state for this parameter; missing entries are added with the course's
defaults.
"""

from typing import Any, TypeAlias

import numpy as np

from thinnet import _thinnet
from thinnet.course._arrays import Array, common_float, floats

__all__ = ["adam", "rmsprop", "sgd", "sgd_momentum"]

Config: TypeAlias = dict[str, Any]

#: The entries of a rule's config: settings with their defaults, and arrays that are zero at first.
RULES: dict[str, tuple[dict[str, float], tuple[str, ...]]] = {
    "sgd": ({"learning_rate": 1e-2}, ()),
    "sgd_momentum": ({"learning_rate": 1e-2, "momentum": 0.9}, ("velocity",)),
    "rmsprop": ({"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8}, ("cache",)),
    "adam": ({"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}, ("m", "v")),
}


def _update(rule: str, w: Array, dw: Array, config: Config | None) -> tuple[Array, Config]:
    settings, arrays = RULES[rule]
    config = {} if config is None else config
    for name, default in settings.items():
        config.setdefault(name, default)
    state = [config.get(name, np.zeros_like(w)) for name in arrays]
    dtype = common_float(w, dw, *state)
    next_w, state = _thinnet.update(
        floats(w, dtype),
        floats(dw, dtype),
        rule,
        config["learning_rate"],
        [(name, config[name]) for name in settings if name != "learning_rate"],
        ([floats(array, dtype) for array in state], config.get("t", 0)),
    )
    config.update(zip(arrays, state, strict=True))
    return next_w, config


def sgd(w: Array, dw: Array, config: Config | None = None) -> tuple[Array, Config]:
    """Stochastic gradient descent, ``w -= learning_rate * dw``, in place; ``learning_rate`` is 1e-2 by default."""
    w[...], config = _update("sgd", w, dw, config)
    return w, config


def sgd_momentum(w: Array, dw: Array, config: Config | None = None) -> tuple[Array, Config]:
    """Stochastic gradient descent with momentum: ``velocity = momentum * velocity - learning_rate * dw; w + velocity``.

    ``config`` has ``learning_rate`` (1e-2), ``momentum`` (0.9) and ``velocity``.
    """
    return _update("sgd_momentum", w, dw, config)


def rmsprop(w: Array, dw: Array, config: Config | None = None) -> tuple[Array, Config]:
    """RMSProp: a moving average of squared gradients determines each parameter's learning rate.

    ``config`` has ``learning_rate`` (1e-2), ``decay_rate`` (0.99), ``epsilon`` (1e-8) and ``cache``.
    """
    return _update("rmsprop", w, dw, config)


def adam(w: Array, dw: Array, config: Config | None = None) -> tuple[Array, Config]:
    """Adam: moving averages of the gradient and of its square, bias-corrected.

    ``config`` has ``learning_rate`` (1e-3), ``beta1`` (0.9), ``beta2`` (0.999), ``epsilon`` (1e-8), the moments
    ``m`` and ``v``, and ``t``, the number of updates.
    """
    next_w, config = _update("adam", w, dw, config)
    config["t"] = config.get("t", 0) + 1
    return next_w, config
