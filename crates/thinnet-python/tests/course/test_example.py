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
    trained = {
        name.strip(): (float(accuracy), float(loss))
        for name, accuracy, loss in re.findall(r"^(.{40}) accuracy +([\d.]+) ± [\d.]+ %, loss +([\d.]+) ±", text, re.M)
    }
    divided, undivided, scaled = trained.values()
    assert list(trained) == ["divided", "not divided", "not divided, units times p in the test"]
    assert abs(divided[0] - undivided[0]) < 3, "the accuracy hardly notices"
    assert undivided[1] > 3 * scaled[1], "the loss does"
    gaps = [float(gap) for gap in re.findall(r"gap +([\d.]+) ±", text)]
    narrowed, error = map(float, re.findall(r"narrows the gap by ([\d.]+) ± ([\d.]+)", text)[0])
    assert gaps[0] - gaps[1] == pytest.approx(narrowed, abs=0.15)
    assert narrowed > 3 * error, "dropout narrows the gap beyond chance"
    pictures = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 4
    changes = re.findall(r"(\d+) units: p = 0.1 instead of 1 changes .* by ([+-][\d.]+) ± ([\d.]+) points", text)
    assert [size for size, *_ in changes] == ["25", "100", "1000"]
    (_, small, small_error), _, (_, large, large_error) = changes
    assert float(small) < -2 * float(small_error), "a small layer loses by it"
    assert float(large) > 2 * float(large_error), "a large one gains"
    # What is committed is of this notebook: its exact part is the same, as the mismatch is drawn in float64.
    first = re.compile(r"p = [\d.]+: train.*")
    assert first.findall(printed(committed)) == first.findall(text)
