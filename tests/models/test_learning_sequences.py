"""Recurrent nets learn what needs memory, in a second each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn, optim
from gradling.nn import functional as F

Bits = np.ndarray[Any, np.dtype[np.int64]]


class Reader(nn.Module):
    """Reads bits, and says one after each of them."""

    def __init__(self, kind: str, **settings: Any) -> None:
        super().__init__()
        self.memory = getattr(nn, kind)(1, 16, batch_first=True, **settings)
        sides = 2 if settings.get("bidirectional") else 1
        self.head = nn.Linear(16 * sides, 1)

    def forward(self, bits: Bits) -> Any:
        x = gradling.tensor((2.0 * bits - 1)[:, :, None].astype(np.float32))
        return self.head(self.memory(x)[0]).squeeze(2)


def echo(bits: Bits) -> Bits:
    """The bit of three steps before, 0 at first."""
    return np.concatenate([np.zeros_like(bits[:, :3]), bits[:, :-3]], 1)


def parity(bits: Bits) -> Bits:
    """Whether there were an odd number of ones so far: a single wrong bit spoils the rest."""
    return bits.cumsum(1) % 2


def taught(model: nn.Module, task: Callable[[Bits], Bits], steps: int, length: int) -> float:
    """Train on fresh bits, and give the share of right answers on sequences twice as long."""
    rng = np.random.default_rng(0)
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        bits = rng.integers(0, 2, (64, length))
        wanted = gradling.tensor(task(bits).astype(np.float32))
        loss = F.binary_cross_entropy_with_logits(model(bits), wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    bits = rng.integers(0, 2, (500, 2 * length))
    with gradling.no_grad():
        return float(((model(bits).numpy() > 0) == task(bits)).mean())


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_they_remember(kind: str) -> None:
    gradling.manual_seed(0)
    assert taught(Reader(kind), echo, steps=200, length=12) > 0.99


# Half of the answers are right by chance. Measured, seeds 0 to 11: LSTM and GRU always 1.000, the
# plain net ten times, and 0.935 and 0.95 where it was not done yet.
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_they_keep_count(kind: str) -> None:
    gradling.manual_seed(0)
    assert taught(Reader(kind), parity, steps=600, length=8) > 0.99


def test_one_that_reads_both_ways_looks_ahead() -> None:
    def next_bit(bits: Bits) -> Bits:
        return np.concatenate([bits[:, 1:], np.zeros_like(bits[:, :1])], 1)

    right = []
    for both in (True, False):
        gradling.manual_seed(0)
        right.append(taught(Reader("GRU", bidirectional=both), next_bit, steps=100, length=8))
    assert right[0] > 0.99 and right[1] < 0.65  # bits that are still to come cannot be guessed
