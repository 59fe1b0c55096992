"""The ``dim`` of reductions: one axis, several, or all; and NumPy's names for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from .errors import normal_dim, normal_dims

Dims = int | tuple[int, ...] | list[int] | None
F = TypeVar("F", bound=Callable[..., Any])

_ALL = [tuple(range(ndim)) for ndim in range(8)]


class EmptyError(IndexError, ValueError, RuntimeError):
    """Nothing to choose from (an IndexError or RuntimeError too, as PyTorch raises)."""


def is_empty(dim: Any) -> bool:
    """Is it ``()`` or ``[]``? NumPy's numbers, which count as dims, compare with () as arrays."""
    return isinstance(dim, (tuple, list)) and not dim


def axes(name: str, dim: Dims, ndim: int) -> tuple[int, ...]:
    """The axes to reduce, counted from the front; ``None`` and ``()`` are all of them."""
    if dim is None or is_empty(dim):
        return _ALL[ndim] if ndim < 8 else tuple(range(ndim))
    return normal_dims(name, list(dim) if isinstance(dim, tuple) else dim, ndim)


def one_axis(name: str, dim: Any, shape: tuple[int, ...]) -> int:
    """The one axis along which entries are compared, which must have some."""
    axis = normal_dim(name, dim, len(shape))
    if shape and shape[axis] == 0:
        raise EmptyError(
            f"{name}: axis {dim} of shape {shape} is empty: there is nothing to choose from"
        )
    return axis


def not_empty(name: str, size: int) -> None:
    if size == 0:
        raise EmptyError(f"{name}: the tensor is empty: there is nothing to choose from; give dim")


def count(shape: tuple[int, ...], dims: tuple[int, ...]) -> int:
    """How many entries go into each result."""
    n = 1
    for axis in dims:
        n *= shape[axis]
    return n


_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def numpy_names(function: F) -> F:
    """Let NumPy's ``axis`` and ``keepdims`` stand for ``dim`` and ``keepdim``, as PyTorch does."""

    @functools.wraps(function)
    def renamed(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for old, new in _NAMES.items():
                if old in kwargs:
                    if new in kwargs:
                        raise TypeError(f"{function.__name__}: got both {new} and {old}; use {new}")
                    kwargs[new] = kwargs.pop(old)
        return function(*args, **kwargs)

    return renamed  # type: ignore[return-value]
