"""What a function can reach beyond its arguments, and whether any of it has changed.

What a function goes by is found from its code: globals, closure, defaults, attributes of modules,
and what these hold. Only what can be followed is let in, by exact type: plain values, tensors,
lists, tuples and dicts, functions, modules of ``nn``. Anything else (an object of another class, an
iterator, a clock, names looked up by text) is refused: nobody could tell when it changes. Places
are compared by identity, which for a small net takes three to four microseconds.
"""

from __future__ import annotations

import builtins
import dis
import math
import sys
import types
from collections.abc import Callable, Iterable
from operator import is_
from typing import Any

import numpy as np

from ..nn.module import Module
from ..nn.parameter import Buffer, Parameter
from ..tensor import Tensor
from ..tensor.edits import fingerprint
from ..tensor.generators import Generator
from .watched import (
    WatchedCode,
    WatchedDict,
    WatchedPlace,
    content_of,
    is_plain,
    joined_path,
    replaceable,
)

_TENSORS = {Tensor, Parameter, Buffer}
_OURS, _NOT_OURS = __name__.partition(".")[0], {"tests", "examples", "tour", "benchmarks"}
_BUILTINS = {
    "abs", "all", "any", "bool", "dict", "divmod", "enumerate", "filter", "float", "int",
    "isinstance", "len", "list", "map", "max", "min", "pow", "print", "range", "reversed", "round",
    "slice", "sorted", "str", "sum", "super", "tuple", "zip", "NotImplemented", "Ellipsis",
}  # fmt: skip
_BY_TEXT = {
    "__dict__", "__getattribute__", "__globals__", "__closure__", "__code__", "__builtins__",
    "__subclasses__", "__mro__", "__bases__", "format", "format_map",
}  # fmt: skip
_NUMPY_FUNCTION = type(np.concatenate)
_ABOUT = {"__annotations__", "__dict__", "__weakref__", "__doc__", "__module__", "__init__",
          "__repr__", "__str__", "__qualname__", "__init_subclass__", "__parameters__"}  # fmt: skip


class Unseen(Exception):
    """Something that may change without notice: how the function comes to it."""


