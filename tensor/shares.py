"""Shares that add up to 1 along an axis, and their logarithms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .dims import numpy_names
from .dtypes import as_dtype
from .errors import DtypeError, normal_dim
from .record import apply
from .rows import shares

if TYPE_CHECKING:
    from .tensor import Tensor


@numpy_names
def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """exp(x) / Σ exp(x) along ``dim``: positive, adding up to 1.

    >>> import gradling
    >>> gradling.softmax(gradling.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _shares("softmax", shares.softmax, input, dim, dtype)


@numpy_names
def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """x - log Σ exp(x) along ``dim``: the logarithm of softmax, exact where softmax itself is 0."""
    return _shares("log_softmax", shares.log_softmax, input, dim, dtype)


def _shares(name: str, op: Any, input: Tensor, dim: int, dtype: Any) -> Tensor:
    if dtype is not None:
        input = input.to(as_dtype(dtype))
    if input._data.dtype.kind != "f":
        raise DtypeError(
            f"{name}: expected a floating tensor, got {input.dtype}; use dtype= or .float()"
        )
    return apply(op, (input,), (normal_dim(name, dim, input._data.ndim),))
