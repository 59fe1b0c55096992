"""Entries in order: sorted, the k largest, the middle one, the different ones, how many of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import normal_dim
from .extremes import ValuesAndIndices, pick
from .node import Array

if TYPE_CHECKING:
    from .tensor import Tensor


def _order(x: Array, dim: int, descending: bool) -> Array:
    """Places in sorted order, equal entries in their original order; nan counts as largest."""
    if not x.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    # from the back, so that equal entries keep their order when the result is reversed
    back = np.flip(np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)
    return x.shape[dim] - 1 - back


def sort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True
) -> ValuesAndIndices:
    """The entries along ``dim`` in order, and where they came from (always stable).

    >>> import gradling
    >>> gradling.tensor([3.0, 1.0, 2.0]).sort().indices
    tensor([1, 2, 0])
    """
    place = normal_dim("sort", dim, input._data.ndim)
    return pick(input, place, _order(input._data, place, descending))


def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """The places of the entries along ``dim`` in sorted order (always stable)."""
    place = normal_dim("argsort", dim, input._data.ndim)
    return type(input.detach())(_order(input._data, place, descending))


def _count(name: str, k: Any, size: int, least: int) -> int:
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise TypeError(f"{name}: expected k to be an int, got {type(k).__name__}")
    if not least <= k.__index__() <= size:
        raise ValueError(f"{name}: expected k from {least} to {size}, the size of the axis, got {k}")
    return int(k.__index__())


def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesAndIndices:
    """The ``k`` largest (or smallest) entries along ``dim``, in order, and where they are."""
    x = input._data
    place = normal_dim("topk", dim, x.ndim)
    size = x.shape[place] if x.ndim else 1
    k = _count("topk", k, size, 0)
    order = _order(x, place, largest)
    return pick(input, place, np.take(order, range(k), place) if x.ndim else order)


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """The ``k``-th smallest entry along ``dim``, counted from 1, and where it is."""
    x = input._data
    place = normal_dim("kthvalue", dim, x.ndim)
    k = _count("kthvalue", k, x.shape[place] if x.ndim else 1, 1)
    order = _order(x, place, False)
    return pick(input, place, np.take(order, [k - 1], place) if x.ndim else order, keepdim)


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle entry, the lower of two; along ``dim``, and where it is. nan if there is any.

    >>> import gradling
    >>> gradling.tensor([4.0, 1.0, 3.0, 2.0]).median()
    tensor(2.)
    """
    x = input._data
    if dim is None:
        if not x.size:
            return type(input.detach())(np.asarray(np.nan, x.dtype))
        return _middle(input.reshape(-1), 0, False).values
    return _middle(input, normal_dim("median", dim, x.ndim), keepdim)


def _middle(input: Tensor, dim: int, keepdim: bool) -> ValuesAndIndices:
    x = input._data
    order = _order(x, dim, False)
    if not x.ndim:
        return pick(input, dim, order, keepdim)
    n = x.shape[dim]
    if not n:
        raise IndexError(f"median: there is nothing along dim {dim} of shape {x.shape}")
    places = np.take(order, [(n - 1) // 2], dim)
    if x.dtype.kind == "f":
        lost = np.isnan(x)
        first = np.argmax(lost, axis=dim, keepdims=True)
        places = np.where(lost.any(axis=dim, keepdims=True), first, places)
    return pick(input, dim, places, keepdim)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different entries (or slices along ``dim``) in order; with them, if asked for, where each
    entry went and how often each occurs."""
    place = None if dim is None else normal_dim("unique", dim, input._data.ndim)
    found = np.unique(
        input._data, return_inverse=return_inverse, return_counts=return_counts, axis=place
    )
    parts = found if isinstance(found, tuple) else (found,)
    if return_inverse and place is None:
        parts = (parts[0], parts[1].reshape(input._data.shape), *parts[2:])
    made = type(input.detach())
    answer = tuple(made(np.asarray(part)) for part in parts)
    return answer if len(answer) > 1 else answer[0]


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each whole number from 0 on occurs in a vector, or the sum of its ``weights``."""
    x = input._data
    if x.ndim != 1 or x.dtype.kind not in "iu":
        raise ValueError(f"bincount: expected a vector of whole numbers, got {x.dtype} {x.shape}")
    if x.size and x.min() < 0:
        raise ValueError(f"bincount: expected numbers from 0 on, got {x.min()}")
    if minlength < 0:
        raise ValueError(f"bincount: expected minlength >= 0, got {minlength}")
    if weights is None:
        return type(input.detach())(np.bincount(x, minlength=minlength))
    if weights.shape != input.shape:
        raise ValueError(f"bincount: weights {weights.shape} must have the shape {input.shape}")
    counts = np.bincount(x, weights._data, minlength)
    kind = weights.dtype if weights.dtype == np.float32 else np.dtype(np.float64)
    return type(input.detach())(counts.astype(kind))