class Reach:
    """What ``fn`` can reach, as it is now."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        # with their paths, and the array and node that each had
        self.tensors: list[tuple[str, Tensor, Any, Any]] = []
        self._dicts: list[WatchedDict] = []
        self._modules: list[tuple[Module, type]] = []
        self._code: list[WatchedCode] = []
        self._places: list[WatchedPlace] = []
        self._arrays: list[tuple[str, Any, Any]] = []
        self._names: set[str] = set()  # that code looks up as attributes
        self._waiting: list[tuple[str, str, Any]] = []  # attributes that no code asks for yet
        self._seen: dict[int, Any] = {}  # by id; kept, or an id could be given again
        self._visit("", fn)
        self._until_all_is_named()

    def changed(self) -> str | None:
        """A place that does not hold what it held, or None."""
        for known in self._dicts:
            held, size = known.held, known.size
            if (
                len(held) != size
                or (size and not all(map(is_, held.values(), known.values)))
                or (size and not all(map(is_, held, known.keys)))
            ) and not known.same():
                return known.difference()
        for module, kind in self._modules:
            if module.__class__ is not kind or module._hooks is not None and _hooked(module):
                return f"the hooks or the class of a {kind.__name__}"
        for path, x, data, node in self.tensors:
            if x._node is not node or x._data is not data and not replaceable(x._data, data):
                return path or "a tensor"
        for code in self._code:
            if not code.same():
                return code.difference()
        for place in self._places:
            if not place.same():
                return place.path or "the function"
        for path, array, before in self._arrays:
            if _look_of(array) != before:
                return path
        return None

    # By kind --------------------------------------------------------------------------------------

    def _visit(self, path: str, x: Any) -> None:
        kind = type(x)
        if is_plain(x) or id(x) in self._seen:
            return
        self._seen[id(x)] = x
        if kind in _TENSORS:
            self.tensors.append((path, x, x._data, x._node))
        elif kind is tuple:
            self._parts(path, x)
        elif kind is list:
            self._watch(path, lambda: x)
            self._parts(path, x)
        elif kind is dict:
            self._dicts.append(WatchedDict(path, x))
            for key, value in list(x.items()):
                self._visit(path, key)
                self._visit(joined_path(path, key), value)
        elif kind is types.FunctionType:
            self._function(path, x)
        elif kind is types.MethodType:
            self._parts(path, (x.__self__, x.__func__))
        elif isinstance(x, Module):
            self._module(path, x)
        elif kind.__name__ == "Captured" and _is_ours_class(kind):
            self._visit(path, x.fn)  # which it runs as it is while something listens
        elif isinstance(x, type):
            self._class(path, x)
        elif isinstance(x, types.ModuleType):
            self._space(path, x)
        elif kind is np.ndarray and x.dtype.kind in "fiub":
            self._arrays.append((path, x, _look_of(x)))
        elif not _is_harmless(x):
            raise Unseen(f"{path or 'it'} (of type {kind.__name__})")

    def _parts(self, path: str, parts: Iterable[Any]) -> None:
        for number, part in enumerate(list(parts)):
            self._visit(f"{path}[{number}]" if path else "", part)

    def _watch(self, path: str, held: Callable[[], Iterable[Any]]) -> None:
        self._places.append(WatchedPlace(path, held))

    def _function(self, path: str, fn: types.FunctionType) -> None:
        cells = fn.__closure__ or ()
        if _is_ours(fn):  # a decorator of ours may hold a function of the user's
            self._parts(path, [c for c in map(content_of, cells) if _may_hold_code(c)])
            return
        names, attributes = _names_of(fn.__code__)
        self._names |= attributes
        space, inbuilt = fn.__globals__, vars(builtins)
        self._code.append(WatchedCode(path, fn, sorted(names)))
        self._parts("", (fn.__defaults__, fn.__kwdefaults__))
        if fn.__dict__:
            self._visit(path, fn.__dict__)
        for name, cell in zip(fn.__code__.co_freevars, cells, strict=True):
            self._visit(name, content_of(cell))
        for name in sorted(names):
            if name in space:
                self._visit(name, space[name])
            elif name not in inbuilt:
                raise Unseen(f"{name}, which is not there yet")
            elif name not in _BUILTINS and not _is_error(inbuilt[name]):
                raise Unseen(f"{name}()")

    def _space(self, path: str, x: types.ModuleType) -> None:
        """A module of Python: what code looks up in it."""
        if not (_trusted(x.__name__) or x is math or x is np):
            raise Unseen(f"the module {x.__name__}")
        for name, value in list(vars(x).items()):
            if not name.startswith("__"):
                self._waiting.append((name, joined_path(path, name), _Entry(vars(x), name, value)))

    def _module(self, path: str, x: Module) -> None:
        kind = type(x)
        self._modules.append((x, kind))
        if _hooked(x):
            raise Unseen(f"hooks of {path or 'the module'}")
        self._dicts.append(WatchedDict(path, vars(x)))
        all_asked = _asked_by_us(kind)
        for name, value in list(vars(x).items()):
            if all_asked or isinstance(value, (Module, Tensor, list, tuple, dict)):
                self._visit(joined_path(path, name), value)
            else:
                self._waiting.append((name, joined_path(path, name), value))
        self._class(path or kind.__name__, kind)

    def _class(self, path: str, kind: type) -> None:
        """A class of modules, with those it inherits from; other classes only by name."""
        if _is_ours_class(kind) or _is_error(kind) or issubclass(kind, np.generic):
            return
        if kind.__module__ == "builtins" and kind.__name__ in _BUILTINS:
            return
        if not issubclass(kind, Module) or type(kind) is not type:
            raise Unseen(f"{path} (the class {kind.__name__})")
        for base in kind.__mro__:
            if base is object or _is_ours_class(base) or id(vars(base)) in self._seen:
                continue
            if "__slots__" in vars(base):
                raise Unseen(f"the slots of {base.__name__}")
            held = vars(base)
            self._seen[id(held)] = held
            self._watch(base.__name__, _all_of(held))
            for name, value in held.items():
                special = name.startswith("__") or name == "forward" or _asked_by_us(kind)
                if special and name not in _ABOUT:
                    self._visit(joined_path(base.__name__, name), _behind(value))
                elif name not in _ABOUT:
                    self._waiting.append((name, joined_path(base.__name__, name), _behind(value)))

    def _until_all_is_named(self) -> None:
        """Visit the attributes that some code asks for by name, until none is left."""
        while True:
            asked = [entry for entry in self._waiting if entry[0] in self._names]
            if not asked:
                return
            self._waiting = [entry for entry in self._waiting if entry[0] not in self._names]
            for _, path, value in asked:
                if isinstance(value, _Entry):
                    self._code.append(WatchedCode(path, None, [value.name], value.space))
                    value = value.value
                self._visit(path, value)


class _Entry:
    """Something in a module of Python."""

    def __init__(self, space: dict[str, Any], name: str, value: Any) -> None:
        self.space, self.name, self.value = space, name, value


def _look_of(array: Any) -> tuple[Any, ...]:
    return array.shape, array.strides, array.dtype, fingerprint(array)


def _names_of(code: types.CodeType) -> tuple[set[str], set[str]]:
    """The globals that a function, and those written inside of it, go by, and all names."""
    names, every = set(), set(code.co_names)
    if every & _BY_TEXT:
        raise Unseen(f"{', '.join(every & _BY_TEXT)}, which finds things by text")
    before = None
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            names.add(step.argval)
        elif step.opname in ("IMPORT_NAME", "LOAD_BUILD_CLASS"):
            raise Unseen(f"{step.argval or 'a class'}, imported or defined inside of it")
        elif step.opname in ("BUILD_SET", "SET_ADD"):
            raise Unseen("a set, which knows its entries by identity")
        elif step.opname == "IS_OP" and (before is None or before.opname != "LOAD_CONST"):
            raise Unseen("whether two things are the same object ('is')")
        before = step
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            inner, all_inner = _names_of(constant)
            names, every = names | inner, every | all_inner
    return names, every


def _all_of(held: Any) -> Callable[[], Iterable[Any]]:
    return lambda: (*held, *held.values())


def _may_hold_code(x: Any) -> bool:
    return isinstance(x, (types.FunctionType, types.MethodType, Module))


def _behind(x: Any) -> Any:
    """The functions behind an entry of a class."""
    if isinstance(x, (staticmethod, classmethod)):
        return x.__func__
    return (x.fget,) if isinstance(x, property) else x


def _hooked(x: Module) -> bool:
    hooks = x._hooks
    return hooks is not None and bool(hooks.before or hooks.after or hooks.backward)


def _is_harmless(x: Any) -> bool:
    """Functions in C that go by their arguments; a generator, whose draws show in their results."""
    if isinstance(x, types.BuiltinFunctionType):
        home = x.__self__
        return home is math or home is builtins and x.__name__ in _BUILTINS
    if isinstance(x, (np.ufunc, _NUMPY_FUNCTION)):
        return isinstance(x, _NUMPY_FUNCTION) or getattr(np, x.__name__, None) is x
    return type(x) is Generator


def _is_error(x: Any) -> bool:
    return isinstance(x, type) and issubclass(x, BaseException) and x.__module__ == "builtins"


def _is_ours(fn: types.FunctionType) -> bool:
    """Whether a function is code of this library, or of NumPy (without files, chance and
    settings), and does not only say so."""
    name = fn.__globals__.get("__name__", "")
    home = sys.modules.get(name)
    apart = ("npyio", "random", "arrayprint", "_ufunc_config")
    numpy = name.startswith("numpy.") and not any(part in name for part in apart)
    return home is not None and vars(home) is fn.__globals__ and (numpy or _trusted(name))


def _is_ours_class(kind: type) -> bool:
    home = sys.modules.get(kind.__module__)
    known = home is not None and getattr(home, kind.__name__, None) is kind
    return known and _trusted(kind.__module__)


def _asked_by_us(kind: type) -> bool:
    """Whether code of ours, in a layer that this is one of, looks things up in it."""
    return any(_is_ours_class(base) and base not in (Module, object) for base in kind.__mro__)


def _trusted(module: str) -> bool:
    first, _, rest = module.partition(".")
    return first == _OURS and rest.partition(".")[0] not in _NOT_OURS
