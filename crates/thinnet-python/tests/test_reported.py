"""Faults that users of the estimators met: each test fails without its fix."""

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris, make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from thinnet import MLPClassifier, MLPRegressor

X, Y = load_iris(return_X_y=True)
QUIET = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BOTH = pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])


def same(one: Any, other: Any) -> None:
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert_array_equal(a, b)


@QUIET
@pytest.mark.parametrize("through", ["partial_fit", "warm_start", "callback"])
def test_training_goes_on_from_replaced_weights(through: str) -> None:
    def replace(model: Any, record: Any = None) -> None:
        model.coefs_ = [np.full_like(w, 0.01) for w in model.coefs_]
        model.intercepts_ = [np.zeros_like(b) for b in model.intercepts_]

    settings = {"random_state": 0, "warm_start": True, "max_iter": 1, "learning_rate_init": 1e-6}
    model = MLPClassifier((5,), **settings).fit(X, Y)
    if through == "callback":
        # The first epoch's weights are replaced; the second one changes them by almost nothing.
        seen: list[Any] = []
        model.set_params(max_iter=2).fit(X, Y, callbacks=lambda m, record: seen.append(replace(m)) or len(seen) == 3)
    else:
        replace(model)
        model = model.partial_fit(X, Y) if through == "partial_fit" else model.fit(X, Y)
    assert_allclose(model.coefs_[0], 0.01, atol=1e-4)


@QUIET
def test_weights_can_be_averaged_in_a_callback() -> None:
    average: list[Any] = []

    def ema(model: Any, record: Any) -> None:
        now = [np.array(w) for w in model.coefs_]
        average[:] = now if not average else [0.9 * a + 0.1 * w for a, w in zip(average, now, strict=True)]

    model = MLPClassifier((5,), random_state=0, max_iter=5).fit(X, Y, callbacks=ema)
    model.coefs_ = list(average)
    assert_allclose(model.coefs_[0], average[0])
    before = [np.array(w) for w in model.coefs_]
    model.set_params(learning_rate_init=1e-7).partial_fit(X, Y)
    assert_allclose(model.coefs_[0], before[0], atol=1e-5)


@QUIET
def test_parameters_that_were_set_are_taken_by_partial_fit() -> None:
    model = MLPClassifier((50,), random_state=0, dropout=0.5).partial_fit(X, Y, classes=[0, 1, 2])
    still = copy.deepcopy(model)
    before = [np.array(w) for w in model.coefs_]
    model.set_params(learning_rate_init=1e-9).partial_fit(X, Y)
    assert_allclose(model.coefs_[0], before[0], atol=1e-7)
    # Without dropout and with a bound on the norms, from the same state.
    bound, free = copy.deepcopy(still), copy.deepcopy(still)
    bound.set_params(max_norm=0.1, dropout=0.0).partial_fit(X, Y)
    free.partial_fit(X, Y)
    assert np.linalg.norm(bound.coefs_[0], axis=0).max() < 0.1001 < np.linalg.norm(free.coefs_[0], axis=0).max()
    assert bound.predict_proba(X, mc_samples=2).std() > 0
    assert_allclose(bound.predict_proba(X, mc_samples=2), bound.predict_proba(X), rtol=1e-5)
    with pytest.raises(ValueError, match="cannot change solver"):
        still.set_params(solver="sgd").partial_fit(X, Y)


@QUIET
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_callback_schedules_rate_and_dropout(early_stopping: bool) -> None:
    rates: list[float] = []

    def schedule(model: Any, record: dict[str, float]) -> None:
        rates.append(record["learning_rate"])
        model.set_params(learning_rate_init=model.learning_rate_init / 2, dropout=max(0.0, model.dropout - 0.1))

    model = MLPClassifier(
        (20,), random_state=0, dropout=0.3, max_iter=5, learning_rate_init=0.08, early_stopping=early_stopping
    ).fit(X, Y, callbacks=schedule)
    assert_allclose(rates, [0.08, 0.04, 0.02, 0.01, 0.005])
    assert_allclose(model.predict_proba(X, mc_samples=3), model.predict_proba(X), rtol=1e-5)
    if early_stopping:
        held = max(model.validation_scores_)
        assert model.best_validation_score_ == held
    for name, value in (("hidden_layer_sizes", (3,)), ("solver", "sgd"), ("batch_norm", True), ("activation", "tanh")):
        words = {"hidden_layer_sizes": "layer sizes"}.get(name, name)
        with pytest.raises(ValueError, match=f"cannot change.*{words}"):
            MLPClassifier((20,), random_state=0).fit(
                X, Y, callbacks=lambda m, _, n=name, v=value: m.set_params(**{n: v})
            )


