"""scikit-learn's own tests of its MLP, taken from the installed package and run on these estimators."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import sklearn

# Tests that fail, each with its reason.
EXPECTED = {
    "test_fit": "sets private attributes of an estimator that was not fitted, and calls private methods",
    "test_gradient": "calls the private method _loss_grad_lbfgs; the gradients are checked in the library",
    "test_nonfinite_params": "numbers beyond float32 are refused when the rows are checked, in other words",
    "test_warm_start": "data that lack a class can continue a fit; a new class is refused in other words",
    "test_early_stopping_stratified": "a class that is too small for both parts is not an error: the split is random",
    "test_mlp_param_dtypes": "the parameter dtype decides the precision, not the rows",
    "test_mlp_partial_fit_after_fit": "partial_fit is allowed with early_stopping: it holds nothing out",
}


def test_they_pass(tmp_path: Path) -> None:
    source = Path(sklearn.__file__).parent / "neural_network" / "tests" / "test_mlp.py"
    text, replaced = re.subn(
        r"^from sklearn\.neural_network import MLPClassifier, MLPRegressor$",
        "from thinnet import MLPClassifier, MLPRegressor",
        source.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    assert replaced == 1
    (tmp_path / "test_mlp.py").write_text(text, encoding="utf-8")
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "sklearn.conftest"]
    # In a folder of its own: no settings of this repository apply.
    done = subprocess.run(
        [*command, "--junitxml", str(report), "test_mlp.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    cases = list(ElementTree.parse(report).iter("testcase"))
    names = {case: case.get("name", "").split("[")[0] for case in cases}
    failed = {names[case] for case in cases if case.find("failure") is not None or case.find("error") is not None}
    assert failed == {name for name in EXPECTED if f"def {name}(" in text}, done.stdout
    assert len(cases) >= 50
    assert len(EXPECTED) < 8
