"""What a function can reach beyond its arguments, and whether any of it has changed.

From a function its globals, closure and defaults are found by name, from these whatever they hold:
lists, dicts, objects and their classes, modules (of ``nn`` and of Python). Each place is remembered
with what it held and compared by identity, which for a small net takes two or three microseconds.
What cannot be looked into (an iterator, a clock, Python's random numbers) is refused: nobody could
tell when it changes.
"""

from __future__ import annotations

import builtins
import dis
import sys
import types
from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial
from operator import is_
from typing import Any

import numpy as np

from ..nn.module import Module
from ..tensor import Tensor
from ..tensor.edits import fingerprint
from ..tensor.generators import Generator

# What never changes: an equal one is as good as the same.
_PLAIN = (
    type(None), bool, int, float, complex, str, bytes, range, slice, np.generic, np.dtype, np.ufunc,
    type(...), type(NotImplemented), Enum,
)  # fmt: skip
# Code from here keeps no state, or none that a result depends on.
_TRUSTED = {
    "builtins", "math", "operator", "functools", "itertools", "collections", "typing", "types",
    "abc", "enum", "dataclasses", "copy", "warnings", "_warnings", "numpy",
}  # fmt: skip
_OURS, _NOT_OURS = __name__.partition(".")[0], {"tests", "examples", "tour", "benchmarks"}
_LOOKING = {  # built-in functions that see what cannot be followed
    "open", "input", "eval", "exec", "compile", "globals", "locals", "__import__", "id", "hash",
}  # fmt: skip
_METHODS = (types.MethodDescriptorType, types.ClassMethodDescriptorType)
_DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType, types.WrapperDescriptorType)
_ABOUT = {"__dict__", "__weakref__", "__doc__", "__module__", "__slots__", "__annotations__"}
_GONE = object()


class Unseen(Exception):
    """Something that may change without notice: how the function comes to it."""


class Reach:
    """What ``fn`` can reach, as it is now."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.tensors: dict[int, tuple[str, Tensor]] = {}  # with their paths, by the array's id
        self._dicts: list[_Dict] = []
        self._hooks: list[tuple[str, Module, Any]] = []
        self._places: list[_Place] = []
        self._arrays: list[tuple[str, Any, int]] = []  # with their fingerprints
        self._names: set[str] = set()  # that code looks up in modules and classes
        self._spaces: list[tuple[str, Any]] = []  # modules and classes
        self._seen: dict[int, Any] = {}  # by id; kept, or an id could be given again
        self._visit("", fn)
        self._by_name()

    def changed(self) -> str | None:
        """A place that does not hold what it held, or None."""
        for known in self._dicts:
            held = known.held
            if (
                len(held) != known.size
                or not all(map(is_, held.values(), known.values))
                or (known.size and next(reversed(held)) is not known.last)
            ) and not known.equal():
                return known.difference()
        for path, module, hooks in self._hooks:
            if module._hooks is not hooks:
                return _join(path, "hooks")
        for place in self._places:
            if not place.same():
                return place.path
        for path, array, before in self._arrays:
            if fingerprint(array) != before:
                return path
        return None

    def path_of(self, x: Tensor) -> str:
        return next((path for path, tensor in self.tensors.values() if tensor is x), "a tensor")

    def holds(self, array: Any) -> bool:
        """Whether this is an array of NumPy's that the function can reach."""
        return any(array is known for _, known, _ in self._arrays)

    def _visit(self, path: str, x: Any) -> None:
        if isinstance(x, _PLAIN) or id(x) in self._seen:
            return
        self._seen[id(x)] = x
        if isinstance(x, Tensor):
            self.tensors[id(x._data)] = path, x
        elif isinstance(x, np.ndarray):
            self._arrays.append((path, x, fingerprint(x)))
        elif isinstance(x, (types.FunctionType, types.MethodType, types.BuiltinFunctionType)):
            self._function(path, x)
        elif isinstance(x, _METHODS):
            if x.__objclass__.__module__ != "builtins":
                raise Unseen(path)
        elif isinstance(x, (type, types.ModuleType)):
            self._space(path, x)
        elif isinstance(x, tuple):  # always holds the same
            self._parts(path, x)
        elif isinstance(x, (list, set, frozenset)):
            self._watch(path, lambda: x)
            self._parts(path, x)
        elif isinstance(x, dict):
            self._dict(path, x)
        elif isinstance(x, partial):
            self._parts(path, (x.func, x.args, x.keywords))
        elif not isinstance(x, Generator):  # what is drawn from that is noticed by its results
            self._object(path, x)

    def _watch(self, path: str, held: Callable[[], Iterable[Any]]) -> None:
        self._places.append(_Place(path, held))

    def _parts(self, path: str, parts: Iterable[Any]) -> None:
        for number, part in enumerate(list(parts)):
            self._visit(f"{path}[{number}]" if path else "", part)

    def _dict(self, path: str, x: dict[Any, Any], private: bool = True) -> None:
        self._dicts.append(_Dict(path, x))
        for key, value in list(x.items()):
            if private or not str(key).startswith("_"):
                self._visit(_join(path, key), value)

    # Code -----------------------------------------------------------------------------------------

    def _function(self, path: str, fn: Any) -> None:
        if isinstance(fn, types.MethodType):
            self._visit(path, fn.__self__)
            self._visit(path, fn.__func__)
        elif isinstance(fn, types.BuiltinFunctionType):
            home = fn.__self__
            named = home.__name__ if isinstance(home, types.ModuleType) else type(home).__module__
            if not _trusted(named) or home is builtins and fn.__name__ in _LOOKING:
                raise Unseen(path or fn.__name__)
            if not isinstance(home, types.ModuleType):
                self._visit(path, home)
        elif not _at_home(fn):
            self._parts("", (fn.__defaults__, fn.__kwdefaults__))
            cells = fn.__closure__
            if cells:
                self._watch(path, lambda: [_content(cell) for cell in cells])
                for name, cell in zip(fn.__code__.co_freevars, cells, strict=True):
                    self._visit(name, _content(cell))
            self._globals(path, fn)

    def _globals(self, path: str, fn: types.FunctionType) -> None:
        names, space = _names_of(fn.__code__), fn.__globals__
        self._names |= names
        given = [name for name in names if name in space]
        if given:
            self._watch(path, lambda: [space.get(name, _GONE) for name in given])
        for name in given:
            self._visit(name, space[name])
        for name in names.difference(given) & _LOOKING:
            raise Unseen(f"{name}()")

    # Modules and classes: only what some code looks up in them ------------------------------------

    def _space(self, path: str, x: Any) -> None:
        name = x.__name__ if isinstance(x, types.ModuleType) else x.__module__
        if name.startswith("numpy.random"):
            raise Unseen(path)
        if isinstance(x, type):
            module = sys.modules.get(name)
            known = module is not None and getattr(module, x.__name__, None) is x
        else:
            known = True
        if name == "numpy" or not (known and _trusted(name)):
            self._spaces.append((path, x))

    def _by_name(self) -> None:
        """Until no more names turn up."""
        done: set[tuple[int, str]] = set()
        count = -1
        while len(done) > count:
            count = len(done)
            for path, space in list(self._spaces):
                for name in list(vars(space)):
                    if (id(space), name) not in done and self._wanted(space, name):
                        done.add((id(space), name))
                        self._watch(_join(path, name), _entry(space, name))
                        self._visit(_join(path, name), _behind(vars(space)[name]))

    def _wanted(self, space: Any, name: str) -> bool:
        if name in self._names:
            return True
        special = name == "forward" or name.startswith("__") and name not in _ABOUT
        return isinstance(space, type) and special

    # Objects --------------------------------------------------------------------------------------

    def _object(self, path: str, x: Any) -> None:
        kinds = type(x).__mro__[:-1]
        for kind in kinds:
            self._visit(path, kind)
        slots = [n for kind in kinds if kind is not Module for n in _slots(kind)]
        if isinstance(x, Module):
            self._hooks.append((path, x, x._hooks))
            self._visit(_join(path, "hooks"), x._hooks)
        if slots:
            self._watch(path, lambda: [getattr(x, name, _GONE) for name in slots])
            for name in slots:
                self._visit(_join(path, name), getattr(x, name, _GONE))
        if hasattr(x, "__dict__"):
            # what our own objects keep for themselves (an optimizer its state) is for them to read
            self._dict(path, vars(x), isinstance(x, Module) or not _trusted(kinds[0].__module__))
        elif not slots and kinds:
            raise Unseen(f"{path}, of type {type(x).__name__}" if path else type(x).__name__)


