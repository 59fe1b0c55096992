"""How a tensor prints: its numbers, and what is not usual about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .dtypes import bool_, get_default_dtype, int64

if TYPE_CHECKING:
    from .tensor import Tensor


def show(self: Tensor) -> str:
    head = f"{type(self).__name__.lower() if type(self).__name__ == 'Tensor' else 'tensor'}("
    data = self._data
    body = np.array2string(
        data, separator=", ", prefix=head, precision=4, floatmode="maxprec_equal", suppress_small=False
    )
    notes = []
    if data.size == 0 and data.shape != (0,):
        notes.append(f"size={data.shape}")
    if data.dtype not in (get_default_dtype(), int64, bool_) or (data.size == 0 and data.dtype == int64):
        notes.append(f"dtype={data.dtype}")
    if self._node is not None:
        op = self._node.op
        notes.append("requires_grad=True" if op is None else f"grad_fn=<{op.name}>")
    return f"{head}{body}{''.join(f', {note}' for note in notes)})"


def formatted(self: Tensor, spec: str) -> Any:
    if spec and self._data.size == 1:
        return format(self._data.item(), spec)
    return format(show(self), spec)
