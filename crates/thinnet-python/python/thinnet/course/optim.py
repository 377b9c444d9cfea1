"""The course's update rules: ``next_w, config = rule(w, dw, config)``.

``config`` holds a rule's settings and what it remembers of this parameter; what is missing is put in with the course's
defaults.
"""

from typing import Any, TypeAlias

import numpy as np

from thinnet import _thinnet
from thinnet.course._arrays import Array, common_float, floats

__all__ = ["adam", "rmsprop", "sgd", "sgd_momentum"]

Config: TypeAlias = dict[str, Any]


def sgd(w: Array, dw: Array, config: Config | None = None) -> tuple[Array, Config]:
    """Stochastic gradient descent, ``w -= learning_rate * dw``, in place; ``learning_rate`` is 1e-2 by default."""
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    dtype = common_float(w, dw)
    w[...] = _thinnet.sgd(floats(w, dtype), floats(dw, dtype), config["learning_rate"])
    return w, config


def sgd_momentum(w: Array, dw: Array, config: Config | None = None) -> tuple[Array, Config]:
    """Stochastic gradient descent with momentum: ``velocity = momentum * velocity - learning_rate * dw; w + velocity``.

    ``config`` has ``learning_rate`` (1e-2), ``momentum`` (0.9) and ``velocity``.
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    velocity = config.get("velocity", np.zeros_like(w))
    dtype = common_float(w, dw, velocity)
    next_w, config["velocity"] = _thinnet.sgd_momentum(
        floats(w, dtype), floats(dw, dtype), floats(velocity, dtype), config["learning_rate"], config["momentum"]
    )
    return next_w, config


def rmsprop(w: Array, dw: Array, config: Config | None = None) -> tuple[Array, Config]:
    """RMSProp: a moving average of squared gradients sets each parameter's own rate.

    ``config`` has ``learning_rate`` (1e-2), ``decay_rate`` (0.99), ``epsilon`` (1e-8) and ``cache``.
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("cache", np.zeros_like(w))
    dtype = common_float(w, dw, config["cache"])
    next_w, config["cache"] = _thinnet.rmsprop(
        floats(w, dtype),
        floats(dw, dtype),
        floats(config["cache"], dtype),
        config["learning_rate"],
        config["decay_rate"],
        config["epsilon"],
    )
    return next_w, config


def adam(w: Array, dw: Array, config: Config | None = None) -> tuple[Array, Config]:
    """Adam: moving averages of the gradient and of its square, bias-corrected.

    ``config`` has ``learning_rate`` (1e-3), ``beta1`` (0.9), ``beta2`` (0.999), ``epsilon`` (1e-8), the moments
    ``m`` and ``v``, and ``t``, the updates done.
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", np.zeros_like(w))
    config.setdefault("v", np.zeros_like(w))
    config.setdefault("t", 0)
    dtype = common_float(w, dw, config["m"], config["v"])
    next_w, config["m"], config["v"] = _thinnet.adam(
        floats(w, dtype),
        floats(dw, dtype),
        floats(config["m"], dtype),
        floats(config["v"], dtype),
        config["t"],
        config["learning_rate"],
        config["beta1"],
        config["beta2"],
        config["epsilon"],
    )
    config["t"] += 1
    return next_w, config
