"""What a model keeps from call to call; the state bugs that scikit-learn's networks are known for, by their number."""

import copy
import io
import pickle
from typing import Any

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from thinnet import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
BOTH = pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])


def same(one: Any, other: Any) -> None:
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert_array_equal(a, b)
    assert one.loss_curve_ == other.loss_curve_


@BOTH
def test_partial_fit_with_early_stopping(kind: Any) -> None:
    """scikit-learn issue 25693."""
    model = kind(early_stopping=True, random_state=0, max_iter=5).fit(X, Y)
    scores, loss = list(model.validation_scores_), model.loss_curve_[-1]
    for _ in range(5):
        model.partial_fit(X, Y)
    assert model.validation_scores_ == scores
    assert len(model.loss_curve_) == 10 and model.loss_curve_[-1] < loss
    model.fit(X, Y)
    assert len(model.validation_scores_) == model.n_iter_


@BOTH
def test_partial_fit_alone_with_early_stopping(kind: Any) -> None:
    """scikit-learn issue 25693."""
    model = kind(early_stopping=True, random_state=0)
    given = {"classes": [0, 1, 2]} if kind is MLPClassifier else {}
    model.partial_fit(X, Y, **given).partial_fit(X, Y)
    assert model.validation_scores_ is None and len(model.loss_curve_) == 2 and model.best_loss_ is not None


@BOTH
def test_warm_start_trains_max_iter_epochs(kind: Any) -> None:
    """scikit-learn issue 16812."""
    model = kind(solver="sgd", learning_rate_init=1e-3, max_iter=3, warm_start=True, random_state=0)
    for call in range(1, 4):
        model.fit(X, Y)
        assert model.n_iter_ == 3 and len(model.loss_curve_) == 3 * call == len(model.history_["loss"])
    assert model.loss_curve_[-1] < model.loss_curve_[3] < model.loss_curve_[0]


@BOTH
def test_warm_start_with_other_max_iter(kind: Any) -> None:
    """scikit-learn issue 24764."""
    model = kind(warm_start=True, max_iter=10, random_state=0)
    for max_iter in (10, 20, 4):
        with pytest.warns(ConvergenceWarning):
            model.set_params(max_iter=max_iter).fit(X, Y)
        assert model.n_iter_ == max_iter


def test_warm_start_after_convergence_trains_on() -> None:
    """scikit-learn issue 16812: patience that was used up is not used up for the next call."""
    model = MLPClassifier(warm_start=True, tol=10.0, n_iter_no_change=3, random_state=0).fit(X, Y)
    first = model.n_iter_
    model.fit(X, Y)
    assert model.n_iter_ >= first - 1 > 2


def test_warm_start_with_a_new_class_changes_nothing() -> None:
    """scikit-learn issue 16812."""
    model = MLPClassifier(warm_start=True, max_iter=5, random_state=0).fit(X[:100], Y[:100])
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match=r"classes not in `self\.classes_`"):
        model.fit(X, Y)
    same(model, before)
    assert_array_equal(model.predict(X), before.predict(X))
    model.fit(X[:50], Y[:50])  # a class that is missing is no other network


def test_warm_start_cannot_change_the_network() -> None:
    model = MLPClassifier(warm_start=True, max_iter=2).fit(X, Y)
    with pytest.raises(ValueError, match="cannot change layer sizes"):
        model.set_params(hidden_layer_sizes=(3,)).fit(X, Y)


def test_multilabel_partial_fit_is_fit() -> None:
    """scikit-learn issue 12505."""
    x, y = make_multilabel_classification(150, random_state=0)
    whole = MLPClassifier(random_state=0, max_iter=40, tol=0).fit(x, y)
    parts = MLPClassifier(random_state=0)
    for _ in range(40):
        parts.partial_fit(x, y)
    same(whole, parts)
    assert parts.predict(x).shape == y.shape
    again = MLPClassifier(random_state=0).partial_fit(x, y, classes=np.arange(y.shape[1]))
    assert_array_equal(again.classes_, parts.classes_)
    with pytest.raises(ValueError, match="labels per sample"):
        parts.partial_fit(x, y[:, 0])


@BOTH
def test_validation_loss_curve(kind: Any) -> None:
    """scikit-learn issue 18507."""
    model = kind(random_state=0, max_iter=8).fit(X[::2], Y[::2], eval_set=(X[1::2], Y[1::2]))
    assert len(model.validation_loss_curve_) == len(model.validation_scores_) == 8
    assert model.validation_loss_curve_[-1] < model.validation_loss_curve_[0]
    assert model.validation_scores_[-1] == pytest.approx(model.score(X[1::2], Y[1::2]), abs=1e-6)
    if kind is MLPClassifier:
        held = model.predict_proba(X[1::2])[np.arange(75), Y[1::2]]
        assert model.validation_loss_curve_[-1] == pytest.approx(-np.log(held).mean(), rel=1e-5)
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(model.history_)
    assert list(table.epoch) == list(range(1, 9)) and table.notna().all().all()
    assert table.time.is_monotonic_increasing


