"""The loader: batches, workers, and going on in the middle of an epoch."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradling
from gradling.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    SequentialSampler,
    TensorDataset,
    get_worker_info,
)
from gradling.data._draws import rng


def seeded(seed: int) -> Any:
    return gradling.Generator().manual_seed(seed)


class Squares(Dataset[int]):
    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> int:
        return index * index


class Numbers(IterableDataset[int]):
    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Any:
        info = get_worker_info()
        first, step = (info.id, info.num_workers) if info else (0, 1)
        return iter(range(first, self.n, step))


@given(
    n=st.integers(1, 30),
    size=st.integers(1, 8),
    drop=st.booleans(),
    shuffle=st.booleans(),
    workers=st.sampled_from([0, 0, 0, 1, 3]),
)
@pytest.mark.filterwarnings("ignore:drop_last=True leaves no batch")
def test_an_epoch_visits_every_item_once(
    n: int, size: int, drop: bool, shuffle: bool, workers: int
) -> None:
    for data in (TensorDataset(np.arange(n)), Squares(n)):
        loader = DataLoader(data, size, shuffle, drop_last=drop, num_workers=workers)
        batches = [b[0] if isinstance(b, list) else b for b in loader]
        assert len(batches) == len(loader) == (n // size if drop else -(-n // size))
        assert all(len(b) == size for b in batches[: None if drop else -1])
        seen = sorted(int(x) for b in batches for x in b.tolist())
        expected = list(range(n)) if isinstance(data, TensorDataset) else [i * i for i in range(n)]
        assert seen == expected if not drop else set(seen) <= set(expected)


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_by_array_and_by_item_are_the_same(shuffle: bool) -> None:
    class Slow(Dataset[Any]):
        def __len__(self) -> int:
            return 17

        def __getitem__(self, index: int) -> Any:
            return fast[index]

    fast = TensorDataset(np.arange(34, dtype=np.float32).reshape(17, 2), np.arange(17))
    for a, b in zip(
        DataLoader(fast, 4, shuffle, generator=seeded(1)),
        DataLoader(Slow(), 4, shuffle, generator=seeded(1)),
        strict=True,
    ):
        assert type(a) is type(b) is list
        for x, y in zip(a, b, strict=True):
            assert x.dtype == y.dtype and (x.numpy() == y.numpy()).all()


class Jittered(Dataset[Any]):
    """Draws noise, and takes longest where workers would overtake one another."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> Any:
        time.sleep(0.002 * (index % 3))
        return index + rng().random()


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_same_bits_for_any_number_of_workers(workers: int) -> None:
    def epochs(n: int) -> list[list[float]]:
        loader = DataLoader(Jittered(), 5, shuffle=True, num_workers=n, generator=seeded(3))
        return [[x for batch in loader for x in batch.tolist()] for _ in range(2)]

    alone = epochs(0)
    assert alone == epochs(workers)
    assert alone[0] != alone[1]


def test_workers_work_ahead_and_stop_when_left() -> None:
    started: list[int] = []

    class Noted(Squares):
        def __getitem__(self, index: int) -> int:
            started.append(index)
            return index

    others = set(threading.enumerate())
    iterator = iter(DataLoader(Noted(100), 1, num_workers=2, prefetch_factor=3))
    assert next(iterator).tolist() == [0]
    for _ in range(200):
        if len(started) >= 6:
            break
        time.sleep(0.01)
    assert 6 <= len(started) <= 8, "two workers with three batches ahead each"
    workers = set(threading.enumerate()) - others  # what earlier tests left may end meanwhile
    assert len(workers) == 2
    del iterator
    gc.collect()
    for worker in workers:
        worker.join(timeout=30)
    assert not any(worker.is_alive() for worker in workers)


def test_an_error_in_a_worker_reaches_the_loop() -> None:
    class Broken(Squares):
        def __getitem__(self, index: int) -> int:
            if index == 3:
                raise KeyError("item 3 is broken")
            return index

    for workers in (0, 2):
        got = []
        with pytest.raises(KeyError, match="item 3 is broken"):
            for batch in DataLoader(Broken(6), 1, num_workers=workers):
                got.append(batch.item())
        assert got == [0, 1, 2]


