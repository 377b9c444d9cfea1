"""Folders and notebooks for the course's tests."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from thinnet.course._init import init

RunCells = Callable[..., list[str]]


@pytest.fixture
def run_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunCells:
    """Run cells on a Jupyter kernel beside the course's folder, without CIFAR-10; gives what each printed."""
    monkeypatch.setenv("THINNET_DATASETS", str(tmp_path / "none"))

    def run(name: str, cells: list[str]) -> list[str]:
        init(tmp_path / name)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
        printed = []
        for cell in notebook.cells:
            streams = (output for output in cell.outputs if output.get("name") == "stdout")
            printed.append("".join(output["text"] for output in streams))
        return printed

    return run
