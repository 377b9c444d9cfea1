"""Makes scores.csv and golden.json: what NumPy and SciPy say of 400 samples. Run it in this folder.

Each figure is its formula, on whole arrays; nothing is taken from thinnet.
"""

import json

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

random = np.random.default_rng(2017)
N, C = 400, 4
labels = random.integers(C, size=N)
scores = random.normal(size=(N, C)) * 1.5
scores[np.arange(N), labels] += 1.5
scores = np.round(3 * scores, 3)  # far too sure
np.savetxt("scores.csv", np.column_stack([scores, labels]), fmt=["%.3f"] * C + ["%d"], delimiter=",")


def trust(p):
    top, taken = p.max(axis=1), p.argmax(axis=1)
    right = taken == labels
    bins = np.clip(np.ceil(top * 15) - 1, 0, 14).astype(int)  # ((b - 1) / 15, b / 15], Guo et al. 2017
    ece = square = 0.0
    table = []
    for b in np.unique(bins):
        own = bins == b
        n, confidence, accuracy = own.sum(), top[own].mean(), right[own].mean()
        ece += n / N * abs(accuracy - confidence)
        if n > 1:  # Kumar, Liang and Ma 2019
            square += n / N * ((accuracy - confidence) ** 2 - accuracy * (1 - accuracy) / (n - 1))
        table.append([int(b), int(n), confidence, accuracy])
    order = np.argsort(-top, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, N + 1)
    wrong = [int(i) for i in order if not right[i]][:10]
    return {
        "log_likelihood": np.log(p[np.arange(N), labels]).mean(),
        "brier": ((p - np.eye(C)[labels]) ** 2).sum(axis=1).mean(),
        "calibration_error": ece,
        "debiased_error": max(square, 0.0) ** 0.5,
        "bins": table,
        "kept": [[k / N, accuracy[k - 1]] for k in range(N // 20, N + 1, N // 20)],
        "rejection_area": accuracy.mean(),
        "mistakes": [[i, int(labels[i]), int(taken[i]), top[i]] for i in wrong],
    }


def loss(log_t):
    return -log_softmax(scores / np.exp(log_t), axis=1)[np.arange(N), labels].mean()


temperature = np.exp(minimize_scalar(loss, bounds=(-3, 3), options={"xatol": 1e-10}).x)
golden = {
    "before": trust(softmax(scores, axis=1)),
    "temperature": temperature,
    "after": trust(softmax(scores / np.round(temperature, 5), axis=1)),
}
with open("golden.json", "w") as file:
    json.dump(golden, file, indent=1)
    file.write("\n")