@QUIET
def test_early_stopping_keeps_the_best_when_a_callback_rebuilds() -> None:
    """The best epoch's weights survive a change of dropout after it."""
    x, y = make_classification(300, 20, n_informative=3, flip_y=0.3, random_state=0)
    settings = {"random_state": 0, "early_stopping": True, "max_iter": 12, "n_iter_no_change": 20}
    plain = MLPClassifier((30,), **settings).fit(x, y)
    changed = MLPClassifier((30,), **settings).fit(x, y, callbacks=lambda m, _: m.set_params(max_norm=1e6 + m.n_iter_))
    same(plain, changed)


@QUIET
@BOTH
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_keeps_a_model_that_trains_on(kind: Any, protocol: int) -> None:
    model = kind(hidden_layer_sizes=(8, 4), random_state=0, max_iter=3, dropout=0.2, batch_norm=True).fit(X, Y)
    again = pickle.loads(pickle.dumps(model, protocol))
    assert_array_equal(again.predict(X), model.predict(X))
    same(again.partial_fit(X, Y), model.partial_fit(X, Y))


@QUIET
@BOTH
def test_skops_keeps_a_model(kind: Any) -> None:
    io = pytest.importorskip("skops.io")
    model = kind(hidden_layer_sizes=(8,), random_state=0, max_iter=3, dropout=0.2, batch_norm=True).fit(X, Y)
    written = io.dumps(model)
    unknown = io.get_untrusted_types(data=written)
    assert all(name.startswith("thinnet.") for name in unknown), unknown
    again = io.loads(written, trusted=unknown)
    assert_array_equal(again.predict(X), model.predict(X))
    same(again.partial_fit(X, Y), model.partial_fit(X, Y))


@QUIET
def test_a_shallow_copy_is_a_model_of_its_own() -> None:
    model = MLPClassifier((8,), random_state=0, max_iter=3).fit(X, Y)
    before = model.predict_proba(X)
    copy.copy(model).partial_fit(X, Y)
    assert_array_equal(model.predict_proba(X), before)
    assert_array_equal(model.partial_fit(X, Y).predict_proba(X), copy.copy(model).predict_proba(X))


@QUIET
@BOTH
@pytest.mark.parametrize(
    ("given", "settings"),
    [
        ({"eval_set": 3}, {}),
        ({"eval_set": (X[:, :2], Y)}, {}),
        ({"callbacks": 3}, {}),
        ({"callbacks": [print, 3]}, {}),
        ({"X_val": X}, {}),
        ({"X_val": X, "y_val": Y, "eval_set": (X, Y)}, {}),
        ({"sample_weight": -np.ones(len(Y))}, {}),
        ({}, {"scoring": "no_such_score"}),
        ({}, {"early_stopping": True, "validation_fraction": 0.001}),
        ({}, {"dropout": 2.0}),
    ],
)
def test_a_fit_that_cannot_start_changes_nothing(kind: Any, given: Any, settings: Any) -> None:
    model = kind(hidden_layer_sizes=(5,), random_state=0, max_iter=3).fit(X, Y)
    before, curve = copy.deepcopy(model), list(model.loss_curve_)
    with pytest.raises((ValueError, TypeError)):
        model.set_params(**settings).fit(X, Y, **given)
    same(model, before)
    assert model.loss_curve_ == curve
    new = kind(hidden_layer_sizes=(5,), **settings)
    with pytest.raises((ValueError, TypeError)):
        new.fit(X, Y, **given)
    assert not [name for name in vars(new) if name.endswith("_")]
    with pytest.raises(NotFittedError):
        new.predict(X)


@BOTH
def test_warnings_point_at_the_caller(kind: Any) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        kind(hidden_layer_sizes=(5,), max_iter=1, batch_size=100_000).fit(X, Y)
        kind(hidden_layer_sizes=(5,), max_iter=1, batch_size=100_000).fit(X, Y)
    kinds = [warning.category for warning in told]
    assert kinds == [UserWarning, ConvergenceWarning] * 2
    assert {warning.filename for warning in told} == {__file__}


