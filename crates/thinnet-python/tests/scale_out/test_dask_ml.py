"""dask-ml's searches on a real cluster. They need an older Dask than the other tests, and so their own environment."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from thinnet import MLPClassifier

pytest.importorskip("dask_ml")
X, Y = load_digits(return_X_y=True)
X_TRAIN, X_VAL, Y_TRAIN, Y_VAL = train_test_split(X / 16, Y, random_state=0, stratify=Y)


@pytest.fixture
def client() -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_hyperband_trains_by_partial_fit(client: Any) -> None:
    from dask_ml.model_selection import HyperbandSearchCV

    space = {"dropout": np.linspace(0.0, 0.9, 10), "learning_rate_init": np.logspace(-4, -1, 10)}
    model = MLPClassifier((32,), random_state=0, n_jobs=1, batch_size=50)
    search = HyperbandSearchCV(model, space, max_iter=9, random_state=0)
    search.fit(X_TRAIN, Y_TRAIN, classes=np.arange(10))
    calls = search.metadata_["partial_fit_calls"]
    assert calls < 0.6 * 9 * search.metadata_["n_models"], "the worst were given up"
    assert search.best_score_ > 0.8
    assert search.best_estimator_.predict(X_VAL).shape == Y_VAL.shape


def test_inverse_decay_trains_by_partial_fit(client: Any) -> None:
    from dask_ml.model_selection import InverseDecaySearchCV

    space = {"dropout": [0.0, 0.3, 0.6, 0.9]}
    model = MLPClassifier((32,), random_state=0, n_jobs=1, batch_size=50, learning_rate_init=0.01)
    search = InverseDecaySearchCV(model, space, n_initial_parameters="grid", decay_rate=1.0, max_iter=8, random_state=0)
    search.fit(X_TRAIN, Y_TRAIN, classes=np.arange(10))
    calls = [len(history) for history in search.model_history_.values()]
    assert sum(calls) < 0.8 * 4 * 8, "the worst were given up"
    assert search.best_score_ > 0.7
