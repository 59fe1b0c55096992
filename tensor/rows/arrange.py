"""Entries put in another order, side by side, repeated, or surrounded: all of these copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.op import REAL, Op
from ..node import Array
from .shape import reshape, sum_to
from .structural import structural

ALL = slice(None)


def _flip(x: Array, dims: tuple[int, ...]) -> Array:
    return x[tuple([slice(None, None, -1) if d in dims else ALL for d in range(x.ndim)])].copy()


flip: Op = structural(
    "flip", "x", _flip, params={"dims": ()},
    vjp=(lambda g, y, x, dims: flip(g, dims),), domain=(REAL,),
    why="Turned round along some axes: turning the gradient round undoes it.",
)  # fmt: skip
roll: Op = structural(
    "roll", "x", np.roll, params={"shifts": (), "dims": ()},
    vjp=(lambda g, y, x, shifts, dims: roll(g, tuple([-n for n in shifts]), dims),), domain=(REAL,),
    why="Shifted round along some axes: the gradient is shifted back.",
)  # fmt: skip


def _cat(*arguments: Any) -> Array:
    *xs, dim, sizes = arguments
    return np.concatenate(xs, axis=dim)


def _split_again(needed: Any, g: Any, y: Any, xs: Any, dim: int, sizes: tuple[int, ...]) -> Any:
    parts, end = [], 0
    for wanted, size in zip(needed, sizes, strict=True):
        start, end = end, end + size
        parts.append(g[(ALL,) * dim + (slice(start, end),)] if wanted else None)
    return parts


cat: Op = structural(
    "cat", "*xs", _cat, params={"dim": 0, "sizes": ()},
    vjp=(None,), domain=(REAL,), joint=_split_again,
    why="Laid end to end: the gradient is cut at the same places.",
)  # fmt: skip


def _stack(*arguments: Any) -> Array:
    *xs, dim = arguments
    return np.stack(xs, axis=dim)


def _unstack(needed: Any, g: Any, y: Any, xs: Any, dim: int) -> Any:
    return [g[(ALL,) * dim + (i,)] if wanted else None for i, wanted in enumerate(needed)]


stack: Op = structural(
    "stack", "*xs", _stack, params={"dim": 0},
    vjp=(None,), domain=(REAL,), joint=_unstack,
    why="Piled up along a new axis: each layer of the gradient belongs to one operand.",
)  # fmt: skip


def _repeat(x: Array, times: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    return np.tile(x, times)


def _sum_of_copies(g: Any, times: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """Axis k of size times*n seen as (times, n), then summed over the copies."""
    sizes = (1,) * (len(times) - len(shape)) + shape
    pairs = tuple([size for pair in zip(times, sizes, strict=True) for size in pair])
    once = tuple([size for n in sizes for size in (1, n)])
    return reshape(sum_to(reshape(g, pairs, g.shape), once), shape, once)


repeat: Op = structural(
    "repeat", "x", _repeat, params={"times": (), "shape": ()},
    vjp=(lambda g, y, x, times, shape: _sum_of_copies(g, times, shape),), domain=(REAL,),
    why="Tiles of the whole: an entry gets the sum of the gradients of its copies.",
)  # fmt: skip


def _each(x: Array, times: int, dim: int, shape: tuple[int, ...]) -> Array:
    return np.repeat(x, times, axis=dim)


def _sum_of_neighbours(g: Any, times: int, dim: int, shape: tuple[int, ...]) -> Any:
    """Axis ``dim`` of size n*times seen as (n, times), then summed over the copies."""
    wide = (*shape[: dim + 1], times, *shape[dim + 1 :])
    once = (*shape[: dim + 1], 1, *shape[dim + 1 :])
    return reshape(sum_to(reshape(g, wide, g.shape), once), shape, once)


repeat_interleave: Op = structural(
    "repeat_interleave", "x", _each, params={"times": 1, "dim": 0, "shape": ()},
    vjp=(lambda g, y, x, times, dim, shape: _sum_of_neighbours(g, times, dim, shape),),
    domain=(REAL,),
    why="Each entry several times in a row: it gets the sum of the gradients of its copies.",
)  # fmt: skip


def _pad(x: Array, widths: tuple[tuple[int, int], ...], value: float) -> Array:
    shape = [n + before + after for n, (before, after) in zip(x.shape, widths, strict=True)]
    y = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    y[_inside(x.shape, widths)] = x
    return y


def _inside(shape: tuple[int, ...], widths: tuple[tuple[int, int], ...]) -> tuple[slice, ...]:
    return tuple([slice(w[0], w[0] + n) for n, w in zip(shape, widths, strict=True)])


def _cropped(g: Any, widths: tuple[tuple[int, int], ...]) -> Any:
    return g[tuple([slice(w[0], n - w[1]) for n, w in zip(g.shape, widths, strict=True)])]


pad: Op = structural(
    "pad", "x", _pad, params={"widths": (), "value": 0.0},
    vjp=(lambda g, y, x, widths, value: _cropped(g, widths),), domain=(REAL,),
    why="Surrounded by constants, which have no gradient: the gradient is cropped.",
)  # fmt: skip
tril: Op = structural(
    "tril", "x", np.tril, params={"diagonal": 0},
    vjp=(lambda g, y, x, diagonal: tril(g, diagonal),), domain=(REAL,),
    why="Entries above the diagonal became 0, so they get no gradient.",
)  # fmt: skip
triu: Op = structural(
    "triu", "x", np.triu, params={"diagonal": 0},
    vjp=(lambda g, y, x, diagonal: triu(g, diagonal),), domain=(REAL,),
    why="Entries below the diagonal became 0, so they get no gradient.",
)  # fmt: skip
