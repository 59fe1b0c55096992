"""The cases, a file a subject; each file ends in ``CASES``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from ..case import Step


def twins(build: Callable[[Any], Step]) -> Mapping[str, Callable[[], Step]]:
    """The same program for gradling and PyTorch, which ``build`` gets as its argument."""
    return {
        "gradling": lambda: build(import_module("gradling")),
        "torch": lambda: build(import_module("torch")),
    }


def training(lib: Any, model: Any, loss: Callable[[], Any], optimizer: str, lr: float) -> Step:
    """One step of training: gradients to None, forward, backward, update."""
    stepper = getattr(lib.optim, optimizer)(model.parameters(), lr=lr)

    def step() -> None:
        stepper.zero_grad()
        loss().backward()
        stepper.step()

    return step


def normal(*shape: int, seed: int = 0) -> Any:
    """The same numbers for every entrant."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def classes(count: int, below: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, below, count)
