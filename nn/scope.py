"""Where in a model the computation is: graph nodes and errors carry the path of their module."""

from __future__ import annotations

import weakref
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ..engine.modes import Mode

if TYPE_CHECKING:
    from .module import Module

_switches = attrgetter("grad", "inference", "anomaly", "watch")
_MANY = 32  # settings a module was called under, after which it starts to remember afresh


class Scope(str):
    """The path of a module, as seen from the outermost module that was called ("" for itself).

    ``kind`` is the name of its class.
    """

    __slots__ = ("kind", "_module")

    kind: str
    _module: weakref.ref[Module]

    def __new__(cls, path: str, module: Module) -> Scope:
        made = super().__new__(cls, path)
        made.kind = type(module).__name__
        made._module = weakref.ref(module)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)  # a copy of a graph node needs no way back to the module


def enter(module: Module, now: Mode) -> Mode:
    """The mode inside ``module`` when it is called under ``now``, from memory where possible."""
    outer = now.scope
    if now.tape is not None:  # a mode remembered would keep the tape, and what is on it
        return now.but(scope=Scope(path_within(outer, module), module), keeper=None)
    # The scope by identity, not as text: the same path may mean another model.
    switches = _switches(now)
    key = (id(outer), switches)
    known = module._modes.get(key)
    if known is None:
        if len(module._modes) >= _MANY:
            module._modes.clear()
        # keeping `outer` keeps its id from being given to another scope
        known = module._modes[key] = (
            outer,
            now.but(scope=Scope(path_within(outer, module), module), keeper=None),
        )
    module._last = (now, known[1])
    return known[1]


def path_within(outer: str, module: Module) -> str:
    """The path of ``module`` when it is called from the module at ``outer``."""
    if not isinstance(outer, Scope):
        return outer  # called from outside: the path starts here
    caller = outer._module()
    name = None
    if caller is not None:
        name = next((name for name, m in caller.named_modules() if m is module), None)
    if name is None:  # made on the fly, or kept where no attribute leads to
        name = type(module).__name__
    return f"{outer}.{name}" if outer and name else outer + name


def add_note(
    module: Module, error: Exception, args: tuple[Any, ...], kwargs: Any, path: str
) -> None:
    """Tell an error, once, which module it came from and what that was called with."""
    if hasattr(error, "in_module"):
        return
    try:
        error.in_module = path  # type: ignore[attr-defined]
    except AttributeError:
        return
    given = [_described(x) for x in args] + [f"{k}={_described(x)}" for k, x in kwargs.items()]
    own = [f"{name} {tuple(p.shape)}" for name, p in module.named_parameters(recurse=False)]
    note = f"in {path}: " if path else "in "
    note += f"{type(module).__name__}({module.extra_repr()}), called with ({', '.join(given)})"
    error.add_note(note + (f"; its {', '.join(own)}" if own else ""))


def draw_failure(error: Exception) -> None:
    """Let an error that leaves the outermost module carry the graph up to the op that failed."""
    from ..viz.failure import attach

    attach(error)


def _described(x: Any) -> str:
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return f"{x.dtype} {tuple(x.shape)}"
    if isinstance(x, (tuple, list)) and len(x) <= 8:
        return f"({', '.join(map(_described, x))})"
    text = repr(x) if isinstance(x, (int, float, str, bool, type(None))) else type(x).__name__
    return text if len(text) <= 40 else text[:37] + "..."
