"""Whether new graph is recorded: a context-local setting, safe across threads and async tasks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Mode:
    """One immutable setting of all switches, so that an op asks a single context variable."""

    __slots__ = (
        "grad", "inference", "anomaly", "scope", "watch", "tape", "watched", "plain", "keeper",
    )  # fmt: skip

    def __init__(
        self,
        grad: bool = True,
        inference: bool = False,
        anomaly: bool = False,
        scope: str = "",
        watch: Any = None,
        tape: Any = None,
        keeper: Any = None,
    ) -> None:
        self.grad = grad and not inference  # record graph nodes
        self.inference = inference  # results can never join a graph
        self.anomaly = anomaly  # look for NaN and remember source lines
        self.scope = scope  # path of the module being run, "" outside
        self.watch = watch  # what notes where results are made, see sites.py
        self.tape = tape  # what a bridge records, see bridges/
        self.watched = anomaly or watch is not None or tape is not None
        self.plain = self.grad and not self.watched  # record, and nothing else: the usual case
        self.keeper = keeper  # (the manager that set it, the token that undoes it)

    def but(self, **changes: Any) -> Mode:
        given = {
            "grad": self.grad,
            "inference": self.inference,
            "anomaly": self.anomaly,
            "scope": self.scope,
            "watch": self.watch,
            "tape": self.tape,
            "keeper": self.keeper,
        }
        return Mode(**(given | changes))


MODE: ContextVar[Mode] = ContextVar("gradling.mode", default=Mode())  # noqa: B039 (never mutated)
mode = MODE.get


class switch:
    """Context manager and decorator that sets some switches and restores them on the way out.

    What to restore is kept with the mode, not here: one manager may be in force in many threads, in
    many tasks, and several times over.
    """

    changes: dict[str, Any] = {}

    def __enter__(self) -> None:
        made = MODE.get().but(**self.changes)
        made.keeper = (self, MODE.set(made))

    def __exit__(self, *exc: object) -> None:
        keeper = MODE.get().keeper
        if keeper is not None and keeper[0] is self:  # else it was entered in another context
            MODE.reset(keeper[1])

    def __call__(self, function: F) -> F:
        inside: Callable[..., Any]
        if inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{type(self).__name__} cannot decorate the asynchronous generator "
                f"{function.__name__}: use `with` around the lines that compute, not around a yield"
            )
        if inspect.iscoroutinefunction(function):

            async def inside(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

        elif inspect.isgeneratorfunction(function):

            def inside(*args: Any, **kwargs: Any) -> Any:
                return self._stepwise(function(*args, **kwargs))

        else:

            def inside(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return function(*args, **kwargs)

        return functools.wraps(function)(inside)  # type: ignore[return-value]

    def _stepwise(self, steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """The same generator with the switches set while it runs, not while its caller does."""
        move, answer = steps.send, None
        while True:
            try:
                with self:
                    found = move(answer)
            except StopIteration as stop:
                return stop.value
            try:
                move, answer = steps.send, (yield found)
            except GeneratorExit:
                steps.close()
                raise
            except BaseException as error:
                move, answer = steps.throw, error


class _bare(switch):
    """A switch that can also decorate without parentheses: ``@no_grad``."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        if len(args) != 1 or not callable(args[0]):
            return made
        made.__init__()  # type: ignore[misc]
        return made(args[0])

    def __init__(self) -> None:
        pass


class no_grad(_bare):
    """Record no graph inside: results are plain numbers for backward.

    >>> from gradling.engine import Value
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.op is None
    True
    """

    changes = {"grad": False}


class enable_grad(_bare):
    """Record graph inside, also within ``no_grad`` (but not within ``inference_mode``)."""

    changes = {"grad": True}


class inference_mode(_bare):
    """Like ``no_grad``, and what is made inside can never join a graph later.

    ``inference_mode(False)`` leaves it again, and records.
    """

    def __init__(self, mode: bool = True) -> None:
        self.changes = {"grad": not mode, "inference": mode}


class _at_once(switch):
    """Takes effect at once; as a context manager it restores what was before, and a decorated
    function alone is affected."""

    def __init__(self, **changes: Any) -> None:
        self.changes = changes
        self.before = MODE.get()
        MODE.set(self.before.but(**changes))

    def __enter__(self) -> None:
        MODE.set(self.before.but(**self.changes))

    def __exit__(self, *exc: object) -> None:
        MODE.set(self.before)

    def __call__(self, function: F) -> F:
        MODE.set(self.before)
        lasting = switch()
        lasting.changes = self.changes
        return lasting(function)


class set_grad_enabled(_at_once):
    """Record graph or not, from here on; as a context manager restores what was before."""

    def __init__(self, mode: bool) -> None:
        super().__init__(grad=bool(mode))


class set_detect_anomaly(_at_once):
    """``detect_anomaly`` from here on; as a context manager restores what was before."""

    def __init__(self, mode: bool) -> None:
        super().__init__(anomaly=bool(mode))


class detect_anomaly(_bare):
    """Stop at the first op, forward or backward, that makes a NaN, naming the op and the line.

    >>> from gradling.engine import Value
    >>> with detect_anomaly():
    ...     Value(-1.0).log()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    RuntimeError: detect_anomaly: forward log at ... made NaN of -1.0
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.changes = {"anomaly": check_nan}


def is_grad_enabled() -> bool:
    return MODE.get().grad


def is_inference_mode_enabled() -> bool:
    return MODE.get().inference


def is_anomaly_enabled() -> bool:
    return MODE.get().anomaly
