"""What ``fit`` is asked for, checked before anything is trained."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

from ..optim import Adam, Optimizer
from .callbacks import Callback


def whole(what: str, value: Any, least: int) -> int:
    """A whole number of at least ``least``; 2.0 is one too."""
    try:
        number = int(value) if isinstance(value, float) else operator.index(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(
            f"fit: {what} must be a whole number, got {type(value).__name__} {value!r}"
        ) from None
    if number != value or number < least:
        raise ValueError(f"fit: {what} must be a whole number of at least {least}, got {value!r}")
    return number


def positive(what: str, value: Any) -> float | None:
    """A number above 0, or None."""
    if value is None:
        return None
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise TypeError(f"fit: {what} must be a number, got {type(value).__name__} {value!r}")
    if not value > 0:
        raise ValueError(f"fit: {what} must be above 0, got {value!r}")
    return float(value)


def optimizer_for(params: Sequence[Any], wish: Any, name: str = "fit") -> Optimizer:
    """An optimizer that steps at least one of ``params``; Adam if none is wished for."""
    if wish is not None and not isinstance(wish, Optimizer) and not callable(wish):
        raise TypeError(
            f"{name}: expected an optimizer, or a function from parameters to one, got "
            f"{type(wish).__name__} {wish!r}; e.g. optimizer=gradling.optim.Adam, or "
            "lambda p: gradling.optim.Adam(p, lr=1e-3)"
        )
    made = Adam(params) if wish is None else wish if isinstance(wish, Optimizer) else wish(params)
    ours = {id(p) for p in params}
    stepped = [p for group in made.param_groups for p in group["params"]]
    if not any(id(p) in ours for p in stepped):
        raise ValueError(
            f"{name}: this {type(made).__name__} steps {len(stepped)} parameters, none of them the "
            "model's, which would stay as it is: make it of this model's model.parameters()"
        )
    return made


def schedule_for(optimizer: Optimizer, wish: Any) -> Any:
    if wish is None:
        return None
    ready = hasattr(wish, "step") and not isinstance(wish, type)
    if not ready and not callable(wish):
        raise TypeError(
            "fit: expected a schedule, or a function from the optimizer to one, got "
            f"{type(wish).__name__} {wish!r}; e.g. "
            "scheduler=lambda o: gradling.optim.lr_scheduler.StepLR(o, 10)"
        )
    made = wish if ready else wish(optimizer)
    if getattr(made, "optimizer", optimizer) is not optimizer:
        raise ValueError(
            f"fit: this {type(made).__name__} belongs to another optimizer than the one that "
            "steps here, whose learning rate would stay as it is: make it of that one, or pass "
            "scheduler=lambda o: … to make it of whichever steps"
        )
    return made


def callbacks_in(wish: Callback | Iterable[Callback]) -> list[Callback]:
    """Callbacks, also a single one."""
    found: list[Any] = list(wish) if isinstance(wish, Iterable) else [wish]
    for callback in found:
        if isinstance(callback, type) or not hasattr(callback, "before_fit"):
            what = (
                f"the class {callback.__name__}" if isinstance(callback, type) else repr(callback)
            )
            raise TypeError(
                f"fit: expected Callbacks, got {what}; pass objects of a class derived from "
                "gradling.train.Callback, e.g. EarlyStopping()"
            )
    return found


def many_times(what: str, data: Any, epochs: int) -> None:
    """Refuse what can be gone through only once where it would be more often."""
    if epochs > 1 and hasattr(data, "__next__"):
        raise ValueError(
            f"fit: {what} is a {type(data).__name__}, which can be gone through only once, and "
            f"epochs is {epochs}; pass a data set or a DataLoader"
        )
