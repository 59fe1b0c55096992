"""Data sets and loaders beside PyTorch's: the same visits, and each in the other's loader."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import data as ours

torch = pytest.importorskip("torch", reason="compares with PyTorch, the extra named parity")
theirs = torch.utils.data


class Pairs(ours.Dataset[Any]):
    """Ours: a Tensor, a mapping, a number and a text an item."""

    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> Any:
        x = gradling.tensor([float(index), 1.0], requires_grad=True)
        return {"x": x, "more": (index, f"item {index}")}


class TorchPairs(theirs.Dataset):  # type: ignore[misc, name-defined]
    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> Any:
        return {"x": torch.tensor([float(index), 1.0]), "more": (index, f"item {index}")}


def same(a: Any, b: Any) -> None:
    """Hold a batch of ours equal to one of theirs: kinds, shapes, dtypes, values."""
    if isinstance(b, torch.Tensor):
        assert isinstance(a, gradling.Tensor)
        array = b.numpy()
        assert a.shape == array.shape and a.dtype == array.dtype and (a.numpy() == array).all()
    elif isinstance(b, dict):
        assert a.keys() == b.keys()
        for key in b:
            same(a[key], b[key])
    elif isinstance(b, (list, tuple)):
        assert type(a) is type(b) and len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    else:
        assert a == b


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 7, 10])
def test_batches_are_the_same(batch_size: int, drop_last: bool) -> None:
    arrays = np.arange(14, dtype=np.float32).reshape(7, 2), np.arange(7)
    pairs = [
        (ours.TensorDataset(*arrays), theirs.TensorDataset(*map(torch.from_numpy, arrays))),
        (Pairs(), TorchPairs()),
        (list(zip(*arrays, strict=True)), list(zip(*arrays, strict=True))),
    ]
    for one, other in pairs:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "drop_last=True leaves no batch")
            a = ours.DataLoader(one, batch_size, drop_last=drop_last)
        b = theirs.DataLoader(other, batch_size, drop_last=drop_last)
        assert len(a) == len(b)
        with gradling.no_grad():
            same(list(a), list(b))


@pytest.mark.parametrize("workers", [0, 2])
def test_their_data_sets_in_our_loader(workers: int) -> None:
    arrays = torch.arange(10.0).reshape(5, 2), torch.arange(5)
    whole = theirs.TensorDataset(*arrays)
    for data in (
        whole,
        theirs.Subset(whole, [0, 1, 2, 3, 4]),
        theirs.ConcatDataset([theirs.Subset(whole, [0, 1]), theirs.Subset(whole, [2, 3, 4])]),
    ):
        same(
            list(ours.DataLoader(data, 2, num_workers=workers)),
            list(theirs.DataLoader(whole, 2)),
        )
    sampler = theirs.BatchSampler(theirs.SequentialSampler(whole), 2, False)
    loader = ours.DataLoader(whole, batch_sampler=sampler, num_workers=workers)
    same(list(loader), list(theirs.DataLoader(whole, 2)))
    shuffled = ours.DataLoader(whole, 2, sampler=theirs.RandomSampler(whole), num_workers=workers)
    assert sorted(i for _, y in shuffled for i in y.tolist()) == [0, 1, 2, 3, 4]


class TorchStream(theirs.IterableDataset):  # type: ignore[misc, name-defined]
    def __iter__(self) -> Any:
        return iter(torch.arange(5))


class Stream(ours.IterableDataset[int]):
    def __iter__(self) -> Any:
        return iter(range(5))


@pytest.mark.parametrize("workers", [0, 2])
def test_their_iterable_data_in_our_loader(workers: int) -> None:
    loader = ours.DataLoader(TorchStream(), 2, num_workers=workers)
    same(list(loader), list(theirs.DataLoader(TorchStream(), 2)))


def test_our_data_sets_in_their_loader() -> None:
    arrays = np.arange(14, dtype=np.float32).reshape(7, 2), np.arange(7)
    for one, other in (
        (ours.TensorDataset(*arrays), theirs.TensorDataset(*map(torch.from_numpy, arrays))),
        (ours.Subset(Pairs(), [3, 1]), theirs.Subset(TorchPairs(), [3, 1])),
        (Pairs() + Pairs(), TorchPairs() + TorchPairs()),
        (Stream(), TorchStream()),
    ):
        for a, b in zip(
            theirs.DataLoader(one, batch_size=3),
            theirs.DataLoader(other, batch_size=3),
            strict=True,
        ):
            equal(a, b)
    images = ours.ImageDataset(np.zeros((4, 1, 3, 3), np.uint8), [0, 1, 2, 3])
    x, y = next(iter(theirs.DataLoader(images, batch_size=4)))
    assert x.shape == (4, 1, 3, 3) and x.dtype == torch.float32 and y.tolist() == [0, 1, 2, 3]
    text = ours.Characters("to be or not", block=4)
    x, _ = next(iter(theirs.DataLoader(text, batch_size=3)))
    assert x.shape == (3, 4) and x.dtype == torch.int64


def equal(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, dict):
        for key in a:
            equal(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        for one, other in zip(a, b, strict=True):
            equal(one, other)
    elif isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype and torch.equal(a, b)
    else:
        assert a == b


def test_our_samplers_in_their_loader() -> None:
    data = theirs.TensorDataset(torch.arange(9))
    loader = theirs.DataLoader(data, 2, sampler=ours.RandomSampler(data))
    assert sorted(i for (x,) in loader for i in x.tolist()) == list(range(9))
    batches = ours.BatchSampler(ours.SequentialSampler(data), 4, True)
    loader = theirs.DataLoader(data, batch_sampler=batches)
    assert [x.tolist() for (x,) in loader] == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("n", [1, 5, 12])
@pytest.mark.parametrize("k", [None, 1, 5, 17])
def test_samplers_visit_what_theirs_do(n: int, k: int | None) -> None:
    """The same indices equally often, in as many draws; random orders are each library's own."""
    items = range(n)
    assert list(ours.SequentialSampler(items)) == list(theirs.SequentialSampler(items))
    for replacement in (False, True):
        a, b = (s(items, replacement, k) for s in (ours.RandomSampler, theirs.RandomSampler))
        assert len(a) == len(b) == len(list(a)) == len(list(b))
        if not replacement:
            assert sorted(Counter(a).values()) == sorted(Counter(b).values())
            if k is None or k % n == 0:
                assert Counter(a) == Counter(b)
    a, b = (s([7, 3, 5][:n]) for s in (ours.SubsetRandomSampler, theirs.SubsetRandomSampler))
    assert sorted(a) == sorted(b)
    weights = [float(i % 3) for i in range(n + 2)]
    a, b = (s(weights, 4000) for s in (ours.WeightedRandomSampler, theirs.WeightedRandomSampler))
    for i in range(n + 2):
        shares = [Counter(s)[i] / 4000 for s in (a, b)]
        assert abs(shares[0] - shares[1]) < 0.08


