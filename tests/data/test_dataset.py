"""Data sets: their items, and the batches they give at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import gradling
from gradling.data import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    default_collate,
    default_convert,
    random_split,
)
from gradling.data.dataset import fetch


class Squares(Dataset[int]):
    def __init__(self, n: int) -> None:
        self.n = n
        self.calls = 0

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> int:
        self.calls += 1
        return index * index


def test_rows_of_tensors() -> None:
    X = np.arange(12, dtype=np.float32).reshape(4, 3)
    data = TensorDataset(X, gradling.tensor([3, 1, 4, 1]))
    assert len(data) == 4
    x, y = data[-1]
    assert x.tolist() == [9, 10, 11] and y.item() == 1 and y.shape == ()
    X[3, 0] = -5  # shared, not copied
    assert data[3][0].tolist() == [-5, 10, 11]
    with pytest.raises(IndexError):
        data[4]


@pytest.mark.parametrize(
    ("tensors", "text"),
    [
        ((), "at least one tensor, got none"),
        ((np.zeros((4, 2)), np.zeros(3)), r"agree in their first dimension.*\(4, 2\), \(3,\)"),
        ((np.float32(1),), "must have a first dimension"),
    ],
)
def test_tensors_that_do_not_belong_together(tensors: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        TensorDataset(*tensors)


def test_a_batch_of_arrays_is_one_call() -> None:
    calls = []

    class Counted(TensorDataset):
        def take(self, indices: Any) -> Any:
            calls.append(indices)
            return super().take(indices)

    data = Counted(np.arange(10), np.arange(10.0))
    x, y = fetch(data, np.array([7, 1, 1]))
    assert x.tolist() == [7, 1, 1] and y.tolist() == [7.0, 1.0, 1.0]
    part = Subset(Subset(data, [9, 8, 7, 6]), [3, 0])
    (x, _) = fetch(part, np.array([0, 1]))
    assert x.tolist() == [6, 9]
    assert len(calls) == 2


def test_a_subclass_with_its_own_items_is_asked_for_them() -> None:
    class Doubled(TensorDataset):
        def __getitem__(self, index: int) -> Any:
            return tuple(2 * t for t in super().__getitem__(index))

    (x,) = fetch(Doubled(np.arange(5)), np.array([1, 3]))
    assert x.tolist() == [2, 6]


def test_items_in_one_call_by_pytorchs_name() -> None:
    class Many:
        def __len__(self) -> int:
            return 5

        def __getitem__(self, index: int) -> int:
            raise AssertionError("one call an item")

        def __getitems__(self, indices: list[int]) -> list[int]:
            assert all(type(i) is int for i in indices)
            return [10 * i for i in indices]

    assert fetch(Many(), np.array([1, 4])).tolist() == [10, 40]


def test_data_sets_one_after_the_other() -> None:
    both = Squares(3) + Squares(2)
    assert isinstance(both, ConcatDataset) and len(both) == 5
    assert [both[i] for i in range(5)] == [0, 1, 4, 0, 1]
    assert both[-1] == 1 and both[-5] == 0
    for wrong in (5, -6):
        with pytest.raises(IndexError, match=f"item {wrong} of a data set that has 5"):
            both[wrong]
    with pytest.raises(ValueError, match="at least one data set"):
        ConcatDataset([])
    with pytest.raises(TypeError, match="read in order"):
        ConcatDataset([IterableDataset()])


def test_subsets_check_their_indices() -> None:
    assert list(Subset(Squares(5), [4, 1])) == [16, 1]  # type: ignore[call-overload]
    with pytest.raises(IndexError, match="indices hold 5, but the data set has 5 items"):
        Subset(Squares(5), [0, 5])


def test_random_split() -> None:
    parts = random_split(range(10), [7, 3], seed=0)  # type: ignore[arg-type]
    assert [len(p) for p in parts] == [7, 3]
    assert sorted(i for p in parts for i in p) == list(range(10))  # type: ignore[attr-defined]
    thirds = random_split(range(10), [1 / 3] * 3, seed=0)  # type: ignore[arg-type]
    assert [len(p) for p in thirds] == [4, 3, 3]
    again = random_split(range(10), [7, 3], seed=0)  # type: ignore[arg-type]
    assert [list(p) for p in parts] == [list(p) for p in again]  # type: ignore[call-overload]
    generator = gradling.Generator().manual_seed(3)
    first = random_split(range(10), [5, 5], generator)  # type: ignore[arg-type]
    assert first[0].indices != random_split(range(10), [5, 5], generator)[0].indices  # type: ignore[arg-type]


@pytest.mark.parametrize("lengths", [[5, 4], [11], [0.5, 0.4], [5.5, 4.5], [12, -2]])
def test_lengths_that_do_not_add_up(lengths: list[float]) -> None:
    with pytest.raises(ValueError, match="lengths must add up to 10"):
        random_split(range(10), lengths)  # type: ignore[arg-type]


def test_an_index_out_of_range_names_the_sampler() -> None:
    for wrong in (10, -11):
        with pytest.raises(IndexError, match=f"gave index {wrong}.*10 items, 0 to 9"):
            fetch(TensorDataset(np.arange(10)), np.array([0, wrong]))
        with pytest.raises(IndexError, match=f"gave index {wrong}"):
            fetch(Squares(10), [0, wrong])


def test_abstract_methods_say_what_to_write() -> None:
    with pytest.raises(NotImplementedError, match="must define __getitem__"):
        Dataset()[0]
    with pytest.raises(NotImplementedError, match="must define __iter__"):
        iter(IterableDataset())
    with pytest.raises(TypeError, match="read in order"):
        IterableDataset()[0]


class Point(NamedTuple):
    x: float
    name: str


def test_collate() -> None:
    assert default_collate([1, 2]).dtype == gradling.int64
    assert default_collate([1.5, 2.0]).dtype == gradling.float64
    assert default_collate([True, False]).tolist() == [True, False]
    assert default_collate(["a", "b"]) == ["a", "b"]
    assert default_collate([np.float32(1), np.float32(2)]).dtype == gradling.float32
    points = default_collate([Point(1.0, "a"), Point(2.0, "b")])
    assert isinstance(points, Point) and points.x.tolist() == [1, 2] and points.name == ("a", "b")
    tree = default_collate([{"a": [1, 2.0], "b": "x"}, {"a": [3, 4.0], "b": "y"}])
    assert tree["a"][0].tolist() == [1, 3] and tree["b"] == ["x", "y"]
    w = gradling.tensor([1.0, 2.0], requires_grad=True)
    default_collate([w, w * 2]).sum().backward()
    assert w.grad is not None and w.grad.tolist() == [3, 3]
    assert default_convert((np.zeros(3, np.float32), "a"))[0].shape == (3,)


@pytest.mark.parametrize(
    ("items", "kind", "text"),
    [
        ([], ValueError, "empty list"),
        ([np.zeros(3), np.zeros(2)], ValueError, r"item 0 has \(3,\), item 1 has \(2,\)"),
        ([(1, 2), (1,)], ValueError, r"equally many parts, got \[1, 2\]"),
        ([object()], TypeError, "got object. Pass collate_fn"),
        ([None], TypeError, "got NoneType"),
    ],
)
def test_items_that_do_not_join(items: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        default_collate(items)
