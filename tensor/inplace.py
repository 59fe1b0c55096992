"""In-place edits: recorded or refused before anything changes, never silently wrong.

An edit that a gradient has to know of gives the tensor a new array and a new place in the graph;
the old array stays as it was for whatever saved it, and views of the tensor follow. Where others
look at the memory too (``detach()``, NumPy), the new numbers are written to it, so that they see
them. An edit that no gradient sees always writes to memory. Writes are noted: a later backward over
a graph that saved this memory refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine import TABLE
from ..engine.modes import mode
from . import edits, views
from .dtypes import rank
from .errors import ShapeError
from .node import Array, Node, tick
from .quiet import Quiet
from .reading import read
from .record import apply
from .rows.shape import cast, view_put

if TYPE_CHECKING:
    from .tensor import Tensor


def assign(target: Tensor, new: Tensor, name: str, since: int | None = None) -> Tensor:
    """Make ``target`` hold ``new``, which must have its shape and a dtype it can hold.

    ``since`` is the time before ``new`` was computed, of ``target`` among others.
    """
    _check(target, new, name)
    read("an edit in place")
    if mode().grad and (target._node is not None or new._node is not None):
        if new.dtype is not target.dtype:
            new = apply(cast, (new,), (target.dtype, new.dtype))
        if since is not None and new._node is not None and edits.is_shared(target._data):
            _keep_before(new._node, since, target._data)
        _rebind(target, new, name)
    else:
        _write(target, new._data, name)
    return target


def _check(target: Tensor, new: Tensor, name: str) -> None:
    if new.shape != target.shape:
        raise ShapeError(
            f"{name}: the result has shape {new.shape}, but it must go into a tensor of shape "
            f"{target.shape}; use the form that returns a new tensor"
        )
    if rank(new.dtype) > rank(target.dtype):
        raise TypeError(
            f"{name}: the result is {new.dtype}, which a {target.dtype} tensor cannot hold; "
            f"convert first, or use the form that returns a new tensor"
        )
    if mode().grad and _is_leaf(target):
        raise RuntimeError(
            f"{name}: a leaf that requires grad cannot be edited in place: its gradient would be "
            "that of a value it no longer has. Do it under no_grad() (as an optimizer does), or on "
            "x.clone()"
        )


def _is_leaf(tensor: Tensor) -> bool:
    return tensor._node is not None and tensor._node.op is None


def _write(target: Tensor, array: Array, name: str) -> None:
    if not target._data.flags.writeable:
        raise RuntimeError(
            f"{name}: this tensor's memory is read-only (it was expanded, is handed to a hook or a "
            "Function, or comes from a read-only array); edit x.clone()"
        )
    edits.note(target._data)
    np.copyto(target._data, array, casting="unsafe")


def _rebind(target: Tensor, new: Tensor, name: str) -> None:
    """Move ``target`` to ``new``'s place in the graph, with what it views and all views of that."""
    links = _links(target, name)
    top = links[-1][0] if links else target
    family = views.family(top)
    for view, *_ in family:
        if _is_leaf(view):
            raise RuntimeError(
                f"{name}: a view of this tensor of shape {view.shape} is a leaf that requires "
                "grad, and would change in place with it. Do it under no_grad(), or on x.clone()"
            )
    in_memory = edits.is_shared(top._data)
    if in_memory:
        _write(target, new._data, name)
    elif new._base is not None:  # a view of something else: edits of that must not be seen here
        new = new.clone()
    for base, op, params in links:
        new = apply(view_put, (base, new), (op, params))
    _move(top, new, in_memory)
    for view, base, op, params in family:
        _move(view, apply(op, (base,), params), in_memory)


def _keep_before(node: Node, since: int, array: Array) -> None:
    """Let what was made since then keep copies of memory that is about to be overwritten."""
    memory = edits.owner(array)
    todo: list[Node | None] = [node]
    for now in todo:
        if now is not None and now.seq > since and now.op is not None:
            now.saved = tuple(
                [
                    a.copy() if isinstance(a, np.ndarray) and edits.owner(a) is memory else a
                    for a in now.saved or ()
                ]
            )
            todo += now.inputs


def _links(target: Tensor, name: str) -> list[Any]:
    """(what is viewed, op, params) from ``target`` upwards, where an edit may be passed on."""
    links = []
    while isinstance(target._base, tuple):
        if not target._data.flags.writeable:
            raise RuntimeError(
                f"{name}: entries of an expanded or unfolded tensor share memory; edit x.clone()"
            )
        if _is_leaf(target._base[0]):
            raise RuntimeError(
                f"{name}: this is a view of a leaf that requires grad, which cannot be edited in "
                "place. Do it under no_grad(), or on a clone"
            )
        links.append(target._base)
        target = target._base[0]
    return links


def _move(tensor: Tensor, new: Tensor, in_memory: bool) -> None:
    before, now = tensor._node, new._node
    if now is not None and before is not None and before.extra is not None:
        _carry(before, now)
    tensor._node = now
    if not in_memory:
        tensor._data = new._data


def _carry(before: Node, now: Node) -> None:
    """What was said about a tensor holds for its new place too; hooks stay with the old value."""
    for key in ("label", "retain"):
        if before.noted(key) is not None:
            now.note(key, before.noted(key))


def _plain(target: Tensor, other: Any) -> bool:
    """Whether ``target op= other`` can be written at once: no gradient sees it, none converts."""
    a, b, now = target._data, getattr(other, "_data", None), mode()
    return (
        b is not None
        and b.shape == a.shape
        and b.dtype is a.dtype
        and a.dtype.char in "fd"
        and a.flags.writeable
        and not now.watched
        and (not now.grad or (target._node is None and other._node is None))
    )


def in_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method ``name_`` of a function ``name``: its result, kept in the first argument."""
    name = f"{function.__name__}_"

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        since = tick()
        return assign(self, function(self, *args, **kwargs), name, since)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"In-place form of ``{function.__name__}``."
    return method


def augmented(function: Callable[..., Tensor], symbol: str) -> Callable[..., Tensor]:
    """``x += y`` and its like: in place, as PyTorch does it."""
    kernel = TABLE[function.__name__].on[Array]
    direct = kernel if isinstance(kernel, np.ufunc) else None

    def method(self: Tensor, other: Any) -> Tensor:
        if direct is not None and _plain(self, other):  # a step of descent written by hand
            edits.note(self._data)
            with Quiet():
                direct(self._data, other._data, self._data)
            return self
        since = tick()
        new = function(self, other)
        return new if new is NotImplemented else assign(self, new, symbol, since)

    return method
