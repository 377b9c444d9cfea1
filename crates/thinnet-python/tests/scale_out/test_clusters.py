"""A search over dropout on real clusters of worker processes gives what it gives here, whatever becomes of a worker."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from thinnet import MLPClassifier

X, Y = load_digits(return_X_y=True)
X = X / 16


SPLITS = list(StratifiedKFold(3).split(X, Y))
# What every worker is to hold a copy of, so that none is lost with the worker that had it.
DATA = [X, Y, *(indices for split in SPLITS for indices in split)]


def search(max_iter: int = 15) -> GridSearchCV:
    # One thread a fit: the workers share the cores.
    classifier = MLPClassifier((32,), max_iter=max_iter, random_state=0, n_jobs=1)
    return GridSearchCV(classifier, {"dropout": [0.0, 0.2, 0.5]}, cv=SPLITS, n_jobs=-1)


@pytest.fixture(scope="module")
def expected() -> GridSearchCV:
    with joblib.parallel_backend("sequential"):
        return search().fit(X, Y)


def assert_same(found: GridSearchCV, expected: GridSearchCV) -> None:
    assert found.best_params_ == expected.best_params_
    for split in range(3):
        name = f"split{split}_test_score"
        assert_array_equal(found.cv_results_[name], expected.cv_results_[name])
    for ours, theirs in zip(found.best_estimator_.coefs_, expected.best_estimator_.coefs_, strict=True):
        assert_array_equal(ours, theirs)


@pytest.fixture
def dask_client() -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.scheduler.active-memory-manager.start": False}),  # it would drop the copies
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_dask_gives_the_same_search(dask_client: Any, expected: GridSearchCV) -> None:
    with joblib.parallel_backend("dask"):
        assert_same(search().fit(X, Y), expected)


def test_dask_finishes_although_a_worker_dies_midway(dask_client: Any) -> None:
    long = 60
    with joblib.parallel_backend("sequential"):
        expected = search(long).fit(X, Y)
    pids = dask_client.run(os.getpid)
    killed: list[int] = []

    def kill_a_busy_worker() -> None:
        for _ in range(2000):
            busy = [worker for worker, tasks in dask_client.processing().items() if tasks and worker in pids]
            if busy:
                time.sleep(0.2)  # into the fit
                os.kill(pids[busy[0]], signal.SIGKILL)
                killed.append(pids[busy[0]])
                return
            time.sleep(0.005)

    killer = threading.Thread(target=kill_a_busy_worker)
    killer.start()
    with joblib.parallel_backend("dask", scatter=DATA):
        found = search(long).fit(X, Y)
    killer.join()
    assert killed, "no worker was busy"
    assert_same(found, expected)
    assert killed[0] not in dask_client.run(os.getpid).values(), "the worker should have been replaced"


def test_ray_gives_the_same_search(expected: GridSearchCV) -> None:
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, log_to_driver=False)
    try:
        register_ray()
        with joblib.parallel_backend("ray"):
            assert_same(search().fit(X, Y), expected)
    finally:
        ray.shutdown()


def test_a_fit_is_the_same_in_any_process() -> None:
    """What a search relies on: the process, its threads and its place do not show in a model."""
    here = search().estimator.fit(X, Y)
    there = joblib.Parallel(n_jobs=2, backend="loky")(
        joblib.delayed(MLPClassifier((32,), max_iter=15, random_state=0, n_jobs=jobs).fit)(X, Y) for jobs in (1, 2)
    )
    for model in there:
        for ours, theirs in zip(here.coefs_, model.coefs_, strict=True):
            assert_array_equal(ours, theirs)
        assert np.isfinite(model.loss_)
