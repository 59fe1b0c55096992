"""Chapter 3: the same net on tensors."""

from __future__ import annotations

import time

from .. import data, from_numpy, manual_seed, nn, no_grad, optim, viz
from .guide import Guide


def run(guide: Guide) -> None:
    """Train a 2-16-16-1 net of Tensors on all points at once; draw its boundary and its graph."""
    guide.chapter("The same net on tensors")
    manual_seed(guide.seed)
    X, y = data.moons(400, noise=0.15, seed=guide.seed)
    inputs, signs = from_numpy(X), from_numpy(2.0 * y[:, None] - 1.0).float()
    net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    steps = 30 if guide.quick else 600
    start = time.perf_counter()
    losses = []
    for step in range(1, steps + 1):
        loss = (1 - signs * net(inputs)).relu().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        guide.progress(step, steps, f"loss {losses[-1]:.4f}")
    seconds = (time.perf_counter() - start) / steps

    with no_grad():
        right = ((net(inputs) * signs) > 0).float().mean().item()
    guide.tell(f"right on {right:.0%} of the points, {seconds * 1e3:.2f} ms a step of 400 points")
    guide.draw(
        viz.draw(loss, params=net), "moons-graph.svg", "The whole training step, as a graph."
    )
    guide.plot(
        lambda: viz.plot_loss(losses), "moons-loss.png", "The loss while the net of tensors learns."
    )
    guide.plot(
        lambda: viz.plot_boundary(net, X, y),
        "moons-boundary.png",
        "The decision boundary between the two moons.",
    )
