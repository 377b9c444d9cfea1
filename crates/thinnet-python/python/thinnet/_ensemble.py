"""Ensembles: networks that are trained by themselves, with different seeds, and predict together.

Source: Lakshminarayanan, Pritzel and Blundell, "Simple and Scalable Predictive Uncertainty Estimation using Deep
Ensembles", NIPS 2017; without its adversarial training.
"""

from __future__ import annotations

import contextvars
import threading
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import entr
from sklearn import config_context, get_config
from sklearn.utils import check_random_state

from thinnet._estimator import Callback
from thinnet._samples import Floats
from thinnet._threads import sharing
from thinnet._training import Trainer

# Attributes of one network without an underscore at the end.
_OF_ONE = ("_network", "_synced", "_used_settings", "_learning_rate", "_seen", "_no_improvement_count")


def draw_seeds(random_state: Any, count: int) -> list[int]:
    """The members' own `random_state`, each a whole number."""
    drawn = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=count)
    return [int(seed) for seed in drawn]


def without_network(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes of an estimator that an ensemble keeps: all but those of a fitted network."""
    return {name: value for name, value in attributes.items() if not (name in _OF_ONE or name.endswith("_"))}


def one_at_a_time(callbacks: Sequence[Callback], lock: threading.Lock, member: int) -> list[Callback]:
    """The callbacks for a member, whose number is added to their records; no two are called at once."""

    def alone(callback: Callback) -> Callback:
        def called(estimator: Any, record: dict[str, float]) -> Any:
            with lock:
                return callback(estimator, {**record, "member": member})

        return called

    return [alone(callback) for callback in callbacks]


def train_together(trainers: Sequence[Trainer], threads: int) -> list[tuple[str, type[Warning]]]:
    """Train side by side, in this thread and in others.

    Parameters
    ----------
    trainers : sequence of Trainer
        One for each member.
    threads : int
        How many threads there are for all; each member has an equal share, at least one.

    Returns
    -------
    list of (str, type of Warning)
        The warnings of all members, each once: they are not given in other threads.

    Raises
    ------
    Exception
        The first error of a member; the others have stopped after their epoch.
    """
    stop, all_started = threading.Event(), threading.Event()
    gate, waiting = threading.Lock(), deque(trainers)
    busy: list[threading.Event] = []
    told: dict[tuple[str, type[Warning]], None] = {}
    failures: list[BaseException] = []

    def note(message: str, category: type[Warning] = UserWarning, **_: Any) -> None:
        told[message, category] = None

    for number, trainer in enumerate(trainers):
        trainer.stop, trainer.warn = stop, note
        trainer.progress.name(f"network {number + 1}")

    def interrupt() -> None:
        stop.set()
        note("Training interrupted by user.")

    def work(share: int) -> None:
        all_started.wait()
        while True:
            done = threading.Event()
            with gate:
                if stop.is_set() or not waiting:
                    return
                trainer = waiting.popleft()
                if threading.current_thread() in helpers:
                    busy.append(done)
            try:
                with sharing(share):
                    trainer.run()
                if trainer.interrupted:
                    stop.set()
            except KeyboardInterrupt:
                interrupt()
            except BaseException as failure:  # it is raised again, in the caller's thread
                failures.append(failure)
                stop.set()
            finally:
                done.set()

    workers = min(len(trainers), threads)
    shares = [threads // workers + (worker < threads % workers) for worker in range(workers)]
    helpers = [threading.Thread(target=_like_here(work), args=(share,)) for share in shares[1:]]
    try:
        for helper in helpers:
            helper.start()
        all_started.set()  # only now, so that no member's callback interrupts a start
        work(shares[0])  # here, where Ctrl-C stops within an epoch
    except KeyboardInterrupt:
        interrupt()
    finally:
        all_started.set()
    # From here on no helper takes another member. An interrupted `join` may take a thread for ended that is not
    # (in Python 3.11), so each says itself when it is done.
    waited = False
    while not waited:
        try:
            with gate:
                started = list(busy)
            for done in started:
                done.wait()
            waited = True
            for helper in helpers:
                if helper.ident is not None:
                    helper.join()
        except KeyboardInterrupt:
            interrupt()
    for trainer in waiting:
        trainer.progress.close(complete=False)
    if failures:
        raise failures[0]
    return list(told)


def _like_here(work: Callable[[int], None]) -> Callable[[int], None]:
    """The function for another thread, with this thread's settings of NumPy and scikit-learn."""
    context, settings = contextvars.copy_context(), get_config()

    def configured(share: int) -> None:
        with config_context(**settings):
            work(share)

    return lambda share: context.run(configured, share)


def warn_once(told: Sequence[tuple[str, type[Warning]]], stacklevel: int) -> None:
    """Give the members' warnings, where `fit` was called."""
    for message, category in told:
        warnings.warn(message, category, stacklevel=stacklevel + 1)


def combined(each: Sequence[Floats], loss: str) -> Floats:
    """The predictions (N, C) of all members as one.

    This is their mean; of pairs of mean and deviation it is the mean and the deviation of the mixture.
    """
    members = np.stack(each).astype(np.float64)
    mean: Floats = members.mean(axis=0)
    if loss == "gaussian_nll":  # the law of total variance
        variance = (members[:, :, 1::2] ** 2).mean(axis=0) + members[:, :, 0::2].var(axis=0)
        mean[:, 1::2] = np.sqrt(variance)
    return mean.astype(each[0].dtype)


def combined_over_masks(each: Sequence[Sequence[Floats]], loss: str) -> list[Floats]:
    """Mean, deviation, entropy and mutual information over the masks of all members, from those of each."""
    means, deviations, entropies, informations = (np.stack(parts) for parts in zip(*each, strict=True))
    mean = means.mean(axis=0)
    deviation = np.sqrt((deviations**2).mean(axis=0) + means.var(axis=0))
    if loss == "softmax":
        entropy = entr(mean).sum(axis=1, keepdims=True)
    elif loss == "logistic":
        entropy = entr(mean) + entr(1 - mean)
    else:
        entropy = entropies[0]  # numbers have none: (N, 0)
    information = np.maximum(entropy - (entropies - informations).mean(axis=0), 0)
    return [mean, deviation, entropy, information]
