"""Losses, activations and solvers that scikit-learn's networks do not have."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_digits, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import d2_pinball_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from thinnet import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
LOSSES = ["squared_error", "absolute_error", "huber", "quantile", "gaussian_nll", "poisson"]
X, Y = make_regression(300, 8, noise=10, random_state=0)
Y = Y / Y.std()


def noisy(n_samples: int, seed: int) -> tuple[Any, Any]:
    """A sine with noise that grows from left to right, from 0.1 to 0.9."""
    random = np.random.RandomState(seed)
    x = random.uniform(-2, 2, (n_samples, 1))
    deviation = 0.5 + 0.2 * x[:, 0]
    return x, np.sin(2 * x[:, 0]) + deviation * random.standard_normal(n_samples)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_training_loss_is_that_of_the_predictions(loss: str, outputs: int, dtype: str) -> None:
    """The first loss is that of the untrained network, which validation data show after a step of next to nothing."""
    y = np.abs(np.column_stack([Y, Y[::-1]])[:, :outputs])
    model = MLPRegressor(loss, (20,), alpha=0, batch_size=300, learning_rate_init=1e-12, random_state=1, dtype=dtype)
    model.set_params(quantile=0.9, huber_delta=0.5, max_iter=3).fit(X, y, X_val=X, y_val=y)
    tolerance = 1e-4 if dtype == "float32" else 1e-9
    assert_allclose(model.validation_loss_curve_, model.loss_curve_, rtol=tolerance)
    if loss == "gaussian_nll":
        mean, deviation = model.predict(X, return_std=True)
        expected = -norm.logpdf(y, mean.reshape(y.shape), deviation.reshape(y.shape)).mean()
        assert_allclose(model.loss_, expected, rtol=tolerance)
    elif loss == "absolute_error":
        assert_allclose(model.loss_, np.abs(y - model.predict(X).reshape(y.shape)).mean(), rtol=tolerance)


def test_quantiles_hold_their_share() -> None:
    x, y = noisy(4000, 0)
    given = {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.1,
        "max_iter": 150,
        "random_state": 0,
    }
    model = MLPRegressor("quantile", (30, 30), quantile=[0.1, 0.5, 0.9], n_iter_no_change=5, **given).fit(x, y)
    x_test, y_test = noisy(4000, 1)
    predicted = model.predict(x_test)
    assert predicted.shape == (4000, 3)
    assert (np.diff(predicted, axis=1) >= 0).all()
    for column, q in zip(predicted.T, (0.1, 0.5, 0.9), strict=True):
        assert abs((y_test <= column).mean() - q) < 0.04
    scores = [d2_pinball_score(y_test, predicted[:, k], alpha=q) for k, q in enumerate((0.1, 0.5, 0.9))]
    assert_allclose(model.score(x_test, y_test), np.mean(scores))
    one = MLPRegressor("quantile", (30,), quantile=0.9, **given).fit(x, y)
    assert one.predict(x_test).shape == (4000,)
    several = MLPRegressor("quantile", (30,), quantile=(0.1, 0.9), **given).fit(x, np.column_stack([y, -y]))
    assert several.predict(x_test).shape == (4000, 2, 2)
    assert several.coefs_[-1].shape == (30, 4) and several.n_outputs_ == 2


@pytest.mark.parametrize("dropout", [0.0, 0.05])
def test_intervals_cover_what_they_say(dropout: float) -> None:
    x, y = noisy(4000, 0)
    net = MLPRegressor("gaussian_nll", (50, 50), dropout=dropout, max_iter=100, learning_rate_init=0.01, random_state=0)
    pipe = make_pipeline(StandardScaler(), net).fit(x, y)
    x_test, y_test = noisy(4000, 1)
    mean, deviation = pipe.predict(x_test, return_std=True)
    assert mean.shape == deviation.shape == (4000,)
    covered = (np.abs(y_test - mean) <= norm.ppf(0.975) * deviation).mean()
    assert 0.93 < covered < 0.975, covered
    # The noise is larger on the right, and the network has learnt how much.
    assert_allclose(
        [deviation[x_test[:, 0] < -1.5].mean(), deviation[x_test[:, 0] > 1.5].mean()], [0.15, 0.85], atol=0.12
    )
    if dropout:
        without = np.sqrt(np.logaddexp(0, _scores(pipe, x_test)[:, 1]) + 1e-6)
        assert (deviation > without).mean() > 0.5  # the network's own uncertainty comes on top


def _scores(pipe: Any, x: Any) -> Any:
    net = pipe[-1]
    hidden = net.transform(pipe[:-1].transform(x))
    return hidden @ net.coefs_[-1] + net.intercepts_[-1]


def test_outliers_matter_less() -> None:
    """One answer in ten is wrong by much: a mean moves, a median and Huber's estimate hardly do."""
    random = np.random.RandomState(0)
    x = random.standard_normal((2000, 3))
    truth = x @ [1.0, -2.0, 0.5]
    y = truth + np.where(random.rand(2000) < 0.1, 30.0, 0.0)

    def error(loss: str) -> float:
        model = MLPRegressor(loss, (), max_iter=200, learning_rate_init=0.01, random_state=0, huber_delta=0.5)
        return float(np.abs(model.fit(x, y).predict(x) - truth).mean())

    assert error("squared_error") > 2
    assert error("absolute_error") < 0.2
    assert error("huber") < 0.3


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("leaky_relu", lambda z: np.where(z > 0, z, 0.01 * z)),
        ("elu", lambda z: np.where(z > 0, z, np.expm1(z))),
        ("selu", lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z))),
        ("gelu", lambda z: z * special.ndtr(z)),
        ("silu", lambda z: z * special.expit(z)),
        ("mish", lambda z: z * np.tanh(np.logaddexp(0, z))),
        ("softplus", lambda z: np.logaddexp(0, z)),
    ],
)
def test_activations(activation: str, function: Any) -> None:
    x, y = load_digits(return_X_y=True)
    x = x / 16
    settings = {"max_iter": 30, "learning_rate_init": 0.01, "random_state": 0, "dtype": "float64"}
    model = MLPClassifier((40,), activation, dropout=0.2, **settings).fit(x, y)
    assert model.score(x, y) > 0.95
    hidden = function(x @ model.coefs_[0] + model.intercepts_[0])
    assert_allclose(model.transform(x), hidden, rtol=1e-10, atol=1e-12)
    scores = hidden @ model.coefs_[1] + model.intercepts_[1]
    assert_allclose(model.predict_proba(x), special.softmax(scores, axis=1), rtol=1e-9)


