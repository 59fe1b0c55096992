"""``capture``: a function of tensors written down once, and run without the engine from then on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..engine.modes import Mode, mode
from ..tensor import Tensor
from ..tensor.record import joined
from ..tensor.rows.shape import alias
from ..tensor.trees import mapped
from .listing import CaptureError, Listing
from .plan import Plan, tensors_of
from .reach import Reach, Unseen

RESTLESS = 20  # recordings in a row that nothing came of
KINDS = 32  # of arguments: shapes, dtypes, plain values


class Captured:
    """What ``capture`` gives: called like the function or module that it was made of.

    ``source`` is the Python code of the last recording: kernels and rules, one after another.
    Attributes are those of the module: ``parameters()``, ``train()``, ``state_dict()``, ….
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        if not callable(fn):
            raise TypeError(
                f"capture: expected a function of tensors or a module, got {type(fn).__name__}"
            )
        self.fn = fn
        self.source = ""
        self._plans: list[Plan] = []
        self._recording = threading.Lock()
        self._in_vain = 0

    def __call__(self, *args: Any) -> Any:
        now = mode()
        if now.watched:  # somebody is to see every op
            return self.fn(*args)
        for plan in self._plans:
            if plan.fits(args, now):
                if plan.trusted and plan.changed() is None:
                    try:
                        return plan.run(args, now)
                    except (ValueError, TypeError, IndexError):
                        return self.fn(*args)  # which says what is wrong, and where
                break
        with self._recording:
            return self._record(args, now)

    def _record(self, args: tuple[Any, ...], now: Mode) -> Any:
        """Run the function, and write down what it does.

        A recording is used once a second one, on the arguments of another call, is the same: what
        the ops do not show (a number drawn at random, or made from an argument by NumPy) differs.
        """
        before = next((plan for plan in self._plans if plan.fits(args, now)), None)
        try:
            reach = Reach(self.fn)
        except Unseen as unseen:
            raise CaptureError(
                f"capture: the function can reach {unseen}, in which changes cannot be noticed; "
                "pass what it needs of that as an argument, or do this part outside"
            ) from None
        given = mapped(_handle, args)
        listing = Listing(tensors_of(given))
        with listing:
            out = self.fn(*given)
        changed = reach.changed() or (before.changed() if before is not None else None)
        plan = Plan(self._name, listing, reach, given, out, now)
        if before is not None:
            self._plans.remove(before)
        if changed is not None:
            self._settle(changed)
        elif before is not None:
            plan.confirm(before)
            self._in_vain = 0
        if reach.changed() is None:
            self._plans.insert(0, plan)
            del self._plans[KINDS:]
        self.source = plan.program.source
        return out

    @property
    def _name(self) -> str:
        return getattr(self.fn, "__name__", type(self.fn).__name__).strip("<>")

    def _settle(self, changed: str) -> None:
        self._in_vain += 1
        if self._in_vain > RESTLESS:
            raise CaptureError(
                f"capture: {changed} has changed at each of the last {RESTLESS} calls, so nothing "
                "recorded could be used; pass it as an argument, or keep the function uncaptured"
            )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "fn":  # while it is being copied
            raise AttributeError(name)
        return getattr(self.fn, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return Captured, (self.fn,)

    def __repr__(self) -> str:
        return f"Captured({self.fn!r})"


def _handle(x: Any) -> Any:
    """An argument under a name of its own, so that it is told apart from the same tensor elsewhere:
    among the other arguments, or where the function finds it by itself."""
    if not isinstance(x, Tensor):
        return x
    view = x._data.view()
    if x._node is None or not mode().grad:
        return Tensor(view)
    return joined(alias, view, (x._node,), (None, None), (), mode().scope)


def capture(fn: Callable[..., Any]) -> Captured:
    """Run a computation on tensors without the engine around its kernels.

    ...
    """
    return Captured(fn)
