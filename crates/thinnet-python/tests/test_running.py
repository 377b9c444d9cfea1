"""Threads, interruption, dropout's randomness, weights, sparse rows, what is refused."""

import builtins
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, make_classification, make_regression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from thinnet import MLPClassifier, MLPRegressor, _threads

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = make_classification(600, 30, n_informative=10, n_classes=3, random_state=0)


@pytest.mark.parametrize(
    "settings", [{}, {"dropout": 0.5}, {"batch_norm": True}, {"dtype": "float64", "max_norm": 1.0}]
)
def test_threads_change_no_bit(settings: dict[str, Any]) -> None:
    models = [
        MLPClassifier((40, 20), random_state=0, max_iter=4, n_jobs=n_jobs, **settings).fit(X, Y) for n_jobs in (1, 2, 3)
    ]
    for model in models[1:]:
        assert model.loss_curve_ == models[0].loss_curve_
        for a, b in zip(model.coefs_ + model.intercepts_, models[0].coefs_ + models[0].intercepts_, strict=True):
            assert_array_equal(a, b)
        assert_array_equal(model.predict_proba(X), models[0].predict_proba(X))


def test_threads_keep_to_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _threads._LIMITS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(joblib, "effective_n_jobs", lambda n_jobs: 8 if n_jobs < 0 else n_jobs)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "8")  # so that what was found out before does not count
    assert _threads.thread_count(None) == 8 and _threads.thread_count(3) == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert _threads.thread_count(None) == 4 and _threads.thread_count(6) == 6
    monkeypatch.setenv("RAYON_NUM_THREADS", "1")
    assert _threads.thread_count(None) == 1


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib_s_workers_take_no_more_than_their_share(backend: str) -> None:
    counts = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(_threads.thread_count)(None) for _ in range(4))
    assert max(counts) <= max(1, joblib.cpu_count() // 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_predicts_and_ends() -> None:
    model = MLPClassifier(random_state=0, max_iter=2, n_jobs=2).fit(X, Y)
    expected = model.predict(X)
    child = os.fork()
    if child == 0:
        right = bool((model.predict(X) == expected).all())
        del model
        os._exit(0 if right else 1)
    for _ in range(200):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.1)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("the child hangs")
    assert status == 0