@pytest.mark.parametrize("scoring", ["f1_macro", "loss", "neg_log_loss"])
def test_scoring(scoring: str) -> None:
    """scikit-learn issue 24411."""
    model = MLPClassifier(early_stopping=True, scoring=scoring, random_state=0, max_iter=20, learning_rate_init=0.05)
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcd"))
    model.fit(frame, Y, eval_set=(frame, Y))
    assert model.best_validation_score_ == max(model.validation_scores_)
    if scoring == "loss":
        assert model.validation_scores_ == [-loss for loss in model.validation_loss_curve_]
    elif scoring == "neg_log_loss":
        assert model.validation_scores_ == pytest.approx([-loss for loss in model.validation_loss_curve_], rel=1e-5)


def test_scoring_by_a_callable() -> None:
    """scikit-learn issue 24411."""
    asked = []

    def score(estimator: Any, x: Any, y: Any) -> float:
        asked.append(estimator.predict(x).shape)
        return -float(len(asked))  # ever worse: the first epoch is the best

    model = MLPClassifier(early_stopping=True, scoring=score, random_state=0, n_iter_no_change=2).fit(X, Y)
    first = MLPClassifier(early_stopping=True, random_state=0, max_iter=1).fit(X, Y)
    assert model.n_iter_ == 4 and asked == [asked[0]] * 4 and asked[0][0] in (14, 15, 16)
    assert_array_equal(model.coefs_[0], first.coefs_[0])


@pytest.mark.parametrize("settings", [{}, {"batch_norm": True}])
def test_the_best_parameters_are_put_back(settings: dict[str, Any]) -> None:
    model = MLPClassifier(
        early_stopping=True, learning_rate_init=0.1, random_state=0, max_iter=11, batch_size=20, **settings
    )
    model.fit(X, Y, eval_set=(X, Y))
    assert model.validation_scores_[-1] < model.best_validation_score_ == max(model.validation_scores_)
    assert model.score(X, Y) == pytest.approx(model.best_validation_score_)


def stored_by_joblib(model: Any) -> Any:
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


@BOTH
@pytest.mark.parametrize("store", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy, stored_by_joblib])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"dropout": 0.4, "input_dropout": 0.1},
        {"batch_norm": True, "dropout": 0.2},
        {"dtype": "float64"},
        {"solver": "sgd", "learning_rate_init": 1e-3, "learning_rate": "invscaling"},
        {"max_norm": 0.5},
    ],
)
def test_a_stored_model_goes_on_as_the_one_it_was(kind: Any, store: Any, settings: dict[str, Any]) -> None:
    model = kind(random_state=np.random.RandomState(1), max_iter=3, warm_start=True, **settings).fit(X, Y)
    model.partial_fit(X, Y)
    other = store(model)
    assert_array_equal(model.predict(X), other.predict(X))
    for _ in range(3):
        model.partial_fit(X, Y)
        other.partial_fit(X, Y)
        same(model, other)
    same(model.fit(X, Y), other.fit(X, Y))


def test_parameters_put_in_place_are_what_predicts() -> None:
    model = MLPClassifier(random_state=0, max_iter=3).fit(X, Y)
    other = MLPClassifier(random_state=9, max_iter=3).fit(X, Y)
    other.coefs_, other.intercepts_ = [w.copy() for w in model.coefs_], [b.copy() for b in model.intercepts_]
    assert_array_equal(other.predict_proba(X), model.predict_proba(X))
    with pytest.raises(ValueError, match="read-only"):
        other.coefs_[0][0, 0] = 1.0


def test_callbacks_stop_and_see_the_present() -> None:
    seen = []

    def callback(model: Any, record: dict[str, float]) -> bool:
        seen.append((record["epoch"], model.coefs_[0][0, 0], model.predict(X).shape))
        return record["epoch"] == 3

    model = MLPClassifier(random_state=0).fit(X, Y, callbacks=[callback])
    assert model.n_iter_ == 3 and [epoch for epoch, *_ in seen] == [1, 2, 3]
    assert len({weight for _, weight, _ in seen}) == 3
    assert seen[-1][1] == model.coefs_[0][0, 0]


def test_a_callback_s_error_leaves_a_whole_model() -> None:
    def callback(model: Any, record: dict[str, float]) -> None:
        raise RuntimeError("mine")

    model = MLPClassifier(random_state=0)
    with pytest.raises(RuntimeError, match="mine"):
        model.fit(X, Y, callbacks=[callback])
    same(model, MLPClassifier(random_state=0, max_iter=1).fit(X, Y))
