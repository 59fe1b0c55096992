"""Schedules that go one way: by a function, by steps, by a curve."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import cos, pi

from ..optimizer import Optimizer
from .scheduler import LRScheduler, at_least

Factor = Callable[[int], float]


def _per_group(name: str, factor: Factor | Sequence[Factor], groups: int) -> list[Factor]:
    factors = list(factor) if isinstance(factor, Sequence) else [factor] * groups
    if len(factors) != groups:
        raise ValueError(
            f"{name}: expected one function, or {groups} (one per group), got {len(factors)}"
        )
    return factors


class LambdaLR(LRScheduler):
    """The initial learning rate times ``lr_lambda(t)``.

    >>> import gradling
    >>> w = gradling.zeros(1, requires_grad=True)
    >>> optimizer = gradling.optim.SGD([w], lr=1.0)
    >>> schedule = LambdaLR(optimizer, lambda t: 0.5**t)
    >>> [schedule.lr_at(t) for t in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        self.lr_lambdas = _per_group("LambdaLR", lr_lambda, len(optimizer.param_groups))
        super().__init__(optimizer, last_epoch)

    def shape(self, t: int, group: int) -> float:
        return self.lr_lambdas[group](t)


class MultiplicativeLR(LRScheduler):
    """Each step multiplies by ``lr_lambda(t)``, from t = 1 on."""

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        self.lr_lambdas = _per_group("MultiplicativeLR", lr_lambda, len(optimizer.param_groups))
        super().__init__(optimizer, last_epoch)

    def shape(self, t: int, group: int) -> float:
        product = 1.0
        for step in range(1, t + 1):
            product *= self.lr_lambdas[group](step)
        return product


class StepLR(LRScheduler):
    """Times ``gamma`` every ``step_size`` steps."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        at_least("StepLR", "step_size", step_size, 1)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def shape(self, t: int, group: int) -> float:
        return float(self.gamma ** (t // self.step_size))


class MultiStepLR(LRScheduler):
    """Times ``gamma`` at each of the ``milestones``; one listed twice counts twice."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def shape(self, t: int, group: int) -> float:
        return float(self.gamma ** sum(t >= milestone for milestone in self.milestones))


class ConstantLR(LRScheduler):
    """``factor`` times the learning rate for the first ``total_iters`` steps, then all of it."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"ConstantLR: expected factor in [0, 1], got {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def shape(self, t: int, group: int) -> float:
        return self.factor if t < self.total_iters else 1.0


class LinearLR(LRScheduler):
    """From ``start_factor`` to ``end_factor`` along a line over ``total_iters`` steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ValueError(
                "LinearLR: expected start_factor in (0, 1] and end_factor in [0, 1], got "
                f"{start_factor} and {end_factor}"
            )
        at_least("LinearLR", "total_iters", total_iters, 1)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def shape(self, t: int, group: int) -> float:
        share = min(t, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * share


class ExponentialLR(LRScheduler):
    """Times ``gamma`` every step."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def shape(self, t: int, group: int) -> float:
        return float(self.gamma**t)


class PolynomialLR(LRScheduler):
    """(1 - t / ``total_iters``) to the ``power``, 0 from then on."""

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        at_least("PolynomialLR", "total_iters", total_iters, 1)
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def shape(self, t: int, group: int) -> float:
        return float((1 - min(t, self.total_iters) / self.total_iters) ** self.power)


class CosineAnnealingLR(LRScheduler):
    """Half a cosine wave from the initial learning rate to ``eta_min`` over ``T_max`` steps, and
    back.

    Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts" (2016).
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        at_least("CosineAnnealingLR", "T_max", T_max, 1)
        self.T_max, self.eta_min = T_max, eta_min
        self.floor = eta_min
        super().__init__(optimizer, last_epoch)

    def shape(self, t: int, group: int) -> float:
        return (1 + cos(pi * t / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine wave that starts over after ``T_0`` steps, each time ``T_mult`` times longer.

    ``step(epoch)`` also takes fractions, to anneal within an epoch. Loshchilov & Hutter (2016).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        for what, value in (("T_0", T_0), ("T_mult", T_mult)):
            if value < 1 or int(value) != value:
                raise ValueError(
                    f"CosineAnnealingWarmRestarts: expected {what} to be a whole number >= 1, got "
                    f"{value}"
                )
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self.floor = eta_min
        super().__init__(optimizer, last_epoch)

    def step(self, epoch: float | None = None) -> None:
        if epoch is None:
            return super().step()
        self._take_in_new_groups()
        if epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: expected epoch >= 0, got {epoch}")
        self.last_epoch = int(epoch)
        for place, group in enumerate(self.optimizer.param_groups):
            group["lr"] = self.lr_at(epoch, place)  # type: ignore[arg-type]  # fractions are welcome here
        self._set = [float(group["lr"]) for group in self.optimizer.param_groups]

    def shape(self, t: float, group: int) -> float:
        length = self.T_0
        if self.T_mult == 1:
            t %= length
        while t >= length:
            t -= length
            length *= self.T_mult
        return (1 + cos(pi * t / length)) / 2


class WarmupLR(LRScheduler):
    """A line from ``start_factor`` up to the learning rate over ``warmup`` steps, then the schedule
    ``after``.

    ``after`` starts counting when the warm-up ends; without one the learning rate stays.

    >>> import gradling
    >>> w = gradling.zeros(1, requires_grad=True)
    >>> optimizer = gradling.optim.SGD([w], lr=1.0)
    >>> schedule = WarmupLR(optimizer, 2, after=CosineAnnealingLR(optimizer, T_max=4))
    >>> [round(schedule.lr_at(t), 3) for t in range(7)]
    [0.0, 0.5, 1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup: int,
        after: LRScheduler | None = None,
        start_factor: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        at_least("WarmupLR", "warmup", warmup, 1)
        if not 0 <= start_factor <= 1:
            raise ValueError(f"WarmupLR: expected start_factor in [0, 1], got {start_factor}")
        self.warmup, self.start_factor, self.after = warmup, start_factor, after
        super().__init__(optimizer, last_epoch)

    def _take_in_new_groups(self) -> None:
        super()._take_in_new_groups()
        if self.after is not None:
            self.after._take_in_new_groups()

    def shape(self, t: int, group: int) -> float:
        if t < self.warmup:
            return self.start_factor + (1 - self.start_factor) * t / self.warmup
        if self.after is None:
            return 1.0
        return self.after.lr_at(t - self.warmup, group) / self.base_lrs[group]
