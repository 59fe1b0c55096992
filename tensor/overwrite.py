"""Overwriting every entry in place: ``fill_``, ``zero_``, ``copy_``.

They are in-place edits like any other: what was there before gets gradient 0, and what was copied
in gets the gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.modes import mode
from .arguments import fits, said
from .choice import where
from .errors import ShapeError
from .inplace import assign
from .record import as_operand
from .rows.shape import copy

if TYPE_CHECKING:
    from .tensor import Tensor


def fill_(self: Tensor, value: Any) -> Tensor:
    """Every entry set to ``value``, a number or a 0-d tensor.

    >>> import gradling
    >>> gradling.zeros(2).fill_(3)
    tensor([3., 3.])
    """
    if hasattr(value, "_data"):
        if value._data.ndim:
            raise ShapeError(
                f"fill_: expected a number or a 0-d tensor, got shape {value.shape}; use copy_"
            )
        return _overwrite(self, value, "fill_")
    if not isinstance(value, (int, float, np.generic)):
        raise TypeError(f"fill_: expected a number or a 0-d tensor, got {said(value)}")
    number = fits("fill_", value, self._data.dtype)
    return _overwrite(self, type(self)(np.asarray(number).astype(self._data.dtype)), "fill_")


def zero_(self: Tensor) -> Tensor:
    """Every entry set to 0."""
    return _overwrite(self, type(self)(np.zeros((), self._data.dtype)), "zero_")


def copy_(self: Tensor, other: Tensor, non_blocking: bool = False) -> Tensor:
    """The entries of ``other``, which is broadcast and converted to this tensor's dtype.

    >>> import gradling
    >>> gradling.zeros(2, 2).copy_(gradling.tensor([1, 2]))
    tensor([[1., 2.],
            [1., 2.]])
    """
    other = as_operand(copy, other)
    have, room = other.shape, self.shape
    if len(have) > len(room) or any(n not in (1, m) for n, m in zip(have[::-1], room[::-1])):  # noqa: B905
        raise ShapeError(f"copy_: entries of shape {have} do not broadcast to {room}")
    return _overwrite(self, other, "copy_")


def _overwrite(self: Tensor, value: Tensor, name: str) -> Tensor:
    value = value.to(self._data.dtype)
    if mode().grad and (self._node is not None or value._node is not None):
        new = where(True, value, self)
    else:
        new = type(self)(np.broadcast_to(value._data, self._data.shape))
    return assign(self, new, name)
