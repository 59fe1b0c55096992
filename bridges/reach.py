"""What a function can reach beyond its arguments, and whether any of it has changed.

What a function goes by is found from its code: globals, closure, defaults, attributes of modules,
and what these hold. Only what can be followed is let in, by exact type: plain values, tensors,
lists, tuples and dicts, functions, modules of ``nn``. Anything else (an object of another class, an
iterator, a clock, names looked up by text) is refused: nobody could tell when it changes. Places
are compared by identity, which for a small net takes three microseconds.
"""

from __future__ import annotations

import builtins
import dis
import math
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter, is_
from typing import Any

import numpy as np

from ..nn.module import Module
from ..nn.parameter import Buffer, Parameter
from ..tensor import Tensor
from ..tensor.edits import fingerprint
from ..tensor.generators import Generator

_PLAIN = {type(None), bool, int, float, complex, str, bytes, range, slice, type(...)}
_TENSORS = {Tensor, Parameter, Buffer}
_OURS, _NOT_OURS = __name__.partition(".")[0], {"tests", "examples", "tour", "benchmarks"}
_BUILTINS = {
    "abs", "all", "any", "bool", "dict", "divmod", "enumerate", "filter", "float", "int",
    "isinstance", "len", "list", "map", "max", "min", "pow", "print", "range", "reversed", "round",
    "set", "slice", "sorted", "str", "sum", "super", "tuple", "zip", "NotImplemented", "Ellipsis",
}  # fmt: skip
_NUMPY_FUNCTION = type(np.concatenate)
_ABOUT = {"__annotations__", "__dict__", "__weakref__", "__doc__", "__module__", "__init__",
          "__repr__", "__str__", "__qualname__", "__init_subclass__", "__parameters__"}  # fmt: skip
_GONE = object()
_content_of = attrgetter("cell_contents")


class Unseen(Exception):
    """Something that may change without notice: how the function comes to it."""


