"""What a notebook shows of an estimator and of a fit."""

import re
from typing import Any

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from thinnet import MLPClassifier

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipywidgets")
NotebookClient = pytest.importorskip("nbclient").NotebookClient

FIT = """
from sklearn.datasets import load_iris
from thinnet import MLPClassifier

X, y = load_iris(return_X_y=True)
model = MLPClassifier({settings}, random_state=0, verbose=1).fit(X, y)
print(model.n_iter_)
"""


def run(settings: str, before: str = "") -> Any:
    """The notebook after a fit."""
    cell = nbformat.v4.new_code_cell(before + FIT.format(settings=settings))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, timeout=300).execute()
    return notebook


def printed(notebook: Any, stream: str) -> str:
    return "".join(output.text for output in notebook.cells[0].outputs if output.get("name") == stream)


@pytest.mark.parametrize(
    "settings", ["max_iter=5", "early_stopping=True, n_iter_no_change=2", "solver='lbfgs', max_iter=4, tol=0"]
)
def test_a_bar_ends_full(settings: str) -> None:
    notebook = run(settings, "import warnings; warnings.simplefilter('ignore')")
    epochs = int(printed(notebook, "stdout").split()[-1])
    widgets = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    (bar,) = (widget["state"] for widget in widgets if widget["model_name"] == "FloatProgressModel")
    assert (bar["value"], bar["max"], bar["bar_style"]) == (epochs, epochs, "success")
    texts = [widget["state"]["value"] for widget in widgets if widget["model_name"] == "HTMLModel"]
    assert any("loss=" in text and ("iteration" if "lbfgs" in settings else "epoch") in text for text in texts)


def test_without_widgets_a_bar_is_text() -> None:
    notebook = run("max_iter=500, early_stopping=True", "import sys; sys.modules['ipywidgets'] = None")
    epochs = int(printed(notebook, "stdout").split()[-1])
    assert f" {epochs}/{epochs} " in printed(notebook, "stderr")
    assert "Warning" not in printed(notebook, "stderr")


def test_html_shows_dropout() -> None:
    model = MLPClassifier(dropout=0.37, random_state=0)
    for shown in (model, make_pipeline(StandardScaler(), model)):
        html = re.sub(r"<[^>]*>|\s+", " ", shown._repr_html_())
        assert re.search(r"dropout\b[^_]{0,600}?0\.37", html), html
