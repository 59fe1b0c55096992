"""Entries in order: sorted, the first few, the middle one; the different ones, how often each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import RangeError, whole
from .dims import axes, not_empty, numpy_names, one_axis
from .errors import DtypeError, ShapeError, normal_dim
from .extremes import ValuesAndIndices, outside_graph, pick
from .node import Array
from .reading import prepared, read
from .record import apply
from .rows import reductions as rows

if TYPE_CHECKING:
    from .tensor import Tensor


def _order(x: Array, axis: int, descending: bool) -> Any:
    """Indices that sort along ``axis``, equal entries as they were; nan counts as the largest."""
    if x.ndim == 0:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    # both ends turned around, so that equal entries stay in order
    order = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(order, axis)


@numpy_names
def sort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> ValuesAndIndices:
    """The entries in order along ``dim``, and where each was: values and indices.

    nan counts as the largest. Equal entries always keep their order, with ``stable`` or without.

    >>> import gradling
    >>> values, indices = gradling.tensor([3.0, 1.0, 2.0]).sort()
    >>> values, indices
    (tensor([1., 2., 3.]), tensor([1, 2, 0]))
    """
    axis = normal_dim("sort", dim, input._data.ndim)
    return pick(input, axis, prepared(_order, input._data, axis, descending))


@numpy_names
def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> Tensor:
    """The indices that sort along ``dim``."""
    axis = normal_dim("argsort", dim, input._data.ndim)
    return outside_graph(prepared(_order, input._data, axis, descending))


def msort(input: Tensor) -> Tensor:
    """The entries in order along the first axis."""
    return sort(input, 0).values


@numpy_names
def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesAndIndices:
    """The ``k`` largest (or smallest) entries along ``dim``, best first: values and indices.

    >>> import gradling
    >>> gradling.tensor([3.0, 1.0, 2.0]).topk(2).values
    tensor([3., 2.])
    """
    x = input._data
    axis, k = normal_dim("topk", dim, x.ndim), whole("topk", "k", k)
    n = x.shape[axis] if x.ndim else 1
    if not 0 <= k <= n:
        raise RangeError(f"topk: k must be 0 to {n}, the size of axis {dim}, got {k}")
    order = _order(x, axis, largest)
    return pick(input, axis, order[(slice(None),) * axis + (slice(k),)] if x.ndim else order)


@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle entry in order, the lower one of two; nan where there is any.

    Over all: the value. Along ``dim``: values and indices.

    >>> import gradling
    >>> gradling.tensor([3.0, 1.0, 2.0, 4.0]).median()
    tensor(2.)
    """
    x = input._data
    if dim is not None:
        return _ranked("median", input, dim, keepdim, None, True)
    if x.size == 0 and x.dtype.kind == "f":
        return outside_graph(np.asarray(np.nan, x.dtype))
    not_empty("median", x.size)
    return apply(rows.median_, (input,), (axes("median", None, x.ndim), False, x.shape))


@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """The ``k``-th smallest entry along ``dim``, counted from 1: values and indices."""
    return _ranked("kthvalue", input, dim, keepdim, whole("kthvalue", "k", k), False)


def _ranked(
    name: str, input: Tensor, dim: int, keepdim: bool, k: int | None, nan_wins: bool
) -> ValuesAndIndices:
    x = input._data
    axis = one_axis(name, dim, x.shape)
    n = x.shape[axis] if x.ndim else 1
    if k is not None and not 1 <= k <= n:
        raise RangeError(f"{name}: k must be 1 to {n}, the size of axis {dim}, got {k}")
    if x.ndim == 0:
        return pick(input, 0, np.zeros((), np.int64), keepdim)
    order = np.argsort(x, axis=axis, kind="stable")
    where = np.take(order, [(n - 1) // 2 if k is None else k - 1], axis=axis)
    if nan_wins and x.dtype.kind == "f":
        lost = np.isnan(x)
        where = np.where(
            lost.any(axis=axis, keepdims=True), np.argmax(lost, axis=axis, keepdims=True), where
        )
    return pick(input, axis, where, keepdim)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Every entry once, in order; with ``dim``, every slice of that axis once.

    Args:
        return_inverse: also where each entry went, in the shape of the input.
        return_counts: also how often each occurs.

    >>> import gradling
    >>> gradling.unique(gradling.tensor([2, 1, 2]), return_counts=True)
    (tensor([1, 2]), tensor([1, 2]))
    """
    read("unique")
    x = input._data
    axis = None if dim is None else normal_dim("unique", dim, x.ndim)
    found, inverse, counts = np.unique(
        x, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    parts = [found, inverse.reshape(x.shape if axis is None else -1), counts]
    return _asked(parts, return_inverse, return_counts)


def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """As ``unique``, of neighbours only: an entry that comes again later is kept again."""
    read("unique_consecutive")
    x = input._data
    axis = 0 if dim is None else normal_dim("unique_consecutive", dim, x.ndim)
    line = x.reshape(-1) if dim is None else np.moveaxis(x, axis, 0)
    other = line[1:] != line[:-1]
    fresh = np.ones(len(line), bool)
    fresh[1:] = other.any(axis=tuple(range(1, line.ndim)))
    inverse = np.cumsum(fresh) - 1
    kept = line[fresh]
    parts = [
        kept if dim is None else np.moveaxis(kept, 0, axis),
        inverse.reshape(x.shape) if dim is None else inverse,
        np.bincount(inverse, minlength=len(kept)),
    ]
    return _asked(parts, return_inverse, return_counts)


def _asked(parts: list[Array], inverse: bool, counts: bool) -> Any:
    found = [outside_graph(np.array(part, order="C")) for part in parts]
    wanted = [found[0], *([found[1]] if inverse else []), *([found[2]] if counts else [])]
    return wanted[0] if len(wanted) == 1 else tuple(wanted)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, … occurs; with ``weights``, what those entries weigh together.

    >>> import gradling
    >>> gradling.bincount(gradling.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    read("bincount")
    x, minlength = input._data, whole("bincount", "minlength", minlength)
    if x.dtype.kind not in "iu":
        raise DtypeError(f"bincount: expected whole numbers, got {x.dtype}; use .long()")
    if x.ndim != 1:
        raise ShapeError(f"bincount: expected one axis, got shape {x.shape}; use .flatten()")
    if minlength < 0 or (x.size and x.min() < 0):
        raise RangeError("bincount: expected numbers and minlength to be 0 or more")
    if weights is None:
        return outside_graph(np.bincount(x.astype(np.int64), minlength=minlength).astype(np.int64))
    w = weights._data
    if w.shape != x.shape:
        raise ShapeError(f"bincount: expected a weight per entry, got {w.shape} for {x.shape}")
    total = np.bincount(x.astype(np.int64), w, minlength)
    return outside_graph(total.astype(np.float32 if w.dtype == np.float32 else np.float64))
