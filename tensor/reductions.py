"""Many entries brought down to few: sums, products, means, spreads, norms, truth values."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from .dtypes import as_dtype, int64
from .errors import normal_dim, normal_dims
from .norms import vector_norm
from .record import apply
from .rows import reductions as rows

if TYPE_CHECKING:
    from .tensor import Tensor

Dims = int | tuple[int, ...] | list[int] | None


def _dims(name: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """No dims at all mean all of them, as None does."""
    return normal_dims(name, None if isinstance(dim, (tuple, list)) and not dim else dim, ndim)


def _floating(name: str, input: Tensor, dtype: Any = None) -> Tensor:
    if dtype is not None:
        input = input.to(as_dtype(dtype))
    if input._data.dtype.kind != "f":
        raise TypeError(
            f"{name}: expected a floating tensor, got {input.dtype}; use x.float().{name}()"
        )
    return input


def _one_of(dim: Dims, axis: Dims) -> Dims:
    return dim if axis is None else axis


def sum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, axis: Dims = None
) -> Tensor:
    """The sum over ``dim`` (one axis, several, or all); whole numbers add up in int64.

    >>> import gradling
    >>> gradling.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(0)
    tensor([4., 6.])
    """
    if dtype is not None:
        input = input.to(as_dtype(dtype))
    elif input._data.dtype.kind in "bui":
        input = input.to(int64)
    shape = input._data.shape
    dims = _dims("sum", _one_of(dim, axis), len(shape))
    return apply(rows.sum_, (input,), (dims, keepdim, shape))


def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over ``dim`` of all that is not nan."""
    return sum(input.nan_to_num(0.0, inf, -inf), dim, keepdim, dtype=dtype)


def mean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None, axis: Dims = None
) -> Tensor:
    """The mean over ``dim`` (one axis, several, or all); nan where there is nothing to average.

    >>> import gradling
    >>> gradling.tensor([[1.0, 2.0], [3.0, 4.0]]).mean(1)
    tensor([1.5000, 3.5000])
    """
    input = _floating("mean", input, dtype)
    shape = input._data.shape
    dims = _dims("mean", _one_of(dim, axis), len(shape))
    return apply(rows.mean, (input,), (dims, keepdim, shape))


def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The mean over ``dim`` of all that is not nan."""
    input = _floating("nanmean", input)
    count = (~input.isnan()).sum(dim, keepdim)
    return nansum(input, dim, keepdim) / count


def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The product over ``dim``, or of all entries; its gradient is right at zeros, to any order.

    >>> import gradling
    >>> x = gradling.tensor([2.0, 0.0, 3.0], requires_grad=True)
    >>> x.prod().backward()
    >>> x.grad
    tensor([0., 6., 0.])
    """
    if dtype is not None:
        input = input.to(as_dtype(dtype))
    elif input._data.dtype.kind in "bui":
        input = input.to(int64)
    if dim is None:
        return apply(rows.prod, (input.reshape(-1),), (False,))
    place = normal_dim("prod", dim, input._data.ndim)
    if not input._data.ndim:
        return input.clone()
    y = apply(rows.prod, (input.movedim(place, -1),), (keepdim,))
    return y.movedim(-1, place) if keepdim else y


def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """log Σ exp(x) over ``dim``, without overflow.

    >>> import gradling
    >>> gradling.tensor([1000.0, 1000.0]).logsumexp(0)
    tensor(1000.6931)
    """
    if input._data.dtype.kind != "f":
        input = input.float()
    shape = input._data.shape
    dims = _dims("logsumexp", dim, len(shape))
    return apply(rows.logsumexp, (input,), (dims, keepdim, shape))


def _spread(
    name: str, input: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Any
) -> tuple[Tensor, tuple[Any, ...]]:
    if isinstance(dim, bool):  # var(x, unbiased), PyTorch's older form
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = int(bool(unbiased))
    input = _floating(name, input)
    shape = input._data.shape
    dims = _dims(name, dim, len(shape))
    return input, (dims, keepdim, 1 if correction is None else correction, shape)


def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance over ``dim``: Σ(x - x̄)² / (n - ``correction``), correction 1 unless given.

    >>> import gradling
    >>> gradling.tensor([1.0, 2.0, 3.0]).var()
    tensor(1.)
    """
    input, params = _spread("var", input, dim, unbiased, keepdim, correction)
    return apply(rows.var, (input,), params)


def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation over ``dim``, the root of ``var``; its gradient is 0 where it is 0."""
    input, params = _spread("std", input, dim, unbiased, keepdim, correction)
    return apply(rows.std, (input,), params)


def var_mean(input: Tensor, dim: Dims = None, **options: Any) -> tuple[Tensor, Tensor]:
    """Variance and mean over ``dim``."""
    keepdim = options.get("keepdim", False)
    return var(input, dim, **options), mean(input, dim, keepdim)


def std_mean(input: Tensor, dim: Dims = None, **options: Any) -> tuple[Tensor, Tensor]:
    """Standard deviation and mean over ``dim``."""
    keepdim = options.get("keepdim", False)
    return std(input, dim, **options), mean(input, dim, keepdim)


def norm(
    input: Tensor, p: float | str | None = 2, dim: Dims = None, keepdim: bool = False, dtype: Any = None
) -> Tensor:
    """The vector norm over ``dim``: (Σ|x|ᵖ)^(1/p); inf and -inf for the largest and smallest size,
    0 for the count of entries that are not 0. Its gradient is 0 where the norm is 0.

    >>> import gradling
    >>> x = gradling.zeros(2, requires_grad=True)
    >>> x.norm().backward()
    >>> x.grad
    tensor([0., 0.])
    """
    if p in (None, "fro"):
        p = 2
    if isinstance(p, str):
        raise ValueError(f"norm: p must be a number or 'fro', got {p!r}; see gradling.linalg.norm")
    return vector_norm(_floating("norm", input, dtype), p, dim, keepdim)


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every entry over ``dim`` is true (not 0)."""
    return _truth("all", np.logical_and, input, dim, keepdim)


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether some entry over ``dim`` is true (not 0)."""
    return _truth("any", np.logical_or, input, dim, keepdim)


def _truth(name: str, function: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    x = input._data
    found = function.reduce(x, axis=_dims(name, dim, x.ndim), keepdims=keepdim)
    dtype = x.dtype if x.dtype == np.uint8 else np.bool_  # as PyTorch has it, for old masks
    return type(input.detach())(np.asarray(found, dtype))


def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many entries over ``dim`` are not 0."""
    x = input._data
    found = np.count_nonzero(x, axis=_dims("count_nonzero", dim, x.ndim))
    return type(input.detach())(np.asarray(found, np.int64))
