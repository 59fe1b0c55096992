"""Schedules one after another, and on top of each other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from ..optimizer import Optimizer
from .scheduler import LRScheduler


def _same_optimizer(
    name: str, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None
) -> Optimizer:
    if not schedulers:
        raise ValueError(f"{name}: expected at least one schedule, got none")
    first = optimizer if optimizer is not None else schedulers[0].optimizer
    for place, scheduler in enumerate(schedulers):
        if scheduler.optimizer is not first:
            raise ValueError(
                f"{name}: schedule {place} belongs to another optimizer than the first"
            )
    return first


class SequentialLR(LRScheduler):
    """``schedulers[0]`` until ``milestones[0]``, then ``schedulers[1]`` from its own step 0, and so
    on."""

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        _same_optimizer("SequentialLR", schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedules need {len(schedulers) - 1} milestones "
                f"between them, got {len(milestones)}"
            )
        if list(milestones) != sorted(set(milestones)):
            raise ValueError(f"SequentialLR: milestones must rise, got {list(milestones)}")
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        for group in optimizer.param_groups:  # making the others has moved the learning rate
            group["lr"] = group["initial_lr"]
        super().__init__(optimizer, last_epoch)

    def lr_at(self, t: int, group: int = 0) -> float:
        place = bisect_right(self.milestones, t)
        start = self.milestones[place - 1] if place else 0
        return self.schedulers[place].lr_at(t - start, group)

    def step(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else int(epoch)
        place = bisect_right(self.milestones, self.last_epoch)
        start = self.milestones[place - 1] if place else 0
        self.schedulers[place].step(self.last_epoch - start)
        self._set = self.schedulers[place].get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self.schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        own = dict(state_dict)
        for scheduler, state in zip(self.schedulers, own.pop("_schedulers"), strict=True):
            scheduler.load_state_dict(state)
        super().load_state_dict(own)


class ChainedScheduler:
    """Several schedules stepped together: their factors multiply."""

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self.optimizer = _same_optimizer("ChainedScheduler", schedulers, optimizer)
        self.schedulers = list(schedulers)

    def get_last_lr(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def step(self) -> None:
        for scheduler in self.schedulers:
            scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        return {"_schedulers": [s.state_dict() for s in self.schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        for scheduler, state in zip(self.schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)
