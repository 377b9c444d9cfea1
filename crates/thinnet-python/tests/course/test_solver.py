"""The training loop: in one call and step by step it is the same run."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from thinnet.course import fc_net, fc_net_2026, layers, optim
from thinnet.course.solver import Solver


def small_data() -> dict[str, Any]:
    random = np.random.RandomState(7)
    x, y = random.randn(150, 3, 4, 2), random.randint(4, size=150)
    return {"X_train": x[:120], "y_train": y[:120], "X_val": x[120:], "y_val": y[120:]}


class InPython(Solver):
    """Forbids the call at once."""

    def _step(self) -> None:
        super()._step()


def trained(kind: type[Solver], rule: str, runs: int = 1, **network: Any) -> tuple[Solver, float]:
    np.random.seed(3)
    build = fc_net_2026.FullyConnectedNet if "normalization" in network else fc_net.FullyConnectedNet
    model = build([9, 8], input_dim=24, num_classes=4, dtype=np.float64, weight_scale=0.1, reg=0.01, **network)
    solver = kind(
        model,
        small_data(),
        update_rule=rule,
        optim_config={"learning_rate": 1e-3},
        lr_decay=0.9,
        batch_size=25,
        num_epochs=3,
        num_train_samples=50,
        print_every=5,
    )
    for _ in range(runs):
        solver.train()
    return solver, float(np.random.rand())


@pytest.mark.parametrize("rule", ["sgd", "sgd_momentum", "rmsprop", "adam"])
@pytest.mark.parametrize(
    "network",
    [
        {},
        {"dropout": 0.6},
        {"dropout": 0.6, "seed": 5},
        {"dropout": 1},
        {"use_batchnorm": True, "dropout": 0.8},
        {"normalization": "layernorm", "dropout_keep_ratio": 0.8},
    ],
    ids=["plain", "dropout", "seeded", "keep-all", "batchnorm", "layernorm"],
)
def test_one_call_is_the_run_step_by_step(
    rule: str, network: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    at_once, next_draw = trained(Solver, rule, 2, **network)
    printed = capsys.readouterr().out
    by_steps, next_draw_by_steps = trained(InPython, rule, 2, **network)
    assert printed == capsys.readouterr().out
    assert next_draw == next_draw_by_steps, "the stream is left at the same place"
    np.testing.assert_allclose(at_once.loss_history, by_steps.loss_history, rtol=1e-9)
    assert at_once.train_acc_history == by_steps.train_acc_history
    assert at_once.val_acc_history == by_steps.val_acc_history
    assert (at_once.epoch, at_once.best_val_acc) == (by_steps.epoch, by_steps.best_val_acc)
    for name, w in by_steps.model.params.items():
        np.testing.assert_allclose(at_once.model.params[name], w, rtol=1e-7, atol=1e-12, err_msg=name)
    for name, config in by_steps.optim_configs.items():
        assert set(config) == set(at_once.optim_configs[name])
        for key, value in config.items():
            np.testing.assert_allclose(at_once.optim_configs[name][key], value, rtol=1e-6, atol=1e-12)


def test_plans_are_made_where_they_may_be_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    solver, _ = trained(Solver, "adam")
    assert solver._plan() is not None
    for normalization in ("batchnorm", "layernorm"):
        normalized, _ = trained(Solver, "adam", normalization=normalization)
        assert normalized._plan() is not None
        normalized.model.bn_params[1]["eps"] = 1e-3
        assert normalized._plan() is None
    solver.update_rule = lambda w, dw, config: (w - 0.1 * dw, config)
    assert solver._plan() is None
    solver.train()
    solver.update_rule = optim.adam
    solver.checkpoint_name = "there"
    assert solver._plan() is None


@pytest.mark.parametrize("normalization", ["batchnorm", "layernorm"])
def test_each_layer_is_normalised_by_its_own_settings(normalization: str) -> None:
    solver, _ = trained(Solver, "sgd", normalization=normalization)
    model, x = solver.model, small_data()["X_val"]
    model.bn_params[0]["eps"], model.bn_params[1]["eps"] = 1e-2, 0.5
    forward = getattr(layers, f"{normalization}_forward")
    out, scores = x, model.loss(x)
    for i in (1, 2):
        out, _ = layers.affine_forward(out, model.params[f"W{i}"], model.params[f"b{i}"])
        out, _ = forward(out, model.params[f"gamma{i}"], model.params[f"beta{i}"], model.bn_params[i - 1])
        out, _ = layers.relu_forward(out)
    out, _ = layers.affine_forward(out, model.params["W3"], model.params["b3"])
    np.testing.assert_array_equal(scores, out)


def test_a_diverging_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    np.random.seed(1)
    model = fc_net.FullyConnectedNet([9], input_dim=24, num_classes=4, weight_scale=1e3)
    solver = Solver(model, small_data(), optim_config={"learning_rate": 1e30}, num_epochs=2, batch_size=20)
    solver.train()
    assert len(solver.loss_history) == 12
    assert not np.isfinite(solver.loss_history[-1])
    assert "nan" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_stops_a_run_and_keeps_what_is_trained() -> None:
    np.random.seed(1)
    model = fc_net.FullyConnectedNet([400], input_dim=24, num_classes=4)
    solver = Solver(model, small_data(), num_epochs=1_000_000, verbose=False, update_rule="adam")
    before = model.params["W1"].copy()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts with it ignored
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        solver.train()
    assert 0 < len(solver.loss_history) < 1_000_000
    assert not np.array_equal(model.params["W1"], before)


def test_checkpoints_are_the_courses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solver, _ = trained(Solver, "sgd")
    solver.checkpoint_name = str(tmp_path / "run")
    capsys.readouterr()
    solver.train()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"run_epoch_{n}.pkl" for n in (3, 4, 5, 6)]
    assert f'Saving checkpoint to "{tmp_path}/run_epoch_4.pkl"' in capsys.readouterr().out


def test_what_is_wrong_is_said() -> None:
    model = fc_net.FullyConnectedNet([3], input_dim=24, num_classes=4)
    with pytest.raises(ValueError, match="Unrecognized arguments"):
        Solver(model, small_data(), epochs=3)
    with pytest.raises(ValueError, match="Invalid update_rule"):
        Solver(model, small_data(), update_rule="adagrad")
