"""The course's dropout experiment in NumPy: prints the course's lines, and its wall time on standard error."""

import argparse
import pathlib
import sys

import numpy as np

import course
from course import FullyConnectedNet, Solver
from course_data import load_sample, plot_accuracies, seconds_since_process_start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", choices=["f32", "f64"], default="f32")
    parser.add_argument("--keep", type=float, nargs="+", default=[1, 0.25])
    parser.add_argument("--out", type=pathlib.Path, help="folder for accuracy.png; without it there is no plot")
    parser.add_argument("--course-masks", action="store_true", help="masks in float64, as the course writes them")
    args = parser.parse_args()
    course.MASKS_AS_WRITTEN = args.course_masks

    dtype = {"f32": np.float32, "f64": np.float64}[args.dtype]
    data = load_sample()
    np.random.seed(231)
    histories = {}
    for keep in args.keep:
        model = FullyConnectedNet([500], dropout=keep, dtype=dtype)
        print(f"{keep:g}")
        solver = Solver(model, data, learning_rate=5e-4, num_epochs=25, batch_size=100, print_every=100)
        solver.train()
        histories[keep] = (solver.train_acc_history, solver.val_acc_history)
    if args.out:
        plot_accuracies(args.out / "accuracy.png", histories)
    print(f"wall time: {seconds_since_process_start():.2f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
