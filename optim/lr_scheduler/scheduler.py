"""What all schedules share: a pure function from step to learning rate, and the step that applies
it.

``lr_at(t)`` depends on nothing but t, so a schedule cannot be stepped at a wrong moment, and can be
plotted without an optimizer having moved. Where something else changes the learning rate too
(another schedule, the user), the schedule applies the ratio between its steps instead, so that
schedules multiply.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..optimizer import Optimizer


class LRScheduler:
    """Base of all schedules. A subclass says ``shape(t, group)``, and the rest follows.

    Args:
        optimizer: whose learning rates are set.
        last_epoch: the step to resume after; -1 starts afresh and applies step 0.

    Raises:
        TypeError: ``optimizer`` is none.
        KeyError: resuming, but the optimizer's groups have no ``initial_lr``.
    """

    floor: float = 0.0  # the learning rate at shape 0

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(self).__name__}: expected an optimizer, got {type(optimizer).__name__}; "
                "make the optimizer first, then the schedule around it"
            )
        self.optimizer = optimizer
        for place, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", float(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: group {place} has no 'initial_lr' to resume from; "
                    "load the optimizer's state first, or set it"
                )
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._set: list[float] = [float(group["lr"]) for group in optimizer.param_groups]
        self._resumed = last_epoch != -1
        self.step()
        self._resumed = False

    def shape(self, t: int, group: int) -> float:
        """The learning rate at step t as a share of the initial one (above ``floor``)."""
        raise TypeError(f"{type(self).__name__} must define shape(t, group)")

    def lr_at(self, t: int, group: int = 0) -> float:
        """The learning rate at step ``t``, whatever step the schedule is at."""
        base = self.base_lrs[group]
        return self.floor + (base - self.floor) * self.shape(t, group)

    def get_last_lr(self) -> list[float]:
        """The learning rates set by the last step."""
        return list(self._set)

    def step(self, epoch: int | None = None) -> None:
        """Go to the next step (or to step ``epoch``) and set the learning rates."""
        self._take_in_new_groups()
        before = self.last_epoch
        self.last_epoch = before + 1 if epoch is None else int(epoch)
        for place, group in enumerate(self.optimizer.param_groups):
            group["lr"] = self._next(place, float(group["lr"]), before if epoch is None else None)
        self._set = [float(group["lr"]) for group in self.optimizer.param_groups]

    def _take_in_new_groups(self) -> None:
        """Give groups that the optimizer got since an initial learning rate: the one they have."""
        for group in self.optimizer.param_groups[len(self.base_lrs) :]:
            place, lr = len(self.base_lrs), float(group["lr"])
            self.base_lrs.append(float(group.get("initial_lr", lr)))
            try:
                self.lr_at(max(self.last_epoch, 0), place)
            except IndexError:
                self.base_lrs.pop()
                raise ValueError(
                    f"{type(self).__name__}: the optimizer has got group {place} since this "
                    f"schedule was made for {place} groups; make the schedule after the last "
                    "add_param_group, with one entry per group"
                ) from None
            group.setdefault("initial_lr", lr)

    def _next(self, place: int, lr: float, before: int | None) -> float:
        t = self.last_epoch
        if self._resumed and lr != self.base_lrs[place]:
            return lr  # from the state of the optimizer: the learning rate of this very step
        if self._resumed:
            return self.lr_at(t, place)
        if before is not None and before >= 0 and lr != self.lr_at(before, place):
            past, now = self.shape(before, place), self.shape(t, place)
            if past:
                return self.floor + (lr - self.floor) * (now / past)
            return lr + (self.base_lrs[place] - self.floor) * now
        if before == -1 and lr != self.base_lrs[place]:  # on top of a schedule made earlier
            return self.floor + (lr - self.floor) * self.shape(0, place)
        return self.lr_at(t, place)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions: plain numbers and lists."""
        return {k: v for k, v in vars(self).items() if _plain(v)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state. The optimizer's own state holds its learning rates."""
        # PyTorch writes None in place of functions, which are kept as they are
        own = {k for k, v in vars(self).items() if not _plain(v)}
        self.__dict__.update({k: v for k, v in state_dict.items() if k not in own})

    def __repr__(self) -> str:
        return f"{type(self).__name__}(step {self.last_epoch}, lr {self._set})"


def _plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_plain(entry) for entry in value)
    if isinstance(value, dict):
        return all(_plain(entry) for entry in value.values())
    return value is None or isinstance(value, (bool, int, float, str))


def at_least(name: str, what: str, value: float, least: float) -> None:
    if not value >= least:
        raise ValueError(f"{name}: expected {what} >= {least:g}, got {value}")