class Reach:
    """What ``fn`` can reach, as it is now."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.tensors: list[tuple[str, Tensor]] = []  # with their paths
        self._tensor_states: list[tuple[Any, ...]] = []
        self._dicts: list[_Dict] = []
        self._modules: list[tuple[Module, type]] = []
        self._code: list[_Code] = []
        self._places: list[_Place] = []
        self._arrays: list[tuple[str, Any, int]] = []  # with their fingerprints
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
        for x, data, node in self._tensor_states:
            if x._node is not node or x._data is not data and not replaceable(x._data, data):
                return self.path_of(x)
        for code in self._code:
            if not code.same():
                return code.difference()
        for place in self._places:
            if not place.same():
                return place.path or "the function"
        for path, array, before in self._arrays:
            if fingerprint(array) != before:
                return path
        return None

    def path_of(self, x: Tensor) -> str:
        return next((path for path, tensor in self.tensors if tensor is x), "a tensor")

    # By kind --------------------------------------------------------------------------------------

    def _visit(self, path: str, x: Any) -> None:
        kind = type(x)
        if is_plain(x) or id(x) in self._seen:
            return
        self._seen[id(x)] = x
        if kind in _TENSORS:
            self.tensors.append((path, x))
            self._tensor_states.append((x, x._data, x._node))
        elif kind is tuple:
            self._parts(path, x)
        elif kind is list:
            self._watch(path, lambda: x)
            self._parts(path, x)
        elif kind is dict:
            self._dicts.append(_Dict(path, x))
            for key, value in list(x.items()):
                self._visit(path, key)
                self._visit(_join(path, key), value)
        elif kind is types.FunctionType:
            self._function(path, x)
        elif kind is types.MethodType:
            self._parts(path, (x.__self__, x.__func__))
        elif isinstance(x, Module):
            self._module(path, x)
        elif isinstance(x, type):
            self._class(path, x)
        elif isinstance(x, types.ModuleType):
            self._space(path, x)
        elif kind is np.ndarray and x.dtype.kind in "fiub":
            self._arrays.append((path, x, fingerprint(x)))
        elif not _is_harmless(x):
            raise Unseen(f"{path or 'it'} (of type {kind.__name__})")

    def _parts(self, path: str, parts: Iterable[Any]) -> None:
        for number, part in enumerate(list(parts)):
            self._visit(f"{path}[{number}]" if path else "", part)

    def _watch(self, path: str, held: Callable[[], Iterable[Any]]) -> None:
        self._places.append(_Place(path, held))

    def _function(self, path: str, fn: types.FunctionType) -> None:
        cells = fn.__closure__ or ()
        if _is_ours(fn):  # a decorator of ours may hold a function of the user's
            self._parts(path, [c for c in map(_content, cells) if _may_hold_code(c)])
            return
        names, attributes = _names_of(fn.__code__)
        self._names |= attributes
        space, inbuilt = fn.__globals__, vars(builtins)
        self._code.append(_Code(path, fn, list(names)))
        self._parts("", (fn.__defaults__, fn.__kwdefaults__))
        if fn.__dict__:
            self._visit(path, fn.__dict__)
        for name, cell in zip(fn.__code__.co_freevars, cells, strict=True):
            self._visit(name, _content(cell))
        for name in names:
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
                self._waiting.append((name, _join(path, name), _Entry(vars(x), name, value)))

    def _module(self, path: str, x: Module) -> None:
        kind = type(x)
        self._modules.append((x, kind))
        if _hooked(x):
            raise Unseen(f"hooks of {path or 'the module'}")
        self._dicts.append(_Dict(path, vars(x)))
        for name, value in list(vars(x).items()):
            if _is_ours_class(kind) or isinstance(value, (Module, Tensor, list, tuple, dict)):
                self._visit(_join(path, name), value)
            else:
                self._waiting.append((name, _join(path, name), value))
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
                if name.startswith("__") and name not in _ABOUT or name == "forward":
                    self._visit(_join(base.__name__, name), _behind(value))
                elif name not in _ABOUT:
                    self._waiting.append((name, _join(base.__name__, name), _behind(value)))

    def _until_all_is_named(self) -> None:
        """Visit the attributes that some code asks for by name, until none is left."""
        while True:
            asked = [entry for entry in self._waiting if entry[0] in self._names]
            if not asked:
                return
            self._waiting = [entry for entry in self._waiting if entry[0] not in self._names]
            for _, path, value in asked:
                if isinstance(value, _Entry):
                    self._code.append(_Code(path, None, [value.name], value.space))
                    value = value.value
                self._visit(path, value)


class _Entry:
    """Something in a module of Python."""

    def __init__(self, space: dict[str, Any], name: str, value: Any) -> None:
        self.space, self.name, self.value = space, name, value


class _Code:
    """What a function consists of, and the names that it looks up; or names in a module alone."""

    __slots__ = ("path", "fn", "parts", "cells", "contents", "get", "names", "values")

    def __init__(
        self, path: str, fn: types.FunctionType | None, names: list[str], space: Any = None
    ) -> None:
        self.path, self.fn, self.names = path, fn, names
        self.parts = self._parts_now()
        self.cells = () if fn is None else fn.__closure__ or ()
        self.contents = [_content(cell) for cell in self.cells]
        self.get = (space if fn is None else fn.__globals__).get
        self.values = [self.get(name) for name in names]

    def _parts_now(self) -> Any:
        fn = self.fn
        return fn and (fn.__code__, fn.__defaults__, fn.__kwdefaults__, len(fn.__dict__))

    def same(self) -> bool:
        fn = self.fn
        if fn is not None:
            code, defaults, named, count = self.parts
            if (
                fn.__code__ is not code
                or fn.__defaults__ is not defaults
                or fn.__kwdefaults__ is not named
                or len(fn.__dict__) != count
            ):
                return self._equal()
            try:
                if not all(map(is_, map(_content_of, self.cells), self.contents)):
                    return self._equal()
            except ValueError:  # a name that was deleted
                return False
        return all(map(is_, map(self.get, self.names), self.values)) or self._equal()

    def _equal(self) -> bool:
        """Whether what is not the same is plain, and equal."""
        parts = self._parts_now()
        if parts != self.parts or parts and not all(map(is_, parts[:3], self.parts[:3])):
            return False
        contents = [_content(cell) for cell in self.cells]
        values = [self.get(name) for name in self.names]
        if not all(map(equal, [*contents, *values], [*self.contents, *self.values])):
            return False
        self.contents, self.values = contents, values
        return True

    def difference(self) -> str:
        names = () if self.fn is None else self.fn.__code__.co_freevars
        for name, cell, before in zip(names, self.cells, self.contents, strict=False):
            if not equal(_content(cell), before):
                return name
        for name, before in zip(self.names, self.values, strict=True):
            if not equal(self.get(name), before):
                return self.path if self.fn is None else name
        return self.path or "the function"


class _Dict:
    """A dict and what was in it. Most of what is watched is one: the attributes of a module."""

    __slots__ = ("path", "held", "size", "keys", "values")

    def __init__(self, path: str, held: dict[Any, Any]) -> None:
        self.path, self.held, self.size = path, held, len(held)
        self.keys, self.values = list(held), list(held.values())

    def same(self) -> bool:
        """Whether it holds the same, or what never changes and is equal."""
        if list(self.held) != self.keys or not all(map(equal, self.held.values(), self.values)):
            return False
        self.keys, self.values = list(self.held), list(self.held.values())
        return True

    def difference(self) -> str:
        before = dict(zip(self.keys, self.values, strict=True))
        for key in [*self.held, *self.keys]:
            if not equal(self.held.get(key, _GONE), before.get(key, _GONE)):
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
        if all(map(equal, now, self.before)):
            self.before = now
            return True
        return False


def is_plain(x: Any) -> bool:
    """Whether this never changes, so that an equal one is as good as the same."""
    kind = type(x)
    if kind in _PLAIN:
        return True
    return isinstance(x, np.dtype) or isinstance(x, np.generic) and kind.__module__ == "numpy"


def equal(x: Any, y: Any) -> bool:
    """Whether two values are the same, or plain and equal: -0 is not 0, and nan is nan."""
    if x is y:
        return True
    if type(x) is not type(y) or not is_plain(x):
        return False
    if isinstance(x, (float, complex, np.generic)):
        return repr(x) == repr(y)
    return bool(x == y)


def replaceable(a: Any, b: Any) -> bool:
    """Whether one array may take the place of another: an optimizer gives parameters new ones."""
    return a.shape == b.shape and a.dtype is b.dtype


def _names_of(code: types.CodeType) -> tuple[set[str], set[str]]:
    """The globals that a function, and those written inside of it, go by, and all names."""
    names, every = set(), set(code.co_names)
    before = None
    for step in _instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            names.add(step.argval)
        elif step.opname in ("IMPORT_NAME", "LOAD_BUILD_CLASS"):
            raise Unseen(f"{step.argval or 'a class'}, imported or defined inside of it")
        elif step.opname == "IS_OP" and not (before and before.argval in (None, True, False)):
            raise Unseen("whether two things are the same object ('is')")
        before = step
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            inner, all_inner = _names_of(constant)
            names, every = names | inner, every | all_inner
    return names, every


def _instructions(code: types.CodeType) -> Iterator[dis.Instruction]:
    return (x for x in dis.get_instructions(code) if x.opname not in ("CACHE", "RESUME"))


def _all_of(held: Any) -> Callable[[], Iterable[Any]]:
    return lambda: (*held, *held.values())


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


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
    """Whether a function is code of this library, or of NumPy (files and chance left out), and does
    not only say so."""
    name = fn.__globals__.get("__name__", "")
    home = sys.modules.get(name)
    numpy = name.startswith("numpy.") and not any(x in name for x in ("npyio", "random"))
    return home is not None and vars(home) is fn.__globals__ and (numpy or _trusted(name))


def _is_ours_class(kind: type) -> bool:
    home = sys.modules.get(kind.__module__)
    known = home is not None and getattr(home, kind.__name__, None) is kind
    return known and _trusted(kind.__module__)


def _trusted(module: str) -> bool:
    first, _, rest = module.partition(".")
    return first == _OURS and rest.partition(".")[0] not in _NOT_OURS


def _join(path: str, name: Any) -> str:
    return f"{path}.{name}" if path else str(name)
