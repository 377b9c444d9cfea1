"""Grading: right solutions pass, wrong ones are named, and nothing that a student's code does ends the grader."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from thinnet.course._grade.report import run
from thinnet.course._grade.student import Student

from .solution import LAYERS, NETWORK, OPTIM, RIGHT, WRONG, WRONG_NETWORKS


def student(folder: Path, layers: str = LAYERS, optim: str = OPTIM, timeout: float = 30) -> Student:
    course = folder / "cs6353"
    course.mkdir()
    (course / "layers.py").write_text(layers)
    (course / "optim.py").write_text(optim)
    return Student(course, timeout, 4096)


@pytest.mark.parametrize("style", RIGHT)
@pytest.mark.parametrize("seed", [1, 2])
def test_right_solutions_pass_in_any_style(style: str, seed: int, tmp_path: Path) -> None:
    layers = LAYERS
    for old, new in RIGHT[style]:
        assert old in layers
        layers = layers.replace(old, new)
    checks = run(student(tmp_path, layers), "dropout" if seed == 2 else "all", seed)
    assert not [check.line() for check in checks if not check.passed]
    assert len(checks) >= 20


@pytest.mark.parametrize(("exercise", "old", "new", "mistake"), WRONG)
def test_a_wrong_solution_is_named(exercise: str, old: str, new: str, mistake: str, tmp_path: Path) -> None:
    text = OPTIM if exercise == "optim" else LAYERS
    assert text.count(old) >= 1
    changed = text.replace(old, new)
    graded = student(tmp_path, optim=changed) if exercise == "optim" else student(tmp_path, changed)
    failed = [check for check in run(graded, exercise, 3) if not check.passed]
    assert any(mistake in check.mistake for check in failed), [check.line() for check in failed]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("while True: pass", "longer than|ended without"),
        ("x = np.zeros(1 << 40)", "MemoryError|more than|Unable"),
        ("import os; os._exit(0)", "ended without an answer"),
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "PermissionError"),
        ("import subprocess; subprocess.run(['true'])", "PermissionError"),
        ("return None", "not implemented yet"),
        ("raise KeyError('p')", "KeyError"),
    ],
)
def test_what_a_students_code_does_is_a_failed_check(body: str, reason: str, tmp_path: Path) -> None:
    import re

    layers = LAYERS.replace("    p, mode = dropout_param['p']", f"    {body}\n    p, mode = dropout_param['p']")
    assert layers != LAYERS
    checks = run(student(tmp_path, layers, timeout=5), "dropout", 1)
    assert len(checks) == 1
    assert re.search(reason, checks[0].mistake), checks[0].mistake


def with_network(folder: Path, network: str) -> Student:
    graded = student(folder)
    (graded.path / "classifiers").mkdir()
    (graded.path / "classifiers/fc_net.py").write_text(network)
    return graded


def test_a_right_network_passes(tmp_path: Path) -> None:
    checks = run(with_network(tmp_path, NETWORK), "fc_net", 5)
    assert not [check.line() for check in checks if not check.passed]
    assert sum(check.name.startswith("FullyConnectedNet") for check in checks) >= 24


@pytest.mark.parametrize(("old", "new", "mistake"), WRONG_NETWORKS)
def test_a_wrong_network_is_named(old: str, new: str, mistake: str, tmp_path: Path) -> None:
    assert NETWORK.count(old) == 1
    failed = [
        check for check in run(with_network(tmp_path, NETWORK.replace(old, new)), "fc_net", 5) if not check.passed
    ]
    assert failed
    assert all(mistake in check.mistake and "FullyConnectedNet" in check.name for check in failed), [
        check.line() for check in failed
    ]


def test_thinnets_own_functions_are_not_a_students(tmp_path: Path) -> None:
    checks = run(student(tmp_path, "from thinnet.course.layers import *\n"), "dropout", 1)
    assert [check.passed for check in checks] == [False]
    assert "thinnet's own" in checks[0].mistake


def test_the_command_says_it_in_lines_and_in_json(tmp_path: Path) -> None:
    wrong = LAYERS.replace("(np.random.rand(*x.shape) < p) / p", "np.random.rand(*x.shape) < p")
    path = str(student(tmp_path, wrong).path)
    command = [sys.executable, "-m", "thinnet.course", "grade", path, "--exercise", "dropout", "--seed", "4"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False)
    assert lines.returncode == 1
    assert "FAIL  dropout: dropout_forward, train mode" in lines.stdout
    assert "not divided by p" in lines.stdout
    report = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=False).stdout)
    assert report["total"] == len(report["checks"]) > report["passed"]
    assert report["seed"] == 4
    bad = subprocess.run([*command[:4], str(tmp_path / "nowhere")], capture_output=True, text=True, check=False)
    assert bad.returncode == 2
    assert bad.stderr.startswith("error: ")