def test_a_worker_that_takes_too_long() -> None:
    release = threading.Event()

    class Stuck(Squares):
        def __getitem__(self, index: int) -> int:
            release.wait(10)
            return index

    with pytest.raises(TimeoutError, match=r"no batch came within 0.05 s; raise timeout="):
        next(iter(DataLoader(Stuck(2), num_workers=1, timeout=0.05)))
    release.set()


def test_workers_are_told_who_they_are() -> None:
    started: list[int] = []
    seen: list[Any] = []

    class Asking(Squares):
        def __getitem__(self, index: int) -> int:
            seen.append(get_worker_info())
            return index

    data = Asking(6)
    list(DataLoader(data, 1, num_workers=2, worker_init_fn=started.append))
    assert sorted(started) == [0, 1]
    assert {(w.id, w.num_workers) for w in seen} == {(0, 2), (1, 2)} and seen[0].dataset is data
    assert get_worker_info() is None


def test_modes_hold_in_workers() -> None:
    weight = gradling.tensor(2.0, requires_grad=True)

    class Weighted(Squares):
        def __getitem__(self, index: int) -> Any:
            return weight * index

    loader = DataLoader(Weighted(4), 2, num_workers=2)
    assert all(batch.requires_grad for batch in loader)
    with gradling.no_grad():
        assert not any(batch.requires_grad for batch in loader)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_iterable_data(workers: int) -> None:
    loader = DataLoader(Numbers(11), 3, num_workers=workers)
    batches = [b.tolist() for b in loader]
    assert sorted(sum(batches, [])) == list(range(11))
    dropped = DataLoader(Numbers(11), 3, drop_last=True, num_workers=workers)
    assert all(len(b) == 3 for b in dropped)
    assert sorted(DataLoader(Numbers(5), None, num_workers=workers)) == list(range(5))
    with pytest.raises(TypeError, match="Numbers is read in order and tells no length"):
        len(loader)


def test_any_iterable_is_read_once_whatever_the_workers() -> None:
    class Stream:
        def __iter__(self) -> Any:
            return iter(range(7))

    assert [b.tolist() for b in DataLoader(Stream(), 3, num_workers=2)] == [
        [0, 1, 2],
        [3, 4, 5],
        [6],
    ]


def test_lists_single_items_and_own_collate() -> None:
    assert [b.tolist() for b in DataLoader([5, 6, 7], 2)] == [[5, 6], [7]]
    singles = list(DataLoader(TensorDataset(np.arange(3)), batch_size=None))
    assert [x.shape for (x,) in singles] == [()] * 3
    assert list(DataLoader("abc", 2, collate_fn="-".join)) == ["a-b", "c"]
    own = DataLoader(Squares(5), batch_sampler=[[4, 0], [2]])
    assert [b.tolist() for b in own] == [[16, 0], [4]] and len(own) == 2
    assert [b.tolist() for b in DataLoader(Squares(5), sampler=[3, 1])] == [[9], [1]]
    keyed = DataLoader({"a": 1, "b": 2}, sampler=["b", "a"])
    assert [b.tolist() for b in keyed] == [[2], [1]]


def test_own_samplers_keep_their_say() -> None:
    class Backwards(SequentialSampler):
        def __iter__(self) -> Any:
            return iter(range(len(self) - 1, -1, -1))

    class InPairs(BatchSampler):
        def __iter__(self) -> Any:
            return iter([[0, 1], [0, 1]])

    data = TensorDataset(np.arange(4))
    by_one = [x.tolist() for (x,) in DataLoader(data, 2, sampler=Backwards(data))]
    assert by_one == [[3, 2], [1, 0]]
    pairs = InPairs(SequentialSampler(data), 2, False)
    assert [x.tolist() for (x,) in DataLoader(data, batch_sampler=pairs)] == [[0, 1], [0, 1]]


