"""no_grad and its relatives: nested, as decorators, in threads, tasks, generators."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import gradling
from gradling.engine import (
    Value,
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_anomaly_enabled,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from gradling.engine.modes import mode

State = tuple[bool, bool, bool]


def state() -> State:
    return is_grad_enabled(), is_inference_mode_enabled(), is_anomaly_enabled()


USUAL: State = (True, False, False)
MANAGERS: list[tuple[Callable[[], Any], State]] = [
    (no_grad, (False, False, False)),
    (enable_grad, USUAL),
    (inference_mode, (False, True, False)),
    (lambda: inference_mode(False), USUAL),
    (lambda: set_grad_enabled(False), (False, False, False)),
    (lambda: set_grad_enabled(True), USUAL),
    (detect_anomaly, (True, False, True)),
    (lambda: detect_anomaly(False), USUAL),
    (lambda: set_detect_anomaly(True), (True, False, True)),
]
each = pytest.mark.parametrize(("make", "inside"), MANAGERS)


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    assert state() == USUAL
    yield
    assert state() == USUAL, "a test left a mode set"


@each
def test_with(make: Callable[[], Any], inside: State) -> None:
    with make():
        assert state() == inside
    assert state() == USUAL


@each
def test_an_exception_restores_too(make: Callable[[], Any], inside: State) -> None:
    with pytest.raises(KeyError), make():
        raise KeyError
    assert state() == USUAL


@each
def test_as_a_decorator(make: Callable[[], Any], inside: State) -> None:
    @make()  # type: ignore[untyped-decorator]
    def function(depth: int, *, more: int = 0) -> tuple[State, int]:
        """doc"""
        return (state(), more) if depth == 0 else function(depth - 1, more=more + 1)  # type: ignore[no-any-return]

    assert (
        state() == USUAL
    )  # set_grad_enabled(False) used as a decorator concerns the function only
    assert function(3) == (inside, 3)
    assert state() == USUAL
    assert (function.__name__, function.__doc__) == ("function", "doc")


@pytest.mark.parametrize("manager", [no_grad, enable_grad, inference_mode, detect_anomaly])
def test_as_a_bare_decorator(manager: Any) -> None:
    @manager  # type: ignore[untyped-decorator]
    def function() -> State:
        return state()

    with manager():
        wanted = state()
    assert function() == wanted and state() == USUAL


@each
def test_a_decorated_generator_is_switched_while_it_runs_only(
    make: Callable[[], Any], inside: State
) -> None:
    closed = []

    @make()  # type: ignore[untyped-decorator]
    def steps() -> Any:
        try:
            first = yield state()
            try:
                yield first, state()
            except KeyError:
                yield "caught", state()
            return state()
        finally:
            closed.append(state())

    def all_of_it() -> Any:
        return (yield from steps())

    running = all_of_it()
    assert next(running) == inside and state() == USUAL
    assert running.send("sent") == ("sent", inside) and state() == USUAL
    assert running.throw(KeyError()) == ("caught", inside) and state() == USUAL
    with pytest.raises(StopIteration) as stop:
        next(running)
    assert stop.value.value == inside
    unfinished = steps()
    next(unfinished)
    unfinished.close()
    assert len(closed) == 2


@each
def test_decorated_coroutines_and_their_neighbours(make: Callable[[], Any], inside: State) -> None:
    @make()  # type: ignore[untyped-decorator]
    async def switched() -> list[State]:
        seen = []
        for _ in range(3):
            seen.append(state())
            await asyncio.sleep(0)
        return seen

    async def usual() -> list[State]:
        seen = []
        for _ in range(3):
            seen.append(state())
            await asyncio.sleep(0)
        return seen

    async def main() -> None:
        a, b, c = await asyncio.gather(switched(), usual(), switched())
        assert a == c == [inside] * 3 and b == [USUAL] * 3
        assert state() == USUAL

    asyncio.run(main())


def test_an_asynchronous_generator_is_refused() -> None:
    with pytest.raises(
        TypeError, match="no_grad cannot decorate the asynchronous generator f: use"
    ):

        @no_grad()  # type: ignore[untyped-decorator]
        async def f() -> AsyncIterator[int]:
            yield 1


def test_nesting() -> None:
    with no_grad():
        with enable_grad():
            assert is_grad_enabled()
            with no_grad():
                assert not is_grad_enabled()
            assert is_grad_enabled()
        assert not is_grad_enabled()
        with detect_anomaly():
            assert state() == (False, False, True)
    with inference_mode():
        with enable_grad():
            assert not is_grad_enabled()  # nothing made here could join a graph
        with inference_mode(False):
            assert state() == USUAL


def test_one_manager_many_times_over() -> None:
    manager = no_grad()
    with manager:
        with manager, enable_grad(), manager:
            assert not is_grad_enabled()
        assert not is_grad_enabled()
    assert is_grad_enabled()
    with manager:
        assert not is_grad_enabled()


def test_one_manager_in_many_threads() -> None:
    manager, entered, leave = no_grad(), threading.Barrier(3), threading.Event()
    seen: list[bool] = []

    def run() -> None:
        with manager:
            entered.wait()
            leave.wait()
            seen.append(is_grad_enabled())
        seen.append(is_grad_enabled())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    entered.wait()
    assert is_grad_enabled()  # two other threads are inside
    leave.set()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [False, False, True, True]


def test_a_task_inherits_the_mode_it_was_made_in() -> None:
    async def main() -> tuple[bool, bool]:
        with no_grad():
            task = asyncio.create_task(asyncio.sleep(0, result=None))
            inner = asyncio.create_task(ask())
        await task
        return await inner, is_grad_enabled()

    async def ask() -> bool:
        return is_grad_enabled()

    assert asyncio.run(main()) == (False, True)


def test_leaving_in_another_context_changes_nothing_there() -> None:
    manager = no_grad()
    elsewhere = contextvars.copy_context()
    elsewhere.run(manager.__enter__)
    manager.__exit__(None, None, None)
    assert state() == USUAL
    assert not elsewhere.run(is_grad_enabled)


def test_set_grad_enabled_lasts() -> None:
    set_grad_enabled(False)
    assert not is_grad_enabled()
    with enable_grad():
        assert is_grad_enabled()
    assert not is_grad_enabled()
    set_grad_enabled(True)
    with detect_anomaly():
        set_grad_enabled(False)
        assert state() == (False, False, True)
    assert state() == USUAL


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError):
        no_grad(5)
    with pytest.raises(TypeError):
        no_grad(mode=False)


def test_the_scope_of_a_mode_is_kept() -> None:
    assert mode().but(scope="encoder.0").but(grad=False).scope == "encoder.0"


def test_values_under_each_mode() -> None:
    x = Value(2.0)
    with inference_mode():
        assert (x * x).op is None
    with no_grad(), enable_grad():
        assert (x * x).op is not None


def test_the_package_offers_them() -> None:
    for name in ("no_grad", "enable_grad", "inference_mode", "set_grad_enabled", "is_grad_enabled"):
        assert getattr(gradling, name) is globals()[name]
