"""The result of a check, and how a mistake is recognised."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Check:
    """The outcome of one check; `error` is the relative error where one was measured."""

    exercise: str
    name: str
    passed: bool
    error: float | None = None
    mistake: str = ""

    def line(self) -> str:
        """The result as a line."""
        figure = "" if self.error is None else f"  relative error {self.error:.2e}"
        reason = f"  {self.mistake}" if self.mistake else ""
        return f"{'pass' if self.passed else 'FAIL'}  {self.exercise}: {self.name}{figure}{reason}"

    def record(self) -> dict[str, Any]:
        """The result for JSON; an error that is not a number becomes null."""
        error = self.error if self.error is not None and np.isfinite(self.error) else None
        return asdict(self) | {"error": error}


Checks = Iterator[Check]


def rel_error(x: ArrayLike, y: ArrayLike) -> float:
    """The max relative error of two arrays; infinite if shapes differ or a number is not finite."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.shape != y.shape or not np.isfinite(x).all():
        return float("inf")
    scale = np.maximum(np.abs(x) + np.abs(y), 1e-6 * max(1e-2, float(np.max(np.abs(y), initial=0.0))))
    return float(np.max(np.abs(x - y) / scale, initial=0.0))


def compare(
    exercise: str,
    name: str,
    got: ArrayLike | None,
    expected: ArrayLike,
    mistakes: Mapping[str, ArrayLike] | None = None,
    tolerance: float = 1e-6,
) -> Check:
    """Compare with the right figures, and if they differ, with those of common mistakes."""
    if got is None:
        return Check(exercise, name, False, None, "does not return an array of numbers")
    error = rel_error(got, expected)
    if error <= tolerance:
        return Check(exercise, name, True, error)
    if np.shape(got) != np.shape(expected):
        return Check(exercise, name, False, None, f"shape {np.shape(got)}, expected {np.shape(expected)}")
    for mistake, figures in (mistakes or {}).items():
        if rel_error(got, figures) <= tolerance:
            return Check(exercise, name, False, error, mistake)
    if not np.isfinite(np.asarray(got, dtype=float)).all():
        return Check(exercise, name, False, error, "returns numbers that are not finite")
    return Check(exercise, name, False, error, "differs from the right figures")
