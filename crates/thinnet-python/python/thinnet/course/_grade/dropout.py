"""Checks of dropout: only of a mask's properties, so that it may be drawn in any way."""

from typing import Any

import numpy as np

from thinnet.course._arrays import Array
from thinnet.course._grade.checks import Check, Checks, compare, rel_error
from thinnet.course._grade.student import Student

NAME = "dropout"
_SAMPLES = 4000


def checks(student: Student, random: np.random.Generator) -> Checks:
    """Check dropout_forward and dropout_backward for keep probabilities below and above one half."""
    for p in (round(float(random.uniform(0.2, 0.35)), 3), round(float(random.uniform(0.65, 0.8)), 3)):
        x = random.uniform(1, 3, (_SAMPLES // 20, 20)) * random.choice([-1.0, 1.0], (_SAMPLES // 20, 20))
        dout = random.uniform(1, 2, x.shape)
        seed = int(random.integers(1, 2**31))
        yield from _at(student, p, x, dout, seed)


def _at(student: Student, p: float, x: Array, dout: Array, seed: int) -> Checks:
    train: dict[str, Any] = {"mode": "train", "p": p, "seed": seed}
    steps: list[dict[str, Any]] = [
        {"do": "seed", "args": [1]},
        {"do": "copy", "args": ["$x"], "to": "x_train"},
        {"do": "dropout_forward", "args": ["$x_train", "$train"], "to": ["out", "cache"]},
        {"do": "copy", "args": ["$out"], "to": "first"},
        {"do": "seed", "args": [2]},
        {"do": "copy", "args": ["$x"], "to": "again"},
        {"do": "dropout_forward", "args": ["$again", "$train2"], "to": ["second", "cache2"]},
        {"do": "copy", "args": ["$x"], "to": "x_test"},
        {"do": "dropout_forward", "args": ["$x_test", "$test"], "to": ["out_test", "cache_test"]},
        {"do": "copy", "args": ["$out_test"], "to": "tested"},
    ]
    values = {"train": train, "train2": dict(train), "test": {"mode": "test", "p": p}}
    forward = student.ask("layers", steps, ["first", "second", "tested", "x_train", "x_test"], {"x": x}, **values)
    out = forward["first"]
    yield _mask(p, x, out)
    same = out.shape == forward["second"].shape and np.array_equal(out, forward["second"])
    yield Check(NAME, f"dropout_forward, seed used (p {p})", same, None, "" if same else "the seed is not used")
    factors = {
        "the output is scaled by p in test mode, as without inverted dropout": x * p,
        "the output is scaled by 1/p in test mode": x / p,
    }
    tested = compare(NAME, f"dropout_forward, test mode (p {p})", forward["tested"], x, factors)
    if not tested.passed and 0.02 < float(np.mean(forward["tested"] == 0)) < 0.98:
        tested = Check(NAME, tested.name, False, tested.error, "the mask is applied in test mode")
    yield tested
    kept = np.array_equal(forward["x_train"], x) and np.array_equal(forward["x_test"], x)
    yield Check(
        NAME, f"dropout_forward, input unchanged (p {p})", kept, None, "" if kept else "changes its input in place"
    )

    steps = [
        {"do": "dropout_forward", "args": ["$x", "$train"], "to": ["out", "cache"]},
        {"do": "copy", "args": ["$out"], "to": "first"},
        {"do": "copy", "args": ["$dout"], "to": "upstream"},
        {"do": "dropout_backward", "args": ["$upstream", "$cache"], "to": "dx"},
        {"do": "dropout_forward", "args": ["$x", "$test"], "to": ["out_test", "cache_test"]},
        {"do": "dropout_backward", "args": ["$dout", "$cache_test"], "to": "dx_test"},
    ]
    back = student.ask("layers", steps, ["first", "dx", "dx_test", "upstream"], {"x": x.copy(), "dout": dout}, **values)
    # Dropout is linear in x once its mask is drawn, so out / x is its derivative, up to the last digits.
    mask = back["first"] / x
    kept_units = mask != 0
    name = f"dropout_backward (p {p})"
    mistakes = {
        "the gradient is not masked": dout,
        "the gradient is masked but not divided by p": dout * kept_units,
        "the gradient is masked but not divided by p, or divided twice": dout * mask * mask,
        "the gradient is scaled but not masked": dout / p,
    }
    check = compare(NAME, name, back.get("dx"), dout * mask, mistakes)
    if not check.passed and check.mistake.startswith("differs") and _is_other_mask(back.get("dx"), dout):
        check = Check(NAME, name, False, check.error, "the gradient's mask differs from that of the forward pass")
    yield check
    yield compare(NAME, f"dropout_backward, test mode (p {p})", back.get("dx_test"), dout)


def _is_other_mask(dx: Array | None, dout: Array) -> bool:
    if dx is None or dx.shape != dout.shape:
        return False
    ratios = np.unique(np.round(dx / dout, 6))
    return len(ratios) == 2 and 0 in ratios


def _mask(p: float, x: Array, out: Array) -> Check:
    """Whether out is x times a mask of 0 and 1/p with the right share of zeros, drawn for each element."""
    name = f"dropout_forward, train mode (p {p})"
    if out.shape != x.shape:
        return Check(NAME, name, False, None, f"shape {out.shape}, expected {x.shape}")
    ratio = out / x
    kept = ratio != 0
    share = float(kept.mean())
    scale = float(np.median(ratio[kept])) if kept.any() else 0.0
    error = rel_error(ratio[kept], np.full(int(kept.sum()), 1 / p))
    near = 5 * np.sqrt(p * (1 - p) / x.size)
    uniform = kept.any() and rel_error(ratio[kept], np.full(int(kept.sum()), scale)) < 1e-6
    if error < 1e-6 and abs(share - p) < near:
        rows, columns = (kept == kept[:1]).all(), (kept == kept[:, :1]).all()
        if rows or columns:
            return Check(
                NAME, name, False, error, "one mask is shared by all samples" if rows else "whole samples are dropped"
            )
        return Check(NAME, name, True, error)
    mistake = f"keeps {share:.3f} of the units with factor {scale:.3f}; expected {p} and {1 / p:.3f}"
    if not uniform:
        mistake = "the output is not the input times 0 or one factor"
    elif share == 1 and abs(scale - 1) < 1e-6:
        mistake = "nothing is dropped in train mode"
    elif abs(share - (1 - p)) < near:
        mistake = "drop and keep probability are swapped"
    elif abs(share - p) < near and abs(scale - 1) < 1e-6:
        mistake = "not divided by p"
    elif abs(share - p) < near and abs(scale - p) < 1e-6:
        mistake = "multiplied by p instead of divided by it"
    elif abs(share - p) < near and abs(scale - 1 / (1 - p)) < 1e-6:
        mistake = "divided by 1 - p instead of p"
    return Check(NAME, name, False, error, mistake)
