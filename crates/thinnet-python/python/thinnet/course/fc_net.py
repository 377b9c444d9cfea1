"""The course's networks, in the dialect of cs6353 and of cs231n up to 2017."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from thinnet.course._network import Network, TwoLayerNet

__all__ = ["FullyConnectedNet", "TwoLayerNet"]


class FullyConnectedNet(Network):
    """{affine - [batch normalisation] - ReLU - [dropout]} x (L - 1) - affine - softmax.

    Parameters
    ----------
    hidden_dims : sequence of int
        Sizes of the hidden layers.
    input_dim : int
        How many numbers a sample has.
    num_classes : int
    dropout : float
        The probability to KEEP a hidden unit. 0 leaves the dropout layers out; with 1 they exist, and draw masks that
        keep everything.
    use_batchnorm : bool
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
        dropout: float = 0,
        use_batchnorm: bool = False,
        reg: float = 0.0,
        weight_scale: float = 1e-2,
        dtype: DTypeLike = np.float32,
        seed: int | None = None,
    ) -> None:
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout must be from 0 to 1, got {dropout}; it is the probability to KEEP a unit")
        self.use_batchnorm = use_batchnorm
        super().__init__(
            hidden_dims,
            input_dim,
            num_classes,
            keep_prob=dropout if dropout > 0 else None,
            normalization="batchnorm" if use_batchnorm else None,
            reg=reg,
            weight_scale=weight_scale,
            dtype=dtype,
            seed=seed,
        )
