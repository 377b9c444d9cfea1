"""Ensembles: networks that are trained by themselves, with different seeds, and predict together."""

import os
import pickle
import signal
import threading
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import entr
from sklearn.base import clone
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from thinnet import MLPClassifier, MLPRegressor, register_skl2onnx, to_onnx

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = make_classification(600, 12, n_informative=6, n_classes=3, flip_y=0.2, random_state=0)
X = X.astype(np.float32)
NUMBERS, VALUES = make_regression(400, 6, noise=20, random_state=0)
NUMBERS, VALUES = NUMBERS.astype(np.float32), np.abs(VALUES) / 100
FEW: dict[str, Any] = {"hidden_layer_sizes": (24,), "max_iter": 8, "random_state": 0, "n_members": 3}
LOSSES = ["squared_error", "absolute_error", "huber", "quantile", "gaussian_nll", "poisson"]


@pytest.fixture(scope="module")
def clf() -> MLPClassifier:
    return MLPClassifier(**FEW).fit(X, Y)


def test_one_member_is_the_network_itself() -> None:
    one, plain = (
        MLPClassifier((20,), max_iter=5, dropout=0.2, random_state=3, **own) for own in ({"n_members": 1}, {})
    )
    for a, b in zip(one.fit(X, Y).coefs_, plain.fit(X, Y).coefs_, strict=True):
        assert_array_equal(a, b)
    assert_array_equal(one.predict_proba(X, 5), plain.predict_proba(X, 5))
    assert not hasattr(one, "members_")


@pytest.mark.parametrize("n_jobs", [1, 2, 5])
def test_the_same_seed_gives_the_same_bits(clf: MLPClassifier, n_jobs: int) -> None:
    assert_array_equal(clf.predict_proba(X), MLPClassifier(n_jobs=n_jobs, **FEW).fit(X, Y).predict_proba(X))
    other = MLPClassifier(**{**FEW, "random_state": 1}).fit(X, Y)
    assert (clf.predict_proba(X) != other.predict_proba(X)).any()


def test_a_member_is_what_its_parameters_make(clf: MLPClassifier) -> None:
    assert len({member.random_state for member in clf.members_}) == 3
    for member in clf.members_:
        assert type(member) is MLPClassifier and member.n_members == 1
        assert_array_equal(clone(member).fit(X, Y).predict_proba(X), member.predict_proba(X))


def test_probabilities_are_the_mean(clf: MLPClassifier) -> None:
    each = np.stack([member.predict_proba(X) for member in clf.members_])
    p, std = clf.predict_proba(X, return_std=True)
    assert_allclose(p, each.mean(axis=0), atol=1e-6)
    assert_allclose(std, each.std(axis=0), atol=1e-6)
    assert_array_equal(clf.predict(X), clf.classes_[p.argmax(axis=1)])
    assert clf.score(X, Y) == (clf.predict(X) == Y).mean()


@pytest.mark.parametrize("labels", [1, 2, 5])
def test_one_output_and_several_labels(labels: int) -> None:
    y = make_multilabel_classification(600, n_classes=5, random_state=0)[1] if labels == 5 else Y % labels
    clf = MLPClassifier(**FEW).fit(X, y)
    assert_allclose(clf.predict_proba(X), np.mean([own.predict_proba(X) for own in clf.members_], axis=0), atol=1e-6)
    assert clf.predict(X).shape == y.shape
    found = clf.predict_uncertainty(X)
    assert found.entropy.shape == (y.shape if labels == 5 else (600,))
    assert (found.mutual_information <= found.entropy + 1e-6).all()


def test_better_than_its_members_on_average() -> None:
    clf = MLPClassifier((50,), n_members=5, max_iter=100, random_state=0).fit(X[:300], Y[:300])
    own = [log_loss(Y[300:], member.predict_proba(X[300:])) for member in clf.members_]
    together = log_loss(Y[300:], clf.predict_proba(X[300:]))
    print(f"{together:.3f} together, {np.mean(own):.3f} alone")
    assert together <= np.mean(own)


def test_entropy_and_mutual_information(clf: MLPClassifier) -> None:
    each = np.stack([member.predict_proba(X) for member in clf.members_]).astype(float)
    entropy = entr(each.mean(axis=0)).sum(axis=1)
    found = clf.predict_uncertainty(X)
    assert_allclose(found.entropy, entropy, atol=1e-5)
    assert_allclose(found.mutual_information, entropy - entr(each).sum(axis=2).mean(axis=0), atol=1e-5)
    assert_allclose(found.std, each.std(axis=0), atol=1e-6)


