"""Chapter 3: the same net on tensors."""

from __future__ import annotations

import time

import numpy as np

from .. import data, nn, optim, viz
from ..engine import no_grad
from ..tensor.creation import from_numpy
from .guide import Guide


def run(guide: Guide) -> None:
    """Carry the net of the chapter before over to tensors, compare, and train it on all points."""
    guide.chapter("The same net on tensors")
    X, y = data.moons(400, noise=0.15, seed=guide.seed)
    numbers = nn.MLP(2, [16, 16, 1], seed=guide.seed)
    net = numbers.to_tensor()
    inputs, targets = from_numpy(X), from_numpy(2.0 * y[:, None] - 1.0)
    with no_grad():
        ours = net(inputs[:20]).numpy()[:, 0]
        theirs = [numbers(x.tolist()).data for x in X[:20]]
    gap = float(np.abs(ours - theirs).max())
    guide.tell(f"the same weights give the same outputs: the largest difference is {gap:.0e}")
    if gap > 1e-9:
        guide.fail("the nets of numbers and of tensors disagree")

    optimizer = optim.Adam(net.parameters(), lr=0.02)
    losses: list[float] = []
    steps = 20 if guide.quick else 400
    start = time.perf_counter()
    for step in range(1, steps + 1):
        loss = (1 - targets * net(inputs)).relu().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        guide.progress(step, steps, f"loss {losses[-1]:.4f}")
    milliseconds = (time.perf_counter() - start) / steps * 1e3

    with no_grad():
        right = float(np.mean((net(inputs) * targets).numpy() > 0))
    guide.tell(
        f"right on {right:.0%} of the points; a step of 400 points took {milliseconds:.1f} ms"
    )
    loss.label = "loss"
    guide.draw(viz.draw(loss, params=net), "moons-graph.svg", "A whole training step, as a graph.")
    guide.plot(
        lambda: viz.plot_loss(losses), "moons-loss.png", "The loss while the net of tensors learns."
    )
    guide.plot(
        lambda: viz.plot_boundary(net, X, y),
        "moons-boundary.png",
        "The decision boundary between the two moons.",
    )
