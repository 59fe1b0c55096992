"""Nets of Values beside micrograd's own: the same weights, outputs and gradients."""

from __future__ import annotations

import random
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from gradling import nn

micrograd: Any = pytest.importorskip("micrograd.nn")


@given(
    st.integers(1, 3),
    st.lists(st.integers(2, 4), max_size=2),  # micrograd's hidden layers need two neurons
    st.integers(1, 3),
    st.integers(0, 99),
)
def test_an_mlp(nin: int, hidden: list[int], out: int, seed: int) -> None:
    random.seed(seed)
    nouts = [*hidden, out]
    theirs = micrograd.MLP(nin, nouts)
    ours = nn.MLP(nin, nouts)
    assert repr(ours) == repr(theirs)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        q.data += random.uniform(-0.5, 0.5)  # biases too
        p.data = q.data
    x = [random.uniform(-2, 2) for _ in range(nin)]
    totals = []
    for net in (ours, theirs):
        out = net(x)
        total = sum(y * y for y in out) if isinstance(out, list) else out * out
        net.zero_grad()
        total.backward()
        totals.append(total.data)
    assert totals[0] == totals[1]  # sums are added in one order: to the last bit
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert p.grad == pytest.approx(q.grad, rel=1e-10, abs=1e-12)
