"""One job in parts, the odd ones in a second thread: NumPy computes without the interpreter's lock.

A matrix library already uses every core for one large product, but copies, transforms and passes
over memory between the products run on one. So a kernel cuts its work into parts of its own, and
while two of them run side by side the library is told to use one thread for each.

Parts follow from shapes alone, each writes memory of its own, and sums over parts are taken in
their order: the result does not depend on who computed what.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import lru_cache
from typing import Any


class _Second:
    """The second thread. One job at a time may use it; whoever finds it taken works alone."""

    def __init__(self) -> None:
        self.free = threading.Lock()
        self.thread: ThreadPoolExecutor | None = None

    def start(self, work: Callable[..., None], *arguments: Any) -> Future[None] | None:
        """None where no thread can be had: the interpreter is on its way out."""
        try:
            if self.thread is None:
                self.thread = ThreadPoolExecutor(1, "gradling-kernels")
            # a copy of the context: NumPy keeps there which warnings are silenced
            return self.thread.submit(copy_context().run, work, *arguments)
        except RuntimeError:
            return None


_second = _Second()


def _forget() -> None:
    global _second
    _second = _Second()  # threads do not survive a fork, and the lock may have been held


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


@lru_cache(maxsize=1)
def _libraries() -> list[Any]:
    """The matrix libraries in use, whose thread count can be read and set (by threadpoolctl)."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return []
    found: list[Any] = ThreadpoolController().select(user_api="blas").lib_controllers
    return found


def threads() -> int:
    """How many threads a product may use: with OPENBLAS_NUM_THREADS=1 kernels have one as well."""
    return max((library.get_num_threads() or 1 for library in _libraries()), default=1)


def share(work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    """``work(part)`` for every part, in two threads where there are two, in order otherwise."""
    if len(parts) < 2 or threads() < 2 or not _second.free.acquire(blocking=False):
        _all(work, parts)
        return
    held = _second
    before = [(library, library.get_num_threads()) for library in _libraries()]
    try:
        for library, _ in before:
            library.set_num_threads(1)
        other = held.start(_all, work, parts[1::2])
        try:
            _all(work, parts[::2] if other else parts)
        finally:
            if other:
                wait([other])  # also after an error: it writes into the same arrays
        if other:
            other.result()
    finally:
        for library, count in before:
            library.set_num_threads(count)
        held.free.release()


def _all(work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    for part in parts:
        work(part)


def cut(count: int, least: int = 1) -> list[slice]:
    """``count`` things in two slices, or in one where a slice would have fewer than ``least``."""
    if count < 2 * least:
        return [slice(0, count)]
    return [slice(0, count // 2), slice(count // 2, count)]
