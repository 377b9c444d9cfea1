"""Makes packages.json, regression.csv and regression.json: what published packages say of the same arrays.

packages.json is about the scores of golden.py, with and without its temperature. regression.csv has a mean, a standard
deviation and the true value of 200 samples. Nothing is taken from thinnet. Run it in this folder, after golden.py, with

    pip install matplotlib==3.11.2 scikit-learn==1.9.1 shapely torch==2.15.0 tqdm==4.70.1
    pip install --no-deps netcal==1.4.0 uncertainty-calibration==0.1.4 uncertainty-toolbox==0.1.1

The files say which versions made them. More of netcal's dependencies are not needed here.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import uncertainty_toolbox as toolbox
from calibration import utils as calibration
from netcal.metrics import ECE, MCE
from netcal.metrics.regression import NLL, PICP
from scipy.special import softmax
from sklearn.metrics import brier_score_loss, log_loss

Floats = npt.NDArray[np.float64]

BINS = 15
LEVELS = [0.5, 0.8, 0.9, 0.95]


def classes(scores: Floats, labels: npt.NDArray[np.int64], temperature: float) -> dict[str, Any]:
    """The packages' figures of scores (N, C), divided by a temperature."""
    p = softmax(scores / temperature, axis=1)
    ece = ECE(BINS)
    tops, right, deviations, edges, _ = ece.prepare(p.copy(), labels)
    binned, counts, _, _ = ece.binning(edges[0], tops[0], right[0], tops[0][:, 0], deviations[0][:, 0])
    top = list(zip(p.max(axis=1), p.argmax(axis=1) == labels, strict=True))
    kumar = calibration.bin(top, calibration.get_equal_prob_bins([], BINS))
    return {
        "temperature": temperature,
        "scikit-learn": {
            "log_loss": log_loss(labels, p),
            "brier": brier_score_loss(labels, p, scale_by_half=False),
        },
        "netcal": {
            "ece": ece.measure(p.copy(), labels),
            "mce": MCE(BINS).measure(p.copy(), labels),
            # The place of the bin, its samples, their mean confidence and their accuracy.
            "bins": [[b, int(counts[b]), binned[1][b], binned[0][b]] for b in range(BINS) if counts[b]],
        },
        "uncertainty-calibration": {"debiased_error": calibration.unbiased_l2_ce(kumar)},
    }


def numbers(mean: Floats, std: Floats, truth: Floats) -> dict[str, Any]:
    """The packages' figures of normal distributions; all arrays (N,)."""
    three = (mean, std, truth)
    intervals = []
    for level in LEVELS:
        own = PICP().measure((mean, std), truth, q=np.array([level]), reduction="mean")
        covered = toolbox.metrics_calibration.get_proportion_in_interval(*three, level)
        bounds = toolbox.get_prediction_interval(mean, std, np.array([level]))
        assert abs(own.picp - covered) < 1e-12 and abs(own.mpiw - (bounds.upper - bounds.lower).mean()) < 1e-12
        intervals.append({"level": level, "coverage": covered, "width": own.mpiw})
    nll = toolbox.nll_gaussian(*three)
    assert abs(NLL().measure((mean, std), truth, reduction="mean") - nll) < 1e-12
    return {
        "intervals": intervals,
        "nll": nll,
        "sharpness": toolbox.sharpness(std),
        "mean_absolute_calibration_error": toolbox.mean_absolute_calibration_error(*three),
        "root_mean_squared_calibration_error": toolbox.root_mean_squared_calibration_error(*three),
        "crps": toolbox.crps_gaussian(*three),
        "interval_score": toolbox.interval_score(*three),
    }


def samples() -> Floats:
    """Mean, deviation and truth of 200 samples (200, 3). The true deviations are larger than those that are claimed."""
    random = np.random.default_rng(1905)
    x = random.uniform(-2, 2, 200)
    mean = np.sin(2 * x) + 0.1 * random.normal(size=200)
    std = 0.1 + 0.15 * (x + 2)
    truth = np.sin(2 * x) + 1.4 * std * random.normal(size=200)
    return np.round(np.column_stack([mean, std, truth]), 4)


def write(name: str, packages: list[str], figures: dict[str, Any]) -> None:
    content = {"versions": {own: version(own) for own in packages}, **figures}
    Path(name).write_text(json.dumps(content, indent=1, default=float) + "\n")


table = np.loadtxt("scores.csv", delimiter=",")
scores, labels = table[:, :-1], table[:, -1].astype(np.int64)
fitted = round(json.loads(Path("golden.json").read_text())["temperature"], 5)
write(
    "packages.json",
    ["netcal", "numpy", "scikit-learn", "torch", "uncertainty-calibration"],
    {"before": classes(scores, labels, 1.0), "after": classes(scores, labels, fitted)},
)
rows = samples()
np.savetxt("regression.csv", rows, fmt="%.4f", delimiter=",")
write("regression.json", ["netcal", "numpy", "torch", "uncertainty-toolbox"], numbers(*rows.T))
