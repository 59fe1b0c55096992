"""Picking entries and putting them back: each the other's rule.

Slices give views; masks and index arrays copy, and may pick an entry several times. ``index`` is
NumPy's: a tuple of slices, ints, ``None``, ``...`` and arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.op import REAL, WHOLE, Op
from ..accumulate import add_at, last_writes
from ..node import Array
from .structural import structural

Index = Any
Shape = tuple[int, ...]


def _place(g: Array, index: Index, shape: Shape) -> Array:
    y = np.zeros(shape, g.dtype)
    y[index] = g
    return y


def _collect(g: Array, index: Index, shape: Shape) -> Array:
    y = np.zeros(shape, g.dtype)
    add_at(y, index, g)
    return y


def _setitem(x: Array, value: Array, index: Index) -> Array:
    y = x.copy()
    y[index] = value
    return y


getitem: Op = structural(
    "getitem", "x", lambda x, index, shape: x[index], params={"index": (), "shape": ()},
    vjp=(lambda g, y, x, index, shape: place(g, index, shape),), domain=(REAL,),
    view=True, symbol="[ ]",
    why="What was picked gets its gradient back at its place; the rest gets 0.",
)  # fmt: skip
place: Op = structural(
    "place", "x", _place, params={"index": (), "shape": ()},
    vjp=(lambda g, y, x, index, shape: getitem(g, index, shape),), domain=(REAL,),
    why="Entries put into zeros at a slice: each answers for the place it went to.",
)  # fmt: skip
index: Op = structural(
    "index", "x", lambda x, index, shape: x[index], params={"index": (), "shape": ()},
    vjp=(lambda g, y, x, index, shape: collect(g, index, shape),), domain=(REAL,), symbol="[…]",
    why="An entry that was picked several times adds up its gradients.",
)  # fmt: skip
collect: Op = structural(
    "collect", "x", _collect, params={"index": (), "shape": ()},
    vjp=(lambda g, y, x, index, shape: index_(g, index, shape),), domain=(REAL,),
    why="Entries added into zeros: each answers for the place it was added to.",
)  # fmt: skip
index_: Op = index


def _of_the_last(g: Any, index: Index) -> Any:
    """The gradient of what was written: 0 for an entry that another one overwrote at once."""
    part = g[index]
    stayed = last_writes(index, tuple(g.shape))
    return part if stayed is None else part * stayed


setitem: Op = structural(
    "setitem", "x value", _setitem, params={"index": ()}, symbol="[ ]=",
    vjp=(
        lambda g, y, x, value, index: setitem(g, g.dtype.type(0), index),
        lambda g, y, x, value, index: _of_the_last(g, index),
    ),
    domain=(REAL, REAL),
    why="Overwritten entries take their gradient from the new value; the others are as before.",
)  # fmt: skip


def along(index: Array, dim: int) -> tuple[Array, ...]:
    """The index by which ``x[i, j, …]`` with ``index[i, j, …]`` in place of axis ``dim`` is
    picked."""
    ndim = index.ndim
    grid = [
        np.arange(n).reshape((1,) * axis + (n,) + (1,) * (ndim - axis - 1))
        for axis, n in enumerate(index.shape)
    ]
    grid[dim] = index
    return tuple(grid)


gather: Op = structural(
    "gather", "x index", lambda x, index, dim, shape: x[along(index, dim)],
    params={"dim": 0, "shape": ()},
    vjp=(lambda g, y, x, index, dim, shape: spread(g, index, dim, shape), None),
    domain=(REAL, WHOLE),
    why="Entries picked along one axis: each sends its gradient back to where it was picked.",
)  # fmt: skip
spread: Op = structural(
    "spread", "x index", lambda x, index, dim, shape: _collect(x, along(index, dim), shape),
    params={"dim": 0, "shape": ()},
    vjp=(lambda g, y, x, index, dim, shape: gather(g, index, dim, shape), None),
    domain=(REAL, WHOLE),
    why="Entries added into zeros along one axis: each answers for the place it was added to.",
)  # fmt: skip
