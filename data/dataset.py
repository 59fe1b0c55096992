"""Data sets: things with items, and the ways to put them together.

A data set has `__getitem__` and `__len__`, as in PyTorch; an iterable one has `__iter__`. A class
may also have `take(indices)`, which returns a whole batch at once: arrays then cost one fancy index
a batch and not one call an item.
"""

from __future__ import annotations

import bisect
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ..tensor.creation import as_tensor
from ..tensor.tensor import Tensor
from ._draws import rng
from .collate import default_collate, numpy_items

T = TypeVar("T", covariant=True)
Ints = npt.NDArray[np.int64]

__all__ = [
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]


class Dataset(Generic[T]):
    """Base of data sets that are read by index. A subclass writes `__getitem__` and `__len__`.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 5
    ...
    ...     def __getitem__(self, i):
    ...         return i * i
    >>> both = Squares() + Squares()
    >>> len(both), both[6]
    (10, 1)
    """

    def __getitem__(self, index: int) -> T:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index)")

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        # What PyTorch's loader asks for, whose collate function knows NumPy but not our Tensor.
        return [numpy_items(self[i]) for i in indices]

    def __add__(self, other: Dataset[Any]) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T]):
    """Base of data sets that are read in order. A subclass writes `__iter__`.

    With workers, every worker runs through `__iter__` of its own; `get_worker_info()` inside it
    tells which share to give.

    >>> class Numbers(IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(3))
    >>> list(Numbers())
    [0, 1, 2]
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> IterableDataset[T]:
        # PyTorch's loader asks isinstance: tell it, where it is loaded, that these are iterable.
        theirs = sys.modules.get("torch.utils.data")
        if theirs is not None:
            theirs.IterableDataset.register(IterableDataset)
        return super().__new__(cls)

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__(self)")

    def __getitem__(self, index: int) -> T:
        raise TypeError(f"{type(self).__name__} is read in order: it has no item {index}")


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors of equal first dimension; item i is the tuple of their rows i.

    Args:
        tensors: Tensors or anything that `as_tensor` takes, `(n, …)` each. Not copied.

    >>> data = TensorDataset(np.zeros((4, 2), np.float32), [3, 1, 4, 1])
    >>> x, y = data[2]
    >>> x.shape, y.item()
    ((2,), 4)
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ValueError("TensorDataset needs at least one tensor, got none")
        self.tensors = tuple(t if isinstance(t, Tensor) else as_tensor(t) for t in tensors)
        shapes = [tuple(t.shape) for t in self.tensors]
        if any(not shape for shape in shapes):
            raise ValueError(f"tensors must have a first dimension to go by, got shapes {shapes}")
        if len({shape[0] for shape in shapes}) > 1:
            raise ValueError(
                "tensors must agree in their first dimension, the number of items; "
                f"got shapes {', '.join(map(str, shapes))}"
            )

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def take(self, indices: Ints) -> list[Tensor]:
        """Return the batch of the rows at `indices`, one Tensor for each of `tensors`."""
        return [
            t[indices] if t.requires_grad else Tensor(t._data.take(indices, axis=0))
            for t in self.tensors
        ]


class Subset(Dataset[T]):
    """The items of `dataset` at `indices`, in that order.

    >>> list(Subset("abcd", [3, 0]))
    ['d', 'a']
    """

    def __init__(self, dataset: Dataset[T], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        n = length(dataset)
        wrong = [i for i in indices if not -n <= i < n] if n is not None else []
        if wrong:
            raise IndexError(f"indices hold {wrong[0]}, but the data set has {n} items")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> T:
        return self.dataset[self.indices[index]]

    def take(self, indices: Ints) -> Any:
        """Return the batch of the items at `indices` of this subset."""
        return fetch(self.dataset, np.asarray(self.indices)[indices])


class ConcatDataset(Dataset[Any]):
    """Data sets one after the other.

    >>> both = ConcatDataset(["ab", "cde"])
    >>> len(both), both[2], both[-1]
    (5, 'c', 'e')
    """

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset needs at least one data set, got none")
        for part in self.datasets:
            if is_iterable_only(part):
                raise TypeError(f"{type(part).__name__} is read in order and has no length to add")
        self.cumulative_sizes: list[int] = np.cumsum([len(d) for d in self.datasets]).tolist()  # type: ignore[arg-type]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"item {index} of a data set that has {n}")
        index %= n
        part = bisect.bisect_right(self.cumulative_sizes, index)
        return self.datasets[part][index - (self.cumulative_sizes[part - 1] if part else 0)]


def random_split(
    dataset: Dataset[T],
    lengths: Sequence[int | float],
    generator: Any = None,
    *,
    seed: int | None = None,
) -> list[Subset[T]]:
    """Split a data set at random into parts that share no item.

    Args:
        lengths: the sizes of the parts, which add up to `len(dataset)`; or fractions that add up
            to 1, each rounded down, with what is left given one by one to the first parts.

    >>> a, b = random_split(range(10), [0.8, 0.2], seed=0)
    >>> len(a), len(b), sorted([*a, *b]) == list(range(10))
    (8, 2, True)
    """
    n = length(dataset)
    if n is None:
        raise TypeError(f"{type(dataset).__name__} has no length to split")
    if not lengths:
        raise ValueError("lengths is empty: give the size of each part")
    if math.isclose(sum(lengths), 1) and all(0 <= part <= 1 for part in lengths):
        sizes = [math.floor(n * part) for part in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
    else:
        sizes = [int(part) for part in lengths]
        if sizes != list(lengths) or min(sizes) < 0 or sum(sizes) != n:
            raise ValueError(
                f"lengths must add up to {n}, the length of the data set, or be fractions that "
                f"add up to 1; {list(lengths)} adds up to {sum(lengths)}"
            )
    order = rng(seed, generator).permutation(n).tolist()
    ends = np.cumsum(sizes).tolist()
    return [Subset(dataset, order[e - k : e]) for k, e in zip(sizes, ends, strict=True)]


def is_iterable_only(dataset: Any) -> bool:
    """Tell whether a data set is read in order: ours, PyTorch's, or any iterable without items."""
    if any(base.__name__ == "IterableDataset" for base in type(dataset).__mro__):
        return True
    return not hasattr(dataset, "__getitem__") and hasattr(dataset, "__iter__")


