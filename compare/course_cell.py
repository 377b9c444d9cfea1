"""Time the experiment's cell of the course's notebook, alternately on thinnet.course and on NumPy, in new processes.

    pip install . && python compare/course_cell.py

The cell trains two networks, with and without dropout, for 25 epochs. NumPy runs the course's finished exercise with
masks in float64, as the course writes them, which makes the whole network float64. Python's start-up does not count.
"""

import argparse
import contextlib
import io
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np

import course
from course_data import load_sample

KEEPS = (1, 0.25)


def of_numpy(dtype: type) -> float:
    course.MASKS_AS_WRITTEN = True
    start = time.perf_counter()
    data = load_sample()
    np.random.seed(231)
    for keep in KEEPS:
        model = course.FullyConnectedNet([500], dropout=keep, dtype=dtype)
        course.Solver(model, data, learning_rate=5e-4, num_epochs=25, batch_size=100, print_every=100).train()
    return time.perf_counter() - start


def of_thinnet(dtype: type) -> float:
    from thinnet.course.data_utils import get_CIFAR10_data
    from thinnet.course.fc_net import FullyConnectedNet
    from thinnet.course.solver import Solver

    start = time.perf_counter()
    warnings.simplefilter("ignore")  # that the data set is the sample is meant
    data = get_CIFAR10_data()
    small = {name: data[name][:500] if name.endswith("train") else data[name] for name in data}
    np.random.seed(231)
    for keep in KEEPS:
        model = FullyConnectedNet([500], dropout=keep, dtype=dtype)
        optim = {"learning_rate": 5e-4}
        Solver(
            model, small, update_rule="adam", optim_config=optim, num_epochs=25, batch_size=100, print_every=100
        ).train()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--once", choices=["numpy", "thinnet"], help=argparse.SUPPRESS)
    parser.add_argument("--dtype", choices=["float32", "float64"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once:
        run = {"numpy": of_numpy, "thinnet": of_thinnet}[args.once]
        with contextlib.redirect_stdout(io.StringIO()):
            seconds = run(getattr(np, args.dtype))
        print(seconds)
        return
    for dtype in ("float32", "float64"):
        times: dict[str, list[float]] = {"numpy": [], "thinnet": []}
        for _ in range(args.rounds):
            for name, taken in times.items():
                command = [sys.executable, __file__, "--once", name, "--dtype", dtype]
                taken.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        ratio = statistics.median(n / t for n, t in zip(times["numpy"], times["thinnet"], strict=True))
        middle = {name: statistics.median(taken) for name, taken in times.items()}
        print(
            f"{dtype}: thinnet {middle['thinnet']:.2f} s, NumPy {middle['numpy']:.2f} s, ratio {ratio:.2f} "
            f"(medians of {args.rounds})"
        )


if __name__ == "__main__":
    main()
