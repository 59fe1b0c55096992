"""Threads that build batches ahead of the loop that reads them."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any

__all__ = ["WorkerInfo", "get_worker_info"]

_here = threading.local()


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is, `id` of `num_workers`; the seed of the epoch; the data set it reads."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


def get_worker_info() -> WorkerInfo | None:
    """Return the `WorkerInfo` of the worker that asks, None outside a loader's workers.

    An iterable data set uses it to give each worker another share:

    >>> from gradling.data import DataLoader, IterableDataset
    >>> class Numbers(IterableDataset):
    ...     def __iter__(self):
    ...         info = get_worker_info()
    ...         first, step = (info.id, info.num_workers) if info else (0, 1)
    ...         return iter(range(first, 6, step))
    >>> [x.tolist() for x in DataLoader(Numbers(), batch_size=3, num_workers=2)]
    [[0, 2, 4], [1, 3, 5]]
    """
    return getattr(_here, "info", None)


class Workers:
    """As many threads as asked for, each with a queue of its own, so that work keeps its order.

    Threads and not processes: nothing has to be pickled, a data set made in a notebook works, and
    reading files leaves the interpreter to others meanwhile.
    """

    def __init__(
        self, n: int, seed: int, dataset: Any, init: Callable[[int], Any] | None, timeout: float
    ) -> None:
        self.timeout = timeout or None
        self.pools = []
        for i in range(n):
            info = WorkerInfo(i, n, seed, dataset)
            self.pools.append(
                ThreadPoolExecutor(1, f"gradling-data-{i}", initializer=_enter, initargs=(info,))
            )
        # as work and not as initializer, which would hide what went wrong
        self.begun = [] if init is None else [self.submit(i, init, i) for i in range(n)]

    def submit(self, worker: int, work: Callable[..., Any], *args: Any) -> Future[Any]:
        # The modes (no_grad and the like) and the random stream live in the context: take it along.
        return self.pools[worker].submit(contextvars.copy_context().run, work, *args)

    def result(self, future: Future[Any]) -> Any:
        begun, self.begun = self.begun, []
        for first in begun:
            self.result(first)
        try:
            return future.result(self.timeout)
        except FutureTimeout:
            if future.done():
                raise  # the data set itself raised it
            raise TimeoutError(
                f"no batch came within {self.timeout:g} s; raise timeout=, or set it to 0 to wait"
            ) from None

    def close(self) -> None:
        for pool in self.pools:
            pool.shutdown(wait=False, cancel_futures=True)


def _enter(info: WorkerInfo) -> None:
    _here.info = info


def map_in_order(
    workers: Workers, jobs: Iterator[tuple[Any, ...]], work: Callable[..., Any], ahead: int
) -> Iterator[Any]:
    """Yield `work(*job)` for each job in order, with up to `ahead` jobs a worker under way."""
    n = len(workers.pools)
    pending: deque[Future[Any]] = deque()
    for k, job in enumerate(jobs):
        pending.append(workers.submit(k % n, work, *job))
        if len(pending) >= n * ahead:
            yield workers.result(pending.popleft())
    while pending:
        yield workers.result(pending.popleft())


def drain_in_turn(
    workers: Workers, sources: list[Callable[[], Any]], done: object, ahead: int
) -> Iterator[Any]:
    """Yield the results of sources, one a worker, in turn, each until it returns `done`."""
    pending = [
        deque(workers.submit(w, source) for _ in range(ahead)) for w, source in enumerate(sources)
    ]
    live = list(range(len(sources)))
    while live:
        for w in list(live):
            result = workers.result(pending[w].popleft())
            if result is done:
                live.remove(w)
                continue
            pending[w].append(workers.submit(w, sources[w]))
            yield result
