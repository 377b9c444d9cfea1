"""The output of `verbose`: a bar if tqdm is installed, otherwise lines."""

from __future__ import annotations

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
    """

    def __init__(self, verbose: int, epochs: int) -> None:
        self._lines = verbose > 0
        self._bar: Any = None
        if verbose == 1:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                return
            self._bar = tqdm(total=epochs, unit="epoch")
            self._lines = False

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
            print(f"Iteration {int(record['epoch'])}, {told}")

    def tell(self, message: str) -> None:
        """Say why training changes or ends."""
        if self._bar is not None:
            self._bar.write(message)
        elif self._lines:
            print(message)

    def close(self) -> None:
        """Leave the bar in its current state."""
        if self._bar is not None:
            self._bar.close()
