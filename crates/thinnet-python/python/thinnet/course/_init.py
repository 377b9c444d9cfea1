"""Writes the folder that the course's notebooks import from."""

import os
import shutil
import stat
import tempfile
from keyword import iskeyword
from pathlib import Path

DIALECTS = ("cs6353", "cs231n")

_MADE = "# Written by `python -m thinnet.course init`; yours to change."

_FILES = {
    "__init__.py": "",
    "classifiers/__init__.py": "",
    "classifiers/fc_net.py": """import numpy as np

from thinnet.course.{networks} import FullyConnectedNet, TwoLayerNet

from ..layer_utils import *
from ..layers import *
""",
    "layers.py": """import numpy as np

from thinnet.course.layers import *
""",
    "layer_utils.py": """from thinnet.course.layer_utils import *

from .layers import *
""",
    "optim.py": """import numpy as np

from thinnet.course.optim import *
""",
    "solver.py": """from thinnet.course import solver

from . import optim


class Solver(solver.Solver):
    rules = optim  # an update rule that you write in optim.py can be named here
""",
    "gradient_check.py": "from thinnet.course.gradient_check import *\n",
    "data_utils.py": """from pathlib import Path

from thinnet.course import data_utils
from thinnet.course.data_utils import load_CIFAR10, load_CIFAR_batch

# Where CIFAR-10 is looked for.
FOLDERS = [Path(__file__).parent / "datasets"{data}]


def get_CIFAR10_data(num_training=49000, num_validation=1000, num_test=1000, subtract_mean=True):
    return data_utils.get_CIFAR10_data(num_training, num_validation, num_test, subtract_mean, folders=FOLDERS)
""",
    "datasets/get_datasets.sh": """#!/bin/sh
# Puts CIFAR-10 here: from an archive in this folder or given as the argument, otherwise from its official address
# with `thinnet data fetch`, which resumes an earlier attempt and checks the download.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
archive=${{1:-$here/cifar-10-python.tar.gz}}
local={archive}
if [ -d "$here/cifar-10-batches-py" ]; then
    echo "$here/cifar-10-batches-py is there already"
    exit 0
fi
if [ ! -f "$archive" ] && [ -n "$local" ] && [ -f "$local" ]; then
    archive=$local
fi
if [ ! -f "$archive" ]; then
    if ! command -v thinnet >/dev/null; then
        echo "error: fetching CIFAR-10 takes the program thinnet (cargo install thinnet-cli); or put" >&2
        echo "cifar-10-python.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html into $here" >&2
        exit 2
    fi
    archive=$(thinnet data fetch cifar10 --dir "$here")
fi
unpacked=$(mktemp -d "$here/.unpacking-XXXXXX")
trap 'rm -rf "$unpacked"' EXIT
tar -xzf "$archive" -C "$unpacked"
mv "$unpacked/cifar-10-batches-py" "$here/"
echo "$here/cifar-10-batches-py"
""",
}


def init(folder: Path, data: Path | None = None, dialect: str | None = None) -> str:
    """Write the folder; if existing files differ from what would be written, change nothing.

    Parameters
    ----------
    folder : path
        Notebooks import from its last part, so it must be a Python name.
    data : path, optional
        Where CIFAR-10 is.
    dialect : "cs6353" or "cs231n", optional
        By default cs231n for a folder of that name, and cs6353 otherwise.

    Returns
    -------
    message : str
        The result.

    Raises
    ------
    ValueError
        For a name that Python cannot import, and if a student's files would be overwritten.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay as they are
    if not folder.name.isidentifier() or iskeyword(folder.name):
        raise ValueError(f"{folder.name!r} is not a name that Python can import; use letters, digits and _")
    if data is not None and not data.exists():
        raise ValueError(f"--data {data}: there is no such file or folder")
    files = _contents(folder.name, data, dialect)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} exists and is not a folder")
    missing, changed = [], []
    for name, text in files.items():
        path = folder / name
        if not path.exists():
            missing.append(name)
        elif not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
            changed.append(name)
    if changed:
        raise ValueError(
            f"{folder} has files that differ from those that this command writes, and would be overwritten: "
            f"{', '.join(changed)}; nothing was written (choose another name, or move them away)"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name in missing:
            _write(staging / name, files[name])
        if folder.exists():
            for name in missing:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                os.link(staging / name, folder / name)  # fails where a file has come to be there
        else:
            staging.chmod(0o755)
            staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return f"{folder}: {len(missing)} files written" if missing else f"{folder} is complete"


def _contents(name: str, data: Path | None, dialect: str | None) -> dict[str, str]:
    """The files' text, by their path in the folder."""
    dialect = dialect or ("cs231n" if name == "cs231n" else "cs6353")
    networks = "fc_net_2026" if dialect == "cs231n" else "fc_net"
    where, archive = "", "''"
    if data is not None:
        path = str(data.resolve())
        where = f", Path({path!r})"
        candidate = data.resolve() / "cifar-10-python.tar.gz" if data.is_dir() else data.resolve()
        archive = "'" + str(candidate).replace("'", "'\\''") + "'"
    texts = {}
    for file, text in _FILES.items():
        if file.endswith("fc_net.py"):
            text = text.format(networks=networks)
        elif file.endswith("data_utils.py"):
            text = text.format(data=where)
        elif file.endswith(".sh"):
            texts[file] = text.format(archive=archive)
            continue
        texts[file] = f"{_MADE}\n{text}"
    return texts


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.suffix == ".sh":
        path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
