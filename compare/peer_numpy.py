"""The training step of the course's finished exercise in NumPy. Settings: f32, f64."""

from typing import Any

import numpy as np

import peer
from course import FullyConnectedNet, adam


def prepare(work: peer.Work) -> peer.Step:
    x_all = peer.images(work.net[0])
    y_all = peer.labels(work.net[0], work.net[-1])
    np.random.seed(0)
    dropout = work.keep if work.keep < 1 else 0  # 0 leaves the layer out
    dtype = {"f32": np.float32, "f64": np.float64}[work.setting]
    model = FullyConnectedNet(work.net[1:-1], work.net[0], work.net[-1], dropout=dropout, dtype=dtype)
    configs: dict[str, dict[str, Any]] = {p: {"learning_rate": peer.LEARNING_RATE} for p in model.params}

    def step() -> float:
        batch = np.random.choice(peer.IMAGES, work.batch)
        loss, grads = model.loss(x_all[batch], y_all[batch])
        for name, w in model.params.items():
            model.params[name] = adam(w, grads[name], configs[name])
        return loss

    return step


if __name__ == "__main__":
    peer.serve(prepare)
