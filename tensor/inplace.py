"""In-place edits: recorded or refused before anything changes, never silently wrong.

An edit that a gradient has to know of gives the tensor a new array and a new place in the graph; the old
array stays as it was for whatever saved it. An edit that no gradient sees writes into memory, and is noted
so that a later backward over a graph that saved this memory refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.modes import mode
from . import edits
from .dtypes import rank
from .errors import ShapeError
from .record import apply
from .rows.shape import broadcast_to, cast, unfold, view_put

if TYPE_CHECKING:
    from .tensor import Tensor


def assign(target: Tensor, new: Tensor, name: str) -> Tensor:
    """Make ``target`` hold ``new``, which must have its shape and a dtype it can hold."""
    _check(target, new, name)
    if mode().grad and (target._node is not None or new._node is not None):
        if new.dtype is not target.dtype:
            new = apply(cast, (new,), (target.dtype, new.dtype))
        _rebind(target, new, name)
    else:
        if not target._data.flags.writeable:
            raise RuntimeError(
                f"{name}: this tensor's memory is read-only (it was expanded, or comes from a read-only "
                "array); edit x.clone()"
            )
        edits.note(target._data)
        np.copyto(target._data, new._data, casting="unsafe")
    return target


def _check(target: Tensor, new: Tensor, name: str) -> None:
    if new.shape != target.shape:
        raise ShapeError(
            f"{name}: the result has shape {new.shape}, but it must go into a tensor of shape "
            f"{target.shape}; use the form that returns a new tensor"
        )
    if rank(new.dtype) > rank(target.dtype):
        raise TypeError(
            f"{name}: the result is {new.dtype}, which a {target.dtype} tensor cannot hold; convert "
            f"first, or use the form that returns a new tensor"
        )
    if mode().grad and target._node is not None and target._node.op is None:
        raise RuntimeError(
            f"{name}: a leaf that requires grad cannot be edited in place: its gradient would be that "
            "of a value it no longer has. Do it under no_grad() (as an optimizer does), or on x.clone()"
        )


def _rebind(target: Tensor, new: Tensor, name: str) -> None:
    """Move ``target`` to ``new``'s place in the graph; a view passes the edit on to what it views."""
    if isinstance(target._base, tuple):
        base, op, params = target._base
        if op in (broadcast_to, unfold) and not target._data.flags.writeable:
            raise RuntimeError(
                f"{name}: entries of an expanded or unfolded tensor share memory; edit x.clone()"
            )
        if base._node is not None and base._node.op is None:
            raise RuntimeError(
                f"{name}: this is a view of a leaf that requires grad, which cannot be edited in place. "
                "Do it under no_grad(), or on a clone"
            )
        _rebind(base, apply(view_put, (base, new), (op, params)), name)
        new = apply(op, (base,), params)
    target._data, target._node = new._data, new._node


def in_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method ``name_`` of a function ``name``: its result, kept in the first argument."""
    name = f"{function.__name__}_"

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return assign(self, function(self, *args, **kwargs), name)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"In-place form of ``{function.__name__}``."
    return method


def augmented(function: Callable[..., Tensor], symbol: str) -> Callable[..., Tensor]:
    """``x += y`` and its like: in place, as PyTorch does it."""

    def method(self: Tensor, other: Any) -> Tensor:
        new = function(self, other)
        return new if new is NotImplemented else assign(self, new, symbol)

    return method
