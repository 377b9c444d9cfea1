"""Shared by the peers written in Python: the protocol, and the data set that every peer trains on.

A peer is a process. It receives over standard input, one JSON object per line, what to prepare:
    {"net": [3072, 500, 10], "batch": 100, "keep": 0.25, "setting": "eager-f32"}
(`keep` is the probability to keep a unit; at 1 there is no dropout layer) and answers {"ready": true}. Then, each time:
    {"steps": 10}
and answers with the time of each training step in milliseconds, and the last step's loss:
    {"ms": [3.1, ...], "loss": 2.3}
Errors are answered with {"error": "..."}. The end of standard input ends the process.

A training step is: gather a batch by random indices (with replacement), forward, softmax cross-entropy, backward, Adam.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THREADS = 2
IMAGES = 5000
LEARNING_RATE = 5e-4
WARM_UP_STEPS = 5


@dataclass(frozen=True)
class Work:
    """What to prepare: layer sizes, input first; samples per batch; probability to keep; the peer's setting."""

    net: list[int]
    batch: int
    keep: float
    setting: str


# One training step, and its loss.
Step = Callable[[], float]


def images(features: int) -> NDArray[np.float32]:
    """(5000, features) numbers in [-1, 1), the same in every language: element i is a hash of i (MurmurHash3's
    end)."""
    return (hashes(0, IMAGES * features) / np.float64(2**31) - 1).astype(np.float32).reshape(IMAGES, features)


def labels(features: int, classes: int) -> NDArray[np.int64]:
    """(5000,) classes; they continue where the images' hashes end."""
    return (hashes(IMAGES * features, IMAGES) % np.uint32(classes)).astype(np.int64)


def hashes(start: int, count: int) -> NDArray[np.uint32]:
    h = np.arange(start, start + count, dtype=np.uint32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h ^= h >> np.uint32(shift)
        h *= np.uint32(factor)
    return h ^ (h >> np.uint32(16))


def serve(prepare: Callable[[Work], Step]) -> None:
    """Answer requests until standard input ends."""
    step: Step | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "net" in request:
                step = prepare(Work(**request))
                for _ in range(WARM_UP_STEPS):
                    step()
                answer: dict[str, object] = {"ready": True}
            elif step is None:
                answer = {"error": "nothing was prepared"}
            else:
                times = []
                for _ in range(request["steps"]):
                    start = time.perf_counter()
                    loss = step()
                    times.append(1e3 * (time.perf_counter() - start))
                answer = {"ms": times, "loss": loss}
        except ValueError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)
