"""Samplers: every index the right number of times, in an order that the seed decides."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradling
from gradling.data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def seeded(seed: int) -> Any:
    return gradling.Generator().manual_seed(seed)


@given(n=st.integers(1, 40), extra=st.integers(1, 100), seed=st.integers(0, 9))
def test_random_visits_everything_equally_often(n: int, extra: int, seed: int) -> None:
    everything = list(RandomSampler(range(n), generator=seeded(seed)))
    assert sorted(everything) == list(range(n))
    some = RandomSampler(range(n), num_samples=extra, generator=seeded(seed))
    visits = Counter(some)
    assert len(some) == sum(visits.values()) == extra
    counts = [visits[i] for i in range(n)]
    assert max(counts) - min(counts) <= 1


@given(n=st.integers(0, 40), size=st.integers(1, 12), drop=st.booleans())
def test_batches(n: int, size: int, drop: bool) -> None:
    sampler = BatchSampler(SequentialSampler(range(n)), size, drop)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sum(batches, []) == list(range(n - n % size if drop else n))
    assert all(len(batch) == size for batch in batches[: None if drop else -1])


def test_each_epoch_has_its_own_order_and_the_seed_fixes_them() -> None:
    samplers = [RandomSampler(range(30), generator=seeded(4)) for _ in range(2)]
    epochs = [[list(s) for _ in range(3)] for s in samplers]
    assert epochs[0] == epochs[1]
    assert epochs[0][0] != epochs[0][1]
    gradling.manual_seed(1)
    order = list(RandomSampler(range(30)))
    gradling.manual_seed(1)
    assert order == list(RandomSampler(range(30)))


def test_what_else_is_drawn_does_not_change_the_order() -> None:
    quiet, noisy = seeded(0), seeded(0)
    order = list(RandomSampler(range(20), generator=quiet))
    seen = []
    for i in RandomSampler(range(20), generator=noisy):
        seen.append(i)
        gradling.rand(3, generator=noisy)
    assert seen == order


def test_subsets_and_weights() -> None:
    assert sorted(SubsetRandomSampler([9, 2, 5], generator=seeded(0))) == [2, 5, 9]
    drawn = Counter(WeightedRandomSampler([1, 0, 3], 8000, generator=seeded(0)))
    assert drawn[1] == 0 and 2.6 < drawn[2] / drawn[0] < 3.4
    once = list(WeightedRandomSampler([1, 0, 3], 2, replacement=False, generator=seeded(0)))
    assert sorted(once) == [0, 2]
    with_replacement = list(RandomSampler(range(5), replacement=True, num_samples=50))
    assert len(with_replacement) == 50 and set(with_replacement) <= set(range(5))


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: RandomSampler([]), ValueError, "the data set is empty"),
        (lambda: RandomSampler("ab", num_samples=0), ValueError, "num_samples must be at least 1"),
        (lambda: RandomSampler("ab", replacement=1), TypeError, "replacement must be True or"),
        (lambda: WeightedRandomSampler([], 1), ValueError, "weights must be a list"),
        (lambda: WeightedRandomSampler([-1, 2], 1), ValueError, "none below 0"),
        (lambda: WeightedRandomSampler([0, 0], 1), ValueError, "one above"),
        (lambda: WeightedRandomSampler([np.nan], 1), ValueError, "finite numbers"),
        (lambda: WeightedRandomSampler([1, 0], 2, False), ValueError, "only 1 weights are above"),
        (lambda: BatchSampler("ab", 0, False), ValueError, "batch_size must be at least 1, got 0"),
        (lambda: BatchSampler("ab", 1.5, False), TypeError, "batch_size must be an integer"),
        (lambda: BatchSampler("ab", 2, "no"), TypeError, "drop_last must be True or False"),
        (lambda: list(Sampler()), NotImplementedError, "Sampler must define __iter__"),
    ],
)
def test_bad_input(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()
