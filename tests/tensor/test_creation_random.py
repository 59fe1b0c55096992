"""Random tensors: seeds give the same bits, draws have their distributions, nonsense is refused."""

from __future__ import annotations

import copy
import json
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import Generator, Tensor

DRAWS: dict[str, Callable[[Generator | None], Tensor]] = {
    "rand": lambda g: gradling.rand(50, generator=g),
    "rand float16": lambda g: gradling.rand(50, generator=g, dtype="float16"),
    "randn": lambda g: gradling.randn(5, 10, generator=g),
    "randint": lambda g: gradling.randint(0, 1000, (50,), generator=g),
    "randperm": lambda g: gradling.randperm(50, generator=g),
    "normal": lambda g: gradling.normal(2.0, 3.0, (50,), generator=g),
    "bernoulli": lambda g: gradling.bernoulli(gradling.full((64,), 0.5), generator=g),
    "poisson": lambda g: gradling.poisson(gradling.full((64,), 5.0), generator=g),
    "multinomial": lambda g: gradling.multinomial(gradling.ones(50), 20, generator=g),
    "multinomial, replacing": lambda g: gradling.multinomial(
        gradling.ones(2, 50), 20, replacement=True, generator=g
    ),
    "normal_": lambda g: gradling.zeros(50).normal_(generator=g),
    "uniform_": lambda g: gradling.zeros(50).uniform_(-2, 3, generator=g),
    "bernoulli_": lambda g: gradling.zeros(64).bernoulli_(0.3, generator=g),
    "random_": lambda g: gradling.zeros(50).random_(100, generator=g),
    "exponential_": lambda g: gradling.zeros(50).exponential_(2, generator=g),
    "log_normal_": lambda g: gradling.zeros(50).log_normal_(generator=g),
    "geometric_": lambda g: gradling.zeros(50).geometric_(0.2, generator=g),
    "cauchy_": lambda g: gradling.zeros(50).cauchy_(generator=g),
}
draws = pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)


@draws
def test_the_same_seed_gives_the_same_bits(draw: Callable[[Generator | None], Tensor]) -> None:
    first = draw(Generator(7)).tolist()
    assert draw(Generator(7)).tolist() == first
    assert draw(Generator(8)).tolist() != first
    gradling.manual_seed(7)
    assert draw(None).tolist() == first


@draws
def test_a_state_resumes_the_stream(draw: Callable[[Generator | None], Tensor]) -> None:
    generator = Generator(3)
    draw(generator)
    state = generator.get_state()
    following = draw(generator).tolist()
    as_json = json.loads(json.dumps(state.tolist()))
    for kept in (state, state.numpy(), state.to(gradling.int64), as_json):
        assert draw(Generator().set_state(kept)).tolist() == following
    for other in (
        copy.deepcopy(Generator().set_state(state)),
        pickle.loads(pickle.dumps(Generator().set_state(state))),
        Generator().set_state(state).clone_state(),
    ):
        assert draw(other).tolist() == following
        assert other.initial_seed() == 3


def test_the_state_of_the_process() -> None:
    gradling.manual_seed(11)
    state = gradling.get_rng_state()
    first = gradling.rand(4).tolist()
    gradling.set_rng_state(state)
    assert gradling.rand(4).tolist() == first
    assert gradling.initial_seed() == 11
    assert gradling.default_generator.initial_seed() == 11


def test_a_fresh_seed_is_told() -> None:
    generator = Generator()
    seed = generator.seed()
    first = gradling.rand(3, generator=generator).tolist()
    assert gradling.rand(3, generator=Generator(seed)).tolist() == first
    assert Generator().initial_seed() != Generator().initial_seed()


@pytest.mark.parametrize("seed", [1.5, "a", None, True, float("nan"), [1]])
def test_a_seed_must_be_a_whole_number(seed: Any) -> None:
    state = gradling.get_rng_state().tolist()
    with pytest.raises(TypeError, match="expected the seed to be a whole number"):
        gradling.manual_seed(seed)
    assert gradling.get_rng_state().tolist() == state


def test_a_bad_state_is_refused_and_changes_nothing() -> None:
    generator = Generator(1)
    before = generator.get_state()
    bad: list[Any] = [
        b"x",
        "x",
        None,
        [1, 2],
        before[:-1],
        before.float(),
        before.to("int64") + 300,
    ]
    even = before.clone()
    even[24] = 0  # PCG's increment must be odd
    for state in [*bad, before.to("int64") + 300, even]:
        with pytest.raises((TypeError, ValueError), match="set_state"):
            generator.set_state(state)
    assert generator.get_state().tolist() == before.tolist()


