"""Suggestions for shapes that do not fit, each tried before it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...tensor import Tensor

Shape = tuple[int, ...]

_CHANGES: list[tuple[str, Callable[[Any], Any]]] = [
    ("flatten(1)", lambda a: a.reshape(a.shape[0], -1)),
    ("flatten()", lambda a: a.reshape(-1)),
    ("flatten(2)", lambda a: a.reshape(*a.shape[:2], -1)),
    ("mT", lambda a: np.swapaxes(a, -1, -2)),
    ("transpose(1, -1)", lambda a: np.swapaxes(a, 1, -1)),
    ("unsqueeze(-1)", lambda a: a[..., None]),
    ("unsqueeze(1)", lambda a: a[:, None]),
    ("unsqueeze(0)", lambda a: a[None]),
    ("squeeze(-1)", lambda a: a.squeeze(-1)),
    ("squeeze(1)", lambda a: a.squeeze(1)),
    ("squeeze()", lambda a: a.squeeze()),
]


def reshapes_that(x: Tensor, fits: Callable[[Shape], bool], name: str = "x") -> str:
    """``; `x.flatten(1)` would make it (32, 784)`` for the first change that fits, or nothing."""
    for call, change in _CHANGES:
        try:
            shape = change(np.broadcast_to(np.empty(()), x.shape)).shape  # no memory is touched
        except (ValueError, IndexError):
            continue
        if shape != x.shape and fits(shape):
            return f"; `{name}.{call}` would make it {shape}"
    return ""
