"""Where results were made: source lines and times, remembered while somebody asks for them.

Nothing is remembered otherwise, and the usual case does not even look: an op asks its mode one
question that it asks anyway.
"""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Any, Generic, TypeVar
from weakref import ref

from .modes import _bare

T = TypeVar("T")
_PACKAGE = __name__.partition(".")[0]


class Site:
    """The line of the user that made a result, and the seconds since the result before it."""

    __slots__ = ("line", "seconds")

    def __init__(self, line: str, seconds: float | None = None) -> None:
        self.line = line
        self.seconds = seconds

    def __repr__(self) -> str:
        return f"Site({self.line!r}, {self.seconds!r})"


class Beside(Generic[T]):
    """Notes about objects that have no room for them: by identity, gone when the object is."""

    def __init__(self) -> None:
        self._notes: dict[int, tuple[ref[Any], T]] = {}

    def put(self, about: Any, note: T) -> None:
        key, notes = id(about), self._notes
        notes[key] = (ref(about, lambda _: notes.pop(key, None)), note)

    def get(self, about: Any) -> T | None:
        found = self._notes.get(id(about))
        return found[1] if found is not None and found[0]() is about else None

    def __len__(self) -> int:
        return len(self._notes)


_known: Beside[Site] = Beside()  # by result: Value or graph node


class Watch:
    """What notes sites, and the time of the last one."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = perf_counter()

    def note(self, made: Any) -> None:
        """Remember where ``made``, a result that is just finished, came from; None: the time."""
        now = perf_counter()
        if made is not None:
            _known.put(made, Site(user_line(), now - self.last))
        self.last = perf_counter()


class tracing(_bare):
    """Remember of every result made inside which line of your program made it, and how long it
    took: pictures show both, and can colour by time.

    The time of an op is that since the op before it, Python in between included.

    >>> from gradling.engine import Value
    >>> with tracing():
    ...     y = Value(3.0) * 2
    >>> site(y).line  # doctest: +ELLIPSIS
    '...:...'
    """

    def __enter__(self) -> None:
        self.changes = {"watch": Watch()}
        super().__enter__()


def remember(made: Any, line: str) -> None:
    """Note the line of a result, without a time."""
    _known.put(made, Site(line))


def site(made: Any) -> Site | None:
    """Where a Value, or the graph node of a tensor, was made; None where nobody watched."""
    return _known.get(made)


def any_known() -> bool:
    """Whether any site is remembered at all: else nobody needs to ask for each."""
    return len(_known) > 0


def user_line() -> str:
    """``file:line`` of the nearest caller outside the package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _ours(module: str) -> bool:
    return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")
