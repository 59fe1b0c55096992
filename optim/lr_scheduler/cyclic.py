"""Schedules that move learning rate and momentum between bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import cos, floor, pi
from typing import Any

from ..optimizer import Optimizer
from .scheduler import LRScheduler, at_least


def spread(name: str, value: float | Sequence[float], groups: int) -> list[float]:
    """One number for every group."""
    values = [float(v) for v in value] if isinstance(value, Sequence) else [float(value)] * groups
    if len(values) != groups:
        raise ValueError(
            f"{name}: expected one number, or {groups} (one per group), got {len(values)}"
        )
    return values


class _WithMomentum(LRScheduler):
    """Sets learning rates outright, and momentum against them where asked to."""

    cycle_momentum: bool

    def _momentum_key(self) -> str:
        defaults = self.optimizer.defaults
        if "momentum" in defaults:
            return "momentum"
        if "betas" in defaults:
            return "betas"
        raise ValueError(
            f"{type(self).__name__}: {type(self.optimizer).__name__} has no momentum to cycle; "
            "pass cycle_momentum=False"
        )

    def momentum_at(self, t: int, group: int = 0) -> float:
        raise TypeError(f"{type(self).__name__} must define momentum_at(t, group)")

    def step(self, epoch: int | None = None) -> None:
        self._take_in_new_groups()
        self.last_epoch = self.last_epoch + 1 if epoch is None else int(epoch)
        for place, group in enumerate(self.optimizer.param_groups):
            group["lr"] = self.lr_at(self.last_epoch, place)
            if self.cycle_momentum:
                self._set_momentum(group, self.momentum_at(self.last_epoch, place))
        self._set = [float(group["lr"]) for group in self.optimizer.param_groups]

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self._momentum_key() == "momentum":
            group["momentum"] = momentum
        else:
            group["betas"] = (momentum, *group["betas"][1:])


class CyclicLR(_WithMomentum):
    """Up and down between ``base_lr`` and ``max_lr``, momentum the other way.

    ``mode``: "triangular" always reaches ``max_lr``; "triangular2" halves the height every cycle;
    "exp_range" scales it by ``gamma`` to the step; or ``scale_fn`` of the cycle or step
    (``scale_mode``). Smith, "Cyclical learning rates for training neural networks" (2015).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(
                f"CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range', got {mode!r}"
            )
        at_least("CyclicLR", "step_size_up", step_size_up, 1)
        groups = len(optimizer.param_groups)
        self.optimizer = optimizer
        self.base = spread("base_lr", base_lr, groups)
        self.max_lrs = spread("max_lr", max_lr, groups)
        self.up = float(step_size_up)
        self.down = float(step_size_up if step_size_down is None else step_size_down)
        self.mode, self.gamma = mode, gamma
        self.scale_fn = scale_fn
        self.scale_mode = (
            scale_mode if scale_fn else "iterations" if mode == "exp_range" else "cycle"
        )
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._momentum_key()
            self.base_momentums = spread("base_momentum", base_momentum, groups)
            self.max_momentums = spread("max_momentum", max_momentum, groups)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, self.base, strict=True):
                group["lr"] = group["initial_lr"] = lr
        super().__init__(optimizer, last_epoch)

    def _height(self, t: int) -> tuple[float, float]:
        """How far up the triangle step t is, and how the triangle is scaled."""
        total = self.up + self.down
        cycle = floor(1 + t / total)
        x = 1 + t / total - cycle
        share = self.up / total
        height = x / share if x <= share else (x - 1) / (share - 1)
        argument = cycle if self.scale_mode == "cycle" else t
        if self.scale_fn is not None:
            return height, self.scale_fn(argument)
        scale = {"triangular": 1.0, "triangular2": 0.5 ** (cycle - 1), "exp_range": self.gamma**t}
        return height, scale[self.mode]

    def lr_at(self, t: int, group: int = 0) -> float:
        height, scale = self._height(t)
        return self.base[group] + (self.max_lrs[group] - self.base[group]) * height * scale

    def momentum_at(self, t: int, group: int = 0) -> float:
        height, scale = self._height(t)
        top, low = self.max_momentums[group], self.base_momentums[group]
        return top - (top - low) * height * scale


class OneCycleLR(_WithMomentum):
    """Up to ``max_lr`` and down to almost nothing in one go, momentum the other way.

    From ``max_lr / div_factor`` up over the first ``pct_start`` of the steps, then down to
    ``max_lr / div_factor / final_div_factor``; with ``three_phase`` first as far down as it came
    up. Smith & Topin, "Super-convergence: very fast training of neural networks using large
    learning rates" (2017).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: expected total_steps, or epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        at_least("OneCycleLR", "total_steps", total_steps, 1)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: expected pct_start in [0, 1], got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}"
            )
        groups = len(optimizer.param_groups)
        self.optimizer = optimizer
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        self.max_lrs = spread("max_lr", max_lr, groups)
        self.initial = [lr / div_factor for lr in self.max_lrs]
        self.final = [lr / final_div_factor for lr in self.initial]
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._momentum_key()
            self.base_momentums = spread("base_momentum", base_momentum, groups)
            self.max_momentums = spread("max_momentum", max_momentum, groups)
        top = pct_start * total_steps - 1
        self.ends = [top, 2 * top, total_steps - 1.0] if three_phase else [top, total_steps - 1.0]
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, self.initial, strict=True):
                group["lr"] = group["initial_lr"] = lr
        super().__init__(optimizer, last_epoch)

    def _anneal(self, t: int, corners: Sequence[float]) -> float:
        """Where step t is between the corners that the phases run between."""
        if t > self.total_steps:
            raise ValueError(
                f"OneCycleLR: step {t} is past the {self.total_steps} steps it was made for; pass "
                "a larger total_steps"
            )
        start = 0.0
        for phase, end in enumerate(self.ends):
            if t <= end or phase == len(self.ends) - 1:
                share = (t - start) / (end - start) if end != start else 1.0
                a, b = corners[phase], corners[phase + 1]
                if self.anneal_strategy == "cos":
                    return b + (a - b) / 2 * (1 + cos(pi * share))
                return (b - a) * share + a
            start = end
        raise AssertionError("a schedule has at least one phase")

    def _corners(self, ends: tuple[float, float, float], middle: float) -> list[float]:
        first, top, last = ends
        return [first, top, middle, last] if len(self.ends) == 3 else [first, top, last]

    def lr_at(self, t: int, group: int = 0) -> float:
        first, top, last = self.initial[group], self.max_lrs[group], self.final[group]
        return self._anneal(t, self._corners((first, top, last), first))

    def momentum_at(self, t: int, group: int = 0) -> float:
        high, low = self.max_momentums[group], self.base_momentums[group]
        return self._anneal(t, self._corners((high, low, high), high))
