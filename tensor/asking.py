"""Questions about tensors and dtypes, as free functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .dtypes import as_dtype, rank
from .reading import read

if TYPE_CHECKING:
    from .tensor import Tensor

finfo, iinfo, dtype = np.finfo, np.iinfo, np.dtype


def is_tensor(obj: Any) -> bool:
    """Is it one of our tensors?"""
    from .tensor import Tensor

    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Is its dtype a floating one, so that it can have gradients?"""
    return input.is_floating_point()


def numel(input: Tensor) -> int:
    """How many entries it has."""
    return input.numel()


def clone(input: Tensor) -> Tensor:
    """A copy with memory of its own, still part of the graph."""
    return input.clone()


def detach(input: Tensor) -> Tensor:
    """The same memory, outside the graph."""
    return input.detach()


def can_cast(from_: Any, to: Any) -> bool:
    """Does a dtype go into another without changing its kind: truth, whole numbers, floats?

    >>> can_cast("float64", "float32"), can_cast("float32", "int64")
    (True, False)
    """
    return rank(as_dtype(from_)) <= rank(as_dtype(to))


def strides(self: Tensor) -> tuple[int, ...]:
    """For each axis, how many entries lie in memory from one to the next."""
    read("stride()")
    return tuple([n // self._data.itemsize for n in self._data.strides])


def data_ptr(self: Tensor) -> int:
    """The address of the first entry in memory."""
    read("data_ptr()")
    return int(self._data.__array_interface__["data"][0])


def storage_offset(self: Tensor) -> int:
    """How many entries lie before the first one in the memory that this is a view of."""
    start = self._data
    while isinstance(start.base, np.ndarray):
        start = start.base
    return int(data_ptr(self) - start.__array_interface__["data"][0]) // self._data.itemsize
