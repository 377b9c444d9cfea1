"""Neural networks with dropout that compute only the units that dropout keeps."""

from thinnet._classifier import MLPClassifier
from thinnet._export import to_onnx
from thinnet._regressor import MLPRegressor
from thinnet._thinnet import __version__

__all__ = ["MLPClassifier", "MLPRegressor", "__version__", "to_onnx"]
