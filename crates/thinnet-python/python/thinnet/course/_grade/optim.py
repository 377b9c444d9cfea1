"""Checks of the update rules."""

from typing import Any

import numpy as np

from thinnet.course import optim
from thinnet.course._arrays import Array
from thinnet.course._grade.checks import Checks, compare
from thinnet.course._grade.student import Student

_CONFIGS: dict[str, dict[str, float]] = {
    "sgd": {"learning_rate": 0.1},
    "sgd_momentum": {"learning_rate": 0.1, "momentum": 0.8},
    "rmsprop": {"learning_rate": 0.05, "decay_rate": 0.9, "epsilon": 1e-3},
    "adam": {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3},
}


def checks(student: Student, random: np.random.Generator) -> Checks:
    """Check every rule over three updates, so that its state is tested as well."""
    shape = (int(random.integers(2, 5)), int(random.integers(2, 5)))
    w = random.normal(size=shape)
    gradients = [random.normal(size=shape) for _ in range(3)]
    for rule, config in _CONFIGS.items():
        steps: list[dict[str, Any]] = [{"do": "copy", "args": ["$w"], "to": "w0"}]
        for i in range(3):
            steps.append({"do": rule, "args": [f"$w{i}", f"$g{i}", "$config"], "to": ["next", "config"]})
            steps.append({"do": "copy", "args": ["$next"], "to": f"w{i + 1}"})
        arrays = {"w": w, **{f"g{i}": gradient for i, gradient in enumerate(gradients)}}
        found = student.ask("optim", steps, ["w1", "w3"], arrays, config=dict(config))
        expected, state = [w.copy()], dict(config)
        for gradient in gradients:
            next_w, state = getattr(optim, rule)(expected[-1].copy(), gradient, state)
            expected.append(next_w)
        wrong = {mistake: _updated(w, gradients, config, change) for mistake, change in _MISTAKES.get(rule, {}).items()}
        yield compare("optim", f"{rule}, three updates", found.get("w3"), expected[-1], wrong)


def _updated(w: Array, gradients: list[Array], config: dict[str, float], rule: Any) -> Array:
    state: dict[str, Any] = {}
    for t, g in enumerate(gradients, start=1):
        w = w + rule(g, t, config, state)
    return w


def _momentum(sign: float, keep: bool) -> Any:
    def rule(g: Array, _: int, c: dict[str, float], s: dict[str, Any]) -> Array:
        v = c["momentum"] * s.get("v", 0 * g) + sign * c["learning_rate"] * g
        if keep:
            s["v"] = v
        return np.asarray(v)

    return rule


def _rmsprop(form: str) -> Any:
    def rule(g: Array, _: int, c: dict[str, float], s: dict[str, Any]) -> Array:
        d = 1 - c["decay_rate"] if form == "swapped" else c["decay_rate"]
        s["c"] = d * s.get("c", 0 * g) + (1 - d) * g**2
        root = np.sqrt(s["c"] + c["epsilon"]) if form == "inside" else np.sqrt(s["c"]) + c["epsilon"]
        return np.asarray(-c["learning_rate"] * g / (s["c"] + c["epsilon"] if form == "unrooted" else root))

    return rule


def _adam(form: str) -> Any:
    def rule(g: Array, t: int, c: dict[str, float], s: dict[str, Any]) -> Array:
        s["m"] = c["beta1"] * s.get("m", 0 * g) + (1 - c["beta1"]) * g
        s["v"] = c["beta2"] * s.get("v", 0 * g) + (1 - c["beta2"]) * g**2
        t = {"fixed": 1, "late": t + 1}.get(form, t)
        one, two = (1.0, 1.0) if form == "uncorrected" else (1 - c["beta1"] ** t, 1 - c["beta2"] ** t)
        return np.asarray(-c["learning_rate"] * (s["m"] / one) / (np.sqrt(s["v"] / two) + c["epsilon"]))

    return rule


def _plain(sign: float) -> Any:
    return lambda g, _, c, __: sign * c["learning_rate"] * g


_MISTAKES: dict[str, dict[str, Any]] = {
    "sgd": {"goes up the gradient: the sign is wrong": _plain(1.0)},
    "sgd_momentum": {
        "goes up the gradient: the sign is wrong": _momentum(1.0, True),
        "the velocity is not kept in config": _momentum(-1.0, False),
    },
    "rmsprop": {
        "epsilon is inside the root": _rmsprop("inside"),
        "the decay weighs the new instead of the old": _rmsprop("swapped"),
        "the root of the average is not taken": _rmsprop("unrooted"),
    },
    "adam": {
        "the bias is not corrected": _adam("uncorrected"),
        "t is not increased": _adam("fixed"),
        "t is increased twice before the first update": _adam("late"),
    },
}
