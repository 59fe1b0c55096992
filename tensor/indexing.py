"""Picking entries by position, mask or index, and writing to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.modes import mode
from . import edits
from .errors import ShapeError
from .inplace import _check, _rebind
from .node import Array
from .record import apply, as_constant
from .rows import indexing as rows

if TYPE_CHECKING:
    from .tensor import Tensor


def plain(index: Any) -> tuple[Any, bool]:
    """An index of arrays and slices in place of tensors and lists, and whether it gives a view."""
    parts = index if isinstance(index, tuple) else (index,)
    found, basic = [], True
    for part in parts:
        if hasattr(part, "_data"):
            part = part._data
        elif isinstance(part, (list, range)):
            part = np.asarray(part, dtype=None if len(part) else np.int64)
        if isinstance(part, Array):
            if part.dtype.kind not in "iub":
                raise IndexError(
                    f"index: expected whole numbers or a mask, got a {part.dtype} array; use .long()"
                )
            if part.ndim == 0 and part.dtype.kind != "b":
                part = int(part)
            else:
                basic = False
        elif isinstance(part, (bool, np.bool_)):
            basic = False
        elif isinstance(part, slice):
            part = slice(*(None if e is None else e.__index__() for e in (part.start, part.stop, part.step)))
        elif part is not None and part is not Ellipsis:
            if not hasattr(part, "__index__"):
                raise TypeError(
                    f"index: expected ints, slices, None, ..., masks or index tensors, got "
                    f"{type(part).__name__} {part!r}"
                )
            part = part.__index__()
        found.append(part)
    if basic and not any(part is Ellipsis for part in found):
        found.append(Ellipsis)  # so that NumPy gives a 0-d view, not a number, for a single entry
    return tuple(found), basic


def _explain(input: Tensor, error: IndexError) -> IndexError:
    return IndexError(f"index: {error} (the tensor has shape {input.shape})")


def getitem(input: Tensor, key: Any) -> Tensor:
    """Every form of index that NumPy takes; slices share memory, masks and index tensors copy."""
    index, basic = plain(key)
    try:
        return apply(rows.getitem if basic else rows.index, (input,), (index, input._data.shape))
    except IndexError as error:
        raise _explain(input, error) from None


def setitem(input: Tensor, key: Any, value: Any) -> None:
    """Write to the entries that ``key`` picks; recorded where a gradient has to know of it."""
    index, _ = plain(key)
    array = value._data if hasattr(value, "_data") else np.asarray(as_constant(rows.setitem, value))
    node = getattr(value, "_node", None)
    try:
        room = input._data[index].shape
    except IndexError as error:
        raise _explain(input, error) from None
    lead = array.ndim - len(room)
    if any(n != 1 for n in array.shape[: max(lead, 0)]) or not all(
        n in (1, m) for n, m in zip(array.shape[::-1], room[::-1])  # noqa: B905  (from the right)
    ):
        raise ShapeError(f"setitem: a value of shape {array.shape} does not fit the {room} that was picked")
    if mode().grad and (input._node is not None or node is not None):
        patch = value if node is not None else type(input)(array)
        new = apply(rows.setitem, (input, patch), (index,))
        _check(input, new, "setitem")
        _rebind(input, new, "setitem")
        return
    if not input._data.flags.writeable:
        raise RuntimeError("setitem: this tensor's memory is read-only; write to x.clone()")
    edits.note(input._data)
    input._data[index] = array
