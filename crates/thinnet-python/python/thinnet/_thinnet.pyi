"""The compiled part of thinnet; import from `thinnet`."""

from collections.abc import Callable
from typing import Any, TypeAlias, final

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

__version__: str
__all__ = [
    "Network",
    "NormalisationCache",
    "Samples",
    "__version__",
    "activate",
    "affine_backward",
    "affine_forward",
    "batch_norm_forward",
    "dropout_backward",
    "dropout_forward",
    "ensemble_to_onnx",
    "layer_norm_forward",
    "network_loss",
    "network_scores",
    "normalisation_backward",
    "read_images",
    "relu_backward",
    "relu_forward",
    "sample_images",
    "softmax_loss",
    "svm_loss",
    "train",
    "update",
]

@final
class Samples:
    @staticmethod
    def dense(x: npt.NDArray[Any], sparse_below: float = 0.0, *, in_place: bool = False) -> Samples: ...
    @staticmethod
    def sparse(
        columns: int, indptr: npt.NDArray[np.int64], indices: npt.NDArray[np.int64], data: npt.NDArray[Any]
    ) -> Samples: ...
    def __len__(self) -> int: ...

def activate(x: NDArray[Any], activation: str) -> NDArray[Any]: ...

@final
class Network:
    def __new__(cls, layers: list[Any], settings: dict[str, Any]) -> Network: ...
    def train(
        self,
        samples: Samples,
        targets: npt.NDArray[Any],
        weights: npt.NDArray[np.float64] | None,
        order: npt.NDArray[np.int64],
        *,
        batch_size: int,
        alpha: float,
        threads: int,
    ) -> float: ...
    def gradients(
        self,
        samples: Samples,
        targets: npt.NDArray[Any],
        weights: npt.NDArray[np.float64] | None,
        order: npt.NDArray[np.int64],
        *,
        alpha: float,
        threads: int,
    ) -> tuple[float, float, list[Any]]: ...
    def predict(self, x: Samples | npt.NDArray[Any], threads: int) -> npt.NDArray[Any]: ...
    def predict_masked(
        self, samples: Samples, draw: int, draws: int, first: int, threads: int
    ) -> list[npt.NDArray[np.float64]]: ...
    def layers(self) -> list[Any]: ...
    def to_onnx(self, classes: list[int] | list[str] | None, *, zipmap: bool, dropout: bool) -> bytes: ...
    def set_layers(self, layers: list[Any]) -> None: ...
    def set_learning_rate(self, learning_rate: float) -> None: ...
    def restart(self, settings: dict[str, Any]) -> None: ...
    def remember(self) -> None: ...
    def recall(self) -> None: ...
    @property
    def sparse_below(self) -> float: ...
    @property
    def steps(self) -> int: ...
    def __getnewargs__(self) -> tuple[list[Any], dict[str, Any]]: ...
    def __getstate__(self) -> dict[str, Any]: ...
    def __setstate__(self, memory: dict[str, Any]) -> None: ...

def ensemble_to_onnx(
    networks: list[Network], classes: list[int] | list[str] | None, *, zipmap: bool, dropout: bool
) -> bytes: ...

# thinnet.course: arrays of a call are all of float32 or all of float64.
_Array: TypeAlias = NDArray[Any]
_Layer: TypeAlias = tuple[_Array, _Array, _Array | None, _Array | None]
_Labels: TypeAlias = NDArray[np.int64]
_Images: TypeAlias = tuple[list[tuple[str, NDArray[np.uint8], _Labels]], list[int], NDArray[np.float64] | None]

@final
class NormalisationCache:
    @property
    def dtype(self) -> str: ...

def read_images(path: Any) -> _Images: ...
def sample_images() -> _Images: ...
def affine_forward(x: _Array, w: _Array, b: _Array) -> _Array: ...
def affine_backward(dout: _Array, x: _Array, w: _Array) -> tuple[_Array, _Array, _Array]: ...
def relu_forward(x: _Array) -> _Array: ...
def relu_backward(dout: _Array, x: _Array) -> _Array: ...
def dropout_forward(x: _Array, p: float) -> tuple[_Array, _Array]: ...
def dropout_backward(dout: _Array, mask: _Array) -> _Array: ...
def softmax_loss(x: _Array, y: _Labels) -> tuple[float, _Array]: ...
def svm_loss(x: _Array, y: _Labels) -> tuple[float, _Array]: ...
def batch_norm_forward(
    x: _Array,
    gamma: _Array,
    beta: _Array,
    running_mean: _Array,
    running_var: _Array,
    eps: float,
    momentum: float,
    train: bool,
) -> tuple[_Array, _Array, _Array, NormalisationCache]: ...
def layer_norm_forward(x: _Array, gamma: _Array, beta: _Array, eps: float) -> tuple[_Array, NormalisationCache]: ...
def normalisation_backward(dout: _Array, cache: NormalisationCache) -> tuple[_Array, _Array, _Array]: ...
def update(
    w: _Array,
    dw: _Array,
    rule: str,
    learning_rate: float,
    settings: list[tuple[str, float]],
    state: tuple[list[_Array], int],
) -> tuple[_Array, list[_Array]]: ...
def network_scores(x: _Array, network: Any) -> _Array: ...
def network_loss(x: _Array, y: _Labels, network: Any) -> tuple[float, list[_Layer], list[tuple[_Array, _Array]]]: ...
def train(
    network: Any,
    training: tuple[_Array, _Labels],
    validation: tuple[_Array, _Labels],
    plan: Any,
    report: Callable[[str], object],
    like: _Array,
) -> dict[str, Any]: ...
