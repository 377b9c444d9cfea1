"""The course's numerical gradients, by central differences: ``(f(x + h) - f(x - h)) / 2h``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import randrange
from typing import Any

import numpy as np

from thinnet.course._arrays import Array

__all__ = [
    "eval_numerical_gradient",
    "eval_numerical_gradient_array",
    "eval_numerical_gradient_blobs",
    "eval_numerical_gradient_net",
    "grad_check_sparse",
]


@contextmanager
def _poked(x: Array, index: tuple[int, ...], value: Any) -> Iterator[None]:
    """Set an element to a value temporarily."""
    old = x[index]
    x[index] = value
    try:
        yield
    finally:
        x[index] = old


def eval_numerical_gradient(f: Callable[[Array], Any], x: Array, verbose: bool = True, h: float = 0.00001) -> Array:
    """Compute the gradient at `x` of a function that returns a number.

    Parameters
    ----------
    f : callable
        May read `x` itself: its elements are changed in place, one by one, and restored.
    x : array
        The point, of any shape.
    verbose : bool
        Whether to print each element.
    h : float
        The step.

    Returns
    -------
    grad : array of the shape of `x`
    """
    f(x)  # as the course does: a function that draws at random is then at the same draw as there
    grad = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        old = x[index]
        with _poked(x, index, old + h):
            above = f(x)
        with _poked(x, index, old - h):
            below = f(x)
        grad[index] = (above - below) / (2 * h)
        if verbose:
            print(index, grad[index])
    return grad


def eval_numerical_gradient_array(f: Callable[[Array], Array], x: Array, df: Array, h: float = 1e-5) -> Array:
    """Compute the gradient at `x` of ``sum(f(x) * df)``, for a function that returns an array with the shape of `df`.

    The parameters are those of `eval_numerical_gradient`; the result has the shape of `x`.
    """
    grad = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        old = x[index]
        with _poked(x, index, old + h):
            above = np.array(f(x))
        with _poked(x, index, old - h):
            below = np.array(f(x))
        grad[index] = np.sum((above - below) * df) / (2 * h)
    return grad


def eval_numerical_gradient_blobs(
    f: Callable[..., object], inputs: tuple[Any, ...], output: Any, h: float = 1e-5
) -> list[Array]:
    """Compute gradients of a function that takes blobs and writes its result into one.

    Parameters
    ----------
    f : callable
        Called as ``f(*inputs, output)``; it writes ``output.vals``.
    inputs : tuple of blobs
        Objects with arrays ``vals`` and ``diffs``.
    output : blob
        ``output.diffs`` is its upstream gradient.
    h : float
        The step.

    Returns
    -------
    grads : list of arrays
        The gradient of each input, in the shape of its ``diffs``.
    """
    grads = []
    for blob in inputs:
        grad = np.zeros_like(blob.diffs)
        for index in np.ndindex(*blob.vals.shape):
            old = blob.vals[index]
            with _poked(blob.vals, index, old + h):
                f(*inputs, output)
                above = np.array(output.vals)
            with _poked(blob.vals, index, old - h):
                f(*inputs, output)
                below = np.array(output.vals)
            grad[index] = np.sum((above - below) * output.diffs) / (2.0 * h)
        grads.append(grad)
    return grads


def eval_numerical_gradient_net(net: Any, inputs: tuple[Any, ...], output: Any, h: float = 1e-5) -> list[Array]:
    """Like `eval_numerical_gradient_blobs`, for an object whose ``forward()`` writes `output`."""
    return eval_numerical_gradient_blobs(lambda *_: net.forward(), inputs, output, h=h)


def grad_check_sparse(
    f: Callable[[Array], Any], x: Array, analytic_grad: Array, num_checks: int = 10, h: float = 1e-5
) -> None:
    """Compare a gradient with the numerical one in elements drawn by Python's `random`, and print a line for each."""
    for _ in range(num_checks):
        index = tuple(randrange(size) for size in x.shape)
        old = x[index]
        with _poked(x, index, old + h):
            above = f(x)
        with _poked(x, index, old - h):
            below = f(x)
        numerical = (above - below) / (2 * h)
        analytic = analytic_grad[index]
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.abs(numerical - analytic) / np.float64(np.abs(numerical) + np.abs(analytic))
        print(f"numerical: {numerical:f} analytic: {analytic:f}, relative error: {error:e}")
