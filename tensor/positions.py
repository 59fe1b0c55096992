"""Positions that users pass: checked, and explained where they are out of range."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arguments import said
from .dtypes import int64
from .errors import DtypeError
from .node import Array
from .reading import checked, prepared


class PositionError(IndexError, RuntimeError):
    """An index out of range (a RuntimeError too, as PyTorch raises for some)."""


def range_of(n: int, negative: bool = True) -> str:
    if n == 0:
        return "it has no entries"
    return f"use {-n if negative else 0} to {n - 1}"


def index_array(name: str, index: Any, n: int, dim: int, negative: bool = False) -> Array:
    """A tensor of whole numbers as an array of positions along an axis of ``n`` entries,
    checked."""
    array = getattr(index, "_data", index)
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name}: expected index to be a tensor, got {said(index)}")
    if array.dtype.kind not in "iu":
        raise DtypeError(f"{name}: expected whole numbers as index, got {array.dtype}; use .long()")
    checked(_check_range, name, array, n, dim, negative)
    return array if array.dtype is int64 else prepared(np.ndarray.astype, array, int64)


def _check_range(name: str, array: Array, n: int, dim: int, negative: bool) -> None:
    if array.dtype is int64 and not negative:  # seen as unsigned, negative ones are huge
        wrong_somewhere = array.size and array.view(np.uint64).max() >= n
    else:
        low = -n if negative else 0
        wrong_somewhere = array.size and (array.max() >= n or array.min() < low)
    if wrong_somewhere:
        wrong = array[(array >= n) | (array < (-n if negative else 0))].flat[0]
        raise PositionError(
            f"{name}: index {wrong} is out of range for axis {dim} with {n} entries; "
            + range_of(n, negative)
        )


def explain_index(
    name: str, parts: tuple[Any, ...], shape: tuple[int, ...], error: IndexError
) -> IndexError:
    """Which part of a key is wrong for a tensor of ``shape``, and what would be right."""
    taken = sum(axes_of(part) for part in parts)
    if taken > len(shape):
        axes = f"{len(shape)} dimension{'s' * (len(shape) != 1)}"
        more = "; .item() gives its number" if not shape else ""
        return IndexError(
            f"{name}: {taken} indices for a tensor with {axes}, shape {shape}; give at most "
            f"{len(shape)}{more}"
        )
    axis = 0
    for part in parts:
        if part is Ellipsis:
            axis += len(shape) - taken
            continue
        sizes = shape[axis : axis + axes_of(part)]
        if part.__class__ is int and not -sizes[0] <= part < sizes[0]:
            return _out_of_range(name, part, axis, sizes[0], shape)
        if isinstance(part, np.ndarray) and part.dtype.kind == "b" and part.shape != sizes:
            return IndexError(
                f"{name}: a mask of shape {part.shape} does not match {sizes}, the axes from "
                f"{axis} on of shape {shape}"
            )
        if isinstance(part, np.ndarray) and part.dtype.kind != "b" and part.size:
            n = sizes[0]
            wrong = part[(part >= n) | (part < -n)]
            if wrong.size:
                return _out_of_range(name, wrong.flat[0], axis, n, shape)
        axis += len(sizes)
    arrays = [
        part.shape for part in parts if isinstance(part, np.ndarray) and part.dtype.kind != "b"
    ]
    if "broadcast" in str(error):
        return IndexError(
            f"{name}: index tensors of shapes {', '.join(map(str, arrays))} do not broadcast; "
            "sizes must be equal or 1, counted from the last"
        )
    return IndexError(f"{name}: {error} (the tensor has shape {shape})")


def _out_of_range(name: str, i: Any, axis: int, n: int, shape: tuple[int, ...]) -> IndexError:
    return IndexError(
        f"{name}: index {i} is out of range for axis {axis} of a tensor of shape {shape}; "
        f"{range_of(n)}"
    )


def axes_of(part: Any) -> int:
    """How many axes a part of a key stands for."""
    if part is None or part is Ellipsis:
        return 0
    if isinstance(part, np.ndarray) and part.dtype.kind == "b":
        return part.ndim
    return 1