@QUIET
@BOTH
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}])
def test_divergence_ends_training_at_once(kind: Any, settings: Any) -> None:
    x = 1e18 * X
    model = kind(
        hidden_layer_sizes=(20,), solver="sgd", learning_rate_init=1e6, max_iter=100_000, random_state=0, **settings
    )
    with pytest.raises(ValueError, match=r"non-finite.*by step \d+, in epoch \d+"):
        model.fit(x, Y)
    with pytest.raises(NotFittedError):
        model.predict(x)


@QUIET
def test_early_stopping_keeps_the_best_of_a_fit_that_diverges() -> None:
    model = MLPRegressor(
        activation="identity", solver="sgd", learning_rate_init=1, max_iter=2000, early_stopping=True, random_state=0
    )
    with pytest.warns(RuntimeWarning, match=r"The loss is \w+ by step \d+, in epoch \d+. Training stops."):
        model.fit(X, Y)
    assert np.isnan(model.validation_scores_[-1]) and model.n_iter_ < 50
    assert np.isfinite(model.predict(X)).all()


@QUIET
def test_rows_have_masks_of_their_own() -> None:
    model = MLPRegressor(hidden_layer_sizes=(50,), dropout=0.5, random_state=0, max_iter=20).fit(X, Y)
    rows = np.repeat(X[:1], 3 * 4096, axis=0)
    drawn, _ = model.predict_dist(rows, mc_samples=1)
    first, second, third = drawn.reshape(3, 4096)
    assert np.abs(first - second).mean() > 1e-3 and np.abs(second - third).mean() > 1e-3
    assert_array_equal(drawn, model.predict_dist(rows, mc_samples=1)[0])
    random = model.set_params(random_state=np.random.RandomState(3))
    one, two = random.predict_dist(X, mc_samples=1)[0], random.predict_dist(X, mc_samples=1)[0]
    assert np.abs(one - two).mean() > 1e-3, "a stream goes on"


@QUIET
def test_numbers_may_be_arrays_without_dimensions() -> None:
    model = MLPClassifier(np.array(5), dropout=np.array(0.3), alpha=np.array(1e-4), random_state=0, max_iter=2)
    plain = MLPClassifier(5, dropout=0.3, random_state=0, max_iter=2).fit(X, Y)
    seen: list[int] = []
    same(model.fit(X, Y, callbacks=lambda m, record: seen.append(m.n_iter_)), plain)
    assert seen == [1, 2]


def test_what_is_not_fitted_says_so() -> None:
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(X)
    half = MLPClassifier()
    half.classes_ = np.arange(3)  # as some tools set
    with pytest.raises(NotFittedError):
        half.predict(X)


@QUIET
def test_validation_data_as_x_val_and_y_val() -> None:
    settings = {"random_state": 0, "max_iter": 5, "early_stopping": True}
    one = MLPClassifier((5,), **settings).fit(X[:100], Y[:100], X_val=X[100:], y_val=np.zeros(50, int))
    two = MLPClassifier((5,), **settings).fit(X[:100], Y[:100], eval_set=(X[100:], np.zeros(50, int)))
    assert one.validation_scores_ == two.validation_scores_
    with sklearn.config_context(enable_metadata_routing=True):
        request = {"X_val": True, "y_val": True}
        net = MLPClassifier((5,), **settings).set_fit_request(**request)
        pipe = make_pipeline(StandardScaler(), net, transform_input=["X_val"])
        pipe.fit(X[::2], Y[::2], X_val=X[1::2], y_val=Y[1::2])
        scaled = StandardScaler().fit(X[::2])
        alone = MLPClassifier((5,), **settings)
        alone.fit(scaled.transform(X[::2]), Y[::2], X_val=scaled.transform(X[1::2]), y_val=Y[1::2])
        assert pipe[-1].validation_scores_ == alone.validation_scores_
    x, y = make_regression(100, 5, random_state=0)
    target = TransformedTargetRegressor(
        MLPRegressor(hidden_layer_sizes=(5,), random_state=0, max_iter=3), transformer=StandardScaler()
    )
    target.fit(x, y, X_val=x, y_val=(y - y.mean()) / y.std())
    assert len(target.regressor_.validation_scores_) == 3


