"""Results that run along an axis: sums, products, the best of all entries so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import whole
from .dims import numpy_names
from .dtypes import get_default_dtype
from .errors import ShapeError, normal_dim
from .extremes import ValuesAndIndices, pick
from .record import apply
from .reductions import summable
from .rows import running as rows

if TYPE_CHECKING:
    from .tensor import Tensor


@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Each entry plus all before it along ``dim``; whole numbers add up in int64.

    >>> import gradling
    >>> gradling.tensor([1.0, 2.0, 3.0]).cumsum(0)
    tensor([1., 3., 6.])
    """
    input = summable(input, dtype)
    return apply(rows.cumsum, (input,), (normal_dim("cumsum", dim, input._data.ndim), False))


@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Each entry times all before it along ``dim``. The gradient is right where entries are 0."""
    input = summable(input, dtype)
    return apply(rows.cumprod, (input,), (normal_dim("cumprod", dim, input._data.ndim),))


@numpy_names
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """log Σ exp(x) over each entry and all before it along ``dim``, without overflow."""
    if input._data.dtype.kind != "f":
        input = input.to(get_default_dtype())
    return apply(rows.logcumsumexp, (input,), (normal_dim("logcumsumexp", dim, input._data.ndim),))


@numpy_names
def cummax(input: Tensor, dim: int) -> ValuesAndIndices:
    """The largest entry so far along ``dim``: values and indices, the last one of ties."""
    return _so_far("cummax", np.maximum, input, dim)


@numpy_names
def cummin(input: Tensor, dim: int) -> ValuesAndIndices:
    """The smallest entry so far along ``dim``: values and indices, the last one of ties."""
    return _so_far("cummin", np.minimum, input, dim)


def _so_far(name: str, ufunc: Any, input: Tensor, dim: int) -> ValuesAndIndices:
    x = input._data
    axis = normal_dim(name, dim, x.ndim)
    if x.ndim == 0:
        return pick(input, 0, np.zeros((), np.int64))
    best = ufunc.accumulate(x, axis=axis)
    place = np.arange(x.shape[axis]).reshape((-1,) + (1,) * (x.ndim - axis - 1))
    reached = np.where((x == best) | (x != x), place, 0)
    return pick(input, axis, np.maximum.accumulate(reached, axis=axis))


def diff(input: Tensor, n: int = 1, dim: int = -1) -> Tensor:
    """The differences of neighbours along ``dim``, taken ``n`` times.

    >>> import gradling
    >>> gradling.tensor([1, 4, 9]).diff()
    tensor([3, 5])
    """
    if input._data.ndim == 0:
        raise ShapeError("diff: a 0-d tensor has no neighbours; expected at least one dimension")
    axis = normal_dim("diff", dim, input._data.ndim)
    for _ in range(whole("diff", "n", n)):
        size = max(0, input._data.shape[axis] - 1)
        after, before = input.narrow(axis, 1 if size else 0, size), input.narrow(axis, 0, size)
        input = after ^ before if input._data.dtype.kind == "b" else after - before
    return input
