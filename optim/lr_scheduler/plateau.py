"""Lowering the learning rate when a metric stops improving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from ..optimizer import Optimizer
from .cyclic import spread
from .scheduler import _plain


class ReduceLROnPlateau:
    """Times ``factor`` after ``patience`` steps without improvement of the metric given to
    ``step``.

    Args:
        optimizer: whose learning rates are set.
        mode: "min" if the metric should fall, "max" if it should rise.
        factor, patience: how much and how soon.
        threshold: by how much better counts, as a share ("rel") or outright ("abs":
            ``threshold_mode``).
        cooldown: steps to wait after a reduction.
        min_lr: no lower than this (one number, or one per group).
        eps: smaller changes are not made.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"ReduceLROnPlateau: expected an optimizer, got {type(optimizer).__name__}"
            )
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: mode must be 'min' or 'max', got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: threshold_mode must be 'rel' or 'abs', got {threshold_mode!r}"
            )
        if not 0 <= factor < 1:
            raise ValueError(f"ReduceLROnPlateau: expected factor in [0, 1), got {factor}")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown = threshold, threshold_mode, cooldown
        self.min_lrs, self.eps = spread("min_lr", min_lr, len(optimizer.param_groups)), eps
        self.last_epoch = 0
        self.reset()

    def reset(self) -> None:
        """Forget the best metric and how long ago it was."""
        self.best = inf if self.mode == "min" else -inf
        self.num_bad_epochs = self.cooldown_counter = 0

    def get_last_lr(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def is_better(self, metric: float, best: float) -> bool:
        """Whether ``metric`` beats ``best`` by the threshold."""
        sign = -1.0 if self.mode == "min" else 1.0
        if self.threshold_mode == "rel":
            bar = best * (1.0 + sign * self.threshold)
        else:
            bar = best + sign * self.threshold
        return metric < bar if self.mode == "min" else metric > bar

    def step(self, metrics: Any, epoch: int | None = None) -> None:
        """Take in the metric of one more epoch (a number or a one-entry tensor)."""
        metric = float(metrics)
        new = len(self.optimizer.param_groups) - len(self.min_lrs)
        if new > 0 and len(set(self.min_lrs)) > 1:
            raise ValueError(
                f"ReduceLROnPlateau: the optimizer has {new} groups more than min_lr; give the "
                "list min_lrs of this schedule a number for each"
            )
        self.min_lrs += self.min_lrs[:1] * new
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.is_better(metric, self.best):
            self.best, self.num_bad_epochs = metric, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def _reduce(self) -> None:
        for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            lr = float(group["lr"])
            lower = max(lr * self.factor, least)
            if lr - lower > self.eps:
                group["lr"] = lower

    def state_dict(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if _plain(v)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.__dict__.update(state_dict)
