"""Rows that bring many entries down to few.

``dim`` holds the axes that are reduced, counted from the front; ``shape`` is the operand's, so that
a rule which needs nothing else of the operand does not keep it alive.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from ...engine.op import REAL, TABLE, Op
from ..dims import count
from ..node import Array
from .shape import broadcast_to, cast, permute, reshape
from .structural import structural

exp, where = TABLE["exp"], TABLE["where"]
# Any: NumPy's stubs know keepdims as True or False, not as a bool
added: Any = np.add.reduce
multiplied: Any = np.multiply.reduce
largest: Any = np.maximum.reduce
smallest: Any = np.minimum.reduce
Shape = tuple[int, ...]
OPTIONS = {"dim": (), "keepdim": False, "shape": ()}


def kept(shape: Shape, dims: Shape) -> Shape:
    """``shape`` with the reduced axes kept as size 1."""
    return tuple([1 if axis in dims else n for axis, n in enumerate(shape)])


def restore(y: Any, shape: Shape, dims: Shape, keepdim: bool) -> Any:
    """A reduction's result (or its gradient) with the reduced axes back as size 1."""
    if keepdim or len(dims) == len(shape):  # a 0-d one broadcasts as it is
        return y
    return reshape(y, kept(shape, dims), tuple(y.shape))


