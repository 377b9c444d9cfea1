"""Compare fits and predictions of small and table-sized nets with scikit-learn's, alternately, in one process.

    cargo xtask bench small                 # builds the wheel and an environment, then runs this
    cargo xtask bench predict
    cargo xtask bench pytorch               # fits compared with PyTorch's, without dropout and with
    cargo xtask bench masks                 # Monte-Carlo dropout compared with plain passes of PyTorch
    cargo xtask bench busy                  # our default compared with `n_jobs=1` while another program uses a core

Every time is the median over the turns, the ratio the median of the turns' ratios: the other's time divided by ours.
In each turn both are called twice, after the other's threads have gone to sleep, and the second call counts.
"""

import argparse
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier as Sklearn
from thinnet import MLPClassifier as Thinnet

CLASSES = 5
# Samples, inputs, hidden layers, samples per batch.
FITS = [
    (2000, 13, (50,), 32),
    (2000, 20, (64, 64), 32),
    (4000, 50, (256, 256), 200),
    (4000, 784, (512,), 200),
]
# Inputs, hidden layers, rows.
PREDICTIONS = [
    (30, (100,), 1),
    (30, (100,), 1000),
    (20, (50, 50, 50), 10_000),
    (50, (256, 256), 10_000),
    (784, (512,), 10_000),
]
# The same, for predictions over masks.
MASKED = [(3072, (500,), 1000), (784, (512,), 1000), (50, (256, 256), 1000), (20, (64, 64), 1000)]
MASKS = 100
EPOCHS = 5
# Seconds. BLAS threads stay awake for 2^28 cycles after their work, and would use a core while ours are measured.
PAUSE = 0.15

Work = Callable[[], object]


def samples(count: int, inputs: int) -> tuple[Any, Any]:
    """Normal inputs, and classes: the largest of several random sums."""
    random = np.random.default_rng(0)
    x = random.standard_normal((count, inputs)).astype(np.float32)
    return x, np.argmax(x @ random.standard_normal((inputs, CLASSES)), axis=1)


def in_turns(ours: Work, theirs: Work, turns: int) -> tuple[float, float, float]:
    """The median seconds of both, and of their ratio."""

    def seconds(work: Work) -> float:
        begin = time.perf_counter()
        while time.perf_counter() - begin < PAUSE:  # asleep, this thread would lose its core's caches and clock
            pass
        work()
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    taken = [(seconds(ours), seconds(theirs)) for _ in range(turns)]
    own, other = zip(*taken, strict=True)
    ratios = [b / a for a, b in taken]
    return statistics.median(own), statistics.median(other), statistics.median(ratios)


def line(inputs: int, hidden: tuple[int, ...], size: str, found: tuple[float, float, float], per: int = 1) -> None:
    """A line of the table, from seconds for this many steps or calls."""
    own, other, ratio = found
    name = "-".join(map(str, (inputs, *hidden, CLASSES)))
    print(f"| {name}, {size} | {1e6 * own / per:.0f} | {1e6 * other / per:.0f} | {ratio:.2f} |", flush=True)


