"""``capture``: a function of tensors written down once, and run without the engine from then on."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from ..engine.modes import Mode, mode
from ..nn.module import Module
from ..tensor import Tensor
from ..tensor.node import Node
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
        if not isinstance(fn, Module):
            functools.update_wrapper(self, fn, updated=())

    def __call__(self, *args: Any, **named: Any) -> Any:
        now = mode()
        if now.watched or now.inference:  # somebody is to see every op, or nobody ever
            return self.fn(*args, **named)
        given = (*args, *named.values()) if named else args
        for plan in self._plans:
            if plan.fits(given, tuple(named), now):
                if plan.trusted and plan.changed() is None:
                    try:
                        return plan.run(given, now)
                    except (ValueError, TypeError, IndexError):
                        return self.fn(*args, **named)  # which says what is wrong, and where
                break
        with self._recording:
            return self._record(given, tuple(named), now)

    def _record(self, given: tuple[Any, ...], names: tuple[str, ...], now: Mode) -> Any:
        """Run the function, and write down what it does.

        A recording is used once a second one, on the arguments of another call, is the same: what
        the ops do not show (a number drawn at random, or made from an argument by NumPy) differs.
        """
        try:
            reach = Reach(self.fn)
        except Unseen as unseen:
            raise CaptureError(
                f"capture: the function can reach {unseen}, in which changes cannot be noticed; "
                "pass what it needs of that as an argument, or do this part outside"
            ) from None
        handles = mapped(_handle, given)
        listing = Listing(tensors_of(handles))
        plain = len(given) - len(names)
        with listing:
            out = self.fn(*handles[:plain], **dict(zip(names, handles[plain:], strict=True)))
        plan = Plan(self._name, listing, reach, handles, names, out, now)
        before = next((plan for plan in self._plans if plan.fits(given, names, now)), None)
        itself = reach.changed()
        if itself is not None:
            raise CaptureError(
                f"capture: the function changes {itself} itself, which would not happen again; do "
                "that outside, with what the function returns"
            )
        changed = before.changed() if before is not None else None
        if before is not None:
            self._plans.remove(before)
            if changed is None:
                plan.confirm(before)
            self._in_vain = 0 if changed is None else self._in_vain + 1
        if self._in_vain >= RESTLESS:
            raise CaptureError(
                f"capture: {changed or 'something'} has changed at each of the last {RESTLESS} "
                "calls, so nothing recorded could be used; pass it as an argument, or keep the "
                "function uncaptured"
            )
        self._plans.insert(0, plan)
        del self._plans[KINDS:]
        self.source = plan.program.source
        return out

    @property
    def _name(self) -> str:
        return getattr(self.fn, "__name__", type(self.fn).__name__).strip("<>")

    def train(self, mode: bool = True) -> Captured:
        """As the module's own, and still captured."""
        self.fn.train(mode)  # type: ignore[attr-defined]
        return self

    def eval(self) -> Captured:
        return self.train(False)

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
    node = None
    if x._node is not None:
        node = Node(alias, (x._node,), (None, None), (), view, mode().scope)
    made: Tensor = object.__new__(type(x))
    Tensor.__init__(made, view, node)
    return made


def capture(fn: Callable[..., Any]) -> Captured:
    """Run a function of tensors without the engine around its kernels.

    The first two calls run the function as it is, and write down which kernels it came to; from the
    third on these are run one after another, in a Python function without a graph, and the result
    hangs on one node, whose backward is the recorded rules, one after another. The numbers are the
    same. A step of a small net takes three quarters of the time (``docs/benchmarks.md``): most of
    it is the engine's work there. A large net gains little.

    Args:
        fn: a function of tensors, or a module. It may call modules, use tensors that it can reach,
            and return a tensor, or tuples, lists and dicts of tensors.

    Returns:
        a ``Captured``, called in the same way. ``.source`` is what runs, as Python code.

    Nothing goes stale. Arguments of another shape, dtype or value, another gradient mode, and
    anything the function can reach that has changed (an attribute of a module, ``train()`` and
    ``eval()``, a global, an entry of a list, a frozen parameter) lead to new recordings; the
    numbers of tensors are read anew at each call, masks of dropout drawn anew. What cannot be
    followed is refused: the function may reach tensors, numbers, text, lists, tuples and dicts of
    them, modules, and functions that do the same (the library itself is taken to stay as it is).
    Effects besides the results (``print``, appending to a list of its own) happen only in calls
    that run the function.

    Raises:
        CaptureError: (a TypeError, from calls that run the function) it reads numbers out of a
            tensor (``item()``, ``if x > 0``, a mask as an index), edits tensors in place (batch
            norm in training), calls ``backward()``, uses random numbers or arrays that no op made
            (``nll_loss`` and label smoothing pick by such), can reach what may change unnoticed,
            compares by ``is``, or does something else in the second run.

    >>> import gradling
    >>> from gradling import nn
    >>> model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    >>> loss_of = gradling.capture(lambda x, y: nn.functional.mse_loss(model(x), y))
    >>> optimizer = gradling.optim.SGD(model.parameters(), lr=0.1)
    >>> x, y = gradling.randn(100, 2), gradling.randn(100, 1)
    >>> for step in range(5):
    ...     optimizer.zero_grad()
    ...     loss_of(x, y).backward()
    ...     optimizer.step()
    >>> print(loss_of.source.splitlines()[2])
        tanh_5 = tanh(linear_4)
    """
    return Captured(fn)
