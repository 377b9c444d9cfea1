"""Neural networks with dropout that compute only the units that dropout keeps."""

from thinnet._classifier import MLPClassifier
from thinnet._regressor import MLPRegressor
from thinnet._thinnet import __version__

__all__ = ["MLPClassifier", "MLPRegressor", "__version__"]
