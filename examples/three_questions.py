"""Answer the dropout exercise's questions with figures: docs/explained.md, with its pictures.

pip install . matplotlib scipy
python examples/three_questions.py division
thinnet sweep --set model.keep=lin:0.1:1:10 --seeds 10 --set train.epochs=40 --set train.restore_best=false \
    --set 'model.hidden=[25],[50],[100],[200],[500],[1000],[2000]' --out keep-by-size
python examples/three_questions.py sizes keep-by-size/runs.csv docs/keep-by-size.png
"""

import csv
import sys
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

HIDDEN, KEEP, EPOCHS, BATCH, RATE = 500, 0.25, 25, 100, 5e-4
SEEDS = 20


def mean_with_interval(values: Array) -> str:
    """The mean of independent values, with Student's 95% interval."""
    mean, error = values.mean(), stats.sem(values)
    low, high = stats.t.interval(0.95, len(values) - 1, mean, error)
    return f"{mean:.2f} ({low:.2f} to {high:.2f})"


class Net:
    """Two layers with ReLU and dropout between them, trained with Adam: the network of the exercise, in NumPy.

    `divided` tells whether kept units are divided by p in training (inverted dropout).
    """

    def __init__(self, rng: np.random.RandomState, inputs: int, divided: bool) -> None:
        self.rng, self.divided = rng, divided
        self.parameters = [
            0.01 * rng.randn(inputs, HIDDEN),
            np.zeros(HIDDEN),
            0.01 * rng.randn(HIDDEN, 10),
            np.zeros(10),
        ]
        self.moments = [(np.zeros_like(array), np.zeros_like(array)) for array in self.parameters]
        self.steps = 0

    def step(self, x: Array, y: NDArray[np.int64]) -> None:
        w1, b1, w2, b2 = self.parameters
        hidden = np.maximum(0, x @ w1 + b1)
        mask = self.rng.rand(*hidden.shape) < KEEP
        scale = 1 / KEEP if self.divided else 1.0
        kept = hidden * mask * scale
        dscores = softmax(kept @ w2 + b2)
        dscores[np.arange(len(y)), y] -= 1
        dscores /= len(y)
        dhidden = dscores @ w2.T * mask * scale * (hidden > 0)
        gradients = [x.T @ dhidden, dhidden.sum(0), kept.T @ dscores, dscores.sum(0)]
        self.steps += 1
        for array, gradient, (first, second) in zip(self.parameters, gradients, self.moments, strict=True):
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            size = RATE * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
            array -= size * first / (np.sqrt(second) + 1e-8)

    def test(self, x: Array, y: NDArray[np.int64], factor: float) -> tuple[float, float]:
        """Accuracy in per cent and loss in test mode, with all hidden units times `factor`."""
        w1, b1, w2, b2 = self.parameters
        probabilities = softmax(factor * np.maximum(0, x @ w1 + b1) @ w2 + b2)
        loss = -np.log(np.maximum(probabilities[np.arange(len(y)), y], 1e-300)).mean()
        return 100 * float((probabilities.argmax(1) == y).mean()), float(loss)