def fit(turns: int, other: Callable[..., Any], case: tuple[int, int, tuple[int, ...], int], **settings: object) -> None:
    """Times whole fits, and divides by their steps."""
    count, inputs, hidden, batch = case
    x, y = samples(count, inputs)
    common: dict[str, Any] = {"hidden_layer_sizes": hidden, "batch_size": batch, "max_iter": EPOCHS}
    common |= {"tol": 0, "n_iter_no_change": EPOCHS + 1, "random_state": 0}
    found = in_turns(lambda: Thinnet(**common).fit(x, y), lambda: other(**common, **settings).fit(x, y), turns)
    line(inputs, hidden, f"batch {batch}", found, EPOCHS * -(-count // batch))


def fit_pytorch(turns: int, case: tuple[int, int, tuple[int, ...], int], keep: float) -> None:
    """Times whole fits and PyTorch's eager ones, with one thread and with all; the faster is shown."""
    import peer_pytorch

    count, inputs, hidden, batch = case
    x, y = samples(count, inputs)
    common: dict[str, Any] = {"batch_size": batch, "max_iter": EPOCHS, "tol": 0, "n_iter_no_change": EPOCHS + 1}
    ours = Thinnet(hidden_layer_sizes=hidden, random_state=0, dropout=1 - keep, **common)
    net = (inputs, *hidden, CLASSES)

    def with_threads(threads: int) -> tuple[float, float, float]:
        theirs = peer_pytorch.fit(net, keep, batch, x, y, EPOCHS, threads)
        return in_turns(lambda: ours.fit(x, y), theirs, turns)

    found = min((with_threads(threads) for threads in (1, 2)), key=lambda found: found[2])
    line(inputs, hidden, f"batch {batch}, keep {keep:g}", found, EPOCHS * -(-count // batch))


def predict(turns: int, inputs: int, hidden: tuple[int, ...], rows: int) -> None:
    """Times calls of `predict_proba`."""
    x, y = samples(max(rows, 400), inputs)
    settings: dict[str, Any] = {"hidden_layer_sizes": hidden, "max_iter": 2, "random_state": 0}
    own, other = (kind(**settings).fit(x[:400], y[:400]) for kind in (Thinnet, Sklearn))
    asked = x[:rows]
    own.predict_proba(asked)
    turns *= 10 if rows == 1 else 3
    line(
        inputs,
        hidden,
        f"rows {rows}",
        in_turns(lambda: own.predict_proba(asked), lambda: other.predict_proba(asked), turns),
    )


def predict_masked(turns: int, inputs: int, hidden: tuple[int, ...], rows: int) -> None:
    """Times means over masks, and PyTorch's with one thread and with all; the faster is shown."""
    import peer_pytorch

    x, y = samples(rows, inputs)
    ours = Thinnet(hidden_layer_sizes=hidden, max_iter=2, random_state=0, dropout=0.5).fit(x[:400], y[:400])
    net = (inputs, *hidden, CLASSES)

    def with_threads(threads: int) -> tuple[float, float, float]:
        theirs = peer_pytorch.predict_masked(net, 0.5, x, MASKS, threads)
        return in_turns(lambda: ours.predict_proba(x, mc_samples=MASKS), theirs, turns)

    found = min((with_threads(threads) for threads in (1, 2)), key=lambda found: found[2])
    line(inputs, hidden, f"rows {rows}, {MASKS} masks", found)


@contextmanager
def a_busy_core() -> Iterator[None]:
    """Another program that computes all the time."""
    program = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        program.kill()
        program.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("small", "pytorch", "predict", "masks", "busy"))
    parser.add_argument("--turns", type=int, default=11)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # fits this short do not converge
    other = {"busy": "one thread", "pytorch": "PyTorch", "masks": "PyTorch"}.get(arguments.what, "scikit-learn")
    unit = "a call" if arguments.what in ("predict", "masks") else "a step"
    print(f"| net | thinnet, us {unit} | {other}, us | ratio |\n|---|---|---|---|")
    if arguments.what == "predict":
        for inputs, hidden, rows in PREDICTIONS:
            predict(arguments.turns, inputs, hidden, rows)
    elif arguments.what == "masks":
        for inputs, hidden, rows in MASKED:
            predict_masked(arguments.turns, inputs, hidden, rows)
    elif arguments.what == "small":
        for case in FITS:
            fit(arguments.turns, Sklearn, case)
    elif arguments.what == "pytorch":
        for case in FITS:
            for keep in (1.0, 0.5):
                fit_pytorch(arguments.turns, case, keep)
    else:
        with a_busy_core():
            for case in FITS:
                fit(arguments.turns, Thinnet, case, n_jobs=1)


if __name__ == "__main__":
    main()
