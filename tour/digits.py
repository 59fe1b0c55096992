"""Chapter 4: handwritten digits, read by a net that has never seen them."""

from __future__ import annotations

from .. import data, nn, optim, viz
from ..engine import no_grad
from ..tensor.creation import from_numpy
from ..tensor.generators import Generator, manual_seed
from .guide import Guide

PROMISED = 0.95


def run(guide: Guide) -> None:
    """Train on 1,437 real digits, test on 360 others, and draw the graph of a step."""
    guide.chapter("Reading handwritten digits")
    manual_seed(guide.seed)
    images, labels = data.digits("train")
    train = data.TensorDataset(images.reshape(-1, 64), labels)
    images, labels = data.digits("test")
    test_images, test_labels = from_numpy(images.reshape(-1, 64)), from_numpy(labels)
    net = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
    optimizer = optim.Adam(net.parameters(), lr=3e-3)
    loader = data.DataLoader(train, batch_size=64, shuffle=True, generator=Generator(guide.seed))
    epochs = 2 if guide.quick else 40
    losses = []
    for epoch in range(1, epochs + 1):
        for x, y in loader:
            loss = nn.functional.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with no_grad():
            right = (net(test_images).argmax(dim=1) == test_labels).float().mean().item()
        guide.progress(epoch, epochs, f"loss {losses[-1]:.4f}, held-out accuracy {right:.3f}")

    guide.tell(f"right on {right:.1%} of {len(labels)} digits that it was not trained on")
    if right < PROMISED and not guide.quick:
        guide.fail(f"held-out accuracy {right:.3f} is below {PROMISED}")
    loss.label = "loss"
    guide.draw(
        viz.draw(loss, params=net), "digits-graph.svg", "The graph of one step on 64 digits."
    )
    guide.plot(
        lambda: viz.plot_loss(losses), "digits-loss.png", "The loss on each batch of digits."
    )