def in_single(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """float16 is worked out in float32 and rounded once: sums of it would soon overflow."""

    @functools.wraps(kernel)
    def careful(x: Array, *params: Any) -> Any:
        if x.dtype.char == "e":
            return np.asarray(kernel(x.astype(np.float32), *params)).astype(np.float16)
        return kernel(x, *params)

    return careful


# Sums and means ----------------------------------------------------------------------------------


def _sum(x: Array, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    return added(x, axis=dim, keepdims=keepdim)


def _mean(x: Array, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    return added(x, axis=dim, keepdims=keepdim) / float(count(shape, dim))


def _spread(g: Any, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    return broadcast_to(restore(g, shape, dim, keepdim), shape)


sum_: Op = structural(
    "sum", "x", in_single(_sum), params=OPTIONS, symbol="Σ",
    vjp=(lambda g, y, x, dim, keepdim, shape: _spread(g, dim, keepdim, shape),),
    domain=(REAL,),
    why="Every summand moves the sum one for one, so each entry gets the gradient of its sum.",
)  # fmt: skip
mean_: Op = structural(
    "mean", "x", in_single(_mean), params=OPTIONS,
    vjp=(
        lambda g, y, x, dim, keepdim, shape: _spread(
            g / float(count(shape, dim)), dim, keepdim, shape
        ),
    ),
    domain=(REAL,),
    why="A sum over n entries, divided by n: so is each entry's gradient.",
)  # fmt: skip


# Spread about the mean ---------------------------------------------------------------------------


def _var(x: Array, correction: float, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    n = count(shape, dim)
    away = x - x[_first(dim, shape)]  # equal entries are 0 apart, which rounding a mean would hide
    away -= added(away, axis=dim, keepdims=True) / float(n)
    away *= away
    return added(away, axis=dim, keepdims=keepdim) / max(0.0, n - correction)


def _first(dim: Shape, shape: Shape) -> tuple[slice, ...]:
    """Where the first entry of each row along ``dim`` is."""
    return tuple([slice(1 if axis in dim else None) for axis in range(len(shape))])


def _var_slope(g: Any, x: Any, correction: float, dim: Shape, shape: Shape) -> Any:
    free = count(shape, dim) - correction
    return g * ((x - mean_(x, dim, True, shape)) * (2.0 / free if free > 0 else inf))


def _std_rule(
    g: Any, y: Any, x: Any, correction: float, dim: Shape, keepdim: bool, shape: Shape
) -> Any:
    g, y = restore(g, shape, dim, keepdim), restore(y, shape, dim, keepdim)
    # from the first entry, as in _var: what is tiny there is divided by what is as tiny here
    away = x - x[_first(dim, shape)]
    return _var_slope(where(y == 0, 0.0, g / (2 * y)), away, correction, dim, shape)


var_: Op = structural(
    "var", "x", in_single(_var), params={"correction": 1.0, **OPTIONS},
    vjp=(
        lambda g, y, x, correction, dim, keepdim, shape: _var_slope(
            restore(g, shape, dim, keepdim), x, correction, dim, shape
        ),
    ),
    domain=(REAL,),
    why="Σ (x - mean)² / (n - correction): slope 2 (x - mean) / (n - correction). That the mean "
    "moves too adds nothing, since the distances from it add up to 0.",
)  # fmt: skip
std_: Op = structural(
    "std", "x", in_single(lambda *call: np.sqrt(_var(*call))),
    params={"correction": 1.0, **OPTIONS},
    vjp=(_std_rule,), domain=(REAL,),
    why="The root of the variance: its slope over 2y. Where all entries are equal that would be "
    "0/0; the gradient there is 0.",
)  # fmt: skip


# Largest and smallest ----------------------------------------------------------------------------


def _amax(x: Array, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    return largest(x, axis=dim, keepdims=keepdim)


def _amin(x: Array, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    return smallest(x, axis=dim, keepdims=keepdim)


def _median(x: Array, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    ordered = np.sort(x, axis=None)  # nan comes last
    return ordered[-1 if ordered[-1] != ordered[-1] else (x.size - 1) // 2]


def _to_the_chosen(g: Any, y: Any, x: Any, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    """Every entry that equals the result gets the same share of its gradient; NaN equals NaN."""
    g, y = restore(g, shape, dim, keepdim), restore(y, shape, dim, keepdim)
    there = x == y
    if (y != y).any():
        there = there | ((x != x) & (y != y))
    ties = sum_(there, dim, True, shape)
    return there * (g / cast(ties, g.dtype, ties.dtype))


amax_: Op = structural(
    "amax", "x", _amax, params=OPTIONS, symbol="max",
    vjp=(_to_the_chosen,), domain=(REAL,),
    why="Only the largest entry moves the result. Entries that tie share the gradient evenly.",
)  # fmt: skip
amin_: Op = structural(
    "amin", "x", _amin, params=OPTIONS, symbol="min",
    vjp=(_to_the_chosen,), domain=(REAL,),
    why="Only the smallest entry moves the result. Entries that tie share the gradient evenly.",
)  # fmt: skip
median_: Op = structural(
    "median", "x", _median, params=OPTIONS,
    vjp=(_to_the_chosen,), domain=(REAL,),
    why="The middle one of all entries in order, the lower one of two: only it moves the result.",
)  # fmt: skip


# Products ----------------------------------------------------------------------------------------


def _prod(x: Array, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    return multiplied(x, axis=dim, keepdims=keepdim)


def _prod_parts(
    needed: Any, g: Array, y: Array, x: Array, dim: Shape, keepdim: bool, shape: Shape
) -> Any:
    g, y = restore(g, shape, dim, keepdim), restore(y, shape, dim, keepdim)
    zero = x == 0
    if not zero.any():
        return (g * (y / x),)
    zeros = added(zero, axis=dim, keepdims=True)
    others = multiplied(np.where(zero, 1, x), axis=dim, keepdims=True)
    alone = np.where(zero & (zeros == 1), others, 0)  # of two zeros, each is held at 0 by the other
    return (g * np.where(zeros == 0, y / x, alone),)


def _prod_by_halves(x: Any, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    """Products of pairs, of pairs of pairs, …: nothing is ever divided, so zeros need no care."""
    rest = tuple(axis for axis in range(len(shape)) if axis not in dim)
    outer = tuple(shape[axis] for axis in rest)
    n = count(shape, dim)
    y = permute(x, (*rest, *dim))
    y = reshape(y, (*outer, n), tuple(y.shape))
    if n == 0:
        return where(True, 1.0, sum_(x, dim, keepdim, shape))
    odd = None
    while n > 1:
        if n % 2:
            last = y[..., n - 1 :]
            odd = last if odd is None else odd * last
        n //= 2
        y = y[..., :n] * y[..., n : 2 * n]
    y = y if odd is None else y * odd
    return reshape(y, kept(shape, dim) if keepdim else outer, tuple(y.shape))


prod_: Op = structural(
    "prod", "x", in_single(_prod), params=OPTIONS, symbol="Π",
    vjp=(None,), joint=_prod_parts, composition=_prod_by_halves, domain=(REAL,),
    why="Each factor is scaled by the product of the others: y/x, where x is not 0. A single 0 has "
    "the product of the others, and takes all of the gradient. Fused: the composition multiplies "
    "in halves, several times slower, but any derivative of it is right at zeros.",
)  # fmt: skip


# Sums of exponentials ----------------------------------------------------------------------------


def _logsumexp(x: Array, dim: Shape, keepdim: bool, shape: Shape) -> Any:
    if x.size == 0:
        return np.log(added(x, axis=dim, keepdims=keepdim) * 0)
    top = largest(x, axis=dim, keepdims=True)
    base = np.where(np.isfinite(top), top, 0)
    y = np.log(added(np.exp(x - base), axis=dim, keepdims=keepdim))
    return y + (base if keepdim else base.reshape(y.shape))


logsumexp_: Op = structural(
    "logsumexp", "x", in_single(_logsumexp), params=OPTIONS,
    vjp=(
        lambda g, y, x, dim, keepdim, shape: restore(g, shape, dim, keepdim)
        * exp(x - restore(y, shape, dim, keepdim)),
    ),
    domain=(REAL,),
    why="log Σ exp(x), a soft maximum: each entry has its softmax share, exp(x - y). The kernel "
    "takes the largest entry out first, so that no exponential overflows.",
)  # fmt: skip
