"""Neural networks with dropout that compute only the units that dropout keeps."""

from thinnet._classifier import MLPClassifier
from thinnet._export import to_onnx
from thinnet._regressor import MLPRegressor
from thinnet._skl2onnx import register_skl2onnx
from thinnet._thinnet import __version__

__all__ = ["MLPClassifier", "MLPRegressor", "__version__", "register_skl2onnx", "to_onnx"]
