"""Runs a student's code from outside: each question is a separate process."""

import io
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thinnet.course._arrays import Array

_WORKER = Path(__file__).with_name("worker.py")


class Trouble(Exception):
    """The student's code gave no answer; the text says why."""


class Missing(Trouble):
    """The student's module does not have this function."""


@dataclass(frozen=True)
class Student:
    """A student's code, and its limits."""

    path: Path
    timeout: float
    memory: int

    def ask(
        self, module: str, steps: list[dict[str, Any]], give: list[str], arrays: dict[str, Array], **values: Any
    ) -> dict[str, Array]:
        """Run steps (see `worker`) on arrays and plain values, and return the results with these names."""
        job = {
            "root": str(self.path.resolve()),
            "module": module,
            "steps": steps,
            "give": give,
            "values": values,
            "memory": self.memory,
            "seconds": self.timeout,
        }
        sent = io.BytesIO()
        np.savez(sent, job=np.array(json.dumps(job)), **arrays)  # type: ignore[arg-type]
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
        with tempfile.TemporaryDirectory(prefix="thinnet-grade-") as elsewhere:
            try:
                done = subprocess.run(
                    [sys.executable, str(_WORKER)],
                    input=sent.getvalue(),
                    capture_output=True,
                    timeout=self.timeout,
                    cwd=elsewhere,
                    env=os.environ | threads,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise Trouble(f"takes longer than {self.timeout:g} s") from None
        try:
            with np.load(io.BytesIO(done.stdout), allow_pickle=False) as answer:
                report = json.loads(str(answer["report"]))
                results = {name: answer[name] for name in answer.files if name != "report"}
        except Exception:
            raise Trouble(
                f"ended without an answer (status {done.returncode}), "
                f"perhaps because of its limits, {self.memory} MiB or {self.timeout:g} s"
            ) from None
        if report["kind"] == "missing":
            raise Missing(report["error"])
        if report["kind"] == "MemoryError":
            raise Trouble(f"takes more than {self.memory} MiB")
        if report["error"]:
            raise Trouble(report["error"])
        return results