def softmax(scores: Array) -> Array:
    shifted = np.exp(scores - scores.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


def division() -> None:
    """Train with and without the division by p, and test both ways."""
    from thinnet.course.data_utils import get_CIFAR10_data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without CIFAR-10, the sample of thinnet is what is wanted here
        data = get_CIFAR10_data()
    x, y = data["X_train"][:500].reshape(500, -1), data["y_train"][:500]
    x_val, y_val = data["X_val"].reshape(len(data["X_val"]), -1), data["y_val"]
    # In test mode, all units as they are; or, where training did not divide, times p.
    ways = {"divided": (True, 1.0), "not divided": (False, 1.0), "not divided, times p in test": (False, KEEP)}
    figures = defaultdict(list)
    for seed in range(231, 231 + SEEDS):
        for divided in (True, False):
            rng = np.random.RandomState(seed)
            net = Net(rng, x.shape[1], divided)
            for _ in range(EPOCHS * len(x) // BATCH):
                batch = rng.choice(len(x), BATCH)
                net.step(x[batch], y[batch])
            for name, (of, factor) in ways.items():
                if of == divided:
                    figures[name].append(net.test(x_val, y_val, factor))
    print(f"3072-{HIDDEN}-10, keep {KEEP}, {SEEDS} seeds, validation images: mean (95% interval)")
    for name, values in figures.items():
        accuracy, loss = np.array(values).T
        print(f"{name}: accuracy {mean_with_interval(accuracy)} %, loss {mean_with_interval(loss)}")


def sizes(runs: Path, picture: Path) -> None:
    """The best keep probability of each hidden size, from the runs of a sweep over both."""
    accuracies: dict[int, dict[float, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    training: dict[int, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    with runs.open(newline="") as file:
        for run in csv.DictReader(file):
            if run["state"] == "finished":
                size, keep = int(run["model.hidden"].strip("[]")), round(float(run["model.keep"]), 2)
                accuracies[size][keep][int(run["seed"])] = 100 * float(run["final_val_accuracy"])
                training[size][keep].append(100 * float(run["train_accuracy"]))
    rng = np.random.default_rng(0)
    table = {}
    print("| units | best p (95%) | at best p | p = 1 | p = 0.5 | p = 0.1 | p = 0.1 minus p = 1 | training, p = 0.1 |")
    for size, by_keep in sorted(accuracies.items()):
        seeds = sorted(set.intersection(*(set(by_seed) for by_seed in by_keep.values())))
        keeps = np.array(sorted(by_keep))
        scores = np.array([[by_keep[keep][seed] for seed in seeds] for keep in keeps])
        # The best keep of resampled seeds: how sure it is that this one is best.
        drawn = rng.integers(len(seeds), size=(10_000, len(seeds)))
        best = keeps[scores[:, drawn].mean(2).argmax(0)]
        low, high = np.quantile(best, [0.025, 0.975])
        mean = scores.mean(1)
        winner = int(mean.argmax())
        at = {keep: int(np.isclose(keeps, keep).argmax()) for keep in (0.1, 0.5, 1.0)}
        accuracies_at = " | ".join(f"{mean[place]:.1f}%" for place in (winner, at[1.0], at[0.5], at[0.1]))
        # Chosen before the runs, so that the choice is not part of the difference.
        low_minus_none = mean_with_interval(scores[at[0.1]] - scores[at[1.0]])
        fitted = np.mean(training[size][keeps[at[0.1]]])
        print(
            f"| {size} | {keeps[winner]:g} ({low:g} to {high:g}) | {accuracies_at} | {low_minus_none} | {fitted:.0f}% |"
            f"  ({len(seeds)} seeds)"
        )
        table[size] = (keeps, mean, stats.sem(scores, axis=1), keeps[winner], low, high)
    draw(table, picture)


def draw(table: dict[int, tuple], picture: Path) -> None:
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", width_ratios=(3, 2))
    colours = plt.get_cmap("viridis")(np.linspace(0.92, 0, len(table)))
    for (size, (keeps, mean, error, *_)), colour in zip(table.items(), colours, strict=True):
        left.errorbar(keeps, mean, error, marker="o", ms=4, lw=1.4, capsize=2, color=colour, label=f"{size} units")
    left.set(
        xlabel="keep probability p", ylabel="validation accuracy, %", title="Mean over seeds, with its standard error"
    )
    left.legend(fontsize=8, ncols=2)
    at = np.arange(len(table))
    best, low, high = (np.array([row[column] for row in table.values()]) for column in (3, 4, 5))
    right.errorbar(at, best, [best - low, high - best], fmt="o", capsize=4, color="#0072B2")
    right.set(
        xticks=at,
        xticklabels=[str(size) for size in table],
        xlabel="hidden units",
        ylabel="best keep probability",
        ylim=(0, 1.05),
        title="The best p, with its 95% interval",
    )
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=150)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["division"]:
            division()
        case ["sizes", runs, picture]:
            sizes(Path(runs), Path(picture))
        case _:
            sys.exit(__doc__)
