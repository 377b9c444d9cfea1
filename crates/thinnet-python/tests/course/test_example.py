"""The notebook examples/dropout.ipynb, run anew: it shows what it says."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[4] / "examples/dropout.ipynb"


def printed(notebook: nbformat.NotebookNode) -> str:
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return "".join(output.get("text", "") for output in outputs if output.get("name") == "stdout")


def test_the_notebook_runs_and_shows_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THINNET_DATASETS", str(tmp_path))
    committed = nbformat.read(NOTEBOOK, 4)
    notebook = nbformat.read(NOTEBOOK, 4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(tmp_path)}}).execute()
    text = printed(notebook)
    ratios = re.findall(r"p = ([\d.]+): train / test = ([\d.]+) divided by p, ([\d.]+) not", text)
    assert len(ratios) == 7
    for p, divided, undivided in ratios:
        assert float(divided) == pytest.approx(1, abs=0.05)
        assert float(undivided) == pytest.approx(float(p), rel=0.05)
    gaps = [float(gap) for gap in re.findall(r"gap +([\d.]+) ±", text)]
    narrowed, error = map(float, re.findall(r"narrows the gap by ([\d.]+) ± ([\d.]+)", text)[0])
    assert gaps[0] - gaps[1] == pytest.approx(narrowed, abs=0.15)
    assert narrowed > 3 * error, "dropout narrows the gap beyond chance"
    pictures = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 3
    # What is committed is of this notebook: its exact part is the same, as the mismatch is drawn in float64.
    first = re.compile(r"p = [\d.]+: train.*")
    assert first.findall(printed(committed)) == first.findall(text)