def test_over_members_and_masks() -> None:
    clf = MLPClassifier(dropout=0.5, **FEW).fit(X, Y)
    p, std = clf.predict_proba(X, 50, return_std=True)
    assert_array_equal(p, clf.predict_proba(X, 50))
    each = [member.predict_uncertainty(X, 500) for member in clf.members_]
    assert np.abs(p - np.mean([own.probabilities for own in each], axis=0)).max() < 0.15
    spread = np.var([own.probabilities for own in each], axis=0) + np.mean([own.std**2 for own in each], axis=0)
    assert np.abs(std - np.sqrt(spread)).max() < 0.15
    assert (clf.predict_uncertainty(X, 50).mutual_information >= 0).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_numbers(loss: str) -> None:
    reg = MLPRegressor(loss, **FEW).fit(NUMBERS, VALUES)
    each = np.stack([member.predict(NUMBERS) for member in reg.members_]).astype(float)
    mean, deviation = reg.predict(NUMBERS, return_std=True)
    assert_allclose(reg.predict(NUMBERS), each.mean(axis=0), rtol=1e-5, atol=1e-5)
    assert_allclose(mean, each.mean(axis=0), rtol=1e-5, atol=1e-5)
    variance = each.var(axis=0)
    if loss == "gaussian_nll":
        noise = [member.predict(NUMBERS, return_std=True)[1] for member in reg.members_]
        variance += np.mean(np.square(noise), axis=0)  # the law of total variance
    assert_allclose(deviation, np.sqrt(variance), rtol=1e-3, atol=1e-4)


def test_quantiles_rise() -> None:
    reg = MLPRegressor("quantile", quantile=[0.1, 0.5, 0.9], **FEW).fit(NUMBERS, VALUES)
    assert reg.predict(NUMBERS).shape == (400, 3) and (np.diff(reg.predict(NUMBERS)) >= 0).all()


def test_what_is_known_of_an_ensemble(clf: MLPClassifier) -> None:
    assert clf.classes_.tolist() == [0, 1, 2] and clf.n_features_in_ == 12 and clf.n_outputs_ == 3
    assert clf.n_layers_ == 3 and clf.out_activation_ == "softmax" and clf.n_iter_ == 8
    assert clf.loss_ == pytest.approx(np.mean([member.loss_ for member in clf.members_]))
    for name in ("coefs_", "batch_norms_", "loss_curve_"):
        assert not hasattr(clf, name)
    features = clf.transform(X)
    assert features.shape == (600, 72) and len(clf.get_feature_names_out()) == 72
    assert_array_equal(features[:, :24], clf.members_[0].transform(X))


def test_clones_pickles_and_searches(clf: MLPClassifier, tmp_path: Path) -> None:
    fresh = clone(clf)
    assert fresh.n_members == 3 and not hasattr(fresh, "members_")
    joblib.dump(clf, tmp_path / "model")
    for copy in (pickle.loads(pickle.dumps(clf)), joblib.load(tmp_path / "model")):
        assert_array_equal(copy.predict_proba(X), clf.predict_proba(X))
    pipe = make_pipeline(StandardScaler(), MLPClassifier(**FEW))
    search = GridSearchCV(pipe, {"mlpclassifier__n_members": [1, 2]}, cv=2, n_jobs=2).fit(X, Y)
    assert len(search.cv_results_["mean_test_score"]) == 2


def test_weights_of_0_leave_samples_out(clf: MLPClassifier) -> None:
    x, y = np.vstack([X, X[:50]]), np.concatenate([Y, Y[:50]])
    weighted = MLPClassifier(**FEW).fit(x, y, sample_weight=np.repeat([1.0, 0.0], [600, 50]))
    assert_allclose(weighted.predict_proba(X), clf.predict_proba(X), atol=1e-5)


def test_early_stopping_and_validation_data() -> None:
    clf = MLPClassifier(early_stopping=True, **FEW).fit(X, Y)
    assert all(member.best_validation_score_ is not None for member in clf.members_)
    assert len({tuple(member.validation_scores_ or ()) for member in clf.members_}) > 1
    clf.fit(X[:400], Y[:400], X_val=X[400:], y_val=Y[400:])
    assert all(len(member.validation_scores_ or ()) == member.n_iter_ for member in clf.members_)


def test_going_on(clf: MLPClassifier) -> None:
    parts = MLPClassifier(**FEW)
    parts.partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y)
    assert [member.t_ for member in parts.members_] == [1200] * 3
    warm = clone(clf).set_params(warm_start=True).fit(X, Y)
    kept = list(warm.members_)
    warm.set_params(learning_rate_init=0.01).fit(X, Y)
    assert all(a is b for a, b in zip(kept, warm.members_, strict=True))
    assert [len(member.loss_curve_) for member in kept] == [16] * 3 and kept[0].learning_rate_init == 0.01
    before = warm.predict_proba(X)
    with pytest.raises(ValueError, match="cannot change n_members"):
        warm.set_params(n_members=2).fit(X, Y)
    with pytest.raises(ValueError, match="cannot change layer sizes"):
        warm.set_params(n_members=3, hidden_layer_sizes=(5,)).fit(X, Y)
    assert kept[0].hidden_layer_sizes == (24,)
    assert_array_equal(warm.predict_proba(X), before)


