"""What all metrics share: a class to extend, and arrays from whatever a batch holds.

Shapes: predictions (N, …) or scores (N, C); targets (N, …) or class numbers (N,).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ...tensor.node import Array


def as_array(values: Any) -> Array:
    """Tensors, Values, nested lists of them, arrays: as one array."""
    if isinstance(values, (list, tuple)):
        return np.array([as_array(value) for value in values])
    if hasattr(values, "_data"):
        return values._data  # type: ignore[no-any-return]
    if hasattr(values, "edges"):
        return np.array(values.data)
    return np.asarray(values)


def predicted_classes(scores: Array) -> Array:
    """Class numbers from scores (N, C), or from one score an item, whose sign decides."""
    if scores.ndim >= 2 and scores.shape[1] > 1:
        return np.asarray(scores.argmax(1))
    if scores.dtype.kind == "f":
        return (scores.reshape(len(scores), -1)[:, 0] > 0).astype(np.int64)
    return scores.reshape(-1)


def class_targets(name: str, target: Array, n: int) -> Array:
    """Class numbers (N,); labels -1 and 1 count as 0 and 1."""
    flat = target.reshape(-1) if target.ndim != 1 else target
    if len(flat) != n:
        raise ValueError(
            f"{name}: expected one class per prediction, got {n} predictions and a target of shape "
            f"{target.shape}"
        )
    if flat.dtype.kind == "f":
        whole = flat.astype(np.int64)
        if not (whole == flat).all():
            raise ValueError(
                f"{name}: expected whole numbers as classes, got a {flat.dtype} target with others"
            )
        flat = whole
    return np.where(flat == -1, 0, flat) if flat.size and flat.min() == -1 else flat


class Metric:
    """Base of all metrics: ``update(prediction, target)``, ``compute()``, ``reset()``."""

    name: ClassVar[str] = "metric"
    higher_is_better: ClassVar[bool] = True

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        raise TypeError(f"{type(self).__name__} must define reset()")

    def update(self, prediction: Any, target: Any) -> None:
        raise TypeError(f"{type(self).__name__} must define update(prediction, target)")

    def compute(self) -> Any:
        raise TypeError(f"{type(self).__name__} must define compute()")

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch keeps: the numbers and arrays counted so
        far."""
        return {k: v for k, v in vars(self).items() if isinstance(v, (int, float, np.ndarray))}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __call__(self, prediction: Any, target: Any) -> Any:
        """The metric of this one batch alone."""
        fresh = type(self).__new__(type(self))
        fresh.__dict__.update(vars(self))
        fresh.reset()
        fresh.update(prediction, target)
        return fresh.compute()
