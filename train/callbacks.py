"""What can look on while a net is trained, and stop it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .run import Run


class Callback:
    """Base of callbacks: override what you need. ``run`` has the model, optimizer, history and
    counters.

    >>> class Count(Callback):
    ...     steps = 0
    ...     def after_step(self, run):
    ...         self.steps += 1
    """

    def before_fit(self, run: Run) -> None: ...
    def before_epoch(self, run: Run) -> None: ...
    def after_step(self, run: Run) -> None: ...
    def after_epoch(self, run: Run) -> None: ...
    def after_fit(self, run: Run) -> None: ...

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of this callback."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class EarlyStopping(Callback):
    """Stop after ``patience`` epochs without improvement, and go back to the best weights.

    Args:
        monitor: the column of the history to watch.
        patience: epochs to wait.
        mode: "min" or "max".
        min_delta: smaller improvements do not count.
        restore_best: load the best weights at the end, however the run ends.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 5,
        mode: str = "min",
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"EarlyStopping: mode must be 'min' or 'max', got {mode!r}")
        if patience < 0:
            raise ValueError(f"EarlyStopping: expected patience >= 0, got {patience}")
        self.monitor, self.patience, self.mode, self.min_delta = monitor, patience, mode, min_delta
        self.restore_best = restore_best
        self.best, self.waited, self.best_epoch = inf, 0, 0
        self.best_weights: Any = None

    def after_epoch(self, run: Run) -> None:
        record = run.history[-1]
        if self.monitor not in record:
            raise KeyError(
                f"EarlyStopping: nothing named {self.monitor!r} was recorded; there are "
                f"{', '.join(record)}"
                + ("; pass val=..." if self.monitor.startswith("val") else "")
            )
        score = record[self.monitor] * (1 if self.mode == "min" else -1)
        if isfinite(score) and score < self.best - self.min_delta:
            self.best, self.waited, self.best_epoch = score, 0, run.epoch
            if self.restore_best:
                self.best_weights = copy.deepcopy(run.weights())
        else:
            self.waited += 1
            if self.waited > self.patience:
                run.stop("early")

    def after_fit(self, run: Run) -> None:
        if self.restore_best and self.best_weights is not None:
            run.load_weights(self.best_weights)

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": self.best, "waited": self.waited, "best_epoch": self.best_epoch,
            "best_weights": self.best_weights,
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.best, self.waited = state["best"], state["waited"]
        self.best_epoch, self.best_weights = state["best_epoch"], state["best_weights"]
