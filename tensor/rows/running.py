"""Rows whose results run along an axis: sums, products, of all entries so far."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine import Op
from ...engine.op import REAL, Pin
from ...engine.rows.choice import where
from ...engine.rows.powers import exp
from ..node import Array
from .reductions import others, sum_
from .shape import broadcast_to, reshape
from .structural import structural


def _cumsum(x: Array, dim: int, backwards: bool) -> Any:
    if backwards:
        return np.flip(np.add.accumulate(np.flip(x, dim), axis=dim), dim)
    return np.add.accumulate(x, axis=dim)


cumsum: Op = structural(
    "cumsum", "x", _cumsum, params={"dim": 0, "backwards": False},
    vjp=(lambda g, y, x, dim, backwards: cumsum(g, dim, not backwards),), domain=(REAL,),
    why="An entry is in its own sum and all later ones: gradients add up from the other end.",
)  # fmt: skip


def _cumprod_rule(g: Any, y: Any, x: Any) -> Any:
    if not bool((x == 0).any()):
        return cumsum(g * y, x.ndim - 1, True) / x
    n, shape = x.shape[-1], (*x.shape, x.shape[-1])
    products = cumprod(others(x))  # row k: the running products with a 1 in place of entry k
    g = broadcast_to(reshape(g, (*x.shape[:-1], 1, n), tuple(x.shape)), shape)
    later = np.triu(np.ones((n, n), dtype=bool))
    return sum_(where(later, g * products, 0.0), (x.ndim,), False, shape)


cumprod: Op = structural(
    "cumprod", "x", lambda x: np.multiply.accumulate(x, axis=-1),
    vjp=(_cumprod_rule,), domain=(REAL,),
    pinned=(Pin(([2.0, 0.0, 3.0],), ([1.0, 8.0, 0.0],), "zeros see the product of the others"),),
    why="Entry k is a factor of its own product and all later ones: Σ gᵢyᵢ/xₖ over i ≥ k; where "
    "something is 0, with the products that leave out entry k. Along the last axis.",
)  # fmt: skip


def _logcumsumexp_rule(g: Any, y: Any, x: Any) -> Any:
    n, shape = x.shape[-1], (*x.shape, x.shape[-1])
    column = broadcast_to(reshape(x, (*x.shape, 1), tuple(x.shape)), shape)
    row, g = (
        broadcast_to(reshape(z, (*x.shape[:-1], 1, n), tuple(x.shape)), shape) for z in (y, g)
    )
    later = np.triu(np.ones((n, n), dtype=bool))
    gap = where(later, column - row, 0.0)  # never above 0 where it counts
    shares = where(later & (gap == gap), exp(where(gap == gap, gap, 0.0)), 0.0)
    return sum_(g * shares, (x.ndim,), False, shape)


logcumsumexp: Op = structural(
    "logcumsumexp", "x", lambda x: np.logaddexp.accumulate(x, axis=-1),
    vjp=(_logcumsumexp_rule,), domain=(REAL,),
    why="Entry k has the share exp(xₖ - yᵢ) of its own sum and all later ones: never above 1, so "
    "nothing overflows. Along the last axis.",
)  # fmt: skip
