"""Rows that carry something along one axis: running sums and products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...engine.op import REAL, TABLE, Op
from ..node import Array
from .reductions import in_single
from .structural import structural

logaddexp = TABLE["logaddexp"]


def doubled(combine: Callable[[Any, Any], Any], x: Any, dim: int) -> Any:
    """A running combination in log2(n) steps, each with twice as many entries combined.

    Hillis & Steele, "Data parallel algorithms" (1986). Made of ``combine`` and slices alone, so
    that it can be differentiated to any order.
    """
    from ..joining import cat

    before = (slice(None),) * dim
    step = 1
    while x.ndim and step < x.shape[dim]:
        head, tail = x[(*before, slice(step))], x[(*before, slice(step, None))]
        x = cat([head, combine(tail, x[(*before, slice(-step))])], dim)
        step *= 2
    return x


def backwards(x: Array, dim: int) -> Array:
    return x[(slice(None),) * dim + (slice(None, None, -1),)]


def _cumsum(x: Array, dim: int, reverse: bool) -> Any:
    if x.ndim == 0:
        return x.copy()
    if reverse:
        return backwards(np.add.accumulate(backwards(x, dim), axis=dim), dim)
    return np.add.accumulate(x, axis=dim)


cumsum: Op = structural(
    "cumsum", "x", in_single(_cumsum), params={"dim": 0, "reverse": False},
    vjp=(lambda g, y, x, dim, reverse: cumsum(g, dim, not reverse),), domain=(REAL,),
    why="An entry is part of every sum from its place on: the gradients add up from the other end.",
)  # fmt: skip


def _cumprod(x: Array, dim: int) -> Any:
    return np.multiply.accumulate(x, axis=dim) if x.ndim else x.copy()


def _cumprod_parts(needed: Any, g: Array, y: Array, x: Array, dim: int) -> Any:
    """Up to the first 0 the products can be divided; that 0 has the products of the others from its
    place on; after it everything is held at 0."""
    if x.ndim == 0:
        return (g,)
    zero = x == 0
    if not zero.any():
        return (_cumsum(g * y, dim, True) / x,)
    zeros = np.add.accumulate(zero, axis=dim)
    first = zero & (zeros == 1)
    before = zeros == 0
    others = np.multiply.accumulate(np.where(first, 1, x), axis=dim)
    at_first = _cumsum(np.where(before, 0, g * others), dim, True)
    part = _cumsum(np.where(before, g * y, 0), dim, True) / np.where(zero, 1, x)
    return (np.where(before, part, np.where(first, at_first, 0)),)


cumprod: Op = structural(
    "cumprod", "x", in_single(_cumprod), params={"dim": 0},
    vjp=(None,), joint=_cumprod_parts, domain=(REAL,),
    composition=lambda x, dim: doubled(lambda a, b: a * b, x, dim),
    why="An entry scales every product from its place on: Σ g y / x over those. Zeros are taken "
    "apart as in prod, and it is fused for the same reason.",
)  # fmt: skip


def _logcumsumexp(x: Array, dim: int) -> Any:
    return np.logaddexp.accumulate(x, axis=dim) if x.ndim else x.copy()


def _logcumsumexp_parts(needed: Any, g: Array, y: Array, x: Array, dim: int) -> Any:
    """Σ g exp(x - y) over the sums from each place on, in log2(n) steps of doubled reach.

    y never falls along the axis, so the factors exp(y - later y) are at most 1.
    """
    if x.ndim == 0:
        return (g,)
    y, total = np.moveaxis(y, dim, 0), np.moveaxis(g, dim, 0)
    share, reach = np.exp(np.moveaxis(x, dim, 0) - y), 1
    while reach < len(y):
        later = total[reach:] * np.exp(y[:-reach] - y[reach:])
        total = np.concatenate((total[:-reach] + later, total[-reach:]))
        reach *= 2
    return (np.moveaxis(share * total, 0, dim),)


logcumsumexp: Op = structural(
    "logcumsumexp", "x", in_single(_logcumsumexp), params={"dim": 0},
    vjp=(None,), joint=_logcumsumexp_parts, domain=(REAL,),
    composition=lambda x, dim: doubled(logaddexp, x, dim),
    why="An entry has the share exp(x - y) in every sum from its place on. Fused, since a sum of "
    "exp(-y) could overflow: here what later sums add is carried back by factors exp(y - later y).",
)  # fmt: skip