def test_from_one_network_to_several_and_back() -> None:
    model = MLPClassifier(**FEW).set_params(n_members=1).fit(X, Y)
    single = model.predict_proba(X)
    model.set_params(n_members=3).fit(X, Y)
    assert not hasattr(model, "coefs_") and not hasattr(model, "history_")
    assert_array_equal(model.set_params(n_members=1).fit(X, Y).predict_proba(X), single)
    assert not hasattr(model, "members_")


def test_callbacks_are_called_one_at_a_time() -> None:
    inside, called = threading.Semaphore(1), []

    def callback(member: MLPClassifier, record: dict[str, float]) -> bool:
        assert inside.acquire(blocking=False)
        time.sleep(0.001)
        called.append((record["member"], member.n_iter_))
        inside.release()
        return record["member"] == 1 and record["epoch"] == 2

    clf = MLPClassifier(n_jobs=3, **FEW).fit(X, Y, callbacks=callback)
    assert [member.n_iter_ for member in clf.members_] == [8, 2, 8] and len(called) == 18


def test_an_error_ends_all(clf: MLPClassifier) -> None:
    def fail(member: Any, record: dict[str, float]) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        MLPClassifier(n_jobs=3, **{**FEW, "max_iter": 100000, "tol": 0.0}).fit(X, Y, callbacks=fail)
    broken = clone(clf).fit(X, Y)
    before = broken.predict_proba(X)
    with pytest.raises(ValueError, match="non-finite"), np.errstate(all="ignore"):
        broken.set_params(solver="sgd", activation="identity", learning_rate_init=1e30).fit(X, Y)
    assert_array_equal(broken.predict_proba(X), before)


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_interrupted(n_jobs: int) -> None:
    def interrupt(member: Any, record: dict[str, float]) -> None:
        if record["epoch"] == 3 and not sent:
            sent.append(os.kill(os.getpid(), signal.SIGINT))

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts with it ignored
    sent: list[None] = []
    before = set(threading.enumerate())
    clf = MLPClassifier(n_jobs=n_jobs, **{**FEW, "max_iter": 100000, "tol": 0.0, "n_iter_no_change": np.inf})
    with pytest.warns(UserWarning, match="interrupted by user"):
        clf.fit(X, Y, callbacks=interrupt)
    assert 1 <= len(clf.members_) <= 3 and all(member.loss_curve_ for member in clf.members_)
    assert set(threading.enumerate()) <= before and np.isfinite(clf.predict_proba(X)).all()


def test_lbfgs() -> None:
    reg = MLPRegressor(solver="lbfgs", dtype="float64", **FEW).fit(NUMBERS, VALUES)
    assert reg.predict(NUMBERS).dtype == np.float64 and reg.score(NUMBERS, VALUES) > 0.3


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2", None])
def test_refused(value: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="n_members must be a whole number, at least 1"):
        MLPClassifier(n_members=value).fit(X, Y)


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_one_warning_for_all() -> None:
    with pytest.warns(UserWarning) as told:
        MLPClassifier(**FEW).fit(X, Y)
    assert len(told) == 1 and told[0].filename == __file__


def run_onnx(model: bytes, x: Any) -> list[Any]:
    onnxruntime = pytest.importorskip("onnxruntime")
    return list(onnxruntime.InferenceSession(model).run(None, {"X": x}))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("y", [Y, Y % 2, np.eye(3, dtype=int)[Y]], ids=["classes", "two", "labels"])
def test_classes_in_onnx(y: Any, dtype: str) -> None:
    clf = MLPClassifier(dtype=dtype, **FEW).fit(X, y)
    label, probabilities = run_onnx(to_onnx(clf), X)
    assert_allclose(probabilities, clf.predict_proba(X), atol=1e-5)
    assert (label == clf.predict(X)).mean() > 0.999


@pytest.mark.parametrize("loss", LOSSES)
def test_numbers_in_onnx(loss: str) -> None:
    reg = MLPRegressor(loss, **FEW).fit(NUMBERS, VALUES)
    found = run_onnx(to_onnx(reg), NUMBERS)
    assert_allclose(found[0][:, 0], reg.predict(NUMBERS), rtol=1e-4, atol=1e-4)
    if loss == "gaussian_nll":
        assert_allclose(found[1][:, 0], reg.predict(NUMBERS, return_std=True)[1], rtol=1e-4, atol=1e-4)


def test_a_pipeline_in_onnx() -> None:
    skl2onnx = pytest.importorskip("skl2onnx")
    register_skl2onnx()
    pipe = make_pipeline(StandardScaler(), MLPClassifier(**FEW)).fit(X, Y)
    model = skl2onnx.to_onnx(pipe, X[:1], options={"zipmap": False})
    assert_allclose(run_onnx(model.SerializeToString(), X)[1], pipe.predict_proba(X), atol=1e-5)
