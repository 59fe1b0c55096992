"""Making tensors out of numbers, lists and arrays, and out of nothing but a shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.modes import mode
from . import cuts, edits, trees
from .arguments import fits, new_shape, on_cpu, said
from .dtypes import DType, as_dtype, get_default_dtype, int64
from .node import Array
from .reading import filled_with
from .tensor import Tensor


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A new tensor with a copy of ``data``: numbers, nested lists, arrays.

    Python floats become the default dtype (float32), ints int64; arrays and NumPy scalars keep
    theirs.

    Raises:
        ValueError: for ragged lists, and numbers that the dtype cannot hold.
        TypeError: for what is not numbers.

    >>> tensor([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    on_cpu("tensor", device)
    made = _wrap(_array("tensor", data, dtype, copy=True), requires_grad)
    if mode().watched:
        if mode().watch is not None:
            cuts.copied(data, made._data)
        if all(isinstance(x, (bool, int, float)) for x in trees.leaves(data)):
            filled_with(made._data)
    return made


def as_tensor(data: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, sharing memory where it can; a tensor of that dtype as it is."""
    on_cpu("as_tensor", device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    array = _array("as_tensor", data, dtype, copy=None)
    if isinstance(data, np.ndarray) and np.may_share_memory(array, data):
        edits.expose(array)
    return Tensor(array)


def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """``obj`` as a tensor: copied always (``copy=True``), never (False, or an error), or where
    needed."""
    made = (tensor if copy else as_tensor)(obj, dtype=dtype, device=device)
    source = getattr(obj, "_data", obj)
    if copy is False and not (
        isinstance(source, np.ndarray) and np.may_share_memory(source, made._data)
    ):
        raise ValueError(f"asarray: {said(obj)} needs a copy to become a {made.dtype} tensor")
    return made.detach().requires_grad_() if requires_grad else made


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor on the array's own memory: a change of either is seen in both."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {said(array)}; use tensor()")
    as_dtype(array.dtype)
    if not array.dtype.isnative:
        raise ValueError(
            f"from_numpy: cannot share memory of byte order {array.dtype.byteorder!r}; use "
            "tensor(), which copies"
        )
    return as_tensor(array)


def _wrap(array: Array, requires_grad: bool) -> Tensor:
    made = Tensor(array)
    return made.requires_grad_() if requires_grad else made


def _known(array: Array, requires_grad: bool) -> Tensor:
    """The same for an array that follows from plain numbers alone."""
    return _wrap(filled_with(array), requires_grad)


def _array(name: str, data: Any, dtype: Any, copy: bool | None) -> Array:
    """``data`` as an array of a dtype that tensors have."""
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(data, Tensor):
        data = data._data
    if isinstance(data, (np.ndarray, np.generic)):
        return np.array(data, as_dtype(data.dtype) if wanted is None else wanted, copy=copy)
    array, natural = _listed(name, data, wanted)
    if wanted is None:
        wanted = natural
    if array.size and wanted.kind in "iu" and array.dtype is not wanted:
        fits(name, array.min().item(), wanted)
        fits(name, array.max().item(), wanted)
    with np.errstate(over="ignore"):  # too large for a float is inf, as everywhere
        return array.astype(wanted, copy=False)


def _listed(name: str, data: Any, wanted: DType | None) -> tuple[Array, DType]:
    """Numbers and nested lists as an array, and the dtype that they make by themselves."""
    kinds: set[type] = set()
    typed: list[DType] = []
    plain = _nested(name, data, kinds, typed)
    try:
        array = np.array(plain)
    except ValueError:
        raise ValueError(f"{name}: {_ragged(plain)}") from None
    if array.dtype.kind not in "fiub":
        if array.dtype.kind == "O" and all(k in _PLAIN for k in kinds):
            if wanted is not None and wanted.kind == "f":
                return np.array(plain, np.float64), wanted
            raise ValueError(f"{name}: a number is out of the range of int64, -2**63 to 2**63 - 1")
        raise TypeError(f"{name}: expected numbers, or lists of them, got {said(data)}")
    if array.dtype == np.uint64 and not typed:
        raise ValueError(f"{name}: {array.max()} is out of the range of int64; pass a float dtype")
    if array.size == 0 and not typed:
        return array, get_default_dtype()
    if typed and array.dtype.kind == max((t.kind for t in typed), key="biuf".index):
        return array, as_dtype(np.result_type(*(t for t in typed if t.kind == array.dtype.kind)))
    return array, {"f": get_default_dtype(), "b": np.dtype(bool)}.get(array.dtype.kind, int64)


_PLAIN = {int, float, bool}


def _nested(name: str, data: Any, kinds: set[type], typed: list[DType]) -> Any:
    """Lists with the tensors in them turned to arrays; notes which types and dtypes there are."""
    if isinstance(data, (list, tuple)):
        inside = set(map(type, data))
        if inside <= _PLAIN:  # the common case, without a Python step per number
            kinds |= inside
            return list(data)
        return [_nested(name, entry, kinds, typed) for entry in data]
    if isinstance(data, Tensor):
        data = data._data
    if isinstance(data, (np.ndarray, np.generic)):
        typed.append(as_dtype(data.dtype))
        return data
    if data.__class__ in _PLAIN:
        kinds.add(data.__class__)
        return data
    if isinstance(data, (str, bytes, complex)) or data is None:
        raise TypeError(f"{name}: expected numbers, or lists of them, got {said(data)}")
    if hasattr(data, "__array__"):
        found = np.asarray(data)
        typed.append(as_dtype(found.dtype))
        return found
    kinds.add(type(data))
    return list(data) if isinstance(data, range) else data


def _ragged(plain: Any) -> str:
    """Where nested lists stop being a grid."""
    place = ""
    while isinstance(plain, list) and plain:
        sizes = [len(row) if isinstance(row, list) else np.shape(row) for row in plain]
        for i, size in enumerate(sizes):
            if size != sizes[0]:
                return (
                    f"every row needs the same length, but data{place}[0] has "
                    f"{sizes[0] or 'none'} and data{place}[{i}] has {size or 'none'}"
                )
        plain, place = plain[0], f"{place}[0]"
    return "every row needs the same length"


def zeros(
    *size: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **named_size: Any,
) -> Tensor:
    """Zeros of the given shape.

    >>> zeros(2)
    tensor([0., 0.])
    """
    on_cpu("zeros", device)
    return _known(
        np.zeros(new_shape("zeros", size, **named_size), _or_default(dtype)), requires_grad
    )


def ones(
    *size: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **named_size: Any,
) -> Tensor:
    """Ones of the given shape."""
    on_cpu("ones", device)
    return _known(np.ones(new_shape("ones", size, **named_size), _or_default(dtype)), requires_grad)


def empty(
    *size: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **named_size: Any,
) -> Tensor:
    """A tensor of the given shape whose entries are whatever was in memory: to be filled."""
    on_cpu("empty", device)
    return _wrap(
        np.empty(new_shape("empty", size, **named_size), _or_default(dtype)), requires_grad
    )


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``fill_value`` everywhere; its kind decides the dtype: bool, int64 or the default float.

    Raises:
        ValueError: a value that the dtype cannot hold.
        TypeError: a size that is not a tuple.
    """
    on_cpu("full", device)
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full: expected size to be a tuple, got {said(size)}; write ({size},)")
    value = _number("full", fill_value)
    if dtype is None:
        wanted = {bool: np.dtype(bool), int: int64, float: get_default_dtype()}[type(value)]
    else:
        wanted = as_dtype(dtype)
    return _filled("full", new_shape("full", (size,)), value, wanted, requires_grad)


def _or_default(dtype: Any) -> DType:
    return get_default_dtype() if dtype is None else as_dtype(dtype)


def _number(name: str, value: Any) -> Any:
    """A Python number from a number, a NumPy scalar or a 0-d tensor."""
    value = getattr(value, "_data", value)
    if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, (bool, int, float)):
        raise TypeError(f"{name}: expected fill_value to be a number, got {said(value)}")
    return value


def _filled(name: str, shape: Any, value: Any, dtype: DType, requires_grad: bool) -> Tensor:
    made = np.empty(shape, dtype)
    with np.errstate(over="ignore"):
        made[...] = fits(name, value, dtype)
    return _known(made, requires_grad)


def _like(name: str, input: Any, dtype: Any, device: Any) -> tuple[tuple[int, ...], DType]:
    on_cpu(name, device)
    if not isinstance(input, Tensor):
        raise TypeError(
            f"{name}: expected a tensor, got {said(input)}; wrap it: gradling.tensor(...)"
        )
    return input._data.shape, input._data.dtype if dtype is None else as_dtype(dtype)


def zeros_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape and dtype of ``input``."""
    return _known(np.zeros(*_like("zeros_like", input, dtype, device)), requires_grad)


def ones_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones in the shape and dtype of ``input``."""
    return _known(np.ones(*_like("ones_like", input, dtype, device)), requires_grad)


def empty_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor in the shape and dtype of ``input``, its entries whatever was in memory."""
    return _wrap(np.empty(*_like("empty_like", input, dtype, device)), requires_grad)


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``fill_value`` everywhere, in the shape and dtype of ``input``."""
    shape, wanted = _like("full_like", input, dtype, device)
    return _filled("full_like", shape, _number("full_like", fill_value), wanted, requires_grad)
