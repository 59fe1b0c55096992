"""The loader: a data set in batches, shuffled or not, with workers or without."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ._checks import count, finite
from ._draws import draw_seed, get_state, in_batch_stream, set_state
from .collate import default_collate, default_convert
from .dataset import Dataset, fetch, is_iterable_only, length
from .sampler import BatchSampler, RandomSampler, SequentialSampler, batches_of
from .workers import Workers, drain_in_turn, map_in_order

__all__ = ["DataLoader"]

_END = object()


class DataLoader:
    """Iterate over a data set in batches, one epoch an iteration, as PyTorch's loader does.

    A data set with `take` (those of arrays have it) gives a batch by one fancy index; any other is
    asked item by item, and `collate_fn` joins the items. With the same seeds, the batches are the
    same bits for any number of workers, random transforms of `gradling.data.transforms` included;
    an item that draws from the generator of the process is not covered by this, since workers take
    turns at it.

    Args:
        dataset: with `__getitem__` and `__len__`, or iterable; ours, PyTorch's, a list, anything.
        batch_size: items a batch; None gives single items, without a batch dimension.
        shuffle: visit in random order, another one each epoch.
        sampler: an iterable of indices, in place of `shuffle`.
        batch_sampler: an iterable of lists of indices, in place of `batch_size`, `shuffle`,
            `sampler` and `drop_last`.
        num_workers: threads that build batches ahead; 0 builds them in the loop itself.
        collate_fn: from a list of items to a batch.
        drop_last: leave out a last batch that is not full.
        timeout: seconds to wait for a worker; 0 waits for ever.
        worker_init_fn: called with the number of the worker in each one, when it starts.
        generator: what the order is drawn from; the one of the process if left out.
        prefetch_factor: batches a worker builds ahead, 2 if left out.
        pin_memory, pin_memory_device, multiprocessing_context, persistent_workers, in_order: taken
            for programs that pass them, and without effect: there is no device to copy to, workers
            are threads, and batches always come in order.

    >>> from gradling.data import TensorDataset
    >>> loader = DataLoader(TensorDataset([1, 2, 3, 4, 5]), batch_size=2)
    >>> [x.tolist() for (x,) in loader]
    [[1, 2], [3, 4], [5]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        self.dataset = dataset
        self.num_workers = count("num_workers", num_workers, least=0)
        self.timeout = finite("timeout", timeout, least=0)
        self.prefetch_factor = count(
            "prefetch_factor", 2 if prefetch_factor is None else prefetch_factor
        )
        self.worker_init_fn = worker_init_fn
        self.generator = generator
        self.collate_fn = collate_fn
        self.batch_size = None if batch_size is None else count("batch_size", batch_size)
        self.drop_last = bool(drop_last)
        self._iterable = is_iterable_only(dataset)
        self._check_choices(batch_size, shuffle, sampler, batch_sampler)
        self.sampler, self.batch_sampler = self._samplers(bool(shuffle), sampler, batch_sampler)
        self._epoch: dict[str, Any] = {"position": None}
        self._resume: dict[str, Any] | None = None

    def _check_choices(
        self, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any
    ) -> None:
        if sampler is not None and shuffle:
            raise ValueError("sampler and shuffle were both given; the sampler sets the order")
        if batch_sampler is not None and (
            batch_size != 1 or shuffle or sampler is not None or self.drop_last
        ):
            raise ValueError(
                "batch_sampler replaces batch_size, shuffle, sampler and drop_last; drop these"
            )
        if batch_size is None and self.drop_last:
            raise ValueError("drop_last needs a batch_size; got batch_size=None")
        if self._iterable:
            if shuffle or sampler is not None or batch_sampler is not None:
                raise ValueError(
                    f"{type(self.dataset).__name__} is read in order: shuffle, sampler and "
                    "batch_sampler do not apply. Shuffle inside its __iter__"
                )
        elif sampler is None and batch_sampler is None:
            n = length(self.dataset)
            if n is None:
                raise TypeError(
                    f"{type(self.dataset).__name__} tells no length: define __len__ on it, or pass "
                    "a sampler"
                )
            if n == 0:
                raise ValueError("the data set is empty: there is nothing to load")

    def _samplers(self, shuffle: bool, sampler: Any, batch_sampler: Any) -> tuple[Any, Any]:
        if self._iterable:
            return None, None
        if batch_sampler is not None:
            self.batch_size = None
            return None, batch_sampler
        if sampler is None:
            kind = RandomSampler if shuffle else SequentialSampler
            extra = {"generator": self.generator} if shuffle else {}
            sampler = kind(self.dataset, **extra)
        if self.batch_size is None:
            return sampler, None
        batches = BatchSampler(sampler, self.batch_size, self.drop_last)
        if self.drop_last and hasattr(sampler, "__len__") and len(batches) == 0:
            warnings.warn(
                f"drop_last=True leaves no batch: {len(sampler)} items do not fill one of "
                f"{self.batch_size}",
                stacklevel=3,
            )
        return sampler, batches

    def __len__(self) -> int:
        if not self._iterable:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
        n = length(self.dataset)
        if n is None:
            raise TypeError(
                f"{type(self.dataset).__name__} is read in order and tells no length, so the "
                "loader has none; define __len__ on it"
            )
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        resume, self._resume = self._resume, None
        if resume is None:
            seed = draw_seed(self.generator)
            epoch = {"seed": seed, "position": 0, "order": get_state(self._order_generator())}
        else:
            epoch = dict(resume)
        self._epoch = epoch
        source = self._in_order if self._iterable else self._by_index
        workers = None
        if self.num_workers:
            workers = Workers(
                self.num_workers, epoch["seed"], self.dataset, self.worker_init_fn, self.timeout
            )
        try:
            for batch in source(epoch, workers, resume is not None):
                epoch["position"] += 1
                yield batch
            epoch["position"] = None  # over: what comes next is a new epoch
        finally:
            if workers is not None:
                workers.close()

    def _by_index(
        self, epoch: dict[str, Any], workers: Workers | None, resumed: bool
    ) -> Iterator[Any]:
        single = self.batch_sampler is None
        order = iter(self.sampler) if single else batches_of(self.batch_sampler)
        start = epoch["position"]
        if resumed:
            order = self._again(order, start, epoch["order"])

        if single:

            def build(k: int, key: Any) -> Any:
                return in_batch_stream((epoch["seed"], k), self._single, key)

        else:

            def build(k: int, key: Any) -> Any:
                seed = (epoch["seed"], k)
                return in_batch_stream(seed, fetch, self.dataset, key, self.collate_fn)

        jobs = enumerate(order, start)
        if workers is None:
            # a generator, in which a StopIteration from an item is an error and not the end
            return (build(k, key) for k, key in jobs)
        return map_in_order(workers, jobs, build, self.prefetch_factor)

    def _in_order(
        self, epoch: dict[str, Any], workers: Workers | None, resumed: bool
    ) -> Iterator[Any]:
        # Only our own iterable data sets can ask which worker they are in; any other would give
        # every item once a worker, so one worker reads it.
        shares = len(workers.pools) if workers and isinstance(self.dataset, Dataset) else 1
        sources = [self._share(epoch["seed"], w) for w in range(shares)]
        if workers is None:
            batches = iter(sources[0], _END)
        else:
            batches = drain_in_turn(workers, sources, _END, self.prefetch_factor)
        return itertools.islice(batches, epoch["position"], None)

    def _share(self, seed: int, worker: int) -> Callable[[], Any]:
        """Return a function that gives the next batch of an iterable data set, then `_END`."""
        items: Iterator[Any] | None = None
        numbers = itertools.count()

        def next_batch() -> Any:
            nonlocal items
            if items is None:  # here and not outside, so that __iter__ runs in its worker
                items = iter(self.dataset)
            if self.batch_size is None:
                for item in items:
                    return (self.collate_fn or default_convert)(item)
                return _END
            batch = list(itertools.islice(items, self.batch_size))
            if not batch or (self.drop_last and len(batch) < self.batch_size):
                return _END
            return (self.collate_fn or default_collate)(batch)

        return lambda: in_batch_stream((seed, worker, next(numbers)), next_batch)

    def _single(self, key: Any) -> Any:
        return (self.collate_fn or default_convert)(self.dataset[key])

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader stands: the epoch under way, and how many batches it has given.

        >>> import gradling
        >>> from gradling.data import TensorDataset
        >>> def loader():
        ...     g = gradling.Generator().manual_seed(1)
        ...     return DataLoader(TensorDataset(range(6)), 2, shuffle=True, generator=g)
        >>> whole = [x.tolist() for (x,) in loader()]
        >>> first = loader()
        >>> begun = next(iter(first))
        >>> second = loader()
        >>> second.load_state_dict(first.state_dict())
        >>> [x.tolist() for (x,) in second] == whole[1:]
        True
        """
        epoch = None if self._epoch.get("position") is None else dict(self._epoch)
        own = None if self.generator is None else get_state(self.generator)
        return {"epoch": epoch, "generator": own}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict()`: the next iteration gives the batches that were still to come.

        The data set, its order and the arguments must be those of the loader that was saved. What
        an iterable data set gave before is read again and dropped.
        """
        if set(state) != {"epoch", "generator"}:
            raise ValueError(
                "state must come from DataLoader.state_dict(), with the entries 'epoch' and "
                f"'generator'; got {sorted(state)}"
            )
        self._resume = None if state["epoch"] is None else dict(state["epoch"])
        if self.generator is not None and state["generator"] is not None:
            set_state(self.generator, state["generator"])

    def _order_generator(self) -> Any:
        outer = self.sampler if self.batch_sampler is None else self.batch_sampler
        return getattr(getattr(outer, "sampler", outer), "generator", None)

    def _again(self, order: Iterator[Any], start: int, state: Any) -> Iterator[Any]:
        """Draw the order of an epoch as it was drawn then, and skip its first `start` batches."""
        generator = self._order_generator()
        now = get_state(generator)
        set_state(generator, state)
        try:
            rest = list(itertools.islice(order, start, start + 1))  # draws the whole order
        finally:
            set_state(generator, now)
        return itertools.chain(rest, order)