def test_ctrl_c_stops_within_an_epoch_and_keeps_what_is_trained() -> None:
    x = np.random.RandomState(0).randn(60_000, 200).astype(np.float32)
    y = (x[:, 0] > 0).astype(int)
    # On a fast and quiet machine it would otherwise converge before it is interrupted.
    model = MLPClassifier((500, 500), max_iter=1000, n_iter_no_change=1000, random_state=0, dropout=0.5)
    sent: list[float] = []
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts with it ignored

    def interrupt() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(2.0, interrupt)
    timer.start()
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(x, y)
    assert time.perf_counter() - sent[0] < 1.0
    assert model.predict(x[:10]).shape == (10,)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_ctrl_c_stops_within_one_long_batch(solver: str) -> None:
    x = np.random.RandomState(0).randn(20_000, 2000).astype(np.float32)
    y = (x[:, 0] > 0).astype(int)
    model = MLPClassifier((2000, 2000), batch_size=20_000, solver=solver, random_state=0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    called: list[Any] = []

    def interrupt() -> None:
        # In the middle of the first batch, which takes seconds on any machine.
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch, pytest.warns(UserWarning, match="Training interrupted by user"):

        def begin(*given: Any, **settings: Any) -> Any:
            if not called:
                called.append(threading.Thread(target=interrupt).start())
            return _threads.thread_count(*given, **settings)

        patch.setattr("thinnet._training.thread_count", begin)
        patch.setattr("thinnet._lbfgs.thread_count", begin)
        model.fit(x, y)
    assert model.loss_curve_ == []
    assert model.predict(x[:10]).shape == (10,)


def test_the_interpreter_runs_while_an_epoch_does() -> None:
    x = np.random.RandomState(0).randn(40_000, 200).astype(np.float32)
    ticks, done = [], threading.Event()

    def tick() -> None:
        while not done.wait(0.01):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    began = time.perf_counter()
    MLPClassifier((1000,), max_iter=1, random_state=0, batch_size=1000).fit(x, (x[:, 0] > 0).astype(int))
    took = time.perf_counter() - began
    done.set()
    thread.join()
    assert len(ticks) >= 5 and max(np.diff([began, *ticks])) < max(0.5, took / 2)


def test_monte_carlo_prediction_is_a_mean_over_masks_and_repeatable() -> None:
    model = MLPClassifier(dropout=0.5, random_state=0, max_iter=10).fit(X, Y)
    plain, masked = model.predict_proba(X), model.predict_proba(X, mc_samples=100)
    assert_allclose(masked.sum(axis=1), 1, rtol=1e-5)
    assert 0.001 < np.abs(plain - masked).mean() < 0.1
    assert_array_equal(masked, model.predict_proba(X, mc_samples=100))
    assert_array_equal(masked, clone(model).fit(X, Y).set_params(n_jobs=1).predict_proba(X, mc_samples=100))
    one, many = model.predict_proba(X, mc_samples=1), model.predict_proba(X, mc_samples=2000)
    assert np.abs(masked - many).mean() < np.abs(one - many).mean() / 3
    without = MLPClassifier(random_state=0, max_iter=3).fit(X, Y)
    assert_allclose(without.predict_proba(X, mc_samples=7), without.predict_proba(X), rtol=1e-5)


def test_predict_dist_has_the_deviation_over_masks() -> None:
    x, y = make_regression(150, 10, random_state=0)
    model = MLPRegressor(dropout=(0.3,), random_state=0, max_iter=20, dtype="float64").fit(x, y)
    mean, deviation = model.predict_dist(x, mc_samples=300)
    assert mean.shape == deviation.shape == (150,) and (deviation > 0).all()
    # With a linear output the mean over masks is the prediction without any; 300 masks leave this much.
    assert (np.abs(mean - model.predict(x)) < 6 * deviation / np.sqrt(300)).all()
    _, none = MLPRegressor(random_state=0, max_iter=2).fit(x, y).predict_dist(x, mc_samples=5)
    assert_array_equal(none, np.zeros(150))
    for wrong, error in ((0, ValueError), (2.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="mc_samples"):
            model.predict_dist(x, mc_samples=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings", [{}, {"dropout": 0.3}, {"solver": "sgd", "learning_rate": "invscaling"}, {"class_weight": "balanced"}]
)
def test_weights_are_repetitions_bit_for_bit(settings: dict[str, Any]) -> None:
    x, y = load_iris(return_X_y=True)
    x, y = x[::4], y[::4]
    random = np.random.RandomState(0)
    weights = random.randint(0, 5, len(y))
    repeated = random.permutation(np.repeat(np.arange(len(y)), weights))
    one = MLPClassifier(random_state=0, max_iter=30, **settings).fit(x, y, sample_weight=weights)
    two = MLPClassifier(random_state=0, max_iter=30, **settings).fit(x[repeated], y[repeated])
    assert len(repeated) > len(y)
    assert_array_equal(one.predict_proba(x), two.predict_proba(x))
    plain = MLPClassifier(random_state=0, max_iter=30, **settings).fit(x, y)
    assert np.abs(one.predict_proba(x) - plain.predict_proba(x)).max() > 1e-3


def test_sparse_rows_train_as_dense_ones() -> None:
    x = sparse.random(500, 80, 0.1, format="csr", random_state=0)
    y = np.asarray(x.sum(axis=1)).ravel() > 4
    dense = MLPClassifier(random_state=0, max_iter=5, dtype="float64", dropout=0.2).fit(x.toarray(), y)
    for kind in (sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix):
        model = clone(dense).fit(kind(x), y)
        assert_allclose(model.loss_curve_, dense.loss_curve_, rtol=1e-10)
        assert_allclose(model.predict_proba(kind(x)), dense.predict_proba(x.toarray()), rtol=1e-8)


def test_sparse_rows_are_never_made_dense_whole() -> None:
    code = """
import resource, numpy as np
from scipy import sparse
from thinnet import MLPClassifier
columns = np.random.RandomState(0).randint(50_000, size=100_000)
x = sparse.csr_matrix((np.ones(100_000, np.float32), columns, np.arange(0, 100_001, 5)), (20_000, 50_000))
y = np.arange(20_000) % 2
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model = MLPClassifier((4,), max_iter=1, batch_size=500).fit(x, y)
model.predict(x[:5000])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 2000  # MB


@pytest.mark.parametrize("mapped", [False, True])
def test_large_rows_are_not_copied(mapped: bool, tmp_path: Path) -> None:
    code = """
import resource, sys, numpy as np
from thinnet import MLPClassifier
x = np.lib.format.open_memmap(sys.argv[1], mode="w+", dtype=np.float32, shape=(100_000, 500))
for start in range(0, 100_000, 1000):
    x[start : start + 1000] = np.random.rand(1000, 500)
y = np.arange(100_000) % 2
x = np.load(sys.argv[1], mmap_mode="r") if sys.argv[2] == "mapped" else np.array(x)
MLPClassifier((4,), max_iter=1).fit(x[:1000], y[:1000])

def used():  # without pages of files
    status = open("/proc/self/status").read()
    return int(status.split("RssAnon:")[1].split()[0])

most = before = used()

def watch(model, record):
    global most
    most = max(most, used())

MLPClassifier((4,), max_iter=2, dropout=0.5).fit(x, y, callbacks=watch)
print((most - before) / 1024)
"""
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "x.npy"), "mapped" if mapped else "in memory"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 60  # MB; the rows have 190


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_as_fitted_are_checked_as_any_are(dtype: str) -> None:
    rows = np.ascontiguousarray(X, dtype=dtype)
    model = MLPClassifier((5,), random_state=0, max_iter=2, dtype=dtype).fit(rows, Y)
    for other in (rows.tolist(), np.asfortranarray(rows), rows.astype("float16").astype(dtype).astype(object)):
        same = np.asarray(other, dtype=dtype)
        assert_array_equal(model.predict_proba(other), model.predict_proba(np.ascontiguousarray(same)))
    for bad, message in ((np.nan, "contains NaN"), (np.inf, "contains infinity"), (-np.inf, "contains infinity")):
        wrong = rows[:3].copy()
        wrong[1, 2] = bad
        with pytest.raises(ValueError, match=message):
            model.predict(wrong)
    wrong[:2, 2] = np.inf, -np.inf
    with pytest.raises(ValueError, match="contains infinity"):
        model.predict(wrong)
    for shape in (rows[:, :-1].copy(), rows[0], rows[:0]):
        with pytest.raises(ValueError, match=r"features|1D|0 sample"):
            model.predict(shape)
    great = np.full((2, 30), np.finfo(dtype).max, dtype=dtype)  # whose sum is infinite
    assert model._check_rows(great) is not None
    assert model._check_rows(rows) is rows


def test_rows_without_names_are_told_where_names_were_fitted() -> None:
    frame = pytest.importorskip("pandas").DataFrame(X, columns=[f"f{i}" for i in range(30)])
    model = MLPClassifier((5,), random_state=0, max_iter=2).fit(frame, Y)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(np.ascontiguousarray(X, dtype="float32"))


def test_frames_give_names() -> None:
    for library in ("pandas", "polars"):
        frames = pytest.importorskip(library)
        frame = frames.DataFrame({f"f{i}": X[:, i] for i in range(4)})
        model = MLPClassifier(max_iter=2, random_state=0).fit(frame, Y)
        assert list(model.feature_names_in_) == ["f0", "f1", "f2", "f3"]
        with pytest.raises(ValueError, match="feature names"):
            model.predict(frame.rename({"f0": "g"}) if library == "polars" else frame.rename(columns={"f0": "g"}))
    pandas = pytest.importorskip("pandas")
    scaled = make_pipeline(StandardScaler().set_output(transform="pandas"), MLPClassifier(max_iter=2))
    scaled.fit(pandas.DataFrame(X, columns=[f"f{i}" for i in range(30)]), Y)
    assert scaled[-1].feature_names_in_[0] == "f0"


def test_scikit_learn_s_tools_take_it() -> None:
    model = MLPClassifier((10,), max_iter=20, random_state=0, learning_rate_init=0.01)
    pipe = make_pipeline(StandardScaler(), model)
    search = GridSearchCV(pipe, {"mlpclassifier__dropout": [0.0, 0.2]}, cv=2, n_jobs=2).fit(X, Y)
    assert search.best_score_ > 0.6
    assert cross_val_score(pipe, X, Y, cv=3).min() > 0.6
    calibrated = CalibratedClassifierCV(model, cv=2).fit(X, Y)
    assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)


@pytest.mark.parametrize("verbose", [1, 2])
def test_progress(verbose: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if verbose == 1:
        pytest.importorskip("tqdm")
        MLPClassifier(max_iter=3, verbose=1).fit(X, Y)
        assert "3/3" in capsys.readouterr().err
        plain = builtins.__import__

        def without_tqdm(name: str, *rest: Any, **more: Any) -> Any:
            if name.startswith("tqdm"):
                raise ImportError(name)
            return plain(name, *rest, **more)

        monkeypatch.setattr(builtins, "__import__", without_tqdm)
    MLPClassifier(max_iter=3, verbose=verbose).fit(X, Y)
    assert capsys.readouterr().out.count("loss = ") == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"solver": "lbfgs", "dropout": 0.5}, "lbfgs.*same loss at every step"),
        ({"solver": "lbfgs", "batch_norm": True}, "lbfgs.*same loss at every step"),
        ({"solver": "adamw", "weight_decay": -1}, "weight_decay"),
        ({"max_fun": 0}, "max_fun"),
        ({"solver": "rmsprop"}, "solver must be one of"),
        ({"dropout": 1.0}, "rate DROPPED"),
        ({"dropout": "half"}, "rate DROPPED"),
        ({"dropout": (0.1, 0.2)}, "each of the 1 hidden layers"),
        ({"input_dropout": -0.1}, "rate DROPPED"),
        ({"max_norm": 0}, "max_norm"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be > 0"),
        ({"activation": "swish"}, "activation must be one of"),
        ({"batch_size": 0}, "batch_size"),
        ({"momentum": 1.5}, "momentum"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"dtype": "float16"}, "dtype"),
        ({"dtype": None}, "dtype"),
        ({"class_weight": "heavy"}, "class_weight"),
        ({"n_iter_no_change": 0}, "n_iter_no_change"),
        ({"learning_rate_init": np.nan}, "learning_rate_init"),
        ({"verbose": -1}, "verbose"),
        ({"early_stopping": True, "validation_fraction": 0.001}, "validation set is too small"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        MLPClassifier(**settings).fit(X, Y)


def test_data_that_is_refused() -> None:
    with pytest.raises(ValueError, match="needs values of y that are not negative"):
        MLPRegressor("poisson").fit(X, -np.ones(600))
    with pytest.raises(ValueError, match="not be negative"):
        MLPClassifier().fit(X, Y, sample_weight=-np.ones(600))
    with pytest.raises(ValueError, match="too large for dtype"):
        MLPClassifier().fit(X * 1e50, Y)
    with pytest.raises(ValueError, match="eval_set must be"):
        MLPClassifier().fit(X, Y, eval_set=X)
    with pytest.raises(ValueError, match="partial_fit"):
        MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(TypeError, match="max_steps"):
        MLPClassifier(max_steps=3)  # type: ignore[call-arg]
