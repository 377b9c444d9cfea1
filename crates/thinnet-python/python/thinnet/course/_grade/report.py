"""Grades a student's code and prints the results."""

import json
import secrets
from pathlib import Path

import numpy as np

from thinnet.course._grade.checks import Check
from thinnet.course._grade.exercises import EXERCISES
from thinnet.course._grade.student import Student, Trouble

#: How many times each exercise is checked, each time with other shapes and values.
ROUNDS = 2


def run(student: Student, exercise: str, seed: int) -> list[Check]:
    """Every check of an exercise, or of "all"."""
    found: list[Check] = []
    for name in EXERCISES if exercise == "all" else [exercise]:
        random = np.random.default_rng(seed)
        state = np.random.get_state()  # the networks that figures come from draw from the global stream
        try:
            for _ in range(ROUNDS):
                found += EXERCISES[name](student, random)
        except Trouble as trouble:
            found.append(Check(name, "the code runs", False, None, str(trouble)))
        finally:
            np.random.set_state(state)
    return found


def grade(path: Path, exercise: str, *, as_json: bool, seed: int | None, timeout: float, memory: int) -> int:
    """Grade and print; 0 if every check passed, 1 otherwise."""
    if not path.exists():
        raise ValueError(f"{path}: there is no such file or folder")
    seed = secrets.randbits(31) if seed is None else seed
    if seed < 0:
        raise ValueError(f"--seed must not be negative, got {seed}")
    checks = run(Student(path, timeout, memory), exercise, seed)
    passed = sum(check.passed for check in checks)
    if as_json:
        summary = {"path": str(path), "seed": seed, "passed": passed, "total": len(checks)}
        print(json.dumps(summary | {"checks": [check.record() for check in checks]}, indent=1))
    else:
        for check in checks:
            print(check.line())
        print(f"{passed} of {len(checks)} checks passed (seed {seed})")
    return 0 if passed == len(checks) else 1
