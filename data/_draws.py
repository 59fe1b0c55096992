"""Where data sets, samplers and loaders get their random numbers."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from ..tensor.generators import default_generator, drawing
from ._checks import count, finite

T = TypeVar("T")


class _Stream:
    """A seeded stream that costs nothing until somebody draws from it."""

    __slots__ = ("generator", "seed")

    def __init__(self, seed: tuple[int, ...]) -> None:
        self.seed = seed
        self.generator: np.random.Generator | None = None


# Set by the loader while it builds a batch: each batch has its own stream, so that random
# transforms give the same bits whichever worker builds it, and however many workers there are.
_batch_stream: ContextVar[_Stream | None] = ContextVar("batch_stream", default=None)


def in_batch_stream(seed: tuple[int, ...], work: Callable[..., T], *args: Any) -> T:
    """Return `work(*args)`; inside it, `rng()` without arguments draws from a stream of its own."""
    token = _batch_stream.set(_Stream(seed))
    try:
        return work(*args)
    finally:
        _batch_stream.reset(token)


def rng(seed: int | None = None, generator: Any = None) -> np.random.Generator:
    """Return the NumPy generator to draw from.

    In order of preference: a fresh one from `seed`; that of `generator` (a `gradling.Generator` or
    a `numpy.random.Generator`); the stream of the batch that a loader is building; that of the
    process, which `gradling.manual_seed` sets.
    """
    if seed is not None:
        if generator is not None:
            raise TypeError("seed and generator were both given; drop one of the two")
        return np.random.default_rng(count("seed", seed, least=0))
    if generator is None:
        stream = _batch_stream.get()
        if stream is not None:
            stream.generator = stream.generator or np.random.default_rng(stream.seed)
            return stream.generator
    return drawing("generator", generator)


def noise_source(noise: float, seed: int | None, generator: Any) -> np.random.Generator:
    """Return `rng(seed, generator)`, after the check that the noise to draw from it makes sense."""
    finite("noise", noise, least=0)
    return rng(seed, generator)


def draw_seed(generator: Any = None) -> int:
    """Draw one integer, by which a sampler or a loader seeds a stream of its own."""
    return int(drawing("generator", generator).integers(2**63))


def get_state(generator: Any) -> Any:
    """Return the state of a generator, of the one of the process for None."""
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return (default_generator if generator is None else generator).get_state()


def set_state(generator: Any, state: Any) -> None:
    """Put a generator into a state that `get_state` gave."""
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        (default_generator if generator is None else generator).set_state(state)
