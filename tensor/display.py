"""How a tensor prints: its numbers, and what is not usual about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .dtypes import bool_, get_default_dtype, int64
from .node import Array
from .reading import read

if TYPE_CHECKING:
    from .tensor import Tensor


DIGITS = 4
EDGE, MANY = 3, 1000  # entries shown at either end of an axis, of a tensor with more than this many


def show(self: Tensor) -> str:
    """As PyTorch prints: numbers of one width, four digits, large tensors without their middle."""
    read("the text of a tensor")
    data = self._data
    body = np.array2string(
        data,
        separator=", ",
        prefix="tensor(",
        edgeitems=EDGE,
        threshold=MANY,
        formatter=_formatters(data),
    )
    return f"tensor({body}{''.join(f', {note}' for note in _notes(self))})"


def _formatters(data: Array) -> Any:
    return {"float_kind": _float_format(data)} if data.dtype.kind == "f" else None


def _notes(self: Tensor) -> list[str]:
    """What is not usual about a tensor."""
    data, notes = self._data, []
    if data.size == 0 and data.shape != (0,):
        notes.append(f"size={data.shape}")
    usual = (get_default_dtype(), int64, bool_)
    if data.dtype not in usual or (data.size == 0 and data.dtype == int64):
        notes.append(f"dtype={data.dtype}")
    if self._node is not None:
        op = self._node.op
        notes.append("requires_grad=True" if op is None else f"grad_fn=<{op.name}>")
    return notes


def _float_format(data: Array) -> Callable[[float], str]:
    """One way to write all numbers of a tensor: whole, with four digits, or with an exponent."""
    shown = _shown(data).astype(np.float64)
    sizes = np.abs(shown[np.isfinite(shown) & (shown != 0)])
    low, high = (sizes.min(), sizes.max()) if sizes.size else (1.0, 1.0)
    whole = bool((sizes == np.floor(sizes)).all())
    if high > 1000 * low or high > 1e8 or (low < 1e-4 and not whole):
        spec, tail = f".{DIGITS}e", ""
    else:
        spec, tail = (".0f", ".") if whole else (f".{DIGITS}f", "")

    def write(x: float) -> str:
        return f"{x:{spec}}{tail if np.isfinite(x) else ''}"

    width = max((len(write(x)) for x in shown.reshape(-1).tolist()), default=0)
    return lambda x: write(float(x)).rjust(width)


def _shown(data: Array) -> Array:
    """The entries that are printed."""
    if data.size <= MANY:
        return data
    ends = [[*range(min(EDGE, n)), *range(max(EDGE, n - EDGE), n)] for n in data.shape]
    return data[np.ix_(*ends)]


def formatted(self: Tensor, spec: str) -> Any:
    read("the text of a tensor")
    if spec and self._data.size == 1:
        return format(self._data.item(), spec)
    return format(show(self), spec)