def test_threads_share_the_generator_of_the_process() -> None:
    gradling.manual_seed(0)
    expected = np.sort(gradling.rand(64 * 100).numpy())
    gradling.manual_seed(0)
    drawn: list[Any] = []
    threads = [
        threading.Thread(target=lambda: drawn.extend(gradling.rand(64).numpy() for _ in range(25)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(np.sort(np.concatenate(drawn)), expected)  # nothing lost, nothing twice


def moments(x: Tensor) -> tuple[float, float]:
    return float(np.mean(x.numpy(), dtype=float)), float(np.var(x.numpy(), dtype=float))


@pytest.mark.parametrize(
    ("draw", "mean", "variance"),
    [
        (lambda g, n: gradling.rand(n, generator=g), 1 / 2, 1 / 12),
        (lambda g, n: gradling.rand(n, generator=g, dtype="float16"), 1 / 2, 1 / 12),
        (lambda g, n: gradling.randn(n, generator=g), 0, 1),
        (lambda g, n: gradling.randint(-3, 4, (n,), generator=g), 0, 4),
        (lambda g, n: gradling.normal(2.0, 3.0, (n,), generator=g), 2, 9),
        (lambda g, n: gradling.bernoulli(gradling.full((n,), 0.3), generator=g), 0.3, 0.21),
        (lambda g, n: gradling.poisson(gradling.full((n,), 4.0), generator=g), 4, 4),
        (lambda g, n: gradling.zeros(n).uniform_(-1, 3, generator=g), 1, 16 / 12),
        (lambda g, n: gradling.zeros(n).exponential_(0.5, generator=g), 2, 4),
        (lambda g, n: gradling.zeros(n).geometric_(0.25, generator=g), 4, 12),
        (lambda g, n: gradling.zeros(n).random_(7, generator=g), 3, 4),
        (
            lambda g, n: gradling.zeros(n).log_normal_(0, 0.5, generator=g),
            np.exp(1 / 8),
            (np.exp(1 / 4) - 1) * np.exp(1 / 4),
        ),
    ],
)
def test_moments(draw: Callable[[Generator, int], Tensor], mean: float, variance: float) -> None:
    n = 40_000
    found = moments(draw(Generator(0), n))
    assert abs(found[0] - mean) < 5 * (variance / n) ** 0.5
    assert abs(found[1] / variance - 1) < 0.1


def test_multinomial_draws_in_proportion() -> None:
    weights = gradling.tensor([[1.0, 0.0, 3.0], [0.0, 2.0, 2.0]])
    for replacement in (True, False):
        counts = np.zeros((2, 3))
        generator = Generator(0)
        for _ in range(1 if replacement else 4000):
            drawn = gradling.multinomial(
                weights, 4000 if replacement else 1, replacement, generator=generator
            )
            for row in range(2):
                counts[row] += np.bincount(drawn.numpy()[row], minlength=3)
        np.testing.assert_allclose(counts / 4000, [[0.25, 0, 0.75], [0, 0.5, 0.5]], atol=0.04)


def test_without_replacement_nothing_comes_twice() -> None:
    drawn = gradling.multinomial(gradling.ones(5, 20), 20, generator=Generator(0)).numpy()
    assert (np.sort(drawn, axis=1) == np.arange(20)).all()
    assert sorted(gradling.randperm(100).tolist()) == list(range(100))


def test_an_excluded_bound_is_never_drawn() -> None:
    generator = Generator(0)
    assert gradling.rand(200_000, dtype="float16", generator=generator).numpy().max() < 1
    close = gradling.zeros(10_000).uniform_(1, 1 + 2e-7, generator=generator).numpy()
    assert close.max() < np.float32(1 + 2e-7)


def test_filling_in_place_keeps_memory_and_dtype() -> None:
    x = gradling.zeros(4, dtype=gradling.float64)
    memory = x.numpy()
    assert x.normal_() is x
    assert x.numpy() is memory
    assert x.dtype is gradling.float64


def test_a_leaf_is_refused_before_anything_is_drawn() -> None:
    x = gradling.zeros(3, requires_grad=True)
    generator = Generator(0)
    state = generator.get_state().tolist()
    for fill in ("normal_", "uniform_", "bernoulli_", "random_", "exponential_"):
        with pytest.raises(RuntimeError, match="leaf"):
            getattr(x, fill)(generator=generator)
    assert generator.get_state().tolist() == state
    with gradling.no_grad():
        x.uniform_(generator=generator)
    assert x.tolist() != [0, 0, 0]
