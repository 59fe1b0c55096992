"""Chapter 2: a net made of single numbers learns two moons."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from .. import data, nn, optim, viz
from ..engine import Value, no_grad
from ..tensor.generators import Generator
from .guide import Guide

POINTS = 100


def run(guide: Guide) -> None:
    """Train a 2-16-16-1 net of Values, a mini-batch at a time; draw its boundary and a neuron."""
    guide.chapter("A net of numbers learns two moons")
    X, y = data.moons(POINTS, noise=0.1, seed=guide.seed)
    net = nn.MLP(2, [16, 16, 1], seed=guide.seed)
    guide.tell(f"{len(net.parameters())} parameters, each a number that collects its own gradient")

    losses: list[float] = []
    steps = 4 if guide.quick else 80
    start = time.perf_counter()
    for loss in train(net, X, y, steps, guide.seed):
        losses.append(loss)
        guide.progress(len(losses), steps, f"loss {loss:.4f}")
    milliseconds = (time.perf_counter() - start) / steps * 1e3

    with no_grad():
        right = np.mean([(net(x.tolist()).data > 0) == (c == 1) for x, c in zip(X, y, strict=True)])
    guide.tell(
        f"right on {right:.0%} of the points; a step of 25 points took {milliseconds:.1f} ms"
    )
    guide.plot(
        lambda: viz.plot_loss(losses),
        "values-loss.png",
        "The loss while the net of numbers learns.",
    )
    guide.plot(
        lambda: viz.plot_boundary(net, X, y),
        "values-boundary.png",
        "What the net of numbers says at every point of the plane.",
    )
    neuron = nn.Neuron(2, seed=guide.seed)
    out = neuron([Value(0.5, label="x1"), Value(-1.0, label="x2")])
    out.backward()
    guide.draw(
        viz.draw(out, params=neuron), "neuron.svg", "One neuron of such a net, after backward()."
    )


def train(net: Any, X: Any, y: Any, steps: int, seed: int) -> Any:
    """Yield the loss of each step: the mean of max(0, 1 - t s), t = 1 for class 1, else -1."""
    optimizer = optim.Adam(net.parameters(), lr=0.05)
    order = data.DataLoader(range(len(y)), batch_size=25, shuffle=True, generator=Generator(seed))
    taken = 0
    while True:
        for rows in order:
            if taken == steps:
                return
            terms = []
            for i in rows.tolist():
                target = 1.0 if y[i] else -1.0
                terms.append((1 - target * net(X[i].tolist())).relu())
            loss = sum(terms) / len(terms)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            taken += 1
            yield loss.data
