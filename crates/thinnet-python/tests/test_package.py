"""The package as it is installed."""

from importlib.metadata import version

import thinnet


def test_version_is_the_package_s() -> None:
    assert thinnet.__version__ == version("thinnet")
