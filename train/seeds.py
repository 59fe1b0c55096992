"""One call for every source of random numbers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from ..tensor import generators


def seed_everything(seed: int) -> None:
    """Seed gradling, Python's ``random`` and NumPy's global generator, so that a run can be
    repeated.

    >>> seed_everything(0)
    """
    generators.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def generator_states() -> dict[str, Any]:
    """The states of all three, as plain values."""
    version, internal, gauss = random.getstate()
    name, keys, place, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "gradling": generators.get_rng_state(),
        "python": [version, list(internal), gauss],
        # int64, not NumPy's uint32, which PyTorch has not: checkpoints hold dtypes that both have
        "numpy": [str(name), np.asarray(keys, np.int64), int(place), int(has_gauss), float(cached)],
    }


def restore_generators(states: dict[str, Any]) -> None:
    """Go back to states that ``generator_states`` gave."""
    generators.set_rng_state(states["gradling"])
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    np.random.set_state(tuple(states["numpy"]))