def fetch(dataset: Any, indices: Ints | Sequence[Any], collate_fn: Any = None) -> Any:
    """Return the batch of the items at `indices`, in the cheapest way that the data set offers.

    That is `take`, one call for the batch, unless there is a `collate_fn` to give the items to;
    then `__getitems__`, PyTorch's name for all items in one call; then one call an item.
    """
    if collate_fn is None and _has_own(dataset, "take"):
        try:
            return dataset.take(np.asarray(indices))
        except IndexError:
            _check_range(dataset, indices)  # a clearer one, if that is what it was
            raise
    _check_range(dataset, indices)
    keys = indices.tolist() if isinstance(indices, np.ndarray) else indices
    if _has_own(dataset, "__getitems__") and not _is_base(dataset, "__getitems__"):
        items = dataset.__getitems__(keys)
    else:
        items = [dataset[i] for i in keys]
    return (collate_fn or default_collate)(items)


def _has_own(dataset: Any, method: str) -> bool:
    """Tell whether `method` may stand for `__getitem__`: no subclass has rewritten that since."""
    for base in type(dataset).__mro__:
        if method in vars(base):
            return True
        if "__getitem__" in vars(base):
            return False
    return False


def _is_base(dataset: Any, method: str) -> bool:
    return getattr(type(dataset), method) is getattr(Dataset, method)


def length(dataset: Any) -> int | None:
    """Return the number of items, None where a data set does not tell it."""
    try:
        return len(dataset)
    except (TypeError, NotImplementedError):
        return None


def _check_range(dataset: Any, indices: Any) -> None:
    n = length(dataset)
    keys = np.asarray(indices)
    if n is None or keys.dtype.kind not in "iu" or not keys.size:
        return  # a mapping read by its keys, or a data set that does not tell its length
    wrong = keys[(keys < -n) | (keys >= n)]
    if wrong.size:
        raise IndexError(
            f"the sampler gave index {wrong.flat[0]}, but the data set has {n} items, 0 to {n - 1}"
        )
