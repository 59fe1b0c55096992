"""A step of a small convolutional net on images of 28 x 28, batch 64, Adam."""

from __future__ import annotations

from typing import Any

from ..case import Case, Step
from . import classes, normal, training, twins


def build(lib: Any) -> Step:
    nn = lib.nn
    lib.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 7 * 7, 10),
    )  # fmt: skip
    x, t = lib.tensor(normal(64, 1, 28, 28)), lib.tensor(classes(64, 10))
    loss = nn.functional.cross_entropy
    return training(lib, model, lambda: loss(model(x), t), "Adam", 1e-3)


CASES = (
    Case("cnn", "small CNN step, 28 x 28, batch 64, Adam", twins(build), {"torch": 1.0}, rounds=30),
)