@pytest.mark.parametrize("lengths", [[3, 7], [0.25, 0.75], [0.3, 0.3, 0.4], [1 / 3] * 3, [10, 0]])
def test_splits_have_their_sizes(lengths: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Length of split")
        b = theirs.random_split(range(10), lengths)
    a = ours.random_split(range(10), lengths)  # type: ignore[arg-type]
    assert [len(part) for part in a] == [len(part) for part in b]


@pytest.mark.parametrize(
    "make",
    [
        lambda m: m.DataLoader([1, 2], batch_size=0),
        lambda m: m.DataLoader([1, 2], shuffle=True, sampler=[0]),
        lambda m: m.DataLoader([1, 2], batch_sampler=[[0]], batch_size=2),
        lambda m: m.DataLoader([], shuffle=True),
        lambda m: m.RandomSampler([1], num_samples=0),
        lambda m: m.random_split(range(4), [1, 1]),
    ],
)
def test_bad_arguments_raise_what_theirs_raise(make: Any) -> None:
    with pytest.raises(ValueError) as expected:
        make(theirs)
    with pytest.raises(expected.type):
        make(ours)


def test_programs_find_the_names_where_pytorch_has_them() -> None:
    from gradling.utils.data import DataLoader, TensorDataset

    assert DataLoader is ours.DataLoader and TensorDataset is ours.TensorDataset
    import gradling.utils.data as found

    assert all(hasattr(theirs, name) for name in found.__all__)