def test_adamw_decays_weights() -> None:
    settings = {"solver": "adamw", "alpha": 0, "max_iter": 50, "random_state": 0}
    free, bound = (MLPRegressor("squared_error", (50,), weight_decay=w, **settings).fit(X, Y) for w in (0, 1.0))
    assert np.linalg.norm(bound.coefs_[0]) < 0.95 * np.linalg.norm(free.coefs_[0])
    # A step moves a weight by at most about the learning rate, then decay multiplies it.
    one = MLPRegressor("squared_error", (50,), weight_decay=1000, **{**settings, "max_iter": 1})
    one.set_params(batch_size=300, learning_rate_init=1e-3).fit(X, Y)
    assert np.abs(one.coefs_[0]).max() <= 1.01e-3
    assert np.abs(one.intercepts_[0]).max() > 0.05


def test_lbfgs_shows_its_iterations_and_can_be_stopped() -> None:
    seen: list[float] = []

    def stop(model: Any, record: Any) -> bool:
        seen.append(record["loss"])
        return len(seen) == 4

    model = MLPRegressor("squared_error", (20,), solver="lbfgs", random_state=0, dtype="float64")
    model.fit(X, Y, X_val=X[:50], y_val=Y[:50], callbacks=stop)
    assert model.n_iter_ == 4
    assert seen == model.loss_curve_ == sorted(seen, reverse=True)
    assert len(model.history_["validation_score"]) == 4
    assert model.history_["learning_rate"] == [None] * 4
    assert not hasattr(model, "partial_fit")
    with pytest.raises(ValueError, match="can stop training, but not change"):
        clone(model).fit(X, Y, callbacks=lambda model, record: model.set_params(alpha=1.0) and None)

    def replace(model: Any, record: Any) -> None:
        model.coefs_ = [w + 0 for w in model.coefs_]

    with pytest.raises(ValueError, match="can stop training, but not change"):
        clone(model).fit(X, Y, callbacks=replace)


def test_lbfgs_continues_and_is_continued() -> None:
    settings = {"random_state": 0, "dtype": "float64", "tol": 1e-9, "warm_start": True}
    model = MLPRegressor("squared_error", (20,), solver="lbfgs", max_iter=20, **settings).fit(X, Y)
    first = model.loss_
    assert model.fit(X, Y).loss_ < first
    second = model.loss_
    model.set_params(solver="adam", learning_rate_init=1e-5, max_iter=5).fit(X, Y)
    assert model.loss_curve_[-1] < 1.1 * second


def test_lbfgs_says_when_it_should_have_gone_on() -> None:
    model = MLPRegressor("squared_error", (20,), solver="lbfgs", random_state=0, max_iter=3)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge after 3 iterations"):
        model.fit(X, Y)


def test_settings_of_losses_are_checked() -> None:
    for quantile in (0.0, 1.0, [], [0.5, 0.1], [0.5, 0.5], "half", None, [0.1, "0.5"]):
        with pytest.raises((ValueError, TypeError), match="quantile must be"):
            MLPRegressor("quantile", quantile=quantile).fit(X, Y)
    for delta in (0, -1.0, np.nan, "1"):
        with pytest.raises((ValueError, TypeError), match="huber_delta must be"):
            MLPRegressor("huber", huber_delta=delta).fit(X, Y)
    with pytest.raises(ValueError, match="loss must be one of 'squared_error', 'absolute_error'"):
        MLPRegressor("hinge").fit(X, Y)
    with pytest.raises(ValueError, match="cannot change layer sizes"):
        MLPRegressor("quantile").partial_fit(X, Y).set_params(quantile=[0.1, 0.9]).partial_fit(X, Y)


def test_large_rows_are_read_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bits as from a copy: labels, values, weights, one batch or many, sparse data."""
    x, y = load_digits(return_X_y=True)
    x = x.astype(np.float32) + 1
    weights = np.random.RandomState(0).uniform(0.1, 2, len(y))
    models = [
        MLPClassifier((30,), dropout=0.5, max_iter=3, random_state=0),
        MLPClassifier((30,), max_iter=3, random_state=0, early_stopping=True, batch_size=64),
        MLPRegressor("huber", (30,), dropout=0.5, max_iter=3, random_state=0),
        MLPRegressor("squared_error", (30,), batch_size=len(y), max_iter=3, random_state=0),
    ]
    for model in models:
        for rows in (x, x * (x > 14)):
            fitted = []
            for large in (1 << 60, 0):
                monkeypatch.setattr("thinnet._samples._LARGE", large)
                fitted.append(clone(model).fit(rows, y, weights))
            one, other = fitted
            assert one.loss_curve_ == other.loss_curve_
            for a, b in zip(one.coefs_, other.coefs_, strict=True):
                assert_array_equal(a, b)
