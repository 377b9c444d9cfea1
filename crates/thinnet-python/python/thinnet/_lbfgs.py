"""Training by L-BFGS, on all samples at once, with SciPy's optimiser.

The settings are those of ``_fit_lbfgs`` in scikit-learn's ``sklearn/neural_network/_multilayer_perceptron.py``. The
method: Byrd, Lu, Nocedal and Zhu, "A Limited Memory Algorithm for Bound Constrained Optimization", SIAM Journal on
Scientific Computing 1995.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from thinnet._samples import Floats
from thinnet._threads import thread_count
from thinnet._training import Trainer


class _Stopped(Exception):
    """A callback asked to stop."""


class LbfgsTrainer(Trainer):
    """Trains an estimator's network; what is an epoch elsewhere is an iteration here."""

    in_batches = False
    unit = "iteration"
    alpha: float

    def _train(self, started: float) -> str | None:
        est = self.estimator
        network = est._network
        layers = network.layers()
        shapes = [array.shape for place in (0, 1) for array in (layer[place] for layer in layers)]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
        evaluated: dict[str, Any] = {}

        def pack(layers: list[Any]) -> Floats:
            # Weights first, as in scikit-learn: the order of sums decides the last bits.
            return np.concatenate([layer[place].ravel() for place in (0, 1) for layer in layers]).astype(np.float64)

        def show(point: Floats) -> None:
            kind = layers[0][0].dtype
            arrays = [
                part.reshape(shape).astype(kind) for part, shape in zip(np.split(point, ends), shapes, strict=True)
            ]
            count = len(layers)
            network.set_layers([(w, b, None) for w, b in zip(arrays[:count], arrays[count:], strict=True)])

        def evaluate(point: Floats) -> tuple[float, Floats]:
            show(point)
            least, told, gradients = network.gradients(
                self.samples,
                self.data.targets,
                self.data.weights,
                self.order,
                alpha=self.alpha,
                threads=thread_count(est.n_jobs),
            )
            evaluated["point"], evaluated["told"] = point.copy(), told
            return least, pack(gradients)

        def iterated(point: Floats) -> None:
            if not np.array_equal(point, evaluated["point"]):
                evaluate(point)
            est.n_iter_ += 1
            est.t_ += self.data.n_rows
            est.loss_ = evaluated["told"]
            est.loss_curve_.append(est.loss_)
            record = self._record(est.loss_, started)
            self.progress.epoch(record)
            self._no_improvement(est.loss_)
            if self._call_back(record):
                raise _Stopped

        self.alpha = float(est.alpha)
        est.n_iter_ = 0
        start = pack(layers)
        first, _ = evaluate(start)
        if not np.isfinite(first):
            raise self._diverged(f"The loss is {first}")
        options = {"maxfun": est.max_fun, "maxiter": est.max_iter, "gtol": est.tol}
        try:
            result = minimize(evaluate, start, method="L-BFGS-B", jac=True, callback=iterated, options=options)
        except _Stopped:
            return None
        evaluate(result.x)
        est.loss_ = evaluated["told"]
        if result.status == 0:
            return None
        finer = " In float32 the loss may be too coarse: dtype='float64' may go further." if result.status == 2 else ""
        return (
            f"lbfgs failed to converge after {est.n_iter_} iterations and {result.nfev} evaluations of the loss: "
            f"{result.message}. Increase max_iter or max_fun, or scale the data.{finer}"
        )

    def _take_changes(self) -> None:
        est = self.estimator
        if est._is_changed() or float(est.alpha) != self.alpha:
            raise ValueError(
                "With solver='lbfgs' a callback can stop training, but not change parameters or weights: each step "
                "depends on the steps before it."
            )
