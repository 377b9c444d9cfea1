"""The networks of both dialects, computed by the compiled part."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from thinnet import _thinnet
from thinnet.course._arrays import Array, floats, labels


class Settings(NamedTuple):
    """A network for the compiled part; its fields are those of the struct `Network` there."""

    layers: list[tuple[Array, Array, Array | None, Array | None]]
    normalization: str | None
    settings: list[tuple[float, float]]
    running: list[tuple[Array, Array]]
    keep_prob: float | None
    seed: int | None
    reg: float


class Network:
    """A fully-connected network with the course's attributes; shared by the dialects' classes."""

    def __init__(
        self,
        hidden_dims: Sequence[int],
        input_dim: int,
        num_classes: int,
        *,
        keep_prob: float | None,
        normalization: str | None,
        reg: float,
        weight_scale: float,
        dtype: DTypeLike,
        seed: int | None,
    ) -> None:
        if np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise ValueError(f"dtype must be float32 or float64, got {np.dtype(dtype)}")
        dims = [input_dim, *hidden_dims, num_classes]
        if any(size < 1 for size in dims):
            raise ValueError(f"every layer must have at least 1 unit, got {dims}")
        self.use_dropout = keep_prob is not None
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self._normalization = normalization
        self.params: dict[str, Array] = {}
        for i, (fan_in, fan_out) in enumerate(pairwise(dims), start=1):
            self.params[f"W{i}"] = (weight_scale * np.random.randn(fan_in, fan_out)).astype(dtype)
            self.params[f"b{i}"] = np.zeros(fan_out, dtype=dtype)
            if normalization is not None and i < self.num_layers:
                self.params[f"gamma{i}"] = np.ones(fan_out, dtype=dtype)
                self.params[f"beta{i}"] = np.zeros(fan_out, dtype=dtype)
        self.dropout_param: dict[str, Any] = {}
        if keep_prob is not None:
            self.dropout_param = {"mode": "train", "p": keep_prob}
            if seed is not None:
                self.dropout_param["seed"] = seed
        self.bn_params: list[dict[str, Any]] = []
        if normalization == "batchnorm":
            self.bn_params = [{"mode": "train"} for _ in hidden_dims]
        elif normalization == "layernorm":
            self.bn_params = [{} for _ in hidden_dims]

    def loss(self, X: Array, y: Array | None = None) -> Any:
        """Compute the loss and its gradients, or without labels the scores.

        Parameters
        ----------
        X : array of shape (N, d_1, ..., d_k)
            Samples of ``input_dim`` numbers.
        y : array of N integers, optional
            Labels, 0 to num_classes - 1.

        Returns
        -------
        scores : array of shape (N, num_classes)
            If `y` is None: the scores in test mode.
        loss, grads : float, dict of arrays
            Otherwise: the training loss with its L2 term, and its gradients by the parameters' names.
        """
        mode = "test" if y is None else "train"
        self._set_mode(mode)
        found = np.asarray(X)
        samples = floats(
            found.reshape(found.shape[0], -1) if found.size else found.reshape(0, self._inputs()), self.dtype
        )
        settings = self._settings()
        if y is None:
            return _thinnet.network_scores(samples, settings)
        loss, gradients, running = _thinnet.network_loss(samples, labels(y), settings)
        self.set_running(running)
        return loss, self.by_name(gradients)

    def parameter_names(self) -> list[str]:
        """The parameters' names, layer by layer: W1, b1, (gamma1, beta1,) W2, ..."""
        names = []
        for i in range(1, self.num_layers + 1):
            hidden = self._normalization is not None and i < self.num_layers
            names += [f"W{i}", f"b{i}", *([f"gamma{i}", f"beta{i}"] if hidden else [])]
        return names

    @staticmethod
    def by_name(layers: list[tuple[Array, Array, Array | None, Array | None]]) -> dict[str, Array]:
        """Parameters or gradients by name, of layers from the compiled part."""
        named: dict[str, Array] = {}
        for i, (w, b, gamma, beta) in enumerate(layers, start=1):
            named[f"W{i}"], named[f"b{i}"] = w, b
            if gamma is not None and beta is not None:
                named[f"gamma{i}"], named[f"beta{i}"] = gamma, beta
        return named

    def set_running(self, running: list[tuple[Array, Array]]) -> None:
        """Store batch normalisation's running means and variances."""
        for bn_param, (mean, variance) in zip(self.bn_params, running, strict=False):
            bn_param["running_mean"], bn_param["running_var"] = mean, variance

    def is_trainable_at_once(self) -> bool:
        """Whether the compiled training loop supports this network, which must be unchanged since its creation."""
        usual_bn = all(settings == (1e-5, 0.9) for settings in self._normalization_settings())
        return (
            usual_bn
            and set(self.params) == set(self.parameter_names())
            and all(w.dtype == np.dtype(self.dtype) for w in self.params.values())
        )

    def _inputs(self) -> int:
        return int(self.params["W1"].shape[0])

    def _set_mode(self, mode: str) -> None:
        if self.use_dropout:
            self.dropout_param["mode"] = mode
        if self._normalization == "batchnorm":
            for bn_param in self.bn_params:
                bn_param["mode"] = mode

    def _normalization_settings(self) -> list[tuple[float, float]]:
        """The epsilon and the momentum of each hidden layer's normalisation."""
        return [(bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)) for bn_param in self.bn_params]

    def _settings(self) -> Settings:
        """The network in its current state; parameters of its dtype are passed without a copy."""
        layers, running = [], []
        for i in range(1, self.num_layers + 1):
            arrays = [self.params.get(f"{name}{i}") for name in ("W", "b", "gamma", "beta")]
            w, b, gamma, beta = (None if array is None else floats(array, self.dtype) for array in arrays)
            if w is None or b is None:
                raise ValueError(f"params has no W{i} or no b{i}, but the network has {self.num_layers} layers")
            layers.append((w, b, gamma, beta))
        if self._normalization == "batchnorm":
            for bn_param, (_, b, _, _) in zip(self.bn_params, layers, strict=False):
                zeros = np.zeros(b.shape, dtype=self.dtype)
                running.append(
                    (
                        floats(bn_param.get("running_mean", zeros), self.dtype),
                        floats(bn_param.get("running_var", zeros), self.dtype),
                    )
                )
        return Settings(
            layers,
            self._normalization,
            self._normalization_settings(),
            running,
            self.dropout_param["p"] if self.use_dropout else None,
            self.dropout_param.get("seed") if self.use_dropout else None,
            self.reg,
        )


class TwoLayerNet(Network):
    """affine - ReLU - affine - softmax, in float64.

    Parameters
    ----------
    input_dim, hidden_dim, num_classes : int
        Sizes of the layers.
    weight_scale : float
        Standard deviation of the initial weights.
    reg : float
        Strength of the L2 term ``0.5 * reg * sum(W^2)`` over all weights.

    Attributes
    ----------
    params : dict of arrays
        W1, b1, W2, b2; they may be changed in place or replaced.
    """

    def __init__(
        self,
        input_dim: int = 3 * 32 * 32,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
    ) -> None:
        super().__init__(
            [hidden_dim],
            input_dim,
            num_classes,
            keep_prob=None,
            normalization=None,
            reg=reg,
            weight_scale=weight_scale,
            dtype=np.float64,
            seed=None,
        )
