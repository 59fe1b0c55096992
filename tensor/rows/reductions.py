"""Rows that bring many entries down to few."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ...engine import Op
from ...engine.op import REAL, Pin
from ...engine.rows.choice import isfinite, where
from ...engine.rows.powers import exp
from ..node import Array
from .shape import broadcast_to, reshape
from .structural import structural

Shape = tuple[int, ...]


def kept(shape: Shape, dims: Shape) -> Shape:
    """``shape`` with the reduced axes kept as size 1."""
    return tuple(1 if axis in dims else n for axis, n in enumerate(shape))


def restore(y: Any, shape: Shape, dims: Shape, keepdim: bool) -> Any:
    """A reduction's result (or its gradient) with the reduced axes back as size 1."""
    return y if keepdim else reshape(y, kept(shape, dims), tuple(y.shape))


def counted(shape: Shape, dims: Shape) -> int:
    """How many entries go into each result."""
    count = 1
    for axis in dims:
        count *= shape[axis]
    return count


def _sum(x: Array, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    return np.add.reduce(x, axis=dim, keepdims=keepdim)


sum_: Op = structural(
    "sum", "x", _sum, params={"dim": (), "keepdim": False, "shape": ()}, symbol="Σ",
    vjp=(
        lambda g, y, x, dim, keepdim, shape: broadcast_to(restore(g, shape, dim, keepdim), shape),
    ),
    domain=(REAL,),
    why="Every summand moves the sum one for one, so each entry gets the gradient of its sum.",
)  # fmt: skip


def _mean(x: Array, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    return np.add.reduce(x, axis=dim, keepdims=keepdim) / counted(shape, dim)


mean: Op = structural(
    "mean", "x", _mean, params={"dim": (), "keepdim": False, "shape": ()},
    vjp=(
        lambda g, y, x, dim, keepdim, shape: broadcast_to(
            restore(g / counted(shape, dim), shape, dim, keepdim), shape
        ),
    ),
    domain=(REAL,),
    why="A sum shared out: each entry gets the gradient over the number of entries.",
)  # fmt: skip


def _prod(x: Array, keepdim: bool) -> Any:
    return np.multiply.reduce(x, axis=-1, keepdims=keepdim)


def _prod_rule(g: Any, y: Any, x: Any, keepdim: bool) -> Any:
    if not keepdim:
        g, y = (reshape(z, (*x.shape[:-1], 1), tuple(z.shape)) for z in (g, y))
    if not bool((x == 0).any()):
        return g * (y / x)
    return g * prod(others(x), False)


def others(x: Any) -> Any:
    """(…, n, n): row k holds the entries of x along its last axis, with a 1 in place of the k-th."""
    n = x.shape[-1]
    rows = reshape(x, (*x.shape[:-1], 1, n), tuple(x.shape))
    return where(np.eye(n, dtype=bool), 1.0, broadcast_to(rows, (*x.shape, n)))


prod: Op = structural(
    "prod", "x", _prod, params={"keepdim": False}, symbol="Π",
    vjp=(_prod_rule,), domain=(REAL,),
    pinned=(Pin(([2.0, 0.0, 3.0],), ([0.0, 6.0, 0.0],), "only the zero sees the others' product"),),
    why="Each factor is scaled by the product of the others: y/x where nothing is 0, and where "
    "something is, that product itself, taken with a 1 in the factor's place. Along the last axis.",
)  # fmt: skip


def _share(g: Any, y: Any, x: Any, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    g, y = (restore(z, shape, dim, keepdim) for z in (g, y))
    equal = x == y
    return where(equal, g / sum_(where(equal, 1.0, x * 0), dim, True, shape), 0.0)


_TIE = (Pin(([1.0, 1.0],), ([0.5, 0.5],), "a tie shares the gradient evenly"),)
amax: Op = structural(
    "amax", "x", lambda x, dim, keepdim, shape: np.maximum.reduce(x, axis=dim, keepdims=keepdim),
    params={"dim": (), "keepdim": False, "shape": ()}, symbol="max",
    vjp=(_share,), domain=(REAL,), pinned=_TIE,
    why="The largest entry takes the gradient; equally large ones share it evenly.",
)  # fmt: skip
amin: Op = structural(
    "amin", "x", lambda x, dim, keepdim, shape: np.minimum.reduce(x, axis=dim, keepdims=keepdim),
    params={"dim": (), "keepdim": False, "shape": ()}, symbol="min",
    vjp=(_share,), domain=(REAL,), pinned=_TIE,
    why="The smallest entry takes the gradient; equally small ones share it evenly.",
)  # fmt: skip


def _logsumexp(x: Array, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    top = np.maximum.reduce(x, axis=dim, keepdims=True, initial=-inf)
    top = np.where(np.isfinite(top), top, 0)
    y = np.log(np.add.reduce(np.exp(x - top), axis=dim, keepdims=True)) + top
    return (y if keepdim else y.reshape(_without(shape, dim))).astype(x.dtype, copy=False)


def _without(shape: Shape, dims: Shape) -> Shape:
    return tuple(n for axis, n in enumerate(shape) if axis not in dims)


def _logsumexp_rule(g: Any, y: Any, x: Any, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    g, y = (restore(z, shape, dim, keepdim) for z in (g, y))
    return g * exp(x - where(isfinite(y), y, 0.0))


logsumexp: Op = structural(
    "logsumexp", "x", _logsumexp, params={"dim": (), "keepdim": False, "shape": ()},
    vjp=(_logsumexp_rule,), domain=(REAL,),
    why="d log Σ exp x = softmax: each entry's share exp(x - y) of the sum. The largest entry is "
    "taken out first, so exp never overflows.",
)  # fmt: skip


def _centred(x: Array, dim: Shape, shape: Shape) -> Any:
    return x - _mean(x, dim, True, shape)


def _freedom(shape: Shape, dim: Shape, correction: float) -> float:
    return max(0.0, counted(shape, dim) - correction)


def _var(x: Array, dim: Shape, keepdim: bool, correction: float, shape: Shape) -> Any:
    difference = _centred(x, dim, shape)
    total = np.add.reduce(difference * difference, axis=dim, keepdims=keepdim)
    return np.true_divide(total, np.asarray(_freedom(shape, dim, correction), x.dtype))


def _from_mean(x: Any, dim: Shape, shape: Shape) -> Any:
    return x - mean(x, dim, True, shape)


def _var_rule(
    g: Any, y: Any, x: Any, dim: Shape, keepdim: bool, correction: float, shape: Shape
) -> Any:
    n = _freedom(shape, dim, correction)
    g = restore(g, shape, dim, keepdim)
    return g * (2.0 / n if n else inf) * _from_mean(x, dim, shape)


var: Op = structural(
    "var", "x", _var, params={"dim": (), "keepdim": False, "correction": 1, "shape": ()},
    vjp=(_var_rule,), domain=(REAL,),
    why="Σ(x - x̄)²/n gives 2(x - x̄)/n: how x̄ moves drops out, since the differences add up to 0.",
)  # fmt: skip


def _std(x: Array, dim: Shape, keepdim: bool, correction: float, shape: Shape) -> Any:
    return np.sqrt(_var(x, dim, keepdim, correction, shape))


def _std_rule(
    g: Any, y: Any, x: Any, dim: Shape, keepdim: bool, correction: float, shape: Shape
) -> Any:
    g, y = (restore(z, shape, dim, keepdim) for z in (g, y))
    n = _freedom(shape, dim, correction)
    scale = where(y == 0, 0.0, g / (y * n))
    return scale * _from_mean(x, dim, shape)


std: Op = structural(
    "std", "x", _std, params={"dim": (), "keepdim": False, "correction": 1, "shape": ()},
    vjp=(_std_rule,), domain=(REAL,),
    pinned=(Pin(([1.0, 1.0],), ([0.0, 0.0],), "equal entries: 0, the middle of the cone's slopes"),),
    why="y² is the variance, so dy = d var / 2y; where all entries are equal, 0.",
)  # fmt: skip
