"""The figures of scikit-learn's own networks, in float64 and without dropout."""

import warnings
from typing import Any

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose
from sklearn import neural_network
from sklearn.datasets import load_breast_cancer, make_classification, make_multilabel_classification, make_regression
from sklearn.utils.fixes import parse_version
from thinnet import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
WEIGHTS_AND_POISSON = parse_version(sklearn.__version__) >= parse_version("1.7")
needs_newer = pytest.mark.skipif(not WEIGHTS_AND_POISSON, reason="scikit-learn has it from 1.7 on")


def data(kind: str, n_samples: int = 330) -> tuple[Any, Any]:
    if kind == "multilabel":
        return make_multilabel_classification(n_samples, n_features=12, n_classes=4, random_state=3)
    if kind in ("binary", "multiclass"):
        classes = 2 if kind == "binary" else 4
        return make_classification(n_samples, 12, n_informative=6, n_classes=classes, random_state=3)
    x, y = make_regression(n_samples, 12, n_targets=2 if kind == "outputs" else 1, random_state=3)
    y = y / y.std()
    return x, np.exp(y / 2) if kind == "poisson" else y


def both(kind: str, settings: dict[str, Any], weights: Any = None, n_samples: int = 330) -> tuple[Any, Any]:
    x, y = data(kind, n_samples)
    settings = {"hidden_layer_sizes": (17, 9), "max_iter": 25, "random_state": 5, **settings}
    if kind == "poisson":
        settings["loss"] = "poisson"
    classifies = kind in ("binary", "multiclass", "multilabel")
    given = {} if weights is None else {"sample_weight": weights}
    name = "MLPClassifier" if classifies else "MLPRegressor"
    theirs = getattr(neural_network, name)(**settings).fit(x, y, **given)
    ours = (MLPClassifier if classifies else MLPRegressor)(dtype="float64", **settings).fit(x, y, **given)
    return theirs, ours


def assert_same(theirs: Any, ours: Any) -> None:
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.t_ == theirs.t_
    assert ours.out_activation_ == theirs.out_activation_
    assert (ours.n_layers_, ours.n_outputs_) == (theirs.n_layers_, theirs.n_outputs_)
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)
    for own, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        assert_allclose(own, other, rtol=1e-6, atol=1e-9)
    if theirs.validation_scores_ is not None:
        assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=1e-6)
        assert_allclose(ours.best_validation_score_, theirs.best_validation_score_, rtol=1e-6)
    else:
        assert_allclose(ours.best_loss_, theirs.best_loss_, rtol=1e-6)


KINDS = ["binary", "multiclass", "multilabel", "output", "outputs", pytest.param("poisson", marks=needs_newer)]
SGD: dict[str, Any] = {"solver": "sgd", "learning_rate_init": 0.02}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_adam(kind: str, activation: str) -> None:
    assert_same(*both(kind, {"activation": activation, "alpha": 0.01, "learning_rate_init": 0.005}))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("learning_rate", ["constant", "invscaling", "adaptive"])
def test_sgd(kind: str, learning_rate: str) -> None:
    settings = {**SGD, "learning_rate": learning_rate, "power_t": 0.2, "tol": 0.05, "n_iter_no_change": 2}
    assert_same(*both(kind, {**settings, "learning_rate_init": 0.002}))


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_momentum(momentum: float, nesterov: bool) -> None:
    assert_same(*both("multiclass", {**SGD, "momentum": momentum, "nesterovs_momentum": nesterov}))


@pytest.mark.parametrize(
    "settings",
    [
        {"alpha": 3.0},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
        {"batch_size": 7},
        {"shuffle": False},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": 5},
        {"tol": 0.1, "n_iter_no_change": 3},
        {"n_iter_no_change": np.inf},
    ],
)
@pytest.mark.parametrize("n_samples", [330, 90])  # two batches an epoch, and one
def test_settings(settings: dict[str, Any], n_samples: int) -> None:
    assert_same(*both("multiclass", settings, n_samples=n_samples))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", [330, 90])
def test_early_stopping(kind: str, n_samples: int) -> None:
    settings = {"early_stopping": True, "n_iter_no_change": 3, "validation_fraction": 0.2, "tol": 1e-3}
    assert_same(*both(kind, {**settings, "learning_rate_init": 0.01}, n_samples=n_samples))


@needs_newer
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", [330, 90])
def test_sample_weight(kind: str, n_samples: int) -> None:
    weights = np.random.RandomState(0).uniform(0.1, 3, n_samples)
    assert_same(*both(kind, {"alpha": 0.1}, weights, n_samples))


@needs_newer
def test_sample_weight_with_early_stopping() -> None:
    weights = np.random.RandomState(0).uniform(0.1, 3, 330)
    assert_same(*both("binary", {"early_stopping": True, "learning_rate_init": 0.01}, weights))


# With several outputs scikit-learn gives L-BFGS the mean loss over the outputs, and the gradient of their sum.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "outputs"])
@pytest.mark.parametrize("settings", [{}, {"activation": "tanh", "alpha": 0.1}, {"max_fun": 12}, {"tol": 0.1}])
def test_lbfgs(kind: str, settings: dict[str, Any]) -> None:
    theirs, ours = both(kind, {"solver": "lbfgs", **settings})
    assert ours.n_iter_ == theirs.n_iter_
    assert_allclose(ours.loss_, theirs.loss_, rtol=1e-6)
    for own, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        assert_allclose(own, other, rtol=1e-6, atol=1e-8)
    weights = np.random.RandomState(0).uniform(0.1, 3, 330)
    if WEIGHTS_AND_POISSON:
        theirs, ours = both(kind, {"solver": "lbfgs", **settings}, weights)
        assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-6, atol=1e-8)


def test_the_loss_of_a_sure_mistake_is_bounded() -> None:
    x, y = load_breast_cancer(return_X_y=True)  # not scaled: the first predictions are sure, and often wrong
    theirs = neural_network.MLPClassifier(max_iter=3, random_state=0).fit(x, y)
    ours = MLPClassifier(max_iter=3, random_state=0, dtype="float64", early_stopping=False).fit(x, y)
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    assert ours.loss_curve_[0] > 10


@pytest.mark.parametrize("kind", ["binary", "multiclass", "outputs"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit(kind: str, solver: str) -> None:
    x, y = data(kind)
    name = "MLPRegressor" if kind == "outputs" else "MLPClassifier"
    theirs = getattr(neural_network, name)(solver=solver, random_state=1)
    ours = {"MLPRegressor": MLPRegressor, "MLPClassifier": MLPClassifier}[name](
        solver=solver, random_state=1, dtype="float64"
    )
    given = {} if kind == "outputs" else {"classes": np.unique(y)}
    for part in (slice(0, 100), slice(100, 330), slice(20, 60)):
        theirs.partial_fit(x[part], y[part], **given)
        ours.partial_fit(x[part], y[part], **given)
    assert_same(theirs, ours)


def test_random_state_instance_goes_on() -> None:
    x, y = data("binary", 330)
    streams = [np.random.RandomState(7), np.random.RandomState(7)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = neural_network.MLPClassifier(random_state=streams[0], max_iter=4).fit(x, y)
        ours = MLPClassifier(random_state=streams[1], max_iter=4, dtype="float64").fit(x, y)
    assert_same(theirs, ours)
    assert streams[0].randint(1 << 30) == streams[1].randint(1 << 30)
