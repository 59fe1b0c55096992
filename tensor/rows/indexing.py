"""Picking entries and putting them back: each the other's rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.op import REAL, Op
from ..node import Array
from .structural import structural

Index = Any


def _place(g: Array, index: Index, shape: tuple[int, ...]) -> Array:
    y = np.zeros(shape, g.dtype)
    y[index] = g
    return y


def _collect(g: Array, index: Index, shape: tuple[int, ...]) -> Array:
    y = np.zeros(shape, g.dtype)
    np.add.at(y, index, g)
    return y


def _setitem(x: Array, value: Array, index: Index) -> Array:
    y = x.copy()
    y[index] = value
    return y


getitem: Op = structural(
    "getitem", "x", lambda x, index, shape: x[index], params={"index": (), "shape": ()},
    symbol="[ ]",
    vjp=(lambda g, y, x, index, shape: place(g, index, shape),), domain=(REAL,), view=True,
    why="What was picked gets its gradient back at its place; the rest gets 0.",
)  # fmt: skip
place: Op = structural(
    "place", "x", _place, params={"index": (), "shape": ()},
    vjp=(lambda g, y, x, index, shape: getitem(g, index, shape),), domain=(REAL,),
    why="Entries put into zeros at a slice: each answers for the place it went to.",
)  # fmt: skip
index: Op = structural(
    "index", "x", lambda x, index, shape: x[index], params={"index": (), "shape": ()}, symbol="[…]",
    vjp=(lambda g, y, x, index, shape: collect(g, index, shape),), domain=(REAL,),
    why="An entry that was picked several times adds up its gradients.",
)  # fmt: skip
collect: Op = structural(
    "collect", "x", _collect, params={"index": (), "shape": ()},
    vjp=(lambda g, y, x, index, shape: index_(g, index, shape),), domain=(REAL,),
    why="Entries added into zeros: each answers for the place it was added to.",
)  # fmt: skip
index_ = index
setitem: Op = structural(
    "setitem", "x value", _setitem, params={"index": ()}, symbol="[ ]=",
    vjp=(
        lambda g, y, x, value, index: setitem(g, g.dtype.type(0), index),
        lambda g, y, x, value, index: g[index],
    ),
    domain=(REAL, REAL),
    why="Overwritten entries take their gradient from the new value; the others are as before.",
)  # fmt: skip
