"""Searches that stop bad candidates early, on the engines that people use: each does less work than a full search."""

from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_digits
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV, train_test_split
from thinnet import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_digits(return_X_y=True)
X = X / 16
X_TRAIN, X_VAL, Y_TRAIN, Y_VAL = train_test_split(X, Y, random_state=0, stratify=Y)
EPOCHS = 20


def test_optuna_prunes_by_a_callback() -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    epochs: list[int] = []

    def objective(trial: Any) -> float:
        model = MLPClassifier(
            (64,),
            dropout=trial.suggest_float("dropout", 0.0, 0.9),
            learning_rate_init=trial.suggest_float("learning_rate_init", 1e-5, 1e-1, log=True),
            max_iter=EPOCHS,
            random_state=0,
            n_jobs=1,
        )

        def prune(model: MLPClassifier, record: dict[str, float]) -> None:
            epochs.append(trial.number)
            trial.report(record["validation_score"], int(record["epoch"]))
            if trial.should_prune():
                raise optuna.TrialPruned

        model.fit(X_TRAIN, Y_TRAIN, X_val=X_VAL, y_val=Y_VAL, callbacks=prune)
        return model.score(X_VAL, Y_VAL)

    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2),
    )
    study.optimize(objective, n_trials=12)
    pruned = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.PRUNED]
    assert 3 <= len(pruned) < 12
    assert len(epochs) < 0.8 * 12 * EPOCHS
    assert study.best_value > 0.9


def test_halving_takes_epochs_as_its_resource() -> None:
    model = MLPClassifier((32,), random_state=0, n_jobs=1)
    search = HalvingGridSearchCV(
        model,
        {"dropout": [0.0, 0.3, 0.6, 0.9], "learning_rate_init": [1e-4, 1e-3, 1e-2]},
        resource="max_iter",
        min_resources=3,
        max_resources=27,
        factor=3,
        cv=3,
        random_state=0,
    ).fit(X_TRAIN, Y_TRAIN)
    assert search.n_resources_ == [3, 9, 27] and search.n_candidates_ == [12, 4, 2]
    spent = sum(a * b for a, b in zip(search.n_resources_, search.n_candidates_, strict=True))
    assert spent < 0.5 * 12 * 27
    assert search.best_params_["learning_rate_init"] > 1e-4
    assert search.score(X_VAL, Y_VAL) > 0.9


def test_ray_tune_s_asha_stops_trials(tmp_path: Path) -> None:
    import ray
    from ray import tune

    def train(config: dict[str, float]) -> None:
        model = MLPClassifier((32,), random_state=0, n_jobs=1, max_iter=EPOCHS, tol=0.0, **config)
        model.fit(
            X_TRAIN,
            Y_TRAIN,
            X_val=X_VAL,
            y_val=Y_VAL,
            callbacks=lambda model, record: tune.report({"accuracy": record["validation_score"]}),
        )

    ray.init(num_cpus=2, include_dashboard=False)
    try:
        results = tune.Tuner(
            train,
            param_space={"dropout": tune.uniform(0.0, 0.9), "learning_rate_init": tune.loguniform(1e-5, 1e-1)},
            tune_config=tune.TuneConfig(
                metric="accuracy",
                mode="max",
                num_samples=8,
                scheduler=tune.schedulers.ASHAScheduler(max_t=EPOCHS, grace_period=2, reduction_factor=2),
            ),
            run_config=tune.RunConfig(storage_path=str(tmp_path), verbose=0),
        ).fit()
    finally:
        ray.shutdown()
    assert not results.errors
    epochs = [result.metrics["training_iteration"] for result in results]
    assert sum(epochs) < 0.8 * 8 * EPOCHS and max(epochs) == EPOCHS
    assert results.get_best_result().metrics["accuracy"] > 0.9
