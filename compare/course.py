"""The course's finished exercise in NumPy (cs231n, cs6353): layers, network, Adam, Solver, numerical gradient.

It is written like a good solution of the exercise: whole-array NumPy, products by `.dot`, the global random stream.
Only one thing is better than in the usual solution: masks have the data's dtype. The usual `(rand < p) / p` is
float64, and silently turns the backward pass, Adam and so the weights of a float32 network to float64, which costs
time.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]

# Leave masks in float64, like the usual solution.
MASKS_AS_WRITTEN = False


def affine_forward(x: Array, w: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
    """(N, ...), (D, M), (M,) -> (N, M)."""
    return x.reshape(x.shape[0], -1).dot(w) + b, (x, w)


def affine_backward(dout: Array, cache: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    """(N, M) -> gradients of x, w, b."""
    x, w = cache
    return dout.dot(w.T).reshape(x.shape), x.reshape(x.shape[0], -1).T.dot(dout), dout.sum(axis=0)


def relu_forward(x: Array) -> tuple[Array, Array]:
    return np.maximum(x, 0), x


def relu_backward(dout: Array, x: Array) -> Array:
    return dout * (x > 0)


def dropout_forward(x: Array, param: dict[str, Any]) -> tuple[Array, Array | None]:
    """Inverted dropout; `p` is the probability to keep. A seed, if given, re-seeds the global stream."""
    if "seed" in param:
        np.random.seed(param["seed"])
    if param["mode"] == "test":
        return x, None
    mask = (np.random.rand(*x.shape) < param["p"]) / param["p"]
    if not MASKS_AS_WRITTEN:
        mask = mask.astype(x.dtype, copy=False)
    return x * mask, mask


def dropout_backward(dout: Array, mask: Array | None) -> Array:
    return dout if mask is None else dout * mask


def softmax_loss(x: Array, y: Array) -> tuple[float, Array]:
    """(N, C) scores, (N,) labels -> mean loss, gradient of the scores."""
    shifted = x - x.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(x.shape[0])
    loss = -log_probs[rows, y].sum() / x.shape[0]
    dx = np.exp(log_probs)
    dx[rows, y] -= 1
    dx /= x.shape[0]
    return float(loss), dx


class FullyConnectedNet:
    """{affine - ReLU - dropout} x (L - 1) - affine - softmax. Dropout 0 leaves the dropout layers out; 1 does not."""

    def __init__(
        self,
        hidden_dims: list[int],
        input_dim: int = 3 * 32 * 32,
        num_classes: int = 10,
        dropout: float = 0,
        reg: float = 0.0,
        weight_scale: float = 1e-2,
        dtype: DTypeLike = np.float32,
        seed: int | None = None,
    ) -> None:
        self.use_dropout = dropout > 0
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self.params: dict[str, Array] = {}
        dims = [input_dim, *hidden_dims, num_classes]
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(dims), start=1):
            self.params[f"W{i}"] = (weight_scale * np.random.randn(fan_in, fan_out)).astype(dtype)
            self.params[f"b{i}"] = np.zeros(fan_out, dtype=dtype)
        self.dropout_param: dict[str, Any] = {"mode": "train", "p": dropout}
        if seed is not None:
            self.dropout_param["seed"] = seed

    def forward(self, x: Array) -> tuple[Array, list[Any]]:
        """Scores (N, C), and the caches for the backward pass of each layer."""
        caches: list[Any] = []
        out = x.astype(self.dtype, copy=False)
        for i in range(1, self.num_layers):
            out, affine_cache = affine_forward(out, self.params[f"W{i}"], self.params[f"b{i}"])
            out, relu_cache = relu_forward(out)
            mask = None
            if self.use_dropout:
                out, mask = dropout_forward(out, self.dropout_param)
            caches.append((affine_cache, relu_cache, mask))
        scores, last = affine_forward(out, self.params[f"W{i + 1}"], self.params[f"b{i + 1}"])
        return scores, [*caches, last]

    def scores(self, x: Array) -> Array:
        self.dropout_param["mode"] = "test"
        return self.forward(x)[0]

    def loss(self, x: Array, y: Array) -> tuple[float, dict[str, Array]]:
        self.dropout_param["mode"] = "train"
        scores, caches = self.forward(x)
        loss, dout = softmax_loss(scores, y)
        grads: dict[str, Array] = {}
        for i in range(self.num_layers, 0, -1):
            cache = caches[i - 1]
            if i < self.num_layers:
                affine_cache, relu_cache, mask = cache
                dout = relu_backward(dropout_backward(dout, mask), relu_cache)
            else:
                affine_cache = cache
            w = self.params[f"W{i}"]
            dout, grads[f"W{i}"], grads[f"b{i}"] = affine_backward(dout, affine_cache)
            if self.reg:
                loss += 0.5 * self.reg * float(np.sum(w * w))
                grads[f"W{i}"] += self.reg * w
        return loss, grads


def adam(w: Array, dw: Array, config: dict[str, Any]) -> Array:
    """The new weights; `config` stores the moments."""
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8
    config.setdefault("m", np.zeros_like(w))
    config.setdefault("v", np.zeros_like(w))
    config["t"] = config.get("t", 0) + 1
    config["m"] = beta1 * config["m"] + (1 - beta1) * dw
    config["v"] = beta2 * config["v"] + (1 - beta2) * dw * dw
    m_hat = config["m"] / (1 - beta1 ** config["t"])
    v_hat = config["v"] / (1 - beta2 ** config["t"])
    return w - config["learning_rate"] * m_hat / (np.sqrt(v_hat) + epsilon)


class Solver:
    """The course's training loop, its printed lines and its histories."""

    def __init__(
        self,
        model: FullyConnectedNet,
        data: dict[str, Array],
        learning_rate: float,
        num_epochs: int,
        batch_size: int,
        print_every: int,
        lr_decay: float = 1.0,
    ) -> None:
        self.model = model
        self.data = data
        self.num_epochs = num_epochs
        self.batch_size = batch_size
        self.print_every = print_every
        self.lr_decay = lr_decay
        self.configs: dict[str, dict[str, Any]] = {p: {"learning_rate": learning_rate} for p in model.params}
        self.loss_history: list[float] = []
        self.train_acc_history: list[float] = []
        self.val_acc_history: list[float] = []

    def step(self) -> None:
        batch = np.random.choice(self.data["X_train"].shape[0], self.batch_size)
        loss, grads = self.model.loss(self.data["X_train"][batch], self.data["y_train"][batch])
        self.loss_history.append(loss)
        for name, w in self.model.params.items():
            self.model.params[name] = adam(w, grads[name], self.configs[name])

    def check_accuracy(self, x: Array, y: Array, num_samples: int | None = None, batch_size: int = 100) -> float:
        if num_samples is not None and x.shape[0] > num_samples:
            subset = np.random.choice(x.shape[0], num_samples)
            x, y = x[subset], y[subset]
        starts = range(0, x.shape[0], batch_size)
        predicted = [self.model.scores(x[i : i + batch_size]).argmax(axis=1) for i in starts]
        return float(np.mean(np.hstack(predicted) == y))

    def train(self) -> None:
        per_epoch = max(self.data["X_train"].shape[0] // self.batch_size, 1)
        iterations = self.num_epochs * per_epoch
        best_val_acc, best_params, epoch = 0.0, self.model.params, 0
        for t in range(iterations):
            self.step()
            if t % self.print_every == 0:
                print(f"(Iteration {t + 1} / {iterations}) loss: {self.loss_history[-1]:f}")
            epoch_end = (t + 1) % per_epoch == 0
            if epoch_end:
                epoch += 1
                for config in self.configs.values():
                    config["learning_rate"] *= self.lr_decay
            if t == 0 or t == iterations - 1 or epoch_end:
                train_acc = self.check_accuracy(self.data["X_train"], self.data["y_train"], num_samples=1000)
                val_acc = self.check_accuracy(self.data["X_val"], self.data["y_val"])
                self.train_acc_history.append(train_acc)
                self.val_acc_history.append(val_acc)
                print(f"(Epoch {epoch} / {self.num_epochs}) train acc: {train_acc:f}; val_acc: {val_acc:f}")
                if val_acc > best_val_acc:
                    best_val_acc = val_acc
                    best_params = {name: w.copy() for name, w in self.model.params.items()}
        self.model.params = best_params


def eval_numerical_gradient(f: Callable[[], float], x: Array, h: float = 1e-5) -> Array:
    """Central differences of `f`, which reads `x`, for each element of `x` in turn."""
    grad = np.zeros_like(x)
    for ix in np.ndindex(*x.shape):
        old = x[ix]
        x[ix] = old + h
        above = f()
        x[ix] = old - h
        below = f()
        x[ix] = old
        grad[ix] = (above - below) / (2 * h)
    return grad


def rel_error(x: Array, y: Array) -> float:
    """The largest relative error of two arrays."""
    return float(np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y))))