@QUIET
def test_classifiers_say_how_sure_they_are() -> None:
    x, y = make_classification(400, 20, n_informative=5, n_classes=3, random_state=0)
    model = MLPClassifier((50,), dropout=0.5, random_state=0, max_iter=30, dtype="float64").fit(x[:200], y[:200])
    p, std = model.predict_proba(x, mc_samples=50, return_std=True)
    sure = model.predict_uncertainty(x, mc_samples=50)
    assert_allclose(sure.probabilities, p, rtol=1e-12)
    assert_allclose(sure.std, std, atol=1e-7)
    assert_allclose(sure.entropy, -(p * np.log(p)).sum(axis=1), rtol=1e-10)
    assert (sure.mutual_information >= 0).all() and (sure.mutual_information <= sure.entropy).all()
    wrong = model.predict(x) != y
    assert sure.entropy[wrong].mean() > sure.entropy[~wrong].mean()
    plain = MLPClassifier((50,), random_state=0, max_iter=3).fit(x, y).predict_uncertainty(x, mc_samples=3)
    assert_allclose(plain.mutual_information, 0, atol=1e-6)
    assert_allclose(plain.std, 0, atol=1e-3)
    two = MLPClassifier((50,), dropout=0.5, random_state=0, max_iter=5).fit(x, y > 0)
    p, std = two.predict_proba(x, mc_samples=9, return_std=True)
    assert p.shape == std.shape == (400, 2)
    assert two.predict_uncertainty(x, mc_samples=9).entropy.shape == (400,)
    several = MLPClassifier((50,), dropout=0.5, random_state=0, max_iter=5).fit(x, np.eye(3)[y])
    assert several.predict_uncertainty(x, mc_samples=9).mutual_information.shape == (400, 3)
    one = MLPClassifier((50,), dropout=0.5, random_state=0, max_iter=5).fit(x, np.zeros(400))
    assert_array_equal(one.predict_proba(x, mc_samples=9, return_std=True), [np.ones((400, 1)), np.zeros((400, 1))])
    with pytest.raises(ValueError, match="return_std needs mc_samples"):
        model.predict_proba(x, return_std=True)


@QUIET
def test_regressors_return_a_deviation_through_pipelines() -> None:
    pipe = make_pipeline(
        StandardScaler(), MLPRegressor(hidden_layer_sizes=(20,), dropout=0.3, random_state=0, max_iter=5)
    ).fit(X, Y)
    mean, std = pipe.predict(X, return_std=True)
    assert_array_equal((mean, std), pipe[-1].predict_dist(pipe[:-1].transform(X), mc_samples=100))
    assert (std > 0).all()


@QUIET
@pytest.mark.parametrize("settings", [{}, {"batch_norm": True}, {"activation": "tanh"}, {"activation": "logistic"}])
def test_hidden_activations_are_features(settings: Any) -> None:
    model = MLPClassifier((20, 7), random_state=0, max_iter=10, dropout=0.3, dtype="float64", **settings).fit(X, Y)
    hidden = model.transform(X)
    assert hidden.shape == (150, 7)
    scores = hidden @ model.coefs_[-1] + model.intercepts_[-1]
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    assert_allclose(p / p.sum(axis=1, keepdims=True), model.predict_proba(X), rtol=1e-9)
    assert_allclose(model.transform(sparse.csr_matrix(X)), hidden, rtol=1e-9)
    assert list(model.get_feature_names_out()[:2]) == ["mlpclassifier0", "mlpclassifier1"]
    norms = model.batch_norms_
    assert len(norms) == (2 if settings.get("batch_norm") else 0)
    if norms:
        assert norms[1]["gamma"].shape == norms[1]["running_variance"].shape == (7,)


@QUIET
def test_a_network_makes_features_in_a_pipeline() -> None:
    net = MLPClassifier((30,), random_state=0, max_iter=100, learning_rate_init=0.01)
    pipe = make_pipeline(StandardScaler(), net, LogisticRegression(max_iter=1000)).fit(X, Y)
    assert pipe.score(X, Y) > 0.95
    assert pipe[:-1].transform(X).shape == (150, 30)
    assert_array_equal(MLPRegressor(hidden_layer_sizes=(), max_iter=1).fit(X, Y).transform(X), X.astype("float32"))
