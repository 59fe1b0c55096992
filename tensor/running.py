"""Results that run along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .dtypes import as_dtype, int64
from .errors import normal_dim
from .extremes import ValuesAndIndices, pick
from .record import apply
from .rows import running as rows

if TYPE_CHECKING:
    from .tensor import Tensor


def _wide(input: Tensor, dtype: Any) -> Tensor:
    if dtype is not None:
        return input.to(as_dtype(dtype))
    return input.to(int64) if input._data.dtype.kind in "bui" else input


def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The sums of all entries so far along ``dim``.

    >>> import gradling
    >>> gradling.tensor([1.0, 2.0, 3.0]).cumsum(0)
    tensor([1., 3., 6.])
    """
    input, place = _wide(input, dtype), normal_dim("cumsum", dim, input._data.ndim)
    if not input._data.ndim:
        return input.clone()
    return apply(rows.cumsum, (input,), (place, False))


def _along_last(name: str, row: Any, input: Tensor, dim: int) -> Tensor:
    place = normal_dim(name, dim, input._data.ndim)
    if not input._data.ndim:
        return input.clone()
    return apply(row, (input.movedim(place, -1),)).movedim(-1, place)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The products of all entries so far along ``dim``; its gradient is right at zeros."""
    return _along_last("cumprod", rows.cumprod, _wide(input, dtype), dim)


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """log of the running sums of exp(x) along ``dim``, without overflow."""
    if input._data.dtype.kind != "f":
        raise TypeError(f"logcumsumexp: expected a floating tensor, got {input.dtype}; use .float()")
    return _along_last("logcumsumexp", rows.logcumsumexp, input, dim)


def _best_so_far(name: str, input: Tensor, dim: int) -> ValuesAndIndices:
    x = input._data
    place = normal_dim(name, dim, x.ndim)
    if not x.ndim:
        return pick(input, place, np.zeros((), np.int64))
    best = (np.maximum if name == "cummax" else np.minimum).accumulate(x, axis=place)
    steps = np.arange(x.shape[place]).reshape([-1 if k == place else 1 for k in range(x.ndim)])
    hit = (x == best) | ((x != x) & (best != best))
    return pick(input, place, np.maximum.accumulate(np.where(hit, steps, 0), axis=place))


def cummax(input: Tensor, dim: int) -> ValuesAndIndices:
    """The largest entry so far along ``dim``, and where it last occurred."""
    return _best_so_far("cummax", input, dim)


def cummin(input: Tensor, dim: int) -> ValuesAndIndices:
    """The smallest entry so far along ``dim``, and where it last occurred."""
    return _best_so_far("cummin", input, dim)


def diff(input: Tensor, n: int = 1, dim: int = -1) -> Tensor:
    """The differences of neighbours along ``dim``, taken ``n`` times."""
    place = normal_dim("diff", dim, input._data.ndim)
    for _ in range(n):
        size = input._data.shape[place]
        input = input.narrow(place, 1, max(0, size - 1)) - input.narrow(place, 0, max(0, size - 1))
    return input
