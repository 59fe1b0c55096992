"""Picking and writing by mask, finding what is not 0, and one-hot codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import RangeError, said, whole
from .choice import where
from .dtypes import int64
from .errors import DtypeError, ShapeError
from .gathering import _filling, _source
from .reading import read
from .record import apply
from .rows import indexing as rows
from .shape import broadcast_shapes, broadcast_tensors

if TYPE_CHECKING:
    from .tensor import Tensor


def _mask(name: str, mask: Any) -> Tensor:
    if not hasattr(mask, "_data"):
        raise TypeError(f"{name}: expected mask to be a tensor, got {said(mask)}")
    if mask._data.dtype.kind != "b":
        raise DtypeError(f"{name}: expected a bool mask, got {mask.dtype}; use .bool()")
    return mask  # type: ignore[no-any-return]


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``input`` with ``value`` wherever ``mask``, which broadcasts, is true.

    >>> import gradling
    >>> x = gradling.tensor([1.0, 2.0, 3.0])
    >>> x.masked_fill(x > 1, float("-inf")).tolist()
    [1.0, -inf, -inf]
    """
    _mask("masked_fill", mask)
    filling = _filling("masked_fill", input, value)
    if not hasattr(value, "_data") and np.isinf(filling._data) and not np.isinf(value):
        raise RangeError(f"masked_fill: {value!r} is out of the range of {input.dtype}")
    return where(mask, filling, input)  # type: ignore[no-any-return]


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The entries where ``mask``, which broadcasts, is true, as a vector."""
    wide, where = broadcast_tensors(input, _mask("masked_select", mask))
    if not wide._data.ndim:
        wide, where = wide.reshape(1), where.reshape(1)
    return wide[where]


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """``input`` with the entries where ``mask`` is true replaced by the first ones of
    ``source``."""
    _source("masked_scatter", input, source)
    shape = broadcast_shapes(input._data.shape, _mask("masked_scatter", mask)._data.shape)
    where = np.broadcast_to(mask._data, shape)
    count = int(np.count_nonzero(where))
    if source._data.size < count:
        raise ShapeError(
            f"masked_scatter: mask picks {count} entries, but source has only {source._data.size}"
        )
    patch = source.reshape(-1)[:count]
    return apply(rows.setitem, (input.expand(shape), patch), ((np.array(where),),))


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The positions of entries that are not 0: (count, ndim), or one vector per axis.

    >>> import gradling
    >>> gradling.nonzero(gradling.tensor([0, 5, 6]))
    tensor([[1],
            [2]])
    """
    read("nonzero")
    made, x = type(input), input._data
    if as_tuple:
        return tuple([made(part.astype(int64)) for part in np.nonzero(np.atleast_1d(x))])
    return made(np.argwhere(x).astype(int64))


def argwhere(input: Tensor) -> Tensor:
    """The positions of entries that are not 0: (count, ndim)."""
    return nonzero(input)  # type: ignore[no-any-return]


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """1 at the place that each entry names, 0 elsewhere: (…) becomes (…, num_classes), int64.

    Args:
        num_classes: the largest entry plus 1 if left out.

    >>> import gradling
    >>> one_hot(gradling.tensor([2, 0]))
    tensor([[0, 0, 1],
            [1, 0, 0]])
    """
    read("one_hot")
    classes, x = whole("one_hot", "num_classes", num_classes), input._data
    if x.dtype.kind not in "iu":
        raise DtypeError(
            f"one_hot: expected class indices as whole numbers, got {x.dtype}; use .long()"
        )
    if x.size and x.min() < 0:
        raise RangeError(f"one_hot: class indices cannot be negative, got {x.min()}")
    if classes == -1:
        if not x.size:
            raise RangeError("one_hot: an empty tensor does not tell num_classes; pass it")
        classes = int(x.max()) + 1
    if classes < 1 or (x.size and x.max() >= classes):
        raise RangeError(
            f"one_hot: class indices go up to {x.max() if x.size else 'none'}, so num_classes "
            f"must be larger, got {classes}"
        )
    made = np.zeros((*x.shape, classes), np.int64)
    np.put_along_axis(made, x[..., None].astype(np.int64), 1, axis=-1)
    return type(input)(made)


def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
) -> Tensor:
    """Where entries would have to go to keep ``sorted_sequence`` (along its last axis) in order.

    >>> import gradling
    >>> searchsorted(gradling.tensor([1, 3, 5]), gradling.tensor([3, 4]))
    tensor([1, 2])
    """
    if side not in (None, "left", "right") or (right and side == "left"):
        raise RangeError(
            f"searchsorted: side must be 'left' or 'right', got {side!r} and right={right}"
        )
    where: Any = "right" if right or side == "right" else "left"
    edges, x = sorted_sequence._data, np.asarray(getattr(input, "_data", input))
    if edges.ndim == 1:
        found = np.searchsorted(edges, x, where)
    elif edges.shape[:-1] == x.shape[:-1] and edges.ndim:
        lines = zip(edges.reshape(-1, edges.shape[-1]), x.reshape(-1, x.shape[-1]), strict=True)
        found = np.array([np.searchsorted(a, b, where) for a, b in lines], np.int64).reshape(
            x.shape
        )
    else:
        raise ShapeError(
            "searchsorted: expected a vector of edges, or as many lines as the values have; got "
            f"edges {edges.shape} and values {x.shape}"
        )
    return type(sorted_sequence)(np.asarray(found, np.int32 if out_int32 else np.int64))


def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """In which interval between sorted ``boundaries`` each entry lies."""
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
