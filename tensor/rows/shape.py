"""Views and copies that move entries without changing them: each one's rule is its adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.op import REAL
from ..node import Array
from .structural import structural


def _sum_to(x: Array, shape: tuple[int, ...]) -> Array:
    lead = x.ndim - len(shape)
    axes = (*range(lead), *(lead + i for i, n in enumerate(shape) if n == 1 and x.shape[lead + i] != 1))
    return np.add.reduce(x, axis=axes).reshape(shape) if axes else x.reshape(shape)


alias = structural(
    "alias", "x", lambda x: x,
    vjp=(lambda g, y, x: g,), domain=(REAL,), view=True,
    why="Another name for the same entries.",
)  # fmt: skip
sum_to = structural(
    "sum_to", "x", _sum_to, params={"shape": ()},
    vjp=(lambda g, y, x, shape: broadcast_to(g, x.shape),), domain=(REAL,),
    why="Undoes broadcasting: an entry that was used many times gets the sum of their gradients.",
)  # fmt: skip
broadcast_to = structural(
    "broadcast_to", "x", np.broadcast_to, params={"shape": ()},
    vjp=(lambda g, y, x, shape: g,), domain=(REAL,), view=True,
    why="Every copy reports back; the one place that fits gradients to operands adds them up.",
)  # fmt: skip
reshape = structural(
    "reshape", "x", lambda x, shape, before: x.reshape(shape), params={"shape": (), "before": ()},
    vjp=(lambda g, y, x, shape, before: reshape(g, before, shape),), domain=(REAL,), view=True,
    why="The same entries in the same order: the gradient is reshaped back.",
)  # fmt: skip


def inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes ``dims``."""
    back = [0] * len(dims)
    for place, dim in enumerate(dims):
        back[dim] = place
    return tuple(back)


permute = structural(
    "permute", "x", lambda x, dims: x.transpose(dims), params={"dims": ()},
    vjp=(lambda g, y, x, dims: permute(g, inverse(dims)),), domain=(REAL,), view=True,
    why="Axes in another order: the gradient's axes are put back.",
)  # fmt: skip


def _cast(x: Array, dtype: Any, before: Any) -> Array:
    return x.astype(dtype)


cast = structural(
    "cast", "x", _cast, params={"dtype": None, "before": None},
    vjp=(lambda g, y, x, dtype, before: cast(g, before, dtype),), domain=(REAL,),
    why="The same numbers in another precision: the gradient goes back to the operand's own.",
)  # fmt: skip


def _view_put(base: Array, patch: Array, op: Any, params: tuple[Any, ...]) -> Array:
    y = base.copy()
    op.on[Array](y, *params)[...] = patch
    return y


def _blank(g: Any, op: Any, params: tuple[Any, ...]) -> Any:
    return view_put(g, op(g, *params) * 0, op, params)


view_put = structural(
    "view_put", "base patch", _view_put, params={"op": None, "params": ()},
    vjp=(
        lambda g, y, base, patch, op, params: _blank(g, op, params),
        lambda g, y, base, patch, op, params: op(g, *params),
    ),
    domain=(REAL, REAL),
    why="A view of base is overwritten: its gradient goes to the patch, the rest stays with base.",
)  # fmt: skip
copy = structural(
    "clone", "x", lambda x: np.array(x, order="C"),
    vjp=(lambda g, y, x: g,), domain=(REAL,),
    why="A copy is worth what its original is worth.",
)  # fmt: skip
