"""A step of a 784-128-64-10 net with relu, batch 64, Adam: the usual first net on MNIST."""

from __future__ import annotations

from typing import Any

from ..case import Case, Step
from . import classes, normal, training, twins


def build(lib: Any) -> Step:
    nn = lib.nn
    lib.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    x, t = lib.tensor(normal(64, 784)), lib.tensor(classes(64, 10))
    loss = nn.functional.cross_entropy
    return training(lib, model, lambda: loss(model(x), t), "Adam", 1e-3)


CASES = (
    Case("digits", "784-128-64-10 step, batch 64, Adam", twins(build), {"torch": 0.6}, rounds=30),
)
