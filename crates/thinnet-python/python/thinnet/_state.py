"""The network of an estimator, the attributes that show it, and what it is stored as."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from thinnet._estimator import Estimator
from thinnet._parameters import Architecture, check_dtype, check_parameters
from thinnet._thinnet import Network


class NetworkState(Estimator):
    """An estimator with its network."""

    _shape: tuple[tuple[int, ...], str, bool, str, str]
    _learning_rate: float
    _no_improvement_count: int

    def _loss_name(self) -> str:
        """The network's loss."""
        raise NotImplementedError

    def _loss_settings(self) -> dict[str, Any]:
        """The settings of the loss."""
        return {"huber_delta": 1.0, "quantiles": [0.5]}

    def _n_scores(self) -> int:
        """How many outputs the network has: more than one for each target where the loss needs more."""
        return self.n_outputs_

    def _check_own_parameters(self) -> None:
        """Check parameters that the other estimator does not have."""

    @property
    def _optimizer(self) -> SimpleNamespace:
        """The current learning rate, where programs written for scikit-learn look for it."""
        return SimpleNamespace(learning_rate=self._learning_rate)

    # Settings, and what a continued fit takes of changed ones.

    def _settings(self, architecture: Architecture, seed: int) -> dict[str, Any]:
        return {
            "activation": self.activation,
            "loss": self._loss_name(),
            **self._loss_settings(),
            "dropout": list(architecture.dropout),
            "input_dropout": float(self.input_dropout),
            "max_norm": None if self.max_norm is None else float(self.max_norm),
            "batch_norm": bool(self.batch_norm),
            "solver": self.solver,
            "learning_rate": float(self.learning_rate_init),
            "momentum": float(self.momentum),
            "nesterov": bool(self.nesterovs_momentum),
            "weight_decay": float(self.weight_decay),
            "beta_1": float(self.beta_1),
            "beta_2": float(self.beta_2),
            "epsilon": float(self.epsilon),
            "seed": seed,
        }

    def _check_same_network(self, architecture: Architecture, dtype: np.dtype[Any]) -> None:
        units = (self.n_features_in_, *architecture.hidden, self._n_scores())
        shape = (units, self.activation, bool(self.batch_norm), dtype.name, self._loss_name())
        if shape != self._shape:
            names = ("layer sizes", "activation", "batch_norm", "dtype", "loss")
            changed = [name for name, now, then in zip(names, shape, self._shape, strict=True) if now != then]
            raise ValueError(
                f"A fit that continues the last one cannot change {', '.join(changed)}: set warm_start=False and "
                "call fit."
            )

    def _restart(self, architecture: Architecture) -> None:
        """Make a new fit continue from the current parameters."""
        self._used_settings = self._settings(architecture, 0)
        self._network.restart(self._used_settings)
        self._learning_rate = float(self.learning_rate_init)
        self._no_improvement_count = 0
        self.best_validation_score_ = None
        if not self.early_stopping and self.best_loss_ is None:
            self.best_loss_ = math.inf

    def _follow_parameters(self, *, keep_best: bool) -> None:
        """Take what callbacks changed during a fit: `coefs_`, `intercepts_` and parameters."""
        architecture = check_parameters(self)
        self._check_own_parameters()
        self._check_same_network(architecture, check_dtype(self.dtype))
        self._live_network()
        self._take_settings(architecture, keep_best=keep_best)

    def _changes(self, architecture: Architecture) -> tuple[dict[str, Any], set[str]]:
        """The settings that the parameters make, and the names of those that the network does not have."""
        now, then = self._settings(architecture, 0), self._used_settings
        return now, {name for name in now if name != "seed" and now[name] != then[name]}

    def _is_changed(self) -> bool:
        return self._is_replaced() or bool(self._changes(check_parameters(self))[1])

    def _take_settings(self, architecture: Architecture, *, keep_best: bool = False) -> None:
        """Bring the network to the estimator's parameters; the optimiser keeps its memory."""
        now, changed = self._changes(architecture)
        if "solver" in changed:
            raise ValueError(
                "A fit that continues the last one cannot change solver, whose memory is of another kind: set "
                "warm_start=False and call fit."
            )
        if "learning_rate" in changed:
            self._learning_rate = now["learning_rate"]
            self._network.set_learning_rate(self._learning_rate)
        if changed - {"learning_rate"}:
            self._rebuild(now, keep_best=keep_best)
        self._used_settings = now

    def _rebuild(self, settings: dict[str, Any], *, keep_best: bool) -> None:
        """Replace the network by one with other settings, and the same parameters and memory."""
        old = self._network
        layers, own = old.__getnewargs__()
        memory = old.__getstate__()
        settings = {**settings, "seed": own["seed"], "learning_rate": own["learning_rate"]}
        new = Network(layers, settings)
        if keep_best:
            old.recall()
            new.set_layers(old.layers())
            new.__setstate__(old.__getstate__())
            new.remember()
            new.set_layers(layers)
        new.__setstate__(memory)
        self._network = new

    # The network and the attributes that show it.

    def _publish(self) -> None:
        layers = self._network.layers()
        self.coefs_ = [layer[0] for layer in layers]
        self.intercepts_ = [layer[1] for layer in layers]
        self._mark_synced()

    def _mark_synced(self) -> None:
        # The arrays are read-only, so changes in place are impossible; replaced arrays are noticed.
        self._synced = (*self.coefs_, *self.intercepts_)
        for array in self._synced:
            array.flags.writeable = False

    def _is_replaced(self) -> bool:
        """Whether the user replaced `coefs_` or `intercepts_`."""
        shown = (*self.coefs_, *self.intercepts_)
        return len(shown) != len(self._synced) or any(a is not b for a, b in zip(shown, self._synced, strict=True))

    def _live_network(self) -> Network:
        """The network, with the user's parameters if `coefs_` or `intercepts_` were replaced."""
        if self._is_replaced():
            kind = np.dtype(self._shape[3])
            own = self._network.layers()
            if len(self.coefs_) != len(own) or len(self.intercepts_) != len(own):
                raise ValueError(f"coefs_ and intercepts_ must have {len(own)} arrays each.")
            self.coefs_ = [np.array(w, dtype=kind) for w in self.coefs_]
            self.intercepts_ = [np.array(b, dtype=kind) for b in self.intercepts_]
            normal = [layer[2] for layer in own]
            self._network.set_layers(list(zip(self.coefs_, self.intercepts_, normal, strict=True)))
            self._mark_synced()
        return self._network

    def __getstate__(self) -> dict[str, Any]:
        # The network goes as arrays and plain values, which every protocol and safe format can hold.
        fitted = hasattr(self, "_network")
        network = self._live_network() if fitted else None
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_synced", None)
        if network is not None:
            layers, settings = network.__getnewargs__()
            normal = [layer[2] for layer in layers]
            state["_network"] = {"normal": normal, "settings": settings, "memory": network.__getstate__()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "_network"):
            parts: Any = self._network
            layers = list(zip(self.coefs_, self.intercepts_, parts["normal"], strict=True))
            self._network = Network(layers, parts["settings"])
            self._network.__setstate__(parts["memory"])
            self._mark_synced()

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_network") or hasattr(self, "members_")
