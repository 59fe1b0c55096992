"""From tensors to numbers, lists, arrays, other dtypes; and copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.modes import mode
from . import cuts, edits
from .arguments import all_tensors
from .dtypes import (
    DType,
    as_dtype,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)  # fmt: skip
from .dtypes import bool_ as _bool
from .reading import read
from .record import apply
from .rows import shape as rows

if TYPE_CHECKING:
    from .tensor import Tensor


def item(self: Tensor) -> Any:
    """The one number in this tensor, as a Python number."""
    if self._data.size != 1:
        raise ValueError(
            f"item: expected a tensor with one entry, got shape {self.shape}; use .tolist(), or "
            "reduce it first (.sum(), .mean())"
        )
    read("item()")
    return self._data.item()


def tolist(self: Tensor) -> Any:
    """Nested lists of Python numbers."""
    read("tolist()")
    return self._data.tolist()


def numpy(self: Tensor) -> Any:
    """The array itself, sharing memory; read-only where the tensor is in a graph, so that it cannot
    be changed behind the graph's back."""
    read("numpy()")
    if self._node is None and self._data.flags.writeable:
        edits.expose(self._data)
        return self._data
    edits.share(self._data)
    view = self._data.view()
    view.flags.writeable = False
    if mode().watch is not None:
        cuts.detached(self, view, "numpy")
    return view


def array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    """``np.asarray(x)``: always works, outside the graph."""
    found = numpy(self)
    if dtype is not None and np.dtype(dtype) != found.dtype:
        if copy is False:
            raise ValueError(
                f"np.asarray: a tensor of {found.dtype} needs a copy to become {dtype}"
            )
        return found.astype(dtype)
    return found.copy() if copy else found


def truth(self: Tensor) -> Any:
    if self._data.size != 1:
        raise ValueError(
            f"the truth of a tensor of shape {self.shape} is ambiguous: use .any() or .all(), and "
            "& | ~ in place of and, or, not"
        )
    read("the truth of a tensor")
    return bool(self._data.item())


def as_float(self: Tensor) -> Any:
    return float(item(self))


def as_int(self: Tensor) -> Any:
    return int(item(self))


def as_index(self: Tensor) -> Any:
    if self._data.dtype.kind not in "iub" or self._data.size != 1:
        raise TypeError(
            f"expected a whole number as index, got a {self.dtype} tensor of shape {self.shape}"
        )
    read("a tensor as an index")
    return int(self._data.item())


def to(self: Tensor, *args: Any, dtype: Any = None, copy: bool = False, **ignored: Any) -> Tensor:
    """In another dtype, differentiably; ``"cpu"`` is the only device there is.

    ``x.to(gradling.float64)``, ``x.to(other)``, ``x.to("cpu", dtype=...)``.
    """
    for given in args:
        if hasattr(given, "_data"):
            dtype = given.dtype
        elif not (isinstance(given, str) and given.partition(":")[0] in ("cpu", "cuda", "mps")):
            dtype = given
        elif not given.startswith("cpu"):
            raise RuntimeError(f"to: there is no device {given!r} here: everything runs on the cpu")
    wanted = self._data.dtype if dtype is None else as_dtype(dtype)
    if wanted is self._data.dtype:
        return clone(self) if copy else self
    return apply(rows.cast, (self,), (wanted, self._data.dtype))


def type_(self: Tensor, dtype: Any = None) -> Any:
    """In another dtype; without one, the name of the dtype."""
    return f"gradling.{self.dtype.name}" if dtype is None else to(self, dtype)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    all_tensors("type_as", other=other)
    return to(self, other.dtype)


def _converter(dtype: DType) -> Any:
    def convert(self: Tensor) -> Tensor:
        return to(self, dtype)

    convert.__doc__ = f"In {dtype.name}."
    return convert


float_, double, half = _converter(float32), _converter(float64), _converter(float16)
int_, long, short, bool_ = (
    _converter(int32), _converter(int64), _converter(int16), _converter(_bool),
)  # fmt: skip
char, byte = _converter(int8), _converter(uint8)


def cpu(self: Tensor) -> Tensor:
    return self


def clone(input: Tensor) -> Tensor:
    """A copy with memory of its own, still part of the graph."""
    return apply(rows.copy, (input,))


def contiguous(self: Tensor) -> Tensor:
    """The same entries in row-major memory, copied only if they are not."""
    return self if self._data.flags.c_contiguous else clone(self)
