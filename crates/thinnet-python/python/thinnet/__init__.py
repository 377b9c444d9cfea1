"""Neural networks with dropout that compute only the units that dropout keeps."""

from thinnet._thinnet import __version__

__all__ = ["__version__"]
