"""The exercises, by name."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from thinnet.course._grade import dropout, layers, optim
from thinnet.course._grade.checks import Checks
from thinnet.course._grade.student import Student

Exercise: TypeAlias = Callable[[Student, np.random.Generator], Checks]

EXERCISES: dict[str, Exercise] = {
    "dropout": dropout.checks,
    "fc_net": layers.fc_net,
    "optim": optim.checks,
    "batchnorm": layers.batchnorm,
}
