"""scikit-learn's own checks of an estimator, in full."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from thinnet import MLPClassifier, MLPRegressor

SETTINGS: list[dict[str, Any]] = [
    {},
    {"dtype": "float64"},
    {"dropout": 0.2, "input_dropout": 0.1, "max_norm": 3.0},
    {"batch_norm": True, "learning_rate_init": 0.01},
    {"solver": "sgd", "learning_rate_init": 0.01, "learning_rate": "adaptive"},
    {"n_members": 2},
    {"early_stopping": True, "validation_fraction": 0.3, "n_iter_no_change": 50, "learning_rate_init": 0.01},
]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [
        kind(hidden_layer_sizes=(60,), max_iter=150, **settings)
        for kind in (MLPClassifier, MLPRegressor)
        for settings in SETTINGS
    ]
    + [MLPClassifier(), MLPRegressor()]
)
def test_check(estimator: Any, check: Any) -> None:
    check(estimator)
