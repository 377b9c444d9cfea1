"""Measure how long it takes to read CIFAR-10: thinnet and NumPy with Python's pickle, alternately, in new processes.

    cargo build --release -p thinnet --example loading_time
    python compare/loading.py --thinnet target/release/examples/loading_time --data FOLDER

FOLDER holds cifar-10-python.tar.gz and, unpacked, cifar-10-batches-py. Files are in the system's cache: the first
round does not count. At the end, both have the 60,000 images as bytes in memory, training images in one array, and
their labels.
"""

import argparse
import json
import pathlib
import pickle
import statistics
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

ARCHIVE = "cifar-10-python.tar.gz"
UNPACKED = "cifar-10-batches-py"
TRAIN = [f"data_batch_{number}" for number in range(1, 6)]


def from_archive(path: pathlib.Path) -> Iterator[tuple[str, Any]]:
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file:
                yield pathlib.PurePath(member.name).name, pickle.load(file, encoding="bytes")


def from_folder(path: pathlib.Path) -> Iterator[tuple[str, Any]]:
    for name in [*TRAIN, "test_batch", "batches.meta"]:
        with (path / name).open("rb") as file:
            yield name, pickle.load(file, encoding="bytes")


def read(path: pathlib.Path) -> int:
    """Read the data set as in the course, but leave its numbers as bytes; return the number of images."""
    batches = dict(from_folder(path) if path.is_dir() else from_archive(path))
    images = np.concatenate([batches[name][b"data"] for name in TRAIN])
    labels = np.concatenate([batches[name][b"labels"] for name in TRAIN])
    test, test_labels = batches["test_batch"][b"data"], np.array(batches["test_batch"][b"labels"])
    assert images.dtype == np.uint8 and len(images) == len(labels) and len(test) == len(test_labels)
    return len(images) + len(test)


def of_numpy(path: pathlib.Path) -> float:
    """Seconds in which a new process reads it, without start and imports."""
    command = [sys.executable, __file__, "--once", str(path)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def of_thinnet(program: pathlib.Path) -> Callable[[pathlib.Path], float]:
    def seconds(path: pathlib.Path) -> float:
        output = subprocess.run([program, path], check=True, capture_output=True, text=True).stdout
        answer = json.loads(output)
        assert answer["samples"] == 60_000
        return float(answer["seconds"][0])

    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--thinnet", type=pathlib.Path, help="the example loading_time, built for release")
    parser.add_argument("--data", type=pathlib.Path, help="the folder of the data sets")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--once", type=pathlib.Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once:
        start = time.perf_counter()
        assert read(args.once) == 60_000
        print(time.perf_counter() - start)
        return
    if not args.thinnet or not args.data:
        parser.error("--thinnet and --data are needed")
    for name in (ARCHIVE, UNPACKED):
        readers = {"NumPy": of_numpy, "thinnet": of_thinnet(args.thinnet)}
        times: dict[str, list[float]] = {reader: [] for reader in readers}
        for i in range(args.rounds + 1):
            for reader, seconds in readers.items():
                took = seconds(args.data / name)
                if i > 0:
                    times[reader].append(took)
        middle = {reader: statistics.median(taken) for reader, taken in times.items()}
        ratio = statistics.median(n / t for n, t in zip(times["NumPy"], times["thinnet"], strict=True))
        shown = ", ".join(f"{reader} {seconds:.3f} s" for reader, seconds in middle.items())
        print(f"{name}: {shown} (medians of {args.rounds}); NumPy takes {ratio:.2f} times as long")


if __name__ == "__main__":
    main()
