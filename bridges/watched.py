"""Places that hold something, which are remembered, and compared later on with what they hold then.

By identity; but a plain value, which never changes, may be replaced by an equal one.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from operator import attrgetter, is_
from typing import Any

import numpy as np

PLAIN = {type(None), bool, int, float, complex, str, bytes, range, slice, type(...)}
GONE = object()  # where there is nothing
_cell_contents = attrgetter("cell_contents")


class WatchedDict:
    """A dict and what was in it. Most of what is watched is one: the attributes of a module."""

    __slots__ = ("path", "held", "size", "keys", "values")

    def __init__(self, path: str, held: dict[Any, Any]) -> None:
        self.path, self.held, self.size = path, held, len(held)
        self.keys, self.values = list(held), list(held.values())

    def same(self) -> bool:
        """Whether it holds the same, or what never changes and is equal."""
        if len(self.held) != self.size or not all(map(equal, self.held, self.keys)):
            return False
        if not all(map(equal, self.held.values(), self.values)):
            return False
        self.keys, self.values = list(self.held), list(self.held.values())
        return True

    def difference(self) -> str:
        before = dict(zip(self.keys, self.values, strict=True))
        for key in [*self.held, *self.keys]:
            if not equal(self.held.get(key, GONE), before.get(key, GONE)):
                return joined_path(self.path, key)
        return self.path


class WatchedPlace:
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


class WatchedCode:
    """What a function consists of, and the names that it looks up; or names in a module alone."""

    __slots__ = ("path", "fn", "parts", "cells", "contents", "get", "names", "gone", "values")

    def __init__(
        self, path: str, fn: types.FunctionType | None, names: list[str], space: Any = None
    ) -> None:
        self.path, self.fn, self.names = path, fn, names
        self.parts = self._parts_now()
        self.cells = () if fn is None else fn.__closure__ or ()
        self.contents = [content_of(cell) for cell in self.cells]
        self.get = (space if fn is None else fn.__globals__).get
        self.gone = [GONE] * len(names)
        self.values = [self.get(name, GONE) for name in names]

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
                if not all(map(is_, map(_cell_contents, self.cells), self.contents)):
                    return self._equal()
            except ValueError:  # a name that was deleted
                return False
        return all(map(is_, map(self.get, self.names, self.gone), self.values)) or self._equal()

    def _equal(self) -> bool:
        """Whether what is not the same is plain, and equal."""
        parts = self._parts_now()
        if parts is not None and not all(map(equal, parts, self.parts)):
            return False
        contents = [content_of(cell) for cell in self.cells]
        values = [self.get(name, GONE) for name in self.names]
        if not all(map(equal, [*contents, *values], [*self.contents, *self.values])):
            return False
        self.contents, self.values = contents, values
        return True

    def difference(self) -> str:
        names = () if self.fn is None else self.fn.__code__.co_freevars
        for name, cell, before in zip(names, self.cells, self.contents, strict=False):
            if not equal(content_of(cell), before):
                return name
        for name, before in zip(self.names, self.values, strict=True):
            if not equal(self.get(name, GONE), before):
                return self.path if self.fn is None else name
        return self.path or "the function"


def is_plain(x: Any) -> bool:
    """Whether this never changes, so that an equal one is as good as the same."""
    kind = type(x)
    if kind in PLAIN:
        return True
    numpy = isinstance(x, np.generic) and kind.__module__ == "numpy" and x.dtype.kind not in "VO"
    return numpy or isinstance(x, np.dtype)


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


def content_of(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def joined_path(path: str, name: Any) -> str:
    return f"{path}.{name}" if path else str(name)
