"""The course's combined layers."""

from typing import Any, TypeAlias

from thinnet.course._arrays import Array
from thinnet.course.layers import affine_backward, affine_forward, relu_backward, relu_forward

__all__ = ["affine_relu_backward", "affine_relu_forward"]

AffineReluCache: TypeAlias = tuple[tuple[Any, Any, Any], Array]


def affine_relu_forward(x: Array, w: Array, b: Array) -> tuple[Array, AffineReluCache]:
    """Affine, then ReLU: x (N, d_1, ..., d_k), w (D, M), b (M,); returns (N, M) and the cache of both."""
    a, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    return out, (fc_cache, relu_cache)


def affine_relu_backward(dout: Array, cache: AffineReluCache) -> tuple[Array, Array, Array]:
    """Compute the gradients ``(dx, dw, db)`` of `affine_relu_forward`."""
    fc_cache, relu_cache = cache
    return affine_backward(relu_backward(dout, relu_cache), fc_cache)
