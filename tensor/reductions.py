"""Many entries brought down to few: sums, means, spread, products, norms, and tests of all or any.

``dim`` is one axis, several, or ``None`` for all; ``keepdim`` keeps them with size 1.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import RangeError
from .choice import where
from .dims import Dims, axes, count, is_empty, numpy_names
from .dtypes import as_dtype, get_default_dtype, int64
from .elementwise import isnan
from .errors import DtypeError, normal_dim
from .extremes import outside_graph
from .norms import vector_norm
from .record import apply
from .rows import reductions as rows

if TYPE_CHECKING:
    from .tensor import Tensor


def _floating(name: str, input: Tensor, dtype: Any = None) -> Tensor:
    if dtype is not None:
        input = input.to(as_dtype(dtype))
    if input._data.dtype.kind != "f":
        raise DtypeError(
            f"{name}: expected a floating tensor, got {input.dtype}, whose result would not be "
            "whole; use x.float(), or dtype= where there is one"
        )
    return input


def summable(input: Tensor, dtype: Any) -> Tensor:
    """In ``dtype``; without one, whole numbers and truth values count in int64."""
    if dtype is not None:
        return input.to(as_dtype(dtype))
    return input if input._data.dtype.kind == "f" else input.to(int64)


@numpy_names
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over ``dim``; whole numbers and truth values add up in int64.

    >>> import gradling
    >>> gradling.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(0)
    tensor([4., 6.])
    """
    if dtype is not None or input._data.dtype.kind != "f":
        input = summable(input, dtype)
    shape = input._data.shape
    return apply(rows.sum_, (input,), (axes("sum", dim, len(shape)), keepdim, shape))


@numpy_names
def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over ``dim`` of what is not nan."""
    return sum(where(isnan(input), 0, input), dim, keepdim, dtype=dtype)


@numpy_names
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over ``dim``; nan where there is nothing to average.

    Raises:
        DtypeError: for whole numbers, whose mean is not one: use ``dtype=`` or ``x.float()``.

    >>> import gradling
    >>> gradling.tensor([[1.0, 2.0], [3.0, 4.0]]).mean(dim=1, keepdim=True)
    tensor([[1.5000],
            [3.5000]])
    """
    input = _floating("mean", input, dtype)
    shape = input._data.shape
    return apply(rows.mean_, (input,), (axes("mean", dim, len(shape)), keepdim, shape))


@numpy_names
def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean over ``dim`` of what is not nan."""
    input = _floating("nanmean", input, dtype)
    return nansum(input, dim, keepdim) / sum(isnan(input).logical_not(), dim, keepdim)


@numpy_names
def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The product over one axis, or over all; whole numbers multiply in int64.

    Its gradient is right where entries are 0, and so are gradients of the gradient.

    >>> import gradling
    >>> gradling.tensor([1.0, 2.0, 4.0]).prod()
    tensor(8.)
    """
    input = summable(input, dtype)
    shape = input._data.shape
    dims = axes("prod", dim if dim is None else (normal_dim("prod", dim, len(shape)),), len(shape))
    return apply(rows.prod_, (input,), (dims, keepdim, shape))


def _correction(name: str, unbiased: bool | None, correction: float | None) -> float:
    if unbiased is None:
        return 1.0 if correction is None else float(correction)
    if correction is not None:
        raise TypeError(
            f"{name}: expected unbiased or correction, got both; correction is the newer"
        )
    return float(unbiased)


def _spread(
    name: str, op: Any, input: Tensor, dim: Any, unbiased: Any, correction: Any, keepdim: bool
) -> Tensor:
    if isinstance(dim, bool):  # var(x, False): the first positional argument may be unbiased
        dim, unbiased = None, dim
    given = _correction(name, unbiased, correction)
    input = _floating(name, input)
    shape = input._data.shape
    dims = axes(name, dim, len(shape))
    if count(shape, dims) <= given:
        warnings.warn(
            f"{name}: {count(shape, dims)} entries leave no degree of freedom when {given:g} is "
            "taken off (correction): the result is nan or inf",
            stacklevel=4,
        )
    return apply(op, (input,), (given, dims, keepdim, shape))


@numpy_names
def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance over ``dim``: Σ (x - mean)² / (n - correction).

    ``correction=1`` is the default (Bessel's: unbiased for a sample); 0 divides by n, which
    ``unbiased=False`` says too.

    >>> import gradling
    >>> gradling.tensor([1.0, 2.0, 3.0]).var()
    tensor(1.)
    """
    return _spread("var", rows.var_, input, dim, unbiased, correction, keepdim)


@numpy_names
def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation over ``dim``: the root of ``var``. Its gradient is 0 where it is 0."""
    return _spread("std", rows.std_, input, dim, unbiased, correction, keepdim)


@numpy_names
def var_mean(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """``var`` and ``mean`` over ``dim``."""
    spread = _spread("var_mean", rows.var_, input, dim, unbiased, correction, keepdim)
    return spread, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@numpy_names
def std_mean(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """``std`` and ``mean`` over ``dim``."""
    spread = _spread("std_mean", rows.std_, input, dim, unbiased, correction, keepdim)
    return spread, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@numpy_names
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """log Σ exp(x) over ``dim``, without overflow.

    >>> import gradling
    >>> gradling.logsumexp(gradling.tensor([1000.0, 1000.0]), 0)
    tensor(1000.6932)
    """
    if input._data.dtype.kind != "f":
        input = input.to(get_default_dtype())
    shape = input._data.shape
    return apply(rows.logsumexp_, (input,), (axes("logsumexp", dim, len(shape)), keepdim, shape))


def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Dims = None,
    keepdim: bool = False,
    dtype: Any = None,
) -> Tensor:
    """The vector norm over ``dim``: (Σ |x|^p)^(1/p), p = 2 for "fro".

    ``inf`` and ``-inf`` give the largest and smallest absolute value, 0 the count of entries that
    are not 0. The gradient is 0 where the norm is 0.

    >>> import gradling
    >>> gradling.norm(gradling.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if isinstance(p, str) and p != "fro":
        raise RangeError(f"norm: p must be a number or 'fro', got {p!r}; see linalg.matrix_norm")
    order = 2.0 if p is None or isinstance(p, str) else p
    return vector_norm(input, order, dim, keepdim, dtype=dtype)


@numpy_names
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many entries over ``dim`` are not 0, in int64 (nan is not 0)."""
    dims = axes("count_nonzero", dim, input._data.ndim)
    return outside_graph(np.asarray(np.count_nonzero(input._data, axis=dims), np.int64))


def _test(name: str, ufunc: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    x = input._data
    # () means none here, where elsewhere it means all: so it is in PyTorch
    dims = () if is_empty(dim) else axes(name, dim, x.ndim)
    found = ufunc.reduce(x, axis=dims, keepdims=keepdim, dtype=bool)
    return outside_graph(np.asarray(found, x.dtype if x.dtype == np.uint8 else np.bool_))


@numpy_names
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether all entries over ``dim`` are true (not 0)."""
    return _test("all", np.logical_and, input, dim, keepdim)


@numpy_names
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether any entry over ``dim`` is true (not 0)."""
    return _test("any", np.logical_or, input, dim, keepdim)
