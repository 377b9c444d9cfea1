"""`python -m thinnet.course init`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from thinnet.course._init import init


def command(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "thinnet.course", "init", *arguments]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_folder_can_be_imported_under_its_name(tmp_path: Path) -> None:
    assert command("cs6353", cwd=tmp_path).returncode == 0
    check = """
from cs6353.classifiers.fc_net import *
from cs6353 import layers, layer_utils, optim, solver, data_utils, gradient_check
dropout_forward, affine_relu_forward, FullyConnectedNet([3], use_batchnorm=True), TwoLayerNet
"""
    subprocess.run([sys.executable, "-c", check], cwd=tmp_path, check=True)
    assert os.access(tmp_path / "cs6353/datasets/get_datasets.sh", os.X_OK)
    subprocess.run(["sh", "-n", "cs6353/datasets/get_datasets.sh"], cwd=tmp_path, check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["cs6353"], "no temporary folder is left"


@pytest.mark.parametrize(
    ("arguments", "keyword"),
    [
        (["cs231n"], "dropout_keep_ratio"),
        (["cs6353"], "use_batchnorm"),
        (["mine", "--dialect", "cs231n"], "dropout_keep_ratio"),
        (["cs231n", "--dialect", "cs6353"], "use_batchnorm"),
    ],
)
def test_the_dialect_follows_the_name_or_the_option(arguments: list[str], keyword: str, tmp_path: Path) -> None:
    assert command(*arguments, cwd=tmp_path).returncode == 0
    check = f"""
import inspect
from {arguments[0]}.classifiers.fc_net import FullyConnectedNet
assert {keyword!r} in inspect.signature(FullyConnectedNet).parameters
"""
    subprocess.run([sys.executable, "-c", check], cwd=tmp_path, check=True)


def test_what_a_student_has_written_stays(tmp_path: Path) -> None:
    init(tmp_path / "cs6353")
    own = tmp_path / "cs6353/layers.py"
    own.write_text("# mine\n")
    (tmp_path / "cs6353/optim.py").unlink()
    refused = command("cs6353", cwd=tmp_path)
    assert refused.returncode == 2
    assert "layers.py" in refused.stderr
    assert own.read_text() == "# mine\n"
    assert not (tmp_path / "cs6353/optim.py").exists(), "nothing is written"


def test_what_is_missing_is_written_again(tmp_path: Path) -> None:
    init(tmp_path / "cs6353")
    (tmp_path / "cs6353/optim.py").unlink()
    assert "1 files written" in init(tmp_path / "cs6353")
    assert "is complete" in init(tmp_path / "cs6353")


@pytest.mark.parametrize("name", ["cs-6353", "class", "6353"])
def test_names_that_python_cannot_import_are_refused(name: str, tmp_path: Path) -> None:
    refused = command(name, cwd=tmp_path)
    assert refused.returncode == 2
    assert "import" in refused.stderr
    assert not list(tmp_path.iterdir())
