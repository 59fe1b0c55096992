"""Samplers: in which order a loader visits the items of a data set.

A sampler is iterated for indices, one epoch an iteration. Those here also have `order()`, the
whole epoch as one array, which the loader prefers. Random ones draw a single integer from their
generator at the start of each epoch and the order from a stream seeded by it: nothing else that
draws from the same generator during the epoch can change the order, and an epoch can be begun again
from that state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import numpy as np
import numpy.typing as npt

from ._checks import count
from ._draws import draw_seed

Ints = npt.NDArray[np.int64]

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]


class Sampler:
    """Base of samplers: a subclass writes `__iter__`, and `__len__` if its length is known.

    >>> class Backwards(Sampler):
    ...     def __init__(self, data):
    ...         self.data = data
    ...
    ...     def __iter__(self):
    ...         return iter(reversed(range(len(self.data))))
    >>> list(Backwards("abc"))
    [2, 1, 0]
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__(self)")


class _ArraySampler(Sampler):
    def order(self) -> Ints:
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())


class SequentialSampler(_ArraySampler):
    """0, 1, 2, … in order.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def order(self) -> Ints:
        """Return the indices of one epoch, `(len(self),)`."""
        return np.arange(len(self.data_source))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(_ArraySampler):
    """Every index once in random order; or, with `replacement`, each drawn from all.

    Args:
        data_source: what has a length.
        num_samples: how many indices an epoch has, `len(data_source)` if left out. Without
            replacement, more than that visits everything again, in a new order.

    >>> sorted(RandomSampler("abc"))
    [0, 1, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement must be True or False, got {replacement!r}")
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = None if num_samples is None else count("num_samples", num_samples)
        self.generator = generator
        if len(self) < 1 or len(data_source) < 1:
            raise ValueError("the data set is empty: there is nothing to sample from")

    @property
    def num_samples(self) -> int:
        """How many indices an epoch has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def order(self) -> Ints:
        """Return the indices of one epoch, `(num_samples,)`."""
        random = np.random.default_rng(draw_seed(self.generator))
        n, k = len(self.data_source), self.num_samples
        if self.replacement:
            return random.integers(n, size=k)
        rounds = [random.permutation(n) for _ in range(-(-k // n))]
        return np.concatenate(rounds)[:k]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(_ArraySampler):
    """The given indices, each once, in random order.

    >>> sorted(SubsetRandomSampler([7, 3, 5]))
    [3, 5, 7]
    """

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices = indices
        self.generator = generator

    def order(self) -> Ints:
        """Return the indices of one epoch, `(len(indices),)`."""
        random = np.random.default_rng(draw_seed(self.generator))
        return random.permutation(np.asarray(self.indices, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(_ArraySampler):
    """Indices drawn with probability proportional to their weight.

    Args:
        weights: `(n,)`, finite and not below 0; their sum need not be 1.
        num_samples: how many indices an epoch has.
        replacement: without it, an index comes up at most once, so `num_samples` must not exceed
            the number of weights above 0.

    >>> set(WeightedRandomSampler([0, 1, 0, 2], 50))  <= {1, 3}
    True
    """

    def __init__(
        self,
        weights: Sequence[float] | npt.NDArray[Any],
        num_samples: int,
        replacement: bool = True,
        generator: Any = None,
    ) -> None:
        w = np.asarray(weights, dtype=np.float64)
        if w.ndim != 1 or not np.isfinite(w).all() or (w < 0).any() or not w.sum() > 0:
            raise ValueError(
                "weights must be a list of finite numbers, none below 0 and one above; "
                f"got {weights!r}"
            )
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement must be True or False, got {replacement!r}")
        self.num_samples = count("num_samples", num_samples)
        if not replacement and self.num_samples > np.count_nonzero(w):
            raise ValueError(
                f"cannot draw {num_samples} different indices: only {np.count_nonzero(w)} weights "
                "are above 0. Ask for fewer, or pass replacement=True"
            )
        self.weights = w
        self.replacement = replacement
        self.generator = generator

    def order(self) -> Ints:
        """Return the indices of one epoch, `(num_samples,)`."""
        random = np.random.default_rng(draw_seed(self.generator))
        p = self.weights / self.weights.sum()
        return random.choice(len(p), self.num_samples, replace=self.replacement, p=p)

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """The indices of another sampler in lists of `batch_size`.

    Args:
        sampler: any iterable of indices.
        drop_last: leave out the last list if it is shorter.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = count("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise TypeError(f"drop_last must be True or False, got {drop_last!r}")
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[Any]]:
        batch: list[Any] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def batches_of(batch_sampler: Iterable[Any]) -> Iterator[Any]:
    """Iterate over the batches of indices of one epoch, as slices of one array where that is equal.

    It is, for a `BatchSampler` over one of the samplers here, unless a subclass has its own
    `__iter__`.
    """
    if type(batch_sampler).__iter__ is BatchSampler.__iter__:
        sampler, size = batch_sampler.sampler, batch_sampler.batch_size  # type: ignore[attr-defined]
        if type(sampler).__iter__ is _ArraySampler.__iter__:
            order = sampler.order()
            for start in range(0, len(order), size):
                batch = order[start : start + size]
                if len(batch) == size or not batch_sampler.drop_last:  # type: ignore[attr-defined]
                    yield batch
            return
    yield from batch_sampler
