"""Whether new graph is recorded, as a context-local setting: safe across threads and async tasks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Mode:
    """One immutable setting of all switches, so that an op asks a single context variable."""

    __slots__ = ("grad", "inference", "anomaly", "scope")

    def __init__(
        self, grad: bool = True, inference: bool = False, anomaly: bool = False, scope: str = ""
    ) -> None:
        self.grad = grad  # record graph nodes
        self.inference = inference  # results can never join a graph
        self.anomaly = anomaly  # look for NaN and remember source lines
        self.scope = scope  # path of the module being run, "" outside

    def but(self, **changes: Any) -> Mode:
        switches = {name: getattr(self, name) for name in self.__slots__}
        return Mode(**(switches | changes))


MODE: ContextVar[Mode] = ContextVar("gradling.mode", default=Mode())  # noqa: B039 (never mutated)
mode = MODE.get


class switch:
    """Context manager and decorator that sets some switches and restores them on the way out."""

    changes: dict[str, Any] = {}

    def __init__(self) -> None:
        self._tokens: list[Token[Mode]] = []

    def __enter__(self) -> None:
        self._tokens.append(MODE.set(MODE.get().but(**self.changes)))

    def __exit__(self, *exc: object) -> None:
        MODE.reset(self._tokens.pop())

    def _again(self) -> switch:
        """A fresh manager with the same changes: one decorated function may run in many threads."""
        fresh = type(self).__new__(type(self))
        fresh.changes, fresh._tokens = self.changes, []
        return fresh

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            raise TypeError(
                f"{type(self).__name__} cannot decorate the generator {function.__name__}: it would stay "
                "in force between its steps; use `with` inside the generator"
            )

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return inside  # type: ignore[return-value]


class no_grad(switch):
    """Record no graph inside: results are plain numbers for backward.

    >>> from gradling.engine import Value
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.op is None
    True
    """

    changes = {"grad": False}

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        if function is None:
            return made
        made.__init__()  # type: ignore[misc]  # used as a bare decorator: @no_grad
        return made(function)


class enable_grad(no_grad):
    """Record graph inside, also within ``no_grad``."""

    changes = {"grad": True}


class inference_mode(switch):
    """Like ``no_grad``, and what is made inside can never join a graph later."""

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.changes = {"grad": False, "inference": True} if mode else {"inference": False}


class set_grad_enabled(switch):
    """Record graph or not: takes effect at once, and as a context manager restores what was before."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.changes = {"grad": bool(mode)}
        self._tokens.append(MODE.set(MODE.get().but(**self.changes)))

    def __enter__(self) -> None:
        if not self._tokens:
            super().__enter__()


class detect_anomaly(switch):
    """Stop at the first op, forward or backward, that makes a NaN, naming the op and the line."""

    changes = {"anomaly": True}


def is_grad_enabled() -> bool:
    return MODE.get().grad


def is_inference_mode_enabled() -> bool:
    return MODE.get().inference
