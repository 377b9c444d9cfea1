"""The course's training loop."""

import pickle
from types import ModuleType
from typing import Any

import numpy as np

from thinnet import _thinnet
from thinnet.course import optim
from thinnet.course._arrays import Array, floats, labels
from thinnet.course._network import Network

__all__ = ["Solver"]


class _Plan:
    """A run's settings for the compiled part; its attributes are the fields of the struct `Plan` there."""

    update_rule: str
    learning_rate: float

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class Solver:
    """Trains a model by stochastic gradient descent, and keeps the parameters with the best validation accuracy.

    If the model and the update rule are thinnet's own, `train` is one call into compiled code, which Ctrl-C stops. If
    one of them is a student's, or `checkpoint_name` is given, it is the course's loop in Python.
    Both draw from NumPy's global stream in the same order.

    Parameters
    ----------
    model : object
        Has ``params`` and ``loss(X, y)``, like `FullyConnectedNet`.
    data : dict
        ``X_train`` (N, d_1, ..., d_k), ``y_train`` (N,), ``X_val`` and ``y_val``.
    update_rule : str
        Name of a function of `optim` (default "sgd").
    optim_config : dict
        Settings of the update rule; every rule has ``learning_rate``.
    lr_decay : float
        Factor on the learning rate at the end of each epoch (default 1).
    batch_size : int
        Samples per step, drawn with replacement (default 100).
    num_epochs : int
        Epochs of ``max(N // batch_size, 1)`` steps (default 10).
    num_train_samples, num_val_samples : int or None
        Samples on which accuracies are checked (default 1000 and None, all).
    checkpoint_name : str or None
        If given, the solver is saved as ``NAME_epoch_E.pkl`` at every check.
    print_every : int
        Number of steps between printed lines (default 10).
    verbose : bool
        Whether to print lines (default True).

    Attributes
    ----------
    epoch : int
    best_val_acc : float
    best_params : dict of arrays
    loss_history, train_acc_history, val_acc_history : lists of float
    """

    #: The module whose functions are the update rules; the course's folder sets its own here.
    rules: ModuleType = optim

    def __init__(self, model: Any, data: dict[str, Array], **kwargs: Any) -> None:
        self.model = model
        self.X_train = data["X_train"]
        self.y_train = data["y_train"]
        self.X_val = data["X_val"]
        self.y_val = data["y_val"]

        self.update_rule: Any = kwargs.pop("update_rule", "sgd")
        self.optim_config: dict[str, Any] = kwargs.pop("optim_config", {})
        self.lr_decay = kwargs.pop("lr_decay", 1.0)
        self.batch_size = kwargs.pop("batch_size", 100)
        self.num_epochs = kwargs.pop("num_epochs", 10)
        self.num_train_samples = kwargs.pop("num_train_samples", 1000)
        self.num_val_samples = kwargs.pop("num_val_samples", None)
        self.checkpoint_name = kwargs.pop("checkpoint_name", None)
        self.print_every = kwargs.pop("print_every", 10)
        self.verbose = kwargs.pop("verbose", True)
        if kwargs:
            extra = ", ".join(f'"{name}"' for name in kwargs)
            raise ValueError(f"Unrecognized arguments {extra}")
        if not hasattr(self.rules, self.update_rule):
            raise ValueError(f'Invalid update_rule "{self.update_rule}"')
        self.update_rule = getattr(self.rules, self.update_rule)
        self._reset()

    def _reset(self) -> None:
        self.epoch = 0
        self.best_val_acc = 0.0
        self.best_params: dict[str, Array] = {}
        self.loss_history: list[float] = []
        self.train_acc_history: list[float] = []
        self.val_acc_history: list[float] = []
        self.optim_configs: dict[str, dict[str, Any]] = {p: dict(self.optim_config) for p in self.model.params}

    def _step(self) -> None:
        """One step: a batch, its loss and gradients, an update of every parameter."""
        chosen = np.random.choice(self.X_train.shape[0], self.batch_size)
        loss, grads = self.model.loss(self.X_train[chosen], self.y_train[chosen])
        self.loss_history.append(loss)
        for p, w in self.model.params.items():
            next_w, next_config = self.update_rule(w, grads[p], self.optim_configs[p])
            self.model.params[p] = next_w
            self.optim_configs[p] = next_config

    def _save_checkpoint(self) -> None:
        if self.checkpoint_name is None:
            return
        names = (
            "model",
            "update_rule",
            "lr_decay",
            "optim_config",
            "batch_size",
            "num_train_samples",
            "num_val_samples",
        )
        histories = ("epoch", "loss_history", "train_acc_history", "val_acc_history")
        filename = f"{self.checkpoint_name}_epoch_{self.epoch}.pkl"
        if self.verbose:
            print(f'Saving checkpoint to "{filename}"')
        with open(filename, "wb") as file:  # noqa: PTH123 - a name as the student gave it
            pickle.dump({name: getattr(self, name) for name in names + histories}, file)

    def check_accuracy(self, X: Array, y: Array, num_samples: int | None = None, batch_size: int = 100) -> float:
        """Compute the share of samples whose highest score is their label's.

        Parameters
        ----------
        X, y : arrays of shape (N, d_1, ..., d_k) and (N,)
        num_samples : int or None
            If less than N, this many samples are drawn, with replacement.
        batch_size : int
            How many samples are scored at a time.
        """
        if num_samples is not None and X.shape[0] > num_samples:
            chosen = np.random.choice(X.shape[0], num_samples)
            X, y = X[chosen], y[chosen]
        starts = range(0, X.shape[0], batch_size)
        predicted = [np.argmax(self.model.loss(X[i : i + batch_size]), axis=1) for i in starts]
        return float(np.mean(np.hstack(predicted) == y))

    def train(self) -> None:
        """Train for `num_epochs` epochs, then set the model to the best parameters."""
        plan = self._plan()
        if plan is None:
            self._train_in_python()
        else:
            self._train_at_once(plan)
        if self.best_params:
            # A copy, so that further training does not change the best parameters so far.
            self.model.params = {p: w.copy() for p, w in self.best_params.items()}

    def _iterations_per_epoch(self) -> int:
        return max(len(self.X_train) // int(self.batch_size), 1)

    def _train_in_python(self) -> None:
        per_epoch = self._iterations_per_epoch()
        iterations = self.num_epochs * per_epoch
        for t in range(iterations):
            self._step()
            if self.verbose and t % self.print_every == 0:
                print(f"(Iteration {t + 1} / {iterations}) loss: {self.loss_history[-1]:f}")
            epoch_end = (t + 1) % per_epoch == 0
            if epoch_end:
                self.epoch += 1
                for config in self.optim_configs.values():
                    config["learning_rate"] *= self.lr_decay
            if t == 0 or t == iterations - 1 or epoch_end:
                train_acc = self.check_accuracy(self.X_train, self.y_train, num_samples=self.num_train_samples)
                val_acc = self.check_accuracy(self.X_val, self.y_val, num_samples=self.num_val_samples)
                self.train_acc_history.append(train_acc)
                self.val_acc_history.append(val_acc)
                self._save_checkpoint()
                if self.verbose:
                    line = f"(Epoch {self.epoch} / {self.num_epochs}) train acc: {train_acc:f}; val_acc: {val_acc:f}"
                    print(line)
                if val_acc > self.best_val_acc:
                    self.best_val_acc = val_acc
                    self.best_params = {p: w.copy() for p, w in self.model.params.items()}

    def _plan(self) -> _Plan | None:
        """The plan for the compiled part, if that can do the run exactly as Python would."""
        rule = next((name for name in optim.RULES if self.update_rule is getattr(optim, name)), None)
        own = type(self)
        overridden = any(
            getattr(own, name) is not getattr(Solver, name) or name in vars(self)
            for name in ("_step", "_save_checkpoint", "check_accuracy", "_train_in_python")
        )
        model = self.model
        if (
            rule is None
            or overridden
            or self.checkpoint_name is not None
            or not isinstance(model, Network)
            or type(model).loss is not Network.loss
            or "loss" in vars(model)
            or not model.is_trainable_at_once()
            or set(self.optim_configs) != set(model.params)
        ):
            return None
        settings, arrays = optim.RULES[rule]
        configs = [self.optim_configs[p] for p in model.parameter_names()]
        shared = [{name: value for name, value in config.items() if name not in (*arrays, "t")} for config in configs]
        if any(config != shared[0] for config in shared) or not set(shared[0]) <= set(settings):
            return None
        counts = {config.get("t", 0) for config in configs}
        kept = [sum(name in config for name in arrays) for config in configs]
        if len(counts) != 1 or set(kept) not in ({0}, {len(arrays)}):
            return None
        states: list[tuple[list[Array], int]] = []
        if arrays and kept[0]:
            states = [([floats(c[name], model.dtype) for name in arrays], c.get("t", 0)) for c in configs]
        elif counts != {0}:
            return None
        # The rule's own default if none is given, as the rule would add it.
        values = {name: float(shared[0].get(name, default)) for name, default in settings.items()}
        return _Plan(
            update_rule=rule,
            learning_rate=values.pop("learning_rate"),
            settings=list(values.items()),
            states=states,
            lr_decay=float(self.lr_decay),
            batch_size=self.batch_size,
            num_epochs=self.num_epochs,
            num_train_samples=self.num_train_samples,
            num_val_samples=self.num_val_samples,
            verbose=bool(self.verbose),
            print_every=self.print_every,
            epoch=self.epoch,
        )

    def _train_at_once(self, plan: _Plan) -> None:
        model = self.model

        def rows(x: Array) -> Array:
            x = np.asarray(x).reshape(np.shape(x)[0], -1)
            return floats(x, np.float64 if x.dtype == np.float64 else model.dtype)

        if self.num_epochs < 1:
            return
        done = _thinnet.train(
            model._settings(),
            (rows(self.X_train), labels(self.y_train)),
            (rows(self.X_val), labels(self.y_val)),
            plan,
            print,
            np.zeros(0, model.dtype),
        )
        settings, arrays = optim.RULES[plan.update_rule]
        epochs = len(done["loss"]) // self._iterations_per_epoch()
        for p, (kept, t) in zip(model.parameter_names(), done["states"], strict=True):
            config = self.optim_configs[p]
            config.setdefault("learning_rate", plan.learning_rate)
            for _ in range(epochs):
                config["learning_rate"] *= self.lr_decay
            for name, default in settings.items():
                config.setdefault(name, default)
            config.update(zip(arrays, kept, strict=True))
            if plan.update_rule == "adam":
                config["t"] = t
        self.epoch += epochs
        self.loss_history += done["loss"]
        self.train_acc_history += done["train_acc"]
        self.val_acc_history += done["val_acc"]
        model.set_running(done["running"])
        model.params = model.by_name(done["parameters"])
        best = max(done["val_acc"], default=0.0)
        if best > self.best_val_acc:
            self.best_val_acc = best
            self.best_params = model.by_name(done["best"])
        if done["error"] is not None:
            raise done["error"]