@settings(max_examples=20)
@given(stop=st.integers(0, 6), workers=st.sampled_from([0, 2]), own=st.booleans())
def test_going_on_in_the_middle_equals_never_having_stopped(
    stop: int, workers: int, own: bool
) -> None:
    def loader() -> DataLoader:
        generator = seeded(5) if own else None
        return DataLoader(Jittered(), 2, shuffle=True, generator=generator, num_workers=workers)

    gradling.manual_seed(9)
    whole = loader()
    expected = [b.tolist() for _ in range(2) for b in whole]

    gradling.manual_seed(9)
    first = loader()
    iterator = iter(first)
    got = [next(iterator).tolist() for _ in range(stop)]
    state = first.state_dict()
    process = gradling.get_rng_state()
    iterator.close()  # type: ignore[attr-defined]

    gradling.manual_seed(12345)
    second = loader()
    gradling.set_rng_state(process)
    second.load_state_dict(state)
    got += [b.tolist() for _ in range(2) for b in second]
    assert got == expected


def test_going_on_with_iterable_data() -> None:
    first = DataLoader(Numbers(10), 3)
    iterator = iter(first)
    next(iterator), next(iterator)
    second = DataLoader(Numbers(10), 3)
    second.load_state_dict(first.state_dict())
    assert [b.tolist() for b in second] == [[6, 7, 8], [9]]
    assert [b.tolist() for b in second][0] == [0, 1, 2], "the next epoch is whole again"


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"batch_size": 2.0}, TypeError, "batch_size must be an integer, got 2.0"),
        ({"shuffle": True, "sampler": [1]}, ValueError, "sampler and shuffle were both given"),
        ({"batch_sampler": [[1]], "batch_size": 2}, ValueError, "batch_sampler replaces"),
        ({"batch_sampler": [[1]], "shuffle": True}, ValueError, "batch_sampler replaces"),
        ({"batch_size": None, "drop_last": True}, ValueError, "drop_last needs a batch_size"),
        ({"num_workers": -1}, ValueError, "num_workers must be at least 0, got -1"),
        ({"timeout": -1}, ValueError, "timeout must be a finite number of at least 0"),
        ({"prefetch_factor": 0}, ValueError, "prefetch_factor must be at least 1"),
    ],
)
def test_bad_arguments(options: dict[str, Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        DataLoader(Squares(4), **options)


def test_bad_data() -> None:
    for shuffle in (False, True):
        with pytest.raises(ValueError, match="the data set is empty"):
            DataLoader([], shuffle=shuffle)
    with pytest.raises(ValueError, match="Shuffle inside its __iter__"):
        DataLoader(Numbers(3), shuffle=True)
    with pytest.raises(IndexError, match="the sampler gave index 4, but the data set has 4 items"):
        list(DataLoader(Squares(4), sampler=[0, 4]))
    with pytest.raises(TypeError, match="object tells no length: define __len__ on it, or pass"):
        DataLoader(type("object", (), {"__getitem__": lambda self, i: i})())
    with pytest.warns(UserWarning, match="4 items do not fill one of 8"):
        DataLoader(Squares(4), 8, drop_last=True)
    with pytest.raises(ValueError, match=r"DataLoader.state_dict\(\).*got \['weights'\]"):
        DataLoader(Squares(4)).load_state_dict({"weights": 1})


class Stops(Squares):
    def __getitem__(self, i: int) -> Any:
        raise StopIteration


@pytest.mark.parametrize("workers", [0, 2])
def test_an_item_that_stops_iteration_does_not_end_the_epoch_unseen(workers: int) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        list(DataLoader(Stops(4), 2, num_workers=workers))


def test_what_a_worker_fails_with_at_its_start_is_raised() -> None:
    def init(number: int) -> None:
        raise OSError(f"no disk for worker {number}")

    with pytest.raises(OSError, match="no disk for worker 0"):
        list(DataLoader(Squares(4), 2, num_workers=2, worker_init_fn=init))


def test_numbers_and_texts_do_not_mix() -> None:
    with pytest.raises(TypeError, match="got int, str together"):
        list(DataLoader([1, "a"], batch_size=2))  # type: ignore[list-item]
