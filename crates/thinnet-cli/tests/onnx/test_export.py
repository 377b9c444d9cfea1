"""Models that the program exports, in ONNX Runtime: they predict what `thinnet predict` predicts.

The program is the one that the environment variable THINNET_PROGRAM names.
"""

import csv
import datetime
import io
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

ROWS = 1000
ACTIVATIONS = ["identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"]
SETTINGS = ["model.hidden=[24,16]", "train.epochs=3", "optim.learning_rate=0.01", "data.val=200"]


def thinnet(folder: Path, *arguments: str, status: int = 0) -> str:
    """Run the program; give its standard output, or its error."""
    done = subprocess.run([os.environ["THINNET_PROGRAM"], *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stderr if status else done.stdout


def train(folder: Path, data: str, *settings: str, options: tuple[str, ...] = ()) -> None:
    pairs = [part for setting in [*SETTINGS, *settings] for part in ("--set", setting)]
    shutil.rmtree(folder / "run", ignore_errors=True)
    thinnet(folder, "train", "--data", data, "--out", "run", *options, *pairs)


def predicted(folder: Path, data: str) -> tuple[list[str], np.ndarray]:
    """The names of the outputs, and the program's probabilities or numbers for each sample."""
    shown = thinnet(folder, "model", "info", "run")
    proba = ["--proba"] if " classes: " in shown else []
    head, *lines = csv.reader(io.StringIO(thinnet(folder, "predict", "run", data, *proba)))
    return head[1:], np.array(lines, dtype=np.float64)[:, 1:]


def exported(folder: Path, *options: str) -> onnxruntime.InferenceSession:
    """The exported model, which the checker accepts."""
    thinnet(folder, "export", "run", "model.onnx", "--force", *options)
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 8 and {own.domain: own.version for own in model.opset_import}[""] == 17
    assert (model.producer_name, bool(model.producer_version)) == ("thinnet", True)
    assert {own.key for own in model.metadata_props} >= {"thinnet", "trained_on", "epoch", "outputs"}
    return onnxruntime.InferenceSession(folder / "model.onnx")


def compare(folder: Path, data: str, inputs: dict[str, Any], tolerance: float = 1e-5) -> float:
    """Check the exported model's outputs; give their largest difference."""
    session = exported(folder)
    outputs = dict(zip([own.name for own in session.get_outputs()], session.run(None, inputs), strict=True))
    names, expected = predicted(folder, data)
    assert len(expected) == ROWS
    if "label" in outputs:
        found = outputs["probabilities"]
        assert [str(label) for label in outputs["label"]] == [names[best] for best in expected.argmax(axis=1)]
        difference = np.abs(found - expected).max()
    else:
        found = outputs["variable"]
        difference = (np.abs(found - expected) / np.maximum(1, np.abs(expected))).max()
    assert found.shape == expected.shape and found.dtype == np.float32
    print(f"largest difference {difference:.2g}")
    assert difference < tolerance
    return difference


def clusters(random_state: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows around three centres, far from 0."""
    draw = np.random.RandomState(random_state)
    y = draw.randint(0, 3, ROWS)
    return draw.standard_normal((ROWS, 7)) + 1.5 * np.eye(3, 7)[y] + 50, y


def save(folder: Path, x: np.ndarray, y: np.ndarray) -> None:
    """Training data, and the same samples as inputs."""
    np.savez(folder / "data.npz", X=x, y=y)
    np.savez(folder / "new.npz", X=x, y=y)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("normalisation", ["none", "batch", "layer"])
def test_classes(tmp_path: Path, normalisation: str, dtype: str) -> None:
    x, y = clusters()
    save(tmp_path, x, y)
    train(tmp_path, "data.npz", f"model.normalisation={normalisation}", f"model.dtype={dtype}", "model.keep=0.5")
    compare(tmp_path, "new.npz", {"X": x.astype(np.float32)})


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(tmp_path: Path, activation: str) -> None:
    x, y = clusters()
    x = x.astype(np.float32)
    save(tmp_path, x, y)
    train(tmp_path, "data.npz", f"model.activation={activation}")
    compare(tmp_path, "new.npz", {"X": x})


@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_numbers(tmp_path: Path, scaling: str) -> None:
    x, _ = clusters()
    x = x.astype(np.float32)
    save(tmp_path, x, np.column_stack([1000 + 30 * x[:, 0], np.sin(x[:, 1]), x[:, 2] ** 2]))
    train(tmp_path, "data.npz", "model.task=regression", f"data.target_scaling={scaling}", "optim.learning_rate=0.001")
    compare(tmp_path, "new.npz", {"X": x})


def targets(x: np.ndarray) -> np.ndarray:
    """Two numbers for each row, of different size."""
    return np.column_stack([1000 + 30 * x[:, 0], np.sin(x[:, 1])])


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile", "gaussian_nll"])
def test_losses(tmp_path: Path, loss: str, members: int) -> None:
    x, _ = clusters()
    x = x.astype(np.float32)
    save(tmp_path, x, targets(x))
    own = [f"model.loss={loss}", f"train.members={members}", "optim.learning_rate=0.001"]
    train(tmp_path, "data.npz", *own)
    session = exported(tmp_path)
    outputs = session.run(None, {"X": x})
    lines = list(csv.reader(io.StringIO(thinnet(tmp_path, "predict", "run", "new.npz"))))[1:]
    expected = np.array(lines, dtype=np.float64)[:, 1:]
    found = np.concatenate([own.reshape(ROWS, -1) for own in outputs], axis=1)
    assert found.shape == expected.shape
    assert (np.abs(found - expected) / np.maximum(1, np.abs(expected))).max() < 1e-5


@pytest.mark.parametrize("calibrate", ["false", "true"])
def test_an_ensemble_is_one_graph(tmp_path: Path, calibrate: str) -> None:
    x, y = clusters()
    save(tmp_path, x, y)
    train(tmp_path, "data.npz", "train.members=3", "model.normalisation=batch", f"train.calibrate={calibrate}")
    compare(tmp_path, "new.npz", {"X": x.astype(np.float32)})
    assert "An ensemble of 3" in onnx.load(tmp_path / "model.onnx").doc_string


@pytest.mark.parametrize("scaling", ["unit", "mean", "standard", "none"])
def test_images(tmp_path: Path, scaling: str) -> None:
    draw = np.random.RandomState(0)
    y = draw.randint(0, 4, ROWS)
    x = draw.randint(0, 128, (ROWS, 3, 6, 5)) + 40 * np.eye(3, 6)[y % 3][:, None, :, None]
    save(tmp_path, x.astype(np.uint8), y)
    rate = "optim.learning_rate=0.0005"
    train(tmp_path, "data.npz", f"data.scaling={scaling}", rate)
    compare(tmp_path, "new.npz", {"X": x.astype(np.uint8).astype(np.float32)})


SHOWN = ["yes", "no", "YES", "No"]


def table(folder: Path, *, gaps: bool) -> dict[str, Any]:
    """Writes a table with every kind of column; gives the inputs of the exported model for its rows."""
    draw = random.Random(1)

    def maybe(text: str) -> str:
        return draw.choice(["", "NA", "?"]) if gaps and draw.random() < 0.1 else text

    columns: dict[str, list[str]] = {
        "age": [maybe(str(draw.randint(18, 90))) for _ in range(ROWS)],
        "seconds": [str(1_700_000_000 + draw.randint(0, 100_000)) for _ in range(ROWS)],
        "city": [maybe(draw.choice(["Rome", "Oslo", "Lima", "İzmir, old"])) for _ in range(ROWS)],
        "sex": [draw.choice(["female", "male"]) for _ in range(ROWS)],
        "many": [maybe(f"word {min(draw.randint(0, 69), draw.randint(0, 69))}") for _ in range(ROWS)],
        "member": [maybe(draw.choice(SHOWN)) for _ in range(ROWS)],
        "label": [maybe(draw.choice(["a1", "b2"])) for _ in range(ROWS)],
        "day": [
            maybe(str(datetime.date(1600, 1, 1) + datetime.timedelta(draw.randint(0, 200_000)))) for _ in range(ROWS)
        ],
    }
    answers = [
        draw.choice(["won", "lost"]) if sex == "male" else draw.choice(["won", "drawn"]) for sex in columns["sex"]
    ]
    with (folder / "data.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*columns, "outcome"])
        rows.writerows(zip(*columns.values(), answers, strict=True))

    def number(text: str) -> float:
        if text in ("", "NA", "?"):
            return np.nan
        return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days if "-" in text else float(text)

    numbers = {"age", "seconds", "day"}
    inputs: dict[str, Any] = {}
    for name, texts in columns.items():
        kind: Any = np.float64 if name in numbers else object
        own = [number(text) if name in numbers else text for text in texts]
        inputs["label_2" if name == "label" else name] = np.array(own, dtype=kind).reshape(-1, 1)
    return inputs


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_tables(tmp_path: Path, gaps: bool, dtype: str) -> None:
    inputs = table(tmp_path, gaps=gaps)
    options = ("--label", "outcome", "--date-parts")
    train(tmp_path, "data.csv", f"model.dtype={dtype}", options=options)
    compare(tmp_path, "data.csv", inputs)


def test_words_that_training_did_not_see(tmp_path: Path) -> None:
    inputs = table(tmp_path, gaps=True)
    train(tmp_path, "data.csv", options=("--label", "outcome"))
    lines = (tmp_path / "data.csv").read_text().replace("Rome", "Paris").replace("word 7,", "word 777,")
    (tmp_path / "data.csv").write_text(lines)
    for name, old, new in [("city", "Rome", "Paris"), ("many", "word 7", "word 777")]:
        inputs[name][inputs[name] == old] = new
    compare(tmp_path, "data.csv", inputs)


def test_a_table_of_numbers_is_one_matrix(tmp_path: Path) -> None:
    x, y = clusters()
    x = x.astype(np.float32)
    np.savetxt(
        tmp_path / "data.csv",
        np.column_stack([x, y * 10]),
        delimiter=",",
        header="a,b,c,d,e,f,g,label",
        comments="",
        fmt="%.9g",
    )
    train(tmp_path, "data.csv")
    compare(tmp_path, "data.csv", {"X": x})
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert set(session.run(["label"], {"X": x})[0].tolist()) <= {0, 10, 20}


def test_maps(tmp_path: Path) -> None:
    x, y = clusters()
    save(tmp_path, x, y)
    train(tmp_path, "data.npz")
    plain = exported(tmp_path).run(["probabilities"], {"X": x.astype(np.float32)})[0]
    maps = exported(tmp_path, "--zipmap").run(["probabilities"], {"X": x.astype(np.float32)})[0]
    assert [list(own) for own in maps[:2]] == [[0, 1, 2]] * 2
    assert np.array_equal([list(own.values()) for own in maps], plain)
    save(tmp_path, x, x[:, :1])
    train(tmp_path, "data.npz", "model.task=regression")
    assert "no classes" in thinnet(tmp_path, "export", "run", "model.onnx", "--force", "--zipmap", status=2)


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_dropout_that_stays(tmp_path: Path, kind: str) -> None:
    x, y = clusters()
    save(tmp_path, x, y)
    train(tmp_path, "data.npz", "model.keep=0.7", f"model.dropout={kind}", "model.input_keep=0.9")
    few = x[:50].astype(np.float32)
    still = exported(tmp_path).run(["probabilities"], {"X": few})[0]
    session = exported(tmp_path, "--dropout")
    # In one run: ONNX Runtime's masks of runs that follow each other are not independent.
    drawn = session.run(["probabilities"], {"X": np.repeat(few, 400, axis=0)})[0].reshape(50, 400, -1)
    assert (drawn.std(axis=1) > 1e-3).all()
    assert np.abs(drawn.mean(axis=1) - still).mean() < 0.05


def test_dropout_that_cannot_stay(tmp_path: Path) -> None:
    x, y = clusters()
    save(tmp_path, x, y)
    train(tmp_path, "data.npz", "model.keep=1")
    assert "no dropout" in thinnet(tmp_path, "export", "run", "model.onnx", "--dropout", status=2)
    train(tmp_path, "data.npz", "model.keep=0.7", "model.dropout=drop_connect")
    assert "drop_connect" in thinnet(tmp_path, "export", "run", "model.onnx", "--dropout", status=2)
    assert not (tmp_path / "model.onnx").exists()


STILL = ["optim.learning_rate=1e-12", "model.keep=1", "train.epochs=1", "data.scaling=auto"]


def imported(folder: Path, file: str, *settings: str) -> np.ndarray:
    """The probabilities of a run that begins with the network in a file, and changes nothing."""
    shutil.rmtree(folder / "run", ignore_errors=True)
    pairs = [part for setting in [*STILL, *settings] for part in ("--set", setting)]
    thinnet(folder, "train", "--data", "data.npz", "--from", file, "--out", "run", *pairs)
    return predicted(folder, "new.npz")[1]


@pytest.mark.parametrize("gemm", [False, True], ids=["MatMul and Add", "Gemm"])
def test_a_chain_of_another_program_is_imported(tmp_path: Path, gemm: bool) -> None:
    x, y = clusters()
    x = x.astype(np.float32)
    save(tmp_path, x, y)
    draw = np.random.RandomState(1)
    sizes = [(7, 9), (9, 5), (5, 3)]
    constants, nodes, last = [], [], "input"
    for number, size in enumerate(sizes):
        w, b = draw.standard_normal(size) * 0.2, draw.standard_normal(size[1])
        for name, array in [(f"w{number}", w), (f"b{number}", b)]:
            constants.append(onnx.numpy_helper.from_array(array.astype(np.float32), name))
        if gemm:
            constants[-2] = onnx.numpy_helper.from_array(w.T.astype(np.float32), f"w{number}")
            names = [last, f"w{number}", f"b{number}"]
            nodes.append(onnx.helper.make_node("Gemm", names, [f"s{number}"], transB=1))
        else:
            nodes.append(onnx.helper.make_node("MatMul", [last, f"w{number}"], [f"m{number}"]))
            nodes.append(onnx.helper.make_node("Add", [f"m{number}", f"b{number}"], [f"s{number}"]))
        last = f"s{number}"
        if number < 2:
            nodes.append(onnx.helper.make_node("Relu", [last], [f"a{number}"]))
            last = f"a{number}"
    nodes.append(onnx.helper.make_node("Softmax", [last], ["output"], axis=1))
    kind = onnx.TensorProto.FLOAT
    shapes = [("input", 7), ("output", 3)]
    ends = [onnx.helper.make_tensor_value_info(name, kind, ["N", size]) for name, size in shapes]
    graph = onnx.helper.make_graph(nodes, "chain", ends[:1], ends[1:], constants)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, tmp_path / "chain.onnx")
    expected = onnxruntime.InferenceSession(tmp_path / "chain.onnx").run(None, {"input": x})[0]
    assert np.abs(imported(tmp_path, "chain.onnx", "data.scaling=none") - expected).max() < 1e-5


@pytest.mark.parametrize("weights", ["float16", "int8"])
@pytest.mark.parametrize("normalisation", ["none", "batch", "layer"])
def test_small_weights(tmp_path: Path, normalisation: str, weights: str) -> None:
    x, y = clusters()
    x = x.astype(np.float32)
    save(tmp_path, x, y)
    train(tmp_path, "data.npz", f"model.normalisation={normalisation}")
    expected = predicted(tmp_path, "new.npz")[1]
    session = exported(tmp_path, "--weights", weights, "--data", "new.npz", "--tolerance", "0.02")
    found = session.run(["probabilities"], {"X": x})[0]
    assert np.abs(found - expected).max() < (0.1 if weights == "int8" else 0.01)
    # It is read back as the runtime reads it.
    assert np.abs(imported(tmp_path, "model.onnx") - found).max() < 1e-5
