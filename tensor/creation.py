"""Making tensors out of numbers, lists and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import edits
from .dtypes import as_dtype, get_default_dtype, int64
from .tensor import Tensor


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of ``data``: numbers, nested lists, arrays.

    Python floats become the default dtype (float32), ints int64; arrays keep theirs.

    Raises:
        ValueError: for ragged lists. TypeError: for what is not numbers.

    >>> tensor([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    made = Tensor(_array(data, dtype, copy=True))
    return made.requires_grad_() if requires_grad else made


def as_tensor(data: Any, *, dtype: Any = None) -> Tensor:
    """``data`` as a tensor, sharing memory where it can."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    array = _array(data, dtype, copy=None)
    if isinstance(data, np.ndarray) and np.shares_memory(array, data):
        edits.expose(array)
    return Tensor(array)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor on the array's own memory: a change of either is seen in both."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(array).__name__}; use tensor()")
    return as_tensor(array)


def _array(data: Any, dtype: Any, copy: bool | None) -> np.ndarray[Any, Any]:
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(data, Tensor):
        data = data._data
    elif isinstance(data, (list, tuple)):
        data = _nested(data)
    try:
        array = np.array(data, copy=copy)
    except ValueError as error:
        raise ValueError(f"tensor: {error}; every row needs the same length") from None
    if wanted is None:
        wanted = array.dtype
        if not isinstance(data, (np.ndarray, np.generic)):
            wanted = {"f": get_default_dtype(), "i": int64, "u": int64}.get(wanted.kind, wanted)
        wanted = get_default_dtype() if array.size == 0 and isinstance(data, list) else wanted
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"tensor: expected numbers, got {type(data).__name__} with NumPy dtype {array.dtype}"
        )
    return array.astype(as_dtype(wanted), copy=False)


def _nested(data: Any) -> Any:
    """Lists with the tensors in them turned to arrays."""
    if isinstance(data, Tensor):
        return data._data
    return [_nested(entry) for entry in data] if isinstance(data, (list, tuple)) else data


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the given shape."""
    return _filled(np.zeros, size, dtype, requires_grad)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the given shape."""
    return _filled(np.ones, size, dtype, requires_grad)


def _filled(make: Any, size: tuple[Any, ...], dtype: Any, requires_grad: bool) -> Tensor:
    from .shape import sizes

    made = Tensor(make(sizes(make.__name__, size), get_default_dtype() if dtype is None else as_dtype(dtype)))
    return made.requires_grad_() if requires_grad else made
