"""Chapter 2: a net made of single numbers learns two moons."""

from __future__ import annotations

import time

import numpy as np

from .. import data, manual_seed, nn, no_grad, optim, viz
from ..engine import Value
from .guide import Guide

POINTS = 100


def run(guide: Guide) -> None:
    """Train a 2-16-16-1 net of Values, a mini-batch at a time, and draw one of its neurons."""
    guide.chapter("A net of numbers learns two moons")
    manual_seed(guide.seed)
    X, y = data.moons(POINTS, noise=0.1, seed=guide.seed)
    net = nn.MLP(2, [16, 16, 1])
    steps, size = (4, 20) if guide.quick else (60, 25)
    count = len(list(net.parameters()))
    guide.tell(f"{count} parameters, each a number that knows where it came from")

    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    start = time.perf_counter()
    losses = []
    loader = data.DataLoader(range(POINTS), size, shuffle=True)
    batches = (rows.tolist() for _ in range(steps) for rows in loader)
    for step, rows in zip(range(1, steps + 1), batches, strict=False):
        loss = hinge([net(X[i].tolist()) for i in rows], y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
        guide.progress(step, steps, f"loss {loss.data:.4f}")
    guide.seconds_on_values = (time.perf_counter() - start) / steps / size

    right = accuracy(net, X, y)
    guide.tell(f"right on {right:.0%} of the points")
    neuron = nn.Neuron(2)
    out = neuron([Value(0.5, label="x1"), Value(-1.0, label="x2")])
    out.backward()
    guide.draw(viz.draw(out), "neuron.svg", "One neuron of two inputs, after backward().")
    guide.plot(
        lambda: viz.plot_loss(losses),
        "values-loss.png",
        "The loss while the net of numbers learns.",
    )


def hinge(scores: list[Value], labels: np.ndarray) -> Value:
    """The mean of max(0, 1 - t s), t = 1 for class 1 and -1 for class 0."""
    signs = (1.0 if label else -1.0 for label in labels)
    terms = [(1 - t * s).relu() for t, s in zip(signs, scores, strict=True)]
    return sum(terms) / len(terms)


def accuracy(net: nn.MLP, X: np.ndarray, y: np.ndarray) -> float:
    """The share of points whose score has the right sign."""
    with no_grad():
        scores = [net(x.tolist()).data for x in X]
    return float(np.mean((np.array(scores) > 0) == (y == 1)))