class _Dict:
    """A dict and what was in it. Most of what is watched is one: the attributes of a module."""

    __slots__ = ("path", "held", "keys", "values", "last", "size")

    def __init__(self, path: str, held: dict[Any, Any]) -> None:
        self.path, self.held, self.size = path, held, len(held)
        self.keys, self.values = list(held), list(held.values())
        self.last = self.keys[-1] if held else None

    def equal(self) -> bool:
        """Whether it holds what never changes, equal to what it held, if not the same."""
        if list(self.held) != self.keys or not all(map(_equal, self.held.values(), self.values)):
            return False
        self.values = list(self.held.values())
        return True

    def difference(self) -> str:
        before = dict(zip(self.keys, self.values, strict=True))
        for key in [*self.held, *self.keys]:
            if not _equal(self.held.get(key, _GONE), before.get(key, _GONE)):
                return _join(self.path, key)
        return self.path


class _Place:
    """Somewhere else to look, and what was there."""

    __slots__ = ("path", "held", "before")

    def __init__(self, path: str, held: Callable[[], Iterable[Any]]) -> None:
        self.path, self.held = path, held
        self.before = list(held())

    def same(self) -> bool:
        now = list(self.held())
        if len(now) != len(self.before):
            return False
        if all(map(is_, now, self.before)):
            return True
        if all(map(_equal, now, self.before)):
            self.before = now
            return True
        return False


def _equal(x: Any, y: Any) -> bool:
    return x is y or (type(x) is type(y) and isinstance(x, _PLAIN) and bool(x == y))


def _names_of(code: types.CodeType) -> set[str]:
    """What a function, and those written inside of it, look up by name."""
    names = set(code.co_names)
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME" and not _trusted(step.argval or _OURS):
            raise Unseen(f"import {step.argval}")
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names_of(constant)
    return names


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return _GONE


def _entry(space: Any, name: str) -> Callable[[], list[Any]]:
    return lambda: [vars(space).get(name, _GONE)]


def _behind(x: Any) -> Any:
    """The functions behind an entry of a class."""
    if isinstance(x, (staticmethod, classmethod)):
        return x.__func__
    if isinstance(x, property):
        return (x.fget,)
    return None if isinstance(x, _DESCRIPTORS) else x


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _join(path: str, name: Any) -> str:
    return f"{path}.{name}" if path else str(name)


def _at_home(fn: types.FunctionType) -> bool:
    """Whether a function is code of a trusted module, and does not only bear its name."""
    module = sys.modules.get(fn.__module__ or "")
    return module is not None and fn.__globals__ is vars(module) and _trusted(fn.__module__)


def _trusted(module: str | None) -> bool:
    first, _, rest = (module or "").partition(".")
    return first in _TRUSTED or first == _OURS and rest.partition(".")[0] not in _NOT_OURS
