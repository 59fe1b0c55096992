"""Turning NumPy's complaints into messages that name the op, the shapes and the remedy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from ..engine import Op


class ShapeError(ValueError, RuntimeError):
    """Shapes that do not fit together (a RuntimeError too, as PyTorch raises)."""


class DtypeError(TypeError, RuntimeError):
    """A dtype that an op does not take (a RuntimeError too, as PyTorch raises)."""


class WholeDivisionError(ZeroDivisionError, RuntimeError):
    """Whole numbers divided by 0, which has no whole answer (a RuntimeError too, as PyTorch
    raises)."""


def shape_of(x: Any) -> tuple[int, ...]:
    return np.shape(x)


def described(op: Op, operands: Sequence[Any]) -> str:
    """``a (2, 3) float32 and b (4,) float32``"""
    names = op.args if len(op.args) == len(operands) else [f"#{i}" for i in range(len(operands))]
    parts = []
    for name, x in zip(names, operands, strict=True):
        typed = hasattr(x, "dtype")
        parts.append(f"{name} {shape_of(x)} {x.dtype}" if typed else f"{name} = {x!r}")
    return " and ".join(parts)


def explain(op: Op, operands: Sequence[Any], error: Exception) -> NoReturn:
    """Raise ``error`` again with the op and its operands; say which axes disagree where that is
    it."""
    shapes = [shape_of(x) for x in operands]
    clash = broadcast_clash(shapes) if isinstance(error, ValueError) else None
    if clash is not None and "broadcast" in str(error):
        axis, sizes = clash
        raise ShapeError(
            f"{op.name}: {described(op, operands)} do not broadcast: along axis {axis} they have "
            f"{' and '.join(map(str, sizes))}, which must be equal or 1. " + broadcast_hint(shapes)
        ) from None
    error.add_note(f"in {op.name} of {described(op, operands)}")
    raise error


def broadcast_clash(shapes: Sequence[tuple[int, ...]]) -> tuple[int, list[int]] | None:
    """The first axis from the right on which shapes disagree, with the sizes there."""
    for axis in range(1, max(map(len, shapes), default=0) + 1):
        sizes = [shape[-axis] for shape in shapes if len(shape) >= axis]
        if len({size for size in sizes if size != 1}) > 1:
            return -axis, list(dict.fromkeys(sizes))
    return None


def broadcast_hint(shapes: Sequence[tuple[int, ...]]) -> str:
    """A change that was checked to make two shapes broadcast, or the general rule.

    Of several, the one with the smallest result: (3, 4) and (3,) are meant to give (3, 4), by
    an axis more rather than by a transpose.
    """
    hints: list[tuple[int, bool, str]] = []  # size of the result, transposed, what to say
    if len(shapes) == 2:
        for first, name, other in ((0, "The first", 1), (1, "The second", 0)):
            shape = shapes[first]
            for place in range(len(shape), -1, -1):
                wider = (*shape[:place], 1, *shape[place:])
                if broadcast_clash([wider, shapes[other]]) is None:
                    result = np.broadcast_shapes(wider, shapes[other])
                    hint = f"{name} with .unsqueeze({place}) would broadcast to {result}."
                    hints.append((math.prod(result), False, hint))
            if len(shape) == 2 and broadcast_clash([shape[::-1], shapes[other]]) is None:
                size = math.prod(np.broadcast_shapes(shape[::-1], shapes[other]))
                hints.append((size, True, f"{name} transposed (.T) would fit."))
    if hints:
        return min(hints, key=lambda hint: hint[:2])[2]
    return "Reshape one of them, or insert an axis of size 1 with .unsqueeze(dim)."


def axis_out_of_range(name: str, dim: int, ndim: int) -> IndexError:
    low, high = (-ndim, ndim - 1) if ndim else (-1, 0)
    return IndexError(
        f"{name}: dim {dim} is out of range for a tensor with {ndim} dimension{'s' * (ndim != 1)}; "
        f"use {low} to {high}"
    )


def normal_dim(name: str, dim: Any, ndim: int) -> int:
    """``dim`` counted from the front, checked. A 0-d tensor takes 0 and -1, as in PyTorch."""
    if dim.__class__ is int and -ndim <= dim < ndim:
        return dim if dim >= 0 else dim + ndim
    if isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise TypeError(f"{name}: expected dim to be an int, got {type(dim).__name__} {dim!r}")
    place = dim.__index__()
    if not -max(ndim, 1) <= place < max(ndim, 1):
        raise axis_out_of_range(name, place, ndim)
    return int(place % max(ndim, 1))


def normal_dims(name: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """One dim, several, or ``None`` for all, counted from the front, each at most once."""
    if dim is None:
        return tuple(range(ndim))
    several = dim if isinstance(dim, (tuple, list)) else (dim,)
    dims = tuple([normal_dim(name, d, ndim) for d in several])
    if len(set(dims)) < len(dims):
        raise ShapeError(f"{name}: dim {dim} names an axis twice")
    return dims if ndim else ()
