"""scikit-learn's training step: MLPClassifier.partial_fit of one batch, float32. It has no dropout. Setting: f32."""

import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier

import peer


def prepare(work: peer.Work) -> peer.Step:
    if work.keep < 1:
        raise ValueError("MLPClassifier has no dropout")
    x_all = peer.images(work.net[0])
    y_all = peer.labels(work.net[0], work.net[-1])
    model = MLPClassifier(
        work.net[1:-1], alpha=0, batch_size=work.batch, learning_rate_init=peer.LEARNING_RATE, random_state=0
    )
    classes = np.arange(work.net[-1])
    rng = np.random.default_rng(0)

    def step() -> float:
        batch = rng.integers(peer.IMAGES, size=work.batch)
        model.partial_fit(x_all[batch], y_all[batch], classes=classes)
        return float(model.loss_)

    return step


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    peer.serve(prepare)
