"""A step of an LSTM of 32 -> 64, 28 steps, batch 32, its last state classified, Adam."""

from __future__ import annotations

from typing import Any

from ..case import Case, Step
from . import classes, normal, training, twins


def build(lib: Any) -> Step:
    nn = lib.nn
    lib.manual_seed(0)

    class Reader(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(32, 64, batch_first=True)
            self.head = nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(x)[0][:, -1])

    model = Reader()
    x, t = lib.tensor(normal(32, 28, 32)), lib.tensor(classes(32, 10))
    loss = nn.functional.cross_entropy
    return training(lib, model, lambda: loss(model(x), t), "Adam", 1e-3)


CASES = (
    Case("lstm", "LSTM step, 32 to 64, 28 steps, batch 32, Adam", twins(build), {"torch": 1.0},
         rounds=20),
)  # fmt: skip
