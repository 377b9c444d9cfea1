"""Models that MLflow keeps predict the same bits when it loads them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import mlflow
import mlflow.onnx
import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import onnx
import pytest
from mlflow.exceptions import MlflowException
from numpy.testing import assert_array_equal
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from thinnet import MLPClassifier, MLPRegressor, __version__, to_onnx

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
TRUSTED = ["thinnet._classifier.MLPClassifier", "thinnet._regressor.MLPRegressor"]
FEW: dict[str, Any] = {"hidden_layer_sizes": (24, 16), "max_iter": 5, "random_state": 0, "dropout": 0.3}
X, Y = make_classification(300, 12, n_informative=8, n_classes=4, random_state=0)
WORDS = np.array(["Rome", "Oslo", "İzmir", "Lima"])
# To find out what a model needs, MLflow starts Python anew and loads it; once is enough.
KNOWN: dict[str, Any] = {"input_example": X[:3], "skops_trusted_types": TRUSTED, "pip_requirements": ["thinnet"]}
SEVERAL = make_multilabel_classification(300, 12, random_state=0)[1]
NUMBERS = make_regression(300, 12, n_targets=2, random_state=0)[1] / 100
MODELS = {
    "classes": (MLPClassifier(**FEW), Y),
    "words in double precision": (MLPClassifier(dtype="float64", batch_norm=True, **FEW), WORDS[Y]),
    "several labels": (MLPClassifier(**FEW), SEVERAL),
    "numbers": (MLPRegressor(**FEW), NUMBERS),
    "mean and noise": (MLPRegressor("gaussian_nll", **FEW), NUMBERS[:, 0]),
    "quantiles": (MLPRegressor("quantile", quantile=[0.1, 0.9], **FEW), NUMBERS[:, 0]),
}


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    """A database and a folder of its own for what a test logs."""
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'runs.db'}")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("own", (tmp_path / "files").as_uri()))
    yield tmp_path
    mlflow.set_tracking_uri(None)


def fitted(name: str) -> Any:
    net, y = MODELS[name]
    return make_pipeline(StandardScaler(), net).fit(X, y)


@pytest.mark.parametrize("name", MODELS)
def test_a_logged_model_predicts_the_same_bits(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    pipe = fitted(name)
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(pipe, name="model", **KNOWN)
    loaded = mlflow.sklearn.load_model(info.model_uri)
    assert_array_equal(loaded.predict(X), pipe.predict(X), strict=True)
    if isinstance(pipe[-1], MLPClassifier):
        assert_array_equal(loaded.predict_proba(X), pipe.predict_proba(X), strict=True)
        masked = [own[-1].predict_proba(X, mc_samples=5) for own in (loaded, pipe)]
    else:
        masked = [np.array(own[-1].predict_dist(X, mc_samples=5)) for own in (loaded, pipe)]
    assert_array_equal(*masked, strict=True)
    assert_array_equal(mlflow.pyfunc.load_model(info.model_uri).predict(X), pipe.predict(X), strict=True)
    assert "WARNING" not in capfd.readouterr().err


def test_mlflow_finds_out_that_a_model_needs_this_package(store: Path) -> None:
    mlflow.sklearn.save_model(fitted("classes"), store / "model", skops_trusted_types=TRUSTED)
    assert f"thinnet=={__version__}" in (store / "model" / "requirements.txt").read_text().splitlines()


def test_a_loaded_model_continues_its_training() -> None:
    net = MLPClassifier(**FEW).fit(X, Y)
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(net, name="model", **KNOWN)
    loaded = mlflow.sklearn.load_model(info.model_uri)
    assert_array_equal(loaded.partial_fit(X, Y).predict_proba(X), net.partial_fit(X, Y).predict_proba(X), strict=True)


def test_cloudpickle_works_with_a_warning(store: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pipe = fitted("classes")
    mlflow.sklearn.save_model(pipe, store / "model", serialization_format="cloudpickle", **KNOWN)
    assert_array_equal(mlflow.sklearn.load_model(store / "model").predict_proba(X), pipe.predict_proba(X), strict=True)
    assert "WARNING mlflow.sklearn: Saving scikit-learn models in the pickle" in capfd.readouterr().err


def test_types_that_nobody_trusts() -> None:
    """MLflow refuses types that the caller does not name, and its message has the name that the docs have."""
    with mlflow.start_run(), pytest.raises(MlflowException, match=r"thinnet\._classifier\.MLPClassifier"):
        mlflow.sklearn.log_model(fitted("classes"), name="model")


def test_another_process_loads_a_model(store: Path) -> None:
    pipe = fitted("quantiles")
    mlflow.sklearn.save_model(pipe, store / "model", **KNOWN)
    np.save(store / "x.npy", X)
    code = (
        "import mlflow, numpy, sys; model = mlflow.pyfunc.load_model('model');"
        "assert 'thinnet' in sys.modules; numpy.save('found', model.predict(numpy.load('x.npy')))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=store, check=True)
    assert_array_equal(np.load(store / "found.npy"), pipe.predict(X), strict=True)


def test_a_callback_logs_each_epoch() -> None:
    def log(model: MLPClassifier, record: dict[str, float]) -> None:
        mlflow.log_metric("loss", record["loss"], step=int(record["epoch"]))

    with mlflow.start_run() as run:
        net = MLPClassifier(**FEW).fit(X, Y, callbacks=log)
    logged = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert [own.step for own in logged] == list(net.history_["epoch"])
    assert [own.value for own in logged] == net.loss_curve_


def test_an_onnx_file_as_a_model(store: Path) -> None:
    """Such a model needs no thinnet where it is served."""
    net = MLPClassifier(**FEW).fit(X, WORDS[Y])
    mlflow.onnx.save_model(onnx.load_from_string(to_onnx(net)), store / "model", pip_requirements=[])
    found = mlflow.pyfunc.load_model(str(store / "model")).predict({"X": X.astype(np.float32)})
    assert found["label"].tolist() == net.predict(X).tolist()
    assert np.abs(found["probabilities"] - net.predict_proba(X)).max() < 1e-5


@pytest.fixture
def served(store: Path) -> Iterator[tuple[str, MLPClassifier]]:
    """The address of a server, and the model that it has as an ONNX file."""
    net = MLPClassifier(**FEW).fit(X, WORDS[Y])
    providers = ["CPUExecutionProvider"]
    model = onnx.load_from_string(to_onnx(net))
    mlflow.onnx.save_model(model, store / "model", pip_requirements=[], onnx_execution_providers=providers)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = ["models", "serve", "--model-uri", str(store / "model"), "--env-manager", "local", "--port", str(port)]
    # MLflow looks for the server's program on the path.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with (store / "log.txt").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *serve],
            env={**os.environ, "PATH": path},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urlopen(f"{address}/ping").close()
                break
            except URLError:
                assert server.poll() is None, (store / "log.txt").read_text()
                time.sleep(0.2)
        yield address, net
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # with the processes that it has started
        server.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="the server's processes are ended as a group")
def test_a_server_answers_as_the_docs_say(served: tuple[str, MLPClassifier]) -> None:
    address, net = served
    body = json.dumps({"inputs": {"X": X.tolist()}}).encode()
    with urlopen(Request(f"{address}/invocations", body, {"Content-Type": "application/json"})) as answer:
        found = json.load(answer)["predictions"]
    assert found["label"] == net.predict(X).tolist()
    assert np.abs(np.array(found["probabilities"]) - net.predict_proba(X)).max() < 1e-5
