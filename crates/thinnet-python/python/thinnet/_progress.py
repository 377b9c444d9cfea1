"""The output of `verbose`: a bar if tqdm is installed, otherwise lines."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any


class Progress:
    """Shows the epochs of one fit.

    Parameters
    ----------
    verbose : int
        0 shows nothing, 1 a progress bar (lines without tqdm), 2 and above one line per epoch.
    epochs : int
        The maximum number of epochs.
    unit : str
        The word for an epoch.
    """

    def __init__(self, verbose: int, epochs: int, unit: str) -> None:
        self._lines = verbose > 0
        self._name = ""
        self._bar: Any = None
        if verbose == 1:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # a notebook without widgets has a bar of text
                    from tqdm.auto import tqdm
            except ImportError:
                return
            self._bar = tqdm(total=epochs, unit=unit)
            self._lines = False

    def name(self, name: str) -> None:
        """Say which of several networks this is, from now on."""
        self._name = f"{name}: "
        if self._bar is not None:
            self._bar.set_description(name)

    def epoch(self, record: Mapping[str, float]) -> None:
        """Show an epoch's figures."""
        figures = {
            name: f"{record[name]:.6f}" for name in ("loss", "validation_loss", "validation_score") if name in record
        }
        if self._bar is not None:
            self._bar.set_postfix(figures, refresh=False)
            self._bar.update(1)
        elif self._lines:
            told = ", ".join(f"{name.replace('_', ' ')} = {value}" for name, value in figures.items())
            print(f"{self._name}Iteration {int(record['epoch'])}, {told}")

    def tell(self, message: str) -> None:
        """Say why training changes or ends."""
        if self._bar is not None:
            self._bar.write(f"{self._name}{message}")
        elif self._lines:
            print(f"{self._name}{message}")

    def close(self, *, complete: bool) -> None:
        """Leave the bar as it is; a notebook shows it red unless training is complete."""
        if self._bar is not None:
            if complete:
                self._bar.total = self._bar.n  # training may need fewer epochs than it may take
                if hasattr(self._bar, "container"):
                    self._bar.container.children[1].max = self._bar.n
                self._bar.refresh()
            self._bar.close()
