"""Pipelines as ONNX files by skl2onnx: ONNX Runtime predicts what they predict."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.ensemble import StackingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from thinnet import MLPClassifier, MLPRegressor, register_skl2onnx

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
register_skl2onnx()

pytestmark = [
    pytest.mark.filterwarnings("error"),  # also skl2onnx has nothing to warn about
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
ROWS = 1000
FEW: dict[str, Any] = {"hidden_layer_sizes": (24, 16), "max_iter": 5, "random_state": 0}
X, Y = make_classification(ROWS, 12, n_informative=8, n_classes=4, random_state=0)
X = (20 + 7 * X).astype(np.float32)
NUMBERS, TARGETS = make_regression(ROWS, 8, n_targets=3, random_state=0)
NUMBERS, TARGETS = NUMBERS.astype(np.float32), np.abs(TARGETS) / 100
WORDS = np.array(["Rome", "Oslo", "İzmir", "Lima"])


def scaled(net: Any) -> Any:
    return make_pipeline(StandardScaler(), net)


def run(model: Any, inputs: dict[str, Any]) -> list[Any]:
    """The outputs of a model that the checker accepts; their shapes are those that it declares."""
    onnx.checker.check_model(model, full_check=True)
    found = onnxruntime.InferenceSession(model.SerializeToString()).run(None, inputs)
    for output, values in zip(model.graph.output, found, strict=True):
        if output.type.HasField("tensor_type"):
            declared = [axis.dim_value for axis in output.type.tensor_type.shape.dim]
            assert list(values.shape[1:]) == declared[1:], output.name
    return list(found)


def near(found: Any, expected: Any) -> None:
    assert found.size == expected.size
    difference = (np.abs(found - expected.reshape(found.shape)) / np.maximum(1, np.abs(found))).max()
    print(f"largest difference {difference:.2g}")
    assert difference < 1e-5


def same_classes(pipe: Any, x: Any = X, **options: Any) -> Any:
    model = skl2onnx.to_onnx(pipe, x[:1], options={"zipmap": False}, **options)
    label, probabilities = run(model, {"X": x})
    near(probabilities, pipe.predict_proba(x))
    assert label.tolist() == pipe.predict(x).tolist()
    return model


@pytest.mark.parametrize(
    "y",
    [
        Y,
        Y - 2,
        Y.astype(np.uint8),
        Y.astype(float),
        WORDS[Y],
        WORDS[Y].astype(object),
        Y % 2,
        Y % 2 == 1,
        np.array(["no", "yes"])[Y % 2],
        np.full(ROWS, 5),
    ],
    ids=["ints", "negative", "bytes", "floats", "words", "objects", "two", "booleans", "two words", "one"],
)
def test_classes(y: Any) -> None:
    same_classes(scaled(MLPClassifier(**FEW)).fit(X, y))


def test_several_labels() -> None:
    x, y = make_multilabel_classification(ROWS, 12, n_classes=5, random_state=0)
    model = same_classes(scaled(MLPClassifier(**FEW)).fit(x, y), x.astype(np.float32))
    assert [own.name for own in model.graph.output] == ["label", "probabilities"]


@pytest.mark.parametrize("activation", ["relu", "elu", "gelu", "mish", "softplus"])
@pytest.mark.parametrize("opset", range(17, 23))
def test_opsets(activation: str, opset: int) -> None:
    net = MLPClassifier(activation=activation, batch_norm=True, dropout=0.3, input_dropout=0.1, **FEW)
    whole = np.round(X).astype(np.int64)  # skl2onnx casts them by an operator of the target's opset
    model = same_classes(make_pipeline(MinMaxScaler(), net).fit(whole, Y), whole, target_opset=opset)
    assert {own.domain: own.version for own in model.opset_import}[""] == opset


def test_an_opset_before_ours() -> None:
    with pytest.raises(ValueError, match="target_opset=17 or later, got 16"):
        skl2onnx.to_onnx(scaled(MLPClassifier(**FEW)).fit(X, Y), X[:1], target_opset=16)


@pytest.mark.parametrize("names", [Y, WORDS[Y]], ids=["ints", "words"])
def test_maps(names: Any) -> None:
    pipe = scaled(MLPClassifier(**FEW)).fit(X, names)
    label, maps = run(skl2onnx.to_onnx(pipe, X[:1]), {"X": X})
    assert label.tolist() == pipe.predict(X).tolist()
    assert list(maps[0]) == pipe.classes_.tolist()
    near(np.array([list(own.values()) for own in maps]), pipe.predict_proba(X))


def test_columns() -> None:
    pipe = scaled(MLPClassifier(**FEW)).fit(X, Y)
    model = skl2onnx.to_onnx(pipe, X[:1], options={"zipmap": "columns"})
    assert [own.name for own in model.graph.output] == ["output_label", "i0", "i1", "i2", "i3"]
    near(np.column_stack(run(model, {"X": X})[1:]), pipe.predict_proba(X))


def test_positions_instead_of_labels() -> None:
    pipe = scaled(MLPClassifier(**FEW)).fit(X, WORDS[Y])
    options = {MLPClassifier: {"zipmap": False, "nocl": True}}
    model = skl2onnx.to_onnx(pipe, X[:1], options=options)
    place, probabilities = run(model, {"X": X})
    assert pipe.classes_[place].tolist() == pipe.predict(X).tolist()
    near(probabilities, pipe.predict_proba(X))
    assert b"Rome" not in model.SerializeToString()
    several = MLPClassifier(**FEW).fit(X, np.eye(4, dtype=int)[Y])
    with pytest.raises(ValueError, match="several labels per sample"):
        skl2onnx.to_onnx(several, X[:1], options={"zipmap": False, "nocl": True})


def test_the_classes_as_an_output() -> None:
    pipe = scaled(MLPClassifier(**FEW)).fit(X, WORDS[Y])
    options = {"zipmap": False, "output_class_labels": True}
    found = run(skl2onnx.to_onnx(pipe, X[:1], options=options), {"X": X})
    assert found[2].tolist() == pipe.classes_.tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [np.float64, np.int64])
def test_other_inputs(kind: Any, dtype: str) -> None:
    whole = np.round(X).astype(kind)
    same_classes(make_pipeline(MinMaxScaler(), MLPClassifier(dtype=dtype, **FEW)).fit(whole, Y), whole)
    same_classes(MLPClassifier(dtype=dtype, **FEW).fit(whole, Y), whole)
    reg = scaled(MLPRegressor(dtype=dtype, **FEW)).fit(whole, Y)
    found = run(skl2onnx.to_onnx(reg, whole[:1]), {"X": whole})[0]
    assert found.dtype == (np.float64 if kind is np.float64 else np.float32)
    near(found, reg.predict(whole))


@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "poisson", "quantile", "gaussian_nll"])
def test_numbers(loss: str, targets: int) -> None:
    pipe = scaled(MLPRegressor(loss, **FEW)).fit(NUMBERS, TARGETS if targets > 1 else TARGETS[:, 0])
    model = skl2onnx.convert_sklearn(
        pipe, initial_types=[("rows", skl2onnx.common.data_types.FloatTensorType([None, 8]))]
    )
    assert [own.name for own in model.graph.output] == ["variable"]
    found = run(model, {"rows": NUMBERS})[0]
    assert found.shape == (ROWS, targets)
    near(found, pipe.predict(NUMBERS))


@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_noise_as_an_output(targets: int, kind: Any) -> None:
    x = NUMBERS.astype(kind)
    pipe = scaled(MLPRegressor("gaussian_nll", **FEW)).fit(x, TARGETS if targets > 1 else TARGETS[:, 0])
    model = skl2onnx.to_onnx(pipe, x[:1], options={MLPRegressor: {"return_std": True}})
    assert [own.name for own in model.graph.output] == ["variable", "std"]
    for found, expected in zip(run(model, {"X": x}), pipe.predict(x, return_std=True), strict=True):
        assert found.shape == (ROWS, targets) and found.dtype == kind
        near(found, expected)


def test_what_no_output_needs_is_left_out() -> None:
    net = MLPRegressor("gaussian_nll", **FEW).fit(NUMBERS, TARGETS)
    operators = {own.op_type for own in skl2onnx.to_onnx(net, NUMBERS[:1]).graph.node}
    assert "Sqrt" not in operators and "Gemm" in operators
    whole = skl2onnx.to_onnx(net, NUMBERS[:1], options={"return_std": True}).graph
    assert "Sqrt" in {own.op_type for own in whole.node}


def test_noise_of_another_loss() -> None:
    with pytest.raises(ValueError, match='return_std needs loss="gaussian_nll"'):
        skl2onnx.to_onnx(MLPRegressor(**FEW).fit(X, Y), X[:1], options={"return_std": True})


@pytest.mark.parametrize("targets", [1, 3])
def test_several_quantiles_rise(targets: int) -> None:
    pipe = scaled(MLPRegressor("quantile", quantile=[0.1, 0.5, 0.9], **FEW))
    pipe.fit(NUMBERS, TARGETS if targets > 1 else TARGETS[:, 0])
    found = run(skl2onnx.to_onnx(pipe, NUMBERS[:1]), {"X": NUMBERS})[0]
    assert found.shape == pipe.predict(NUMBERS).shape
    assert (np.diff(found, axis=-1) >= 0).all()
    near(found, pipe.predict(NUMBERS))


def test_columns_of_a_table() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"size": X[:, 0], "city": WORDS[Y], "age": X[:, 1]})
    columns = make_column_transformer((StandardScaler(), ["size", "age"]), (OneHotEncoder(), ["city"]))
    pipe = make_pipeline(columns, MLPClassifier(**FEW)).fit(table, Y % 3)
    model = skl2onnx.to_onnx(pipe, table[:1], options={"zipmap": False})
    label, probabilities = run(model, {name: table[[name]].to_numpy() for name in table})
    near(probabilities, pipe.predict_proba(table))
    assert label.tolist() == pipe.predict(table).tolist()


def test_in_searches_and_ensembles() -> None:
    """Several networks in one graph keep apart."""
    same_classes(GridSearchCV(scaled(MLPClassifier(**FEW)), {"mlpclassifier__alpha": [0, 1]}, cv=2).fit(X, Y))
    several = CalibratedClassifierCV(scaled(MLPClassifier(**FEW)), cv=3).fit(X, Y)
    found = run(skl2onnx.to_onnx(several, X[:1], options={"zipmap": False}), {"X": X})
    near(found[1], several.predict_proba(X))
    nets = [(loss, scaled(MLPRegressor(loss, **FEW))) for loss in ("squared_error", "huber", "quantile")]
    stack = StackingRegressor(nets, Ridge(10), cv=2).fit(NUMBERS, TARGETS[:, 0])
    near(run(skl2onnx.to_onnx(stack, NUMBERS[:1]), {"X": NUMBERS})[0], stack.predict(NUMBERS))


def test_features_of_a_hidden_layer_are_refused() -> None:
    last = LogisticRegression(max_iter=1000)
    for pipe in [
        make_pipeline(MLPRegressor(**FEW), last),
        make_pipeline(make_union(MLPRegressor(**FEW), StandardScaler()), last),
        make_pipeline(scaled(MLPRegressor(**FEW)), last),
    ]:
        with pytest.raises(ValueError, match="only as the last step"):
            skl2onnx.to_onnx(pipe.fit(X, Y), X[:1])
    pipe = make_pipeline(MLPClassifier(**FEW), last).fit(X, Y)
    with pytest.raises(ValueError, match="only as the last step"):
        skl2onnx.to_onnx(pipe, X[:1], options={MLPClassifier: {"zipmap": False}})


def test_refused() -> None:
    with pytest.raises(NotFittedError):
        skl2onnx.to_onnx(MLPRegressor(), X[:1])
    halves = scaled(MLPClassifier(**FEW)).fit(X, Y % 2 + 0.0)
    halves[-1].classes_ = np.array([0.5, 1.5])
    with pytest.raises(TypeError, match="whole numbers or strings"):
        skl2onnx.to_onnx(halves, X[:1], options={"zipmap": False})


def test_without_skl2onnx() -> None:
    """The package is imported without it, and the error says what to do."""
    code = "import sys; sys.modules['skl2onnx'] = None; import thinnet; thinnet.register_skl2onnx()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = ended.stderr.splitlines()[-1]
    assert last == "ImportError: register_skl2onnx needs skl2onnx: pip install skl2onnx"
