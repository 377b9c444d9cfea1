"""The course's networks, in the dialect of cs231n today (2026)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from thinnet.course._network import Network, TwoLayerNet

__all__ = ["FullyConnectedNet", "TwoLayerNet"]


class FullyConnectedNet(Network):
    """{affine - [normalisation] - ReLU - [dropout]} x (L - 1) - affine - softmax.

    Parameters
    ----------
    hidden_dims : sequence of int
        Sizes of the hidden layers.
    input_dim : int
        How many numbers a sample has.
    num_classes : int
    dropout_keep_ratio : float
        The probability to KEEP a hidden unit; with 1 there are no dropout layers.
    normalization : "batchnorm", "layernorm" or None
    reg : float
        Strength of the L2 term ``0.5 * reg * sum(W^2)`` over all weights.
    weight_scale : float
        Standard deviation of the initial weights.
    dtype : float32 or float64
    seed : int or None
        If given, every dropout layer seeds NumPy's global stream with it in every pass, so that masks stay the same.

    Attributes
    ----------
    params : dict of arrays
        W1, b1, (gamma1, beta1,) W2, ...; they may be changed in place or replaced.
    """

    def __init__(
        self,
        hidden_dims: Sequence[int],
        input_dim: int = 3 * 32 * 32,
        num_classes: int = 10,
        dropout_keep_ratio: float = 1,
        normalization: str | None = None,
        reg: float = 0.0,
        weight_scale: float = 1e-2,
        dtype: DTypeLike = np.float32,
        seed: int | None = None,
    ) -> None:
        if not 0 < dropout_keep_ratio <= 1:
            raise ValueError(
                f"dropout_keep_ratio must be above 0 and at most 1, got {dropout_keep_ratio}; it is the probability to "
                "KEEP a unit"
            )
        if normalization not in ("batchnorm", "layernorm", None):
            raise ValueError(f'normalization must be "batchnorm", "layernorm" or None, got {normalization!r}')
        self.normalization = normalization
        self.dropout_keep_ratio = dropout_keep_ratio
        super().__init__(
            hidden_dims,
            input_dim,
            num_classes,
            keep_prob=dropout_keep_ratio if dropout_keep_ratio != 1 else None,
            normalization=normalization,
            reg=reg,
            weight_scale=weight_scale,
            dtype=dtype,
            seed=seed,
        )
