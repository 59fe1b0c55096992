"""Functions to be called around a module's ``forward``."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from .backward_hooks import Passing

if TYPE_CHECKING:
    from .module import Module

_fresh = count().__next__  # an id is never given twice, so a late remove() takes nobody else's hook


class Hooks:
    """The hooks of one module, each with its flags, in the order in which they run."""

    __slots__ = ("before", "after", "backward")

    def __init__(self) -> None:
        self.before: dict[int, tuple[Any, bool]] = {}  # hook, takes keyword arguments too
        self.after: dict[int, tuple[Any, bool, bool]] = {}  # ..., runs after an error too
        self.backward: dict[int, Any] = {}

    def run(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """``forward`` between its hooks."""
        done: set[int] = set()
        y = None
        try:
            for hook, with_kwargs in list(self.before.values()):
                args, kwargs = _prepared(hook, with_kwargs, module, args, kwargs)
            passing = Passing(module, self.backward.values()) if self.backward else None
            if passing is not None:
                args = passing.enter(args)
            y = module.forward(*args, **kwargs)
            if passing is not None:
                y = passing.leave(y)
            for key, (hook, with_kwargs, _) in list(self.after.items()):
                done.add(key)
                answer = hook(module, args, kwargs, y) if with_kwargs else hook(module, args, y)
                y = y if answer is None else answer
            return y
        except Exception:
            for key, (hook, with_kwargs, always) in list(self.after.items()):
                if always and key not in done:
                    hook(module, args, kwargs, y) if with_kwargs else hook(module, args, y)
            raise


def _prepared(
    hook: Any, with_kwargs: bool, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if with_kwargs:
        answer = hook(module, args, kwargs)
        if answer is not None:
            if not (isinstance(answer, tuple) and len(answer) == 2):
                raise TypeError(
                    "a forward pre-hook with kwargs must return None or (args, kwargs), got "
                    f"{type(answer).__name__}"
                )
            args, kwargs = answer
        return args, kwargs
    answer = hook(module, args)
    if answer is not None:
        args = answer if isinstance(answer, tuple) else (answer,)
    return args, kwargs


class Handle:
    """What registering a hook gives: ``remove()`` takes the hook away again."""

    def __init__(self, hooks: dict[int, Any], entry: Any, first: bool) -> None:
        self._hooks = hooks
        self.id = _fresh()
        others = dict(hooks) if first else {}
        if first:
            hooks.clear()
        hooks[self.id] = entry
        hooks.update(others)

    def remove(self) -> None:
        self._hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
