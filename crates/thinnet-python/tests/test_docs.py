"""The Python examples of the documentation run, page by page, in their order."""

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PAGES = ["README.md", "docs/python.md", "docs/uncertainty.md"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$(\n\n```text\n.*?^```$)?", text, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    names: dict[str, Any] = {}
    for block, shown in blocks:
        exec(compile(block, page, "exec"), names)
        printed = capsys.readouterr().out
        if shown:
            # The figures may differ by rounding on another machine, the words may not.
            expected = shown.removeprefix("\n\n```text\n").removesuffix("```")
            assert re.sub(r"[-\d.]+", "", printed).split() == re.sub(r"[-\d.]+", "", expected).split()
