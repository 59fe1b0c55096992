"""Where random numbers come from: the process has one generator, and every draw can be given
another.

A generator's state is 45 bytes in a uint8 tensor, so that checkpoints hold it like any other
tensor.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import RangeError, on_cpu, said, whole
from .reading import read

if TYPE_CHECKING:
    from .tensor import Tensor

_STATE = 45  # bytes: seed 8, state 16, increment 16, whether half a draw is left over 1, which 4
_lock = threading.Lock()


class Generator:
    """A stream of random bits: PCG64 (O'Neill, 2014), seeded by one whole number.

    The same seed gives the same draws. One generator may be used by several threads; each call
    draws as a whole.

    Args:
        seed: -2**63 to 2**64 - 1, negative ones counting from the top; drawn from the system
            if None.
        device: "cpu" (the only one), for programs written for PyTorch.

    Raises:
        TypeError: a seed that is not a whole number.
        ValueError: one that is out of range.

    >>> import gradling
    >>> a, b = Generator(7), Generator().manual_seed(7)
    >>> gradling.rand(3, generator=a).tolist() == gradling.rand(3, generator=b).tolist()
    True
    """

    __slots__ = ("_seed", "_drawing", "__weakref__")

    def __init__(self, seed: Any = None, device: Any = "cpu") -> None:
        if seed.__class__ is str:  # Generator("cpu"), as PyTorch has it
            seed, device = None, seed
        on_cpu("Generator", device)
        self._seed: int | None = None if seed is None else checked_seed("Generator", seed)
        # made at the first draw: importing it costs
        self._drawing: np.random.Generator | None = None

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def drawing(self) -> np.random.Generator:
        """The NumPy generator behind it."""
        if self._drawing is None:
            with _lock:
                if self._drawing is None:
                    if self._seed is None:
                        self._seed = fresh_seed()
                    self._drawing = np.random.Generator(np.random.PCG64(self._seed))
        return self._drawing

    def manual_seed(self, seed: int) -> Generator:
        """Start again from ``seed``; returns the generator."""
        read("the state of a generator")
        self._put(checked_seed("manual_seed", seed), None)
        return self

    def seed(self) -> int:
        """Start again from a seed of the system's, and return it."""
        read("the state of a generator")
        seed = fresh_seed()
        self._put(seed, None)
        return seed

    def initial_seed(self) -> int:
        """The seed it was started from."""
        read("the state of a generator")
        if self._seed is None:
            _ = self.drawing  # the first use draws the seed
        assert self._seed is not None
        return self._seed

    def get_state(self) -> Tensor:
        """Where in its stream it is, as a uint8 tensor of shape (45,)."""
        read("the state of a generator")
        from .tensor import Tensor

        bits = self.drawing.bit_generator
        with bits.lock:
            found: Any = bits.state
            seed = self._seed or 0
        words = [
            (seed, 8),
            (found["state"]["state"], 16),
            (found["state"]["inc"], 16),
            (found["has_uint32"], 1),
            (found["uinteger"], 4),
        ]
        packed = b"".join(int(word).to_bytes(size, "little") for word, size in words)
        return Tensor(np.frombuffer(packed, np.uint8).copy())

    def set_state(self, new_state: Any) -> Generator:
        """Go to where ``get_state()`` was called; the state may have become an array or a list.

        Raises:
            TypeError, ValueError: for what no ``get_state()`` has given.
        """
        given = getattr(new_state, "_data", new_state)
        if isinstance(given, (list, tuple)):
            given = np.asarray(given)
        if not isinstance(given, np.ndarray) or given.dtype.kind not in "iu":
            raise TypeError(
                f"set_state: expected the uint8 tensor of get_state(), got {said(new_state)}"
            )
        if given.shape != (_STATE,) or given.min() < 0 or given.max() > 255:
            raise RangeError(
                f"set_state: expected {_STATE} bytes, as get_state() gives them, got "
                f"{said(new_state)}"
            )
        packed = given.astype(np.uint8).tobytes()
        cuts = (0, 8, 24, 40, 41, 45)
        seed, state, inc, half, left = (
            int.from_bytes(packed[a:b], "little") for a, b in zip(cuts, cuts[1:], strict=False)
        )
        if half > 1 or inc % 2 == 0:  # PCG's increment is odd
            raise RangeError(
                "set_state: these bytes are no state of a generator; get_state() gives one"
            )
        self._put(
            seed,
            {
                "bit_generator": "PCG64",
                "state": {"state": state, "inc": inc},
                "has_uint32": half,
                "uinteger": left,
            },
        )
        return self

    def clone_state(self) -> Generator:
        """Another generator at the same place of the same stream."""
        return Generator().set_state(self.get_state())

    def _put(self, seed: int, state: Any) -> None:
        bits = self.drawing.bit_generator
        with bits.lock:  # a draw in another thread comes wholly before or wholly after
            bits.state = np.random.PCG64(seed).state if state is None else state
            self._seed = seed

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.get_state().tolist(),)

    def __repr__(self) -> str:
        return f"Generator(seed={self.initial_seed()})"


def _restored(state: list[int]) -> Generator:
    return Generator().set_state(state)


def fresh_seed() -> int:
    """A seed from the operating system; below 2**53, so that it survives JSON in any language."""
    import os

    return int.from_bytes(os.urandom(7), "little") >> 3


def checked_seed(name: str, seed: Any) -> int:
    number = whole(name, "the seed", seed)
    if not -(2**63) <= number < 2**64:
        raise RangeError(f"{name}: expected a seed from -2**63 to 2**64 - 1, got {number}")
    return number % 2**64


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Start the generator of the process again from ``seed``: what is drawn then is always the
    same.

    >>> import gradling
    >>> _ = gradling.manual_seed(0); first = gradling.rand(3)
    >>> _ = gradling.manual_seed(0); gradling.rand(3).tolist() == first.tolist()
    True
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the generator of the process from a seed of the system's, and return it."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the generator of the process was started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the generator of the process."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Put the generator of the process into a state that ``get_rng_state()`` gave."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True) -> Iterator[None]:
    """Draw inside without changing what is drawn outside: the state is put back at the end.

    >>> import gradling
    >>> _ = gradling.manual_seed(0)
    >>> with fork_rng():
    ...     inside = gradling.rand(1).item()
    >>> gradling.rand(1).item() == inside
    True
    """
    state = get_rng_state() if enabled else None
    try:
        yield
    finally:
        if state is not None:
            set_rng_state(state)


def drawing(name: str, generator: Any) -> np.random.Generator:
    """What to draw from: the NumPy generator of ``generator``, or of the process for None."""
    if generator is None:
        return default_generator.drawing
    if isinstance(generator, Generator):
        return generator.drawing
    if isinstance(generator, np.random.Generator):
        return generator
    raise TypeError(f"{name}: expected a gradling.Generator or None, got {said(generator)}")
