"""The training loop: schedules, validation, when to stop, and the records.

Shuffling, the order of updates and the rules for stopping are scikit-learn's
(``sklearn/neural_network/_multilayer_perceptron.py``, ``_fit_stochastic``); an epoch is one call of the compiled
module.
"""

from __future__ import annotations

import math
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from thinnet._estimator import Callback, Estimator, TrainingData, ValidationData
from thinnet._progress import Progress
from thinnet._samples import to_samples
from thinnet._threads import thread_count

_SMALLEST_RATE = 1e-6


class Diverged(ValueError):
    """Training came to numbers that are not finite."""


class Trainer:
    """Trains an estimator's network, with one call of `run` per fit."""

    in_batches = True
    """Whether a step needs only some of the rows."""
    unit = "epoch"

    def __init__(
        self,
        estimator: Estimator,
        data: TrainingData,
        validation: ValidationData | None,
        random: np.random.RandomState,
        callbacks: Iterable[Callback],
        *,
        stop_early: bool,
        epochs: int,
        incremental: bool,
    ) -> None:
        self.estimator = estimator
        self.data = data
        self.validation = validation
        self.random = random
        self.callbacks = list(callbacks)
        self.samples = to_samples(data.X, estimator._network.sparse_below, in_place=self.in_batches)
        self.stop_early = stop_early
        self.epochs = epochs
        self.incremental = incremental
        self.order = data.chosen
        self.interrupted = False
        # An ensemble replaces these two.
        self.stop: threading.Event | None = None
        self.warn: Callable[..., Any] = warnings.warn
        self.progress = Progress(int(estimator.verbose), epochs, self.unit)

    def run(self) -> None:
        """Train until the loss or the validation score does not improve, or for all epochs."""
        est = self.estimator
        short: str | None = None
        complete = False
        try:
            short = self._train(time.perf_counter())
            complete = True
        except KeyboardInterrupt:
            self.interrupted = True
            self.warn("Training interrupted by user.", stacklevel=4)
        finally:
            self.progress.close(complete=complete)
            if self.stop_early:
                est._network.recall()
            est._publish()
        if short is not None and not self.incremental:
            self.warn(short, ConvergenceWarning, stacklevel=4)
        if not all(np.isfinite(array).all() for array in (*est.coefs_, *est.intercepts_)):
            raise self._diverged("A weight is not finite")

    def _train(self, started: float) -> str | None:
        """Train; return why training should have lasted longer, if it should."""
        est = self.estimator
        for number in range(1, self.epochs + 1):
            loss = self._epoch()
            if not math.isfinite(loss):
                if not self.stop_early or est.best_validation_score_ is None:
                    raise self._diverged(f"The loss is {loss}")
                # As scikit-learn does, the model is the best that was found.
                self._record(loss, started)
                self.warn(f"{self._where(f'The loss is {loss}')} Training stops.", RuntimeWarning, stacklevel=5)
                return None
            est.n_iter_ = number
            est.loss_ = loss
            est.t_ += self.data.n_rows
            est._seen += self.data.seen_an_epoch
            est.loss_curve_.append(loss)
            record = self._record(loss, started)
            self.progress.epoch(record)
            stalled = self._no_improvement(loss)
            self._schedule()
            stop = self._call_back(record)
            if not self.incremental and stalled and self._stop_or_slow_down():
                stop = True
            if stop:
                return None
        return (
            f"Stochastic Optimizer: Maximum iterations ({self.epochs}) reached and the optimization hasn't converged "
            "yet."
        )

    def _diverged(self, what: str) -> Diverged:
        return Diverged(
            "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
            f"preprocessed. {self._where(what)} A smaller learning_rate_init may help as well."
        )

    def _where(self, what: str) -> str:
        est = self.estimator
        return f"{what} by step {est._network.steps}, in epoch {len(est.loss_curve_) + 1}."

    def _epoch(self) -> float:
        est, data = self.estimator, self.data
        if est.shuffle:
            places = np.arange(data.n_rows)
            self.random.shuffle(places)
            # A single batch is the same in any order; the order is drawn nevertheless, so that the stream advances
            # equally.
            if not data.one_batch:
                self.order = self.order[places]
        return est._network.train(
            self.samples,
            data.targets,
            data.weights,
            self.order,
            batch_size=data.batch_size,
            alpha=float(est.alpha),
            threads=thread_count(est.n_jobs),
        )

    def _record(self, loss: float, started: float) -> dict[str, float]:
        est = self.estimator
        record = {"epoch": float(len(est.loss_curve_)), "loss": loss}
        if est.solver != "lbfgs":  # whose steps have no rate
            record["learning_rate"] = est._learning_rate
        if self.validation is not None:
            held_loss, score = est._evaluate(self.validation)
            record["validation_loss"] = held_loss
            record["validation_score"] = score
            est.validation_loss_curve_ = [*(est.validation_loss_curve_ or []), held_loss]
            est.validation_scores_ = [*(est.validation_scores_ or []), score]
        record["time"] = time.perf_counter() - started
        for name in ("epoch", "loss", "learning_rate", "validation_loss", "validation_score", "time"):
            value: float | None = record.get(name)
            if name == "epoch":
                value = len(est.loss_curve_)
            est.history_[name].append(value)
        return record

    def _no_improvement(self, loss: float) -> bool:
        """Whether there was no improvement for more than `n_iter_no_change` epochs."""
        est = self.estimator
        if self.stop_early and est.validation_scores_ is not None:
            score = est.validation_scores_[-1]
            best_score = -math.inf if est.best_validation_score_ is None else est.best_validation_score_
            stalled = score < best_score + est.tol
            if score > best_score:
                est.best_validation_score_ = score
                est._network.remember()
        else:
            best = math.inf if est.best_loss_ is None else est.best_loss_
            stalled = loss > best - est.tol
            if loss < best:
                est.best_loss_ = loss
        est._no_improvement_count = est._no_improvement_count + 1 if stalled else 0
        return bool(est._no_improvement_count > est.n_iter_no_change)

    def _schedule(self) -> None:
        est = self.estimator
        if est.solver == "sgd" and est.learning_rate == "invscaling":
            self._set_rate(est.learning_rate_init / (est._seen + 1) ** est.power_t)

    def _set_rate(self, rate: float) -> None:
        self.estimator._learning_rate = float(rate)
        self.estimator._network.set_learning_rate(float(rate))

    def _stop_or_slow_down(self) -> bool:
        est = self.estimator
        what = "Validation score" if self.stop_early else "Training loss"
        told = f"{what} did not improve more than tol={est.tol:f} for {est.n_iter_no_change} consecutive epochs."
        if est.solver != "sgd" or est.learning_rate != "adaptive":
            self.progress.tell(f"{told} Stopping.")
            return True
        if est._learning_rate <= _SMALLEST_RATE:
            self.progress.tell(f"{told} Learning rate too small. Stopping.")
            return True
        self._set_rate(est._learning_rate / 5.0)
        self.progress.tell(f"{told} Setting learning rate to {est._learning_rate:f}")
        est._no_improvement_count = 0
        return False

    def _call_back(self, record: dict[str, float]) -> bool:
        if self.stop is not None and self.stop.is_set():
            return True  # another network of the ensemble failed, or the user wants to stop
        if not self.callbacks:
            return False
        self.estimator._publish()
        # All callbacks are called, even if one asks to stop.
        answers = [callback(self.estimator, dict(record)) for callback in self.callbacks]
        self._take_changes()
        # Not what is merely true in Python: `set_params` in a lambda returns the estimator.
        return any(isinstance(answer, (bool, np.bool_)) and bool(answer) for answer in answers)

    def _take_changes(self) -> None:
        """Let the next epoch use what callbacks changed."""
        self.estimator._follow_parameters(keep_best=self.stop_early)
