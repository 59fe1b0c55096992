"""Rows that bring many entries down to few."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.op import REAL
from ..node import Array
from .shape import broadcast_to, reshape
from .structural import structural


def kept(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """``shape`` with the reduced axes kept as size 1."""
    return tuple(1 if axis in dims else n for axis, n in enumerate(shape))


def restore(y: Any, shape: tuple[int, ...], dims: tuple[int, ...], keepdim: bool) -> Any:
    """A reduction's result (or its gradient) with the reduced axes back as size 1."""
    return y if keepdim else reshape(y, kept(shape, dims), tuple(y.shape))


def _sum(x: Array, dims: tuple[int, ...], keepdim: bool, shape: tuple[int, ...]) -> Any:
    return np.add.reduce(x, axis=dims, keepdims=keepdim)


sum_ = structural(
    "sum", "x", _sum, params={"dim": (), "keepdim": False, "shape": ()}, symbol="Σ",
    vjp=(
        lambda g, y, x, dim, keepdim, shape: broadcast_to(restore(g, shape, dim, keepdim), shape),
    ),
    domain=(REAL,),
    why="Every summand moves the sum one for one, so each entry gets the gradient of its sum.",
)  # fmt: skip
