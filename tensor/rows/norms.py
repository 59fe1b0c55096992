"""Vector norms of any order, in one row."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ...engine.op import NONZERO, TABLE, Op
from ...engine.rows.choice import sign, where
from ..node import Array
from .reductions import restore, sum_
from .structural import structural

abs_, pow_ = TABLE["abs"], TABLE["pow"]


def _norm(x: Array, order: float, dim: Any, keepdim: Any, shape: Any) -> Array:
    if x.dtype.char == "e":
        return _norm(x.astype(np.float32), order, dim, keepdim, shape).astype(np.float16)
    if order == 2:
        y = np.sqrt(np.asarray(np.add.reduce(x * x, axis=dim, keepdims=keepdim)))
    elif order == inf:
        y = np.maximum.reduce(np.abs(x), axis=dim, keepdims=keepdim)
    elif order == -inf:
        y = np.minimum.reduce(np.abs(x), axis=dim, keepdims=keepdim)
    elif order == 0:
        y = np.add.reduce((x != 0).astype(x.dtype), axis=dim, keepdims=keepdim)
    elif order == 1:
        y = np.add.reduce(np.abs(x), axis=dim, keepdims=keepdim)
    else:
        y = np.asarray(np.add.reduce(np.abs(x) ** order, axis=dim, keepdims=keepdim))
        y = y ** (1 / order)
    return np.asarray(y, x.dtype)


def _slope(g: Any, y: Any, x: Any, order: float, dim: Any, keepdim: bool, shape: Any) -> Any:
    g, y = restore(g, shape, dim, keepdim), restore(y, shape, dim, keepdim)
    if order == 0:
        return where(True, 0.0, g * x)
    if order == 1:
        return g * sign(x)
    whole = where(y == 0, 1.0, y)  # where the norm is 0, all of x is, and so is the gradient
    if order == 2:
        return x * (g / whole)
    if order in (inf, -inf):
        there = where(abs_(x) == y, sign(x), 0.0)
        count = sum_(abs_(there), dim, True, shape)
        return there * (g / where(count == 0, 1.0, count))
    share = abs_(x) / whole
    g = where(y == 0, 0.0, g)
    return g * sign(x) * pow_(where(x == 0, 1.0, share), order - 1)


vector_norm: Op = structural(
    "vector_norm", "x", _norm, params={"order": 2.0, "dim": (), "keepdim": False, "shape": ()},
    symbol="‖·‖",
    vjp=(
        lambda g, y, x, order, dim, keepdim, shape: _slope(g, y, x, order, dim, keepdim, shape),
    ),
    domain=(NONZERO,),
    why="(Σ|x|^p)^(1/p): each entry by its share of the norm, sign(x) (|x|/y)^(p-1); for p = 2 the "
    "unit vector x/y, for p = inf the largest entry, a tie shared evenly. The share is at most 1, "
    "so that no power overflows. Where the norm is 0 no direction is the steepest: 0.",
)  # fmt: skip
