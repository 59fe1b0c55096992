"""Views: tensors that look at another tensor's memory, and follow where an edit takes that one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from ..engine import Op
    from .tensor import Tensor

View = tuple["Tensor", "Tensor", "Op", tuple[Any, ...]]  # (view, what it views, op, params)


def link(view: Tensor, base: Tensor, op: Op, params: tuple[Any, ...]) -> None:
    """Tie ``view`` to the ``base`` it was made of; the base knows its views only as long as they
    live."""
    view._base = (base, op, params)
    known = base._views
    if known is None:
        base._views = [ref(view)]
        return
    known.append(ref(view))
    count = len(known)
    if count & (count - 1) == 0:  # now and then, at powers of two, forget those that are gone
        known[:] = [r for r in known if r() is not None]


def unlink(tensor: Tensor) -> None:
    """``tensor`` gets memory of its own: it views nothing, and nothing views it."""
    for view in _live(tensor):
        view._base = None
    tensor._base = tensor._views = None


def root(tensor: Tensor) -> Tensor:
    """The tensor at the bottom of a chain of views."""
    while isinstance(tensor._base, tuple):
        tensor = tensor._base[0]
    return tensor


def family(base: Tensor) -> list[View]:
    """All views of ``base``, and views of views, each after what it views."""
    found: list[View] = []
    bases = [base]
    for parent in bases:
        for view in _live(parent):
            found.append((view, *view._base))
            bases.append(view)
    return found


def _live(base: Tensor) -> list[Tensor]:
    views = [r() for r in base._views or ()]
    return [
        view
        for view in views
        if view is not None and isinstance(view._base, tuple) and view._base[0] is base
    ]
