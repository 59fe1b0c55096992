"""One job in parts, the odd ones in a second thread: NumPy computes without the interpreter's lock.

A matrix library already uses every core for one large product, but copies, transforms and passes
over memory between the products run on one. So a kernel cuts its work into parts of its own, and
while two of them run side by side the library is told to use one thread for each.

Parts follow from shapes alone, each writes memory of its own, and sums over parts are taken in
their order: the result does not depend on who computed what.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import lru_cache, partial
from typing import Any

import numpy as np

from ...tensor.node import Array


class _Second:
    """The second thread. One job at a time may use it; whoever finds it taken works alone.

    It waits for work at one lock and says at another that it is done. By way of an executor and its
    futures, half of ten additions of 100 000 entries took longer than all of them on one thread.
    """

    def __init__(self) -> None:
        self.free = threading.Lock()
        self.thread: threading.Thread | None = None
        self.job: Callable[[], None] | None = None  # until it has ended
        self.error: BaseException | None = None
        self.begun, self.done = threading.Lock(), threading.Lock()
        self.begun.acquire()

    def start(self, work: Callable[..., None], *arguments: Any) -> bool:
        """False where no thread can be had: the interpreter is on its way out."""
        if sys.is_finalizing():
            return False
        if self.thread is None:
            thread = threading.Thread(target=self._run, name="gradling-kernels", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self.thread = thread
        # a lock for each job: of an interrupted wait nothing is left that the next one could take
        # for the end of its own job
        self.done = threading.Lock()
        self.done.acquire()
        # a copy of the context: NumPy keeps there which warnings are silenced
        self.job = partial(copy_context().run, work, *arguments)
        self.begun.release()
        return True

    def wait(self) -> BaseException | None:
        """What went wrong in the job, if there was one, once it has ended."""
        while self.job is not None:
            try:
                self.done.acquire()
            except BaseException:  # Ctrl-C, any number of them: the job writes into arrays of ours
                self.wait()
                raise
        error, self.error = self.error, None
        return error

    def _run(self) -> None:
        while True:
            self.begun.acquire()
            done = self.done
            try:
                assert self.job is not None
                self.job()
            except BaseException as error:
                self.error = error
            self.job = None
            done.release()


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
        try:
            other = held.start(_all, work, parts[1::2])
            _all(work, parts[::2] if other else parts)
        finally:
            error = held.wait()  # also after an error: it writes into the same arrays
        if error is not None:
            raise error
    finally:
        try:
            for library, count in before:
                library.set_num_threads(count)
        finally:
            held.free.release()


def _all(work: Callable[[Any], None], parts: Sequence[Any]) -> None:
    for part in parts:
        work(part)


def total(part: Callable[[Any], Array], parts: Sequence[Any]) -> Array:
    """The sum of the fresh arrays ``part(one)``, of one or more parts.

    Even ones are added up in one sum, odd ones, which the second thread may have, in another.
    """
    sums: list[Array] = [np.empty(0)] * min(2, len(parts))

    def add(numbered: tuple[int, Any]) -> None:
        number, one = numbered
        if number < 2:
            sums[number] = part(one)
        else:
            sums[number % 2] += part(one)

    share(add, list(enumerate(parts)))
    if len(sums) > 1:
        sums[0] += sums[1]
    return sums[0]


def pieces(count: int, bytes_each: int, limit: int) -> list[slice]:
    """``count`` things in slices whose work space stays within ``limit``."""
    step = max(1, limit // max(bytes_each, 1))
    return [slice(i, min(i + step, count)) for i in range(0, count, step)]


def cut(count: int) -> list[slice]:
    """``count`` things in two slices, or in one where there are fewer than two."""
    if count < 2:
        return [slice(0, count)]
    return [slice(0, count // 2), slice(count // 2, count)]
