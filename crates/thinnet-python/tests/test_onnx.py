"""Estimators as ONNX files: ONNX Runtime predicts what they predict."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from thinnet import MLPClassifier, MLPRegressor, to_onnx

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
ACTIVATIONS = ["identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"]
DTYPES = ["float32", "float64"]
ROWS = 1000
FEW: dict[str, Any] = {"hidden_layer_sizes": (24, 16), "max_iter": 5, "random_state": 0}
X, Y = make_classification(ROWS, 12, n_informative=8, n_classes=4, random_state=0)
X = X.astype(np.float32)


def run(model: bytes, x: Any = X) -> dict[str, Any]:
    """The outputs of a file that the checker accepts."""
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    session = onnxruntime.InferenceSession(model)
    assert [own.name for own in session.get_inputs()] == ["X"]
    names = [own.name for own in session.get_outputs()]
    return dict(zip(names, session.run(names, {"X": x}), strict=True))


def same_classes(clf: MLPClassifier, tolerance: float = 1e-5) -> None:
    outputs = run(to_onnx(clf))
    expected = clf.predict_proba(X)
    assert outputs["probabilities"].shape == expected.shape
    difference = np.abs(outputs["probabilities"] - expected).max()
    print(f"largest difference {difference:.2g}")
    assert difference < tolerance
    assert outputs["label"].tolist() == clf.predict(X).tolist()


def same_numbers(found: Any, expected: Any) -> None:
    expected = expected.reshape(found.shape)
    difference = (np.abs(found - expected) / np.maximum(1, np.abs(expected))).max()
    print(f"largest difference {difference:.2g}")
    assert difference < 1e-5


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation: str, dtype: str) -> None:
    same_classes(MLPClassifier(activation=activation, dtype=dtype, **FEW).fit(X, Y))


@pytest.mark.parametrize("dtype", DTYPES)
def test_batch_norm_and_dropout(dtype: str) -> None:
    same_classes(MLPClassifier(batch_norm=True, dropout=0.3, input_dropout=0.1, dtype=dtype, **FEW).fit(X, Y))


@pytest.mark.parametrize("names", [[3, 7], [-1, 1], ["no", "yes"], [False, True], [0.0, 1.0]], ids=str)
def test_two_classes(names: list[Any]) -> None:
    same_classes(MLPClassifier(**FEW).fit(X, np.array(names)[Y % 2]))


def test_more_classes_with_names() -> None:
    names = np.array(["Rome", "Oslo", "İzmir", "Lima"])
    same_classes(MLPClassifier(**FEW).fit(X, names[Y]))
    same_classes(MLPClassifier(**FEW).fit(X, names.astype(object)[Y]))


def test_a_single_class() -> None:
    same_classes(MLPClassifier(**FEW).fit(X, np.full(ROWS, 5)))


def test_several_labels() -> None:
    _, y = make_multilabel_classification(ROWS, 12, n_classes=5, random_state=0)
    same_classes(MLPClassifier(**FEW).fit(X, y))


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "poisson", "quantile", "gaussian_nll"])
def test_losses(loss: str, outputs: int) -> None:
    x, y = make_regression(ROWS, 8, n_targets=outputs, random_state=0)
    x, y = x.astype(np.float32), np.abs(y).reshape(ROWS, -1) / 100
    reg = MLPRegressor(loss, **FEW).fit(x, y if outputs > 1 else y[:, 0])
    found = run(to_onnx(reg), x)
    assert found["variable"].shape == (ROWS, outputs)
    same_numbers(found["variable"], reg.predict(x))
    if loss == "gaussian_nll":
        same_numbers(found["std"], reg.predict(x, return_std=True, mc_samples=1)[1])
    else:
        assert list(found) == ["variable"]


@pytest.mark.parametrize("outputs", [1, 2])
def test_several_quantiles_rise(outputs: int) -> None:
    x, y = make_regression(ROWS, 8, n_targets=outputs, random_state=0)
    x = x.astype(np.float32)
    reg = MLPRegressor("quantile", quantile=[0.1, 0.5, 0.9], **FEW).fit(x, y / 100)
    found = run(to_onnx(reg), x)["variable"]
    assert found.shape == reg.predict(x).shape
    assert (np.diff(found, axis=-1) >= 0).all()
    same_numbers(found, reg.predict(x))


def test_weights_that_were_replaced() -> None:
    clf = MLPClassifier(**FEW).fit(X, Y)
    clf.coefs_ = [2 * w for w in clf.coefs_]
    same_classes(clf)


def test_no_hidden_layer() -> None:
    same_classes(MLPClassifier((), max_iter=5).fit(X, Y))


def test_maps() -> None:
    clf = MLPClassifier(**FEW).fit(X, np.array(["a", "b", "c", "d"])[Y])
    maps = run(to_onnx(clf, zipmap=True))["probabilities"]
    assert list(maps[0]) == ["a", "b", "c", "d"]
    assert np.array_equal([list(own.values()) for own in maps], run(to_onnx(clf))["probabilities"])
    with pytest.raises(ValueError, match="no classes"):
        to_onnx(MLPRegressor(**FEW).fit(X, Y), zipmap=True)


def test_dropout_that_stays() -> None:
    clf = MLPClassifier(dropout=0.5, **FEW).fit(X, Y)
    session = onnxruntime.InferenceSession(to_onnx(clf, dropout=True))
    few = X[:20]
    # In one run: ONNX Runtime's masks of runs that follow each other are not independent.
    drawn = session.run(["probabilities"], {"X": np.repeat(few, 1000, axis=0)})[0].reshape(20, 1000, -1)
    mean, std = clf.predict_proba(few, mc_samples=1000, return_std=True)
    assert np.abs(drawn.mean(axis=1) - mean).max() < 0.05
    assert np.abs(drawn.std(axis=1) - std).max() < 0.05 and std.min() > 0.005
    with pytest.raises(ValueError, match="no dropout"):
        to_onnx(MLPClassifier(**FEW).fit(X, Y), dropout=True)


def test_files(tmp_path: Path) -> None:
    clf = MLPClassifier(**FEW).fit(X, Y)
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    assert to_onnx(clf, path) == path.read_bytes() == to_onnx(clf, str(path))
    assert [own.name for own in tmp_path.iterdir()] == ["model.onnx"]
    assert onnx.load(path).producer_name == "thinnet"
    with pytest.raises(FileNotFoundError):
        to_onnx(clf, tmp_path / "missing" / "model.onnx")


def test_refused() -> None:
    with pytest.raises(TypeError, match="got LogisticRegression"):
        to_onnx(LogisticRegression())  # type: ignore[arg-type]
    with pytest.raises(NotFittedError):
        to_onnx(MLPClassifier())
    clf = MLPClassifier(**FEW).fit(X, Y % 2)
    clf.classes_ = np.array([0.5, 1.5])
    with pytest.raises(TypeError, match="whole numbers or strings"):
        to_onnx(clf)
