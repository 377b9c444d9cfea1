"""The package as it is installed."""

import re
from importlib.metadata import files, version
from pathlib import Path

import pytest
import thinnet

README = Path(__file__).parents[3] / "README.md"


def test_version_is_the_package_s() -> None:
    assert thinnet.__version__ == version("thinnet")


def test_the_package_is_small() -> None:
    size = sum(Path(str(file.locate())).stat().st_size for file in files("thinnet") or ())
    assert size < 10_000_000, f"{size} bytes"


def test_the_readme_s_lines_run(capsys: pytest.CaptureFixture[str]) -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    exec(lines, {})
    score = float(capsys.readouterr().out)
    assert score > 0.9
    (told,) = re.findall(r"# (0\.\d+):", lines)
    assert abs(score - float(told)) < 0.01, "other CPUs may round differently"
