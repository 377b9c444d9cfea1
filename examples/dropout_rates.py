"""Draw what dropout does to a classifier that has few samples: docs/python-dropout.png, shown in docs/python.md.

pip install . matplotlib
python examples/dropout_rates.py docs/python-dropout.png
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from thinnet import MLPClassifier

RATES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
SEEDS = 20
SAMPLES = 200


def accuracy(rate: float, seed: int) -> float:
    """Test accuracy of a network that is trained on 200 digits and tested on the other 1,597."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, train_size=SAMPLES, stratify=y, random_state=seed)
    model = MLPClassifier((300, 300), dropout=rate, batch_size=50, max_iter=150, tol=0, random_state=seed)
    return model.fit(X_train, y_train).score(X_test, y_test)


def main() -> None:
    scores = 100 * np.array([[accuracy(rate, seed) for seed in range(SEEDS)] for rate in RATES])
    mean, error = scores.mean(axis=1), scores.std(axis=1, ddof=1) / np.sqrt(SEEDS)
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.errorbar(RATES, mean, error, marker="o", capsize=3, color="#D55E00")
    axes.axhline(mean[0], color="0.6", linewidth=1, linestyle="--")
    # Right of the last error bar that the line crosses.
    axes.annotate("no dropout", (0.83, mean[0]), xytext=(0, 4), textcoords="offset points", color="0.4", ha="right")
    axes.set_xlim(-0.03, 0.83)
    axes.set_xlabel("dropout: the rate DROPPED in each hidden layer")
    axes.set_ylabel("test accuracy, %")
    axes.set_title(f"200 digits, 64-300-300-10: mean of {SEEDS} splits, with its standard error")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(sys.argv[1], dpi=150)
    for rate, m, e in zip(RATES, mean, error, strict=True):
        print(f"dropout {rate:.1f}: {m:.2f} ± {e:.2f}")


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")  # that 150 epochs are the limit is meant
    main()
