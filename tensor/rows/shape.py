"""Views and copies that move entries without changing them: each one's rule is its adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.op import REAL, Op
from ..node import Array
from .structural import structural


def _sum_to(x: Array, shape: tuple[int, ...]) -> Array:
    lead = x.ndim - len(shape)
    axes = (
        *range(lead),
        *(lead + i for i, n in enumerate(shape) if n == 1 and x.shape[lead + i] != 1),
    )
    return np.add.reduce(x, axis=axes).reshape(shape) if axes else x.reshape(shape)


alias: Op = structural(
    "alias", "x", lambda x: x,
    vjp=(lambda g, y, x: g,), domain=(REAL,), view=True,
    why="Another name for the same entries.",
)  # fmt: skip
sum_to: Op = structural(
    "sum_to", "x", _sum_to, params={"shape": ()},
    vjp=(lambda g, y, x, shape: broadcast_to(g, x.shape),), domain=(REAL,),
    why="Undoes broadcasting: an entry that was used many times gets the sum of their gradients.",
)  # fmt: skip
broadcast_to: Op = structural(
    "broadcast_to", "x", np.broadcast_to, params={"shape": ()},
    vjp=(lambda g, y, x, shape: g,), domain=(REAL,), view=True,
    why="Every copy reports back; the one place that fits gradients to operands adds them up.",
)  # fmt: skip
reshape: Op = structural(
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


permute: Op = structural(
    "permute", "x", lambda x, dims: x.transpose(dims), params={"dims": ()},
    vjp=(lambda g, y, x, dims: permute(g, inverse(dims)),), domain=(REAL,), view=True,
    why="Axes in another order: the gradient's axes are put back.",
)  # fmt: skip


def with_ones(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """``shape`` with axes of size 1 put in, at ``dims`` of the result."""
    sizes = list(shape)
    for dim in dims:  # ascending
        sizes.insert(dim, 1)
    return tuple(sizes)


def without(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """``shape`` without the axes ``dims``."""
    return tuple([n for dim, n in enumerate(shape) if dim not in dims])


unsqueeze: Op = structural(
    "unsqueeze", "x", lambda x, dims: x.reshape(with_ones(x.shape, dims)), params={"dims": ()},
    vjp=(lambda g, y, x, dims: squeeze(g, dims),), domain=(REAL,), view=True,
    why="An axis of size 1 more: the gradient loses it again.",
)  # fmt: skip
squeeze: Op = structural(
    "squeeze", "x", lambda x, dims: x.reshape(without(x.shape, dims)), params={"dims": ()},
    vjp=(lambda g, y, x, dims: unsqueeze(g, dims),), domain=(REAL,), view=True,
    why="An axis of size 1 fewer: the gradient gets it back.",
)  # fmt: skip


def _diagonal(x: Array, offset: int, dim1: int, dim2: int, shape: tuple[int, ...]) -> Array:
    y = x.diagonal(offset, dim1, dim2)
    y.flags.writeable = x.flags.writeable  # NumPy gives it read-only; it is a view like any other
    return y


def _diag_embed(x: Array, offset: int, dim1: int, dim2: int, shape: tuple[int, ...]) -> Array:
    y = np.zeros(shape, x.dtype)
    _diagonal(y, offset, dim1, dim2, shape)[...] = x
    return y


_PLACE_OF_A_DIAGONAL = {"offset": 0, "dim1": 0, "dim2": 1, "shape": ()}
diagonal: Op = structural(
    "diagonal", "x", _diagonal, params=_PLACE_OF_A_DIAGONAL,
    vjp=(lambda g, y, x, offset, dim1, dim2, shape: diag_embed(g, offset, dim1, dim2, shape),),
    domain=(REAL,), view=True,
    why="Entries on a diagonal get their gradients back on that diagonal; all others get 0.",
)  # fmt: skip
diag_embed: Op = structural(
    "diag_embed", "x", _diag_embed, params=_PLACE_OF_A_DIAGONAL,
    vjp=(lambda g, y, x, offset, dim1, dim2, shape: diagonal(g, offset, dim1, dim2, shape),),
    domain=(REAL,),
    why="Put on a diagonal of zeros: each entry answers for its place there, the zeros for "
    "nothing.",
)  # fmt: skip


def _unfold(x: Array, dim: int, size: int, step: int, shape: tuple[int, ...]) -> Array:
    count = (x.shape[dim] - size) // step + 1
    sizes = (*x.shape[:dim], count, *x.shape[dim + 1 :], size)
    strides = (*x.strides[:dim], x.strides[dim] * step, *x.strides[dim + 1 :], x.strides[dim])
    # windows that overlap share entries, so they cannot be written to
    return np.lib.stride_tricks.as_strided(x, sizes, strides, writeable=step >= size)


def _fold(x: Array, dim: int, size: int, step: int, shape: tuple[int, ...]) -> Array:
    y = np.zeros(shape, x.dtype)
    count = x.shape[dim]
    before: tuple[Any, ...] = (slice(None),) * dim
    if count < size:
        for i in range(count):
            y[(*before, slice(i * step, i * step + size))] += np.moveaxis(x[(*before, i)], -1, dim)
        return y
    for k in range(size):
        y[(*before, slice(k, k + (count - 1) * step + 1, step))] += x[..., k]
    return y


_WINDOWS = {"dim": 0, "size": 1, "step": 1, "shape": ()}
unfold: Op = structural(
    "unfold", "x", _unfold, params=_WINDOWS,
    vjp=(lambda g, y, x, dim, size, step, shape: fold(g, dim, size, step, shape),),
    domain=(REAL,), view=True,
    why="Windows along an axis, all seeing the same memory: an entry adds up what its windows "
    "report.",
)  # fmt: skip
fold: Op = structural(
    "fold", "x", _fold, params=_WINDOWS,
    vjp=(lambda g, y, x, dim, size, step, shape: unfold(g, dim, size, step, shape),),
    domain=(REAL,),
    why="Windows added up where they overlap: each entry of a window answers for its place.",
)  # fmt: skip


def _cast(x: Array, dtype: Any, before: Any) -> Array:
    return x.astype(dtype)


cast: Op = structural(
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


view_put: Op = structural(
    "view_put", "base patch", _view_put, params={"op": None, "params": ()},
    vjp=(
        lambda g, y, base, patch, op, params: _blank(g, op, params),
        lambda g, y, base, patch, op, params: op(g, *params),
    ),
    domain=(REAL, REAL),
    why="A view of base is overwritten: its gradient goes to the patch, the rest stays with base.",
)  # fmt: skip
copy: Op = structural(
    "clone", "x", lambda x: np.array(x, order="C"),
    vjp=(lambda g, y, x: g,), domain=(REAL,),
    why="A copy is worth what its original is worth.",
)  # fmt: skip
