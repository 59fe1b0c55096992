"""A pass over 10,000 arrays of 784 numbers with their classes, batch 64, shuffled."""

from __future__ import annotations

from typing import Any

from ..case import Case, Step
from . import classes, normal


def epoch(data: Any, x: Any, t: Any) -> Step:
    loader = data.DataLoader(data.TensorDataset(x, t), batch_size=64, shuffle=True)

    def step() -> None:
        for _ in loader:
            pass

    return step


def ours() -> Step:
    import gradling

    lib: Any = gradling
    return epoch(lib.data, lib.tensor(normal(10_000, 784)), lib.tensor(classes(10_000, 10)))


def theirs() -> Step:
    import torch
    import torch.utils.data as data

    return epoch(data, torch.tensor(normal(10_000, 784)), torch.tensor(classes(10_000, 10)))


CASES = (
    Case("loader", "DataLoader over 10,000 arrays, batch 64, shuffled",
         {"gradling": ours, "torch": theirs}, {"torch": 0.1}, rounds=10),
)  # fmt: skip
