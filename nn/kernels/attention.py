"""Attention on arrays: scores, the shares made of them, and the way back.

Shares stand as (…, keys, heads, queries) in memory. What softmax does it does along the keys, so
that each of its steps is a pass over long rows; with the keys last, every one of many short rows
has a start of its own. Measured, 32 x 4 heads x 32 steps x 16 wide in float32, forward and
backward: 1.1 ms with the keys last, 0.6 ms so.

Queries, keys and values are taken as they lie in memory, and what is made lies as they do: heads
that are slices of one wide product are not copied out of it, nor their mixtures back.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ...tensor.node import Array
from .scratch import ones


def ahead(length: int, steps: int) -> Array:
    """(length, steps): where a key comes after its query."""
    return np.arange(steps) > np.arange(length)[:, None]


def like(x: Array, shape: tuple[int, ...]) -> Array:
    """An empty array whose axes follow one another in memory as those of ``x`` do."""
    return np.empty_like(x, shape=shape) if x.ndim == len(shape) else np.empty(shape, x.dtype)


class Scores:
    """An array (…, heads, queries, keys), and the same memory as rows to compute on.

    Attributes:
        by_query, by_key: (…, heads, queries, keys) and (…, heads, keys, queries).
        rows: (…, keys, heads x queries); one head at a time where there is no axis of heads.
    """

    def __init__(self, lead: tuple[int, ...], queries: int, keys: int, dtype: Any) -> None:
        heads = lead[-1] if len(lead) > 1 else 1
        outer = lead[:-1] if len(lead) > 1 else lead
        memory = np.empty((*outer, keys, heads, queries), dtype)
        self.rows = memory.reshape(*outer, keys, heads * queries)
        self.by_key = memory.swapaxes(-2, -3) if len(lead) > 1 else memory[..., 0, :]
        self.by_query = self.by_key.swapaxes(-1, -2)

    def sums(self, rows: Array) -> Array:
        """What each query's keys add up to: a product with ones, faster than a sum."""
        total: Array = np.matmul(ones(rows.shape[-2], rows.dtype)[None], rows)
        return total

    def softmax(self) -> None:
        """In place; a query that may look at nothing gets 0 throughout."""
        rows = self.rows
        top = np.maximum.reduce(rows, axis=-2, keepdims=True, initial=-inf)
        rows -= np.where(np.isfinite(top), top, 0)
        np.exp(rows, out=rows)
        total = self.sums(rows)
        rows /= np.where(total == 0, 1, total)


def attend(
    q: Array, k: Array, v: Array, mask: Array, scale: float, causal: bool, keep: Array | None
) -> tuple[Array, Scores]:
    """(…, queries, width) mixtures of values, and the shares that they were mixed by."""
    lead = q.shape[:-2]
    if mask.ndim > 2 or not lead == k.shape[:-2] == v.shape[:-2]:
        lead = np.broadcast_shapes(lead, k.shape[:-2], v.shape[:-2], mask.shape[:-2])
    queries, keys = q.shape[-2], k.shape[-2]
    p = Scores(lead, queries, keys, q.dtype)
    np.matmul(k, q.swapaxes(-1, -2), out=p.by_key)
    p.rows *= scale
    if mask.ndim or mask != 0:
        p.by_query += mask
    if causal:
        np.copyto(p.by_query, -inf, where=ahead(queries, keys))
    p.softmax()
    y = like(q, (*lead, queries, v.shape[-1]))
    return np.matmul(p.by_query if keep is None else p.by_query * keep, v, out=y), p


def attend_back(
    needed: tuple[bool, ...], g: Array, q: Array, k: Array, v: Array, scale: float,
    keep: Array | None, p: Scores, into: tuple[Any, ...] = (None, None, None),
) -> tuple[Array | None, ...]:  # fmt: skip
    """The gradients of q, k, v and mask from y's, in the shape of all of them together.

    ``into`` may say where the first three are to be written.
    """
    lead = g.shape[:-2]

    def place(given: Array | None, x: Array) -> Array:
        return like(x, (*lead, *x.shape[-2:])) if given is None else given

    to_q, to_k, to_v, to_mask = needed
    dq = dk = dv = None
    if to_v:
        shares = p.by_key if keep is None else p.by_key * keep.swapaxes(-1, -2)
        dv = np.matmul(shares, g, out=place(into[2], v))
    if not (to_q or to_k or to_mask):
        return dq, dk, dv, None
    d = Scores(lead, q.shape[-2], k.shape[-2], g.dtype)
    np.matmul(v, g.swapaxes(-1, -2), out=d.by_key)
    if keep is not None:
        d.by_query *= keep
    # softmax' is diag(p) - p pᵀ, so each query loses its own p-weighted mean
    d.rows -= d.sums(d.rows * p.rows)
    d.rows *= p.rows
    if to_q:
        dq = np.matmul(d.by_query, k, out=place(into[0], q))
        dq *= scale
    if to_k:
        dk = np.matmul(d.by_key, q, out=place(into[1], k))
        dk *= scale
    return dq, dk, dv, d.by_query if to_mask else None
