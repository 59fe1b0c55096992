"""softmax and its logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.op import REAL, TABLE, Op
from ..node import Array
from .reductions import in_single, logsumexp_
from .structural import structural

exp = TABLE["exp"]


def _down(x: Array, dim: int) -> Array:
    """``x`` less its largest entry along ``dim``, so that no exponential overflows."""
    return x - np.maximum.reduce(x, axis=dim, keepdims=True)


def _softmax(x: Array, dim: int) -> Any:
    if x.size == 0 or x.ndim == 0:
        return np.exp(x - x)
    e = np.exp(_down(x, dim))
    e /= np.add.reduce(e, axis=dim, keepdims=True)
    return e


def _softmax_parts(needed: Any, g: Array, y: Array, x: Array, dim: int) -> Any:
    part = g * y
    if y.ndim:
        part -= y * np.add.reduce(part, axis=dim, keepdims=True)
        return (part,)
    return (part - y * part,)


softmax: Op = structural(
    "softmax", "x", in_single(_softmax), params={"dim": 0},
    vjp=(None,), joint=_softmax_parts, domain=(REAL,),
    composition=lambda x, dim: exp(log_softmax(x, dim)),
    why="Shares exp(x)/Σ exp(x): one that grows takes from all, y (g - Σ g y). The largest entry "
    "is taken out first, so that nothing overflows. Fused: a third of the passes.",
)  # fmt: skip


def _log_softmax(x: Array, dim: int) -> Any:
    if x.size == 0 or x.ndim == 0:
        return x - x
    z = _down(x, dim)
    z -= np.log(np.add.reduce(np.exp(z), axis=dim, keepdims=True))
    return z


def _log_softmax_parts(needed: Any, g: Array, y: Array, x: Array, dim: int) -> Any:
    total = np.add.reduce(g, axis=dim, keepdims=True) if g.ndim else g
    return (g - np.exp(y) * total,)


log_softmax: Op = structural(
    "log_softmax", "x", in_single(_log_softmax), params={"dim": 0},
    vjp=(None,), joint=_log_softmax_parts, domain=(REAL,),
    composition=lambda x, dim: x - logsumexp_(x, (dim,) if x.ndim else (), True, tuple(x.shape)),
    why="x - log Σ exp(x), exact where softmax itself is 0 to the last bit: g - softmax(x) Σ g. "
    "Fused: half of the passes.",
)  # fmt: skip
