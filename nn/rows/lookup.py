"""Rows of tables looked up, and entries dropped at random."""

from __future__ import annotations

from typing import Any

from ...engine.op import REAL
from ...tensor.node import Array
from ...tensor.rows.indexing import collect
from ...tensor.rows.structural import structural


def _look_up(weight: Array, index: Array, share: Any, shape: tuple[int, ...]) -> Array:
    y: Array = weight.take(index, axis=0)  # three times as fast as weight[index]
    return y


embedding = structural(
    "embedding", "weight", _look_up, params={"index": (), "share": None, "shape": ()},
    vjp=(
        lambda g, y, weight, index, share, shape: collect(
            g if share is None else g * share, (index,), shape
        ),
    ),
    domain=(REAL,),
    why="A row that was looked up several times adds up its gradients; share leaves out the "
    "padding row, or divides by how often a row was used.",
)  # fmt: skip
dropout = structural(
    "dropout", "x", lambda x, mask: x * mask, params={"mask": 1.0},
    vjp=(lambda g, y, x, mask: g * mask,), domain=(REAL,),
    why="A product with a mask of zeros and 1/(1 - p): the gradient goes through the same mask.",
)  # fmt: skip
