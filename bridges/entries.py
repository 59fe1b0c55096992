"""Arrays of Values: what every scalar form is written with.

An array of dtype object holds a ``Value`` where a gradient may pass and a plain float where none
does. Python's operators work on its entries; all else goes through the table, entry by entry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine import TABLE, Op, Value

Array = np.ndarray[Any, Any]
Row = list[Any]


def boxed(y: Any) -> Array:
    """``y`` as an array of Values and floats: kernels give bare entries, and ints for filling."""
    if not isinstance(y, np.ndarray):
        box: Array = np.empty((), object)
        box[()] = y
        y = box
    if y.dtype != object:
        made: Array = y.astype(float).astype(object)
        return made
    flat: Array = y.reshape(-1)
    if any(x.__class__ is not Value and x.__class__ is not float for x in flat):
        flat = filled([_entry(x) for x in flat])
    return flat.reshape(y.shape)


def _entry(x: Any) -> Any:
    if isinstance(x, np.ndarray):  # NumPy puts a 0-d array into a 0-d array as it is
        x = x[()]
    return x if isinstance(x, Value) else float(x)


def filled(entries: Row) -> Array:
    """A list as an array (N,), whatever its entries are."""
    made = np.empty(len(entries), object)
    made[:] = entries
    return made


def numbers(x: Any) -> Array:
    """The sizes alone, float64."""
    flat = [float(entry) for entry in np.asarray(x, object).reshape(-1)]
    return np.array(flat).reshape(np.shape(x))


def each(op: Op | str, *arrays: Any, params: tuple[Any, ...] = ()) -> Array:
    """A row of the table for every entry, operands broadcast."""
    row = TABLE[op] if isinstance(op, str) else op
    return boxed(np.frompyfunc(lambda *xs: one(row, *xs, *params), len(arrays), 1)(*arrays))


def one(op: Op | str, *call: Any) -> Any:
    """A row of the table for single entries: a float where no operand is a Value."""
    row = TABLE[op] if isinstance(op, str) else op
    return row.on[Value if any(x.__class__ is Value for x in call) else float](*call)


def total(xs: Row) -> Any:
    """The sum from left to right; 0.0 of nothing."""
    if not xs:
        return 0.0
    y = xs[0]
    for x in xs[1:]:
        y = y + x
    return y


def inner(xs: Row, ys: Row) -> Any:
    """Σ x y."""
    return total([x * y for x, y in zip(xs, ys, strict=True)])


def along(f: Callable[[Row], Any], x: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    """``f`` of the list of entries along ``dims``, which go, or stay as size 1."""
    rest = [axis for axis in range(x.ndim) if axis not in dims]
    count = int(np.prod([x.shape[axis] for axis in dims], dtype=int))
    shape = [x.shape[axis] for axis in rest]
    rows = x.transpose([*rest, *dims]).reshape(int(np.prod(shape, dtype=int)), count)
    y = filled([f(list(row)) for row in rows]).reshape(shape)
    return y.reshape([1 if k in dims else n for k, n in enumerate(x.shape)]) if keepdim else y
