"""The graphs that docs/graphs.md shows: ``python docs/images/make_graphs.py`` writes them anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradling
from gradling import nn, viz
from gradling.models import GPT, LeNet5, ResNet18


class Unrolled(nn.Module):
    """An LSTM whose 100 steps are a loop in Python."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(8, 16)
        self.head = nn.Linear(16, 1)

    def forward(self, x: Any) -> Any:
        state = None
        for step in x:
            state = self.cell(step, state)
        assert state is not None
        return self.head(state[0])


def drawn(name: str, model: nn.Module, loss: Any) -> viz.Drawing:
    loss.backward()
    return viz.draw(loss, params=model, title=name)


def drawings() -> dict[str, viz.Drawing]:
    """The pictures by the names of their files."""
    gradling.manual_seed(0)
    entropy = nn.functional.cross_entropy
    lenet, resnet, lstm = LeNet5(), ResNet18(), Unrolled()
    gpt = GPT(65, 32, n_layer=12, n_head=4, n_embd=96)
    tokens = gradling.randint(0, 65, (2, 32))
    images = gradling.randn(4, 1, 28, 28)
    return {
        "graph-lenet5": drawn("LeNet-5", lenet, entropy(lenet(images), gradling.arange(4))),
        "graph-resnet18": drawn(
            "ResNet-18", resnet, entropy(resnet(gradling.randn(2, 3, 64, 64)), gradling.arange(2))
        ),
        "graph-gpt": drawn(
            "GPT of 12 blocks", gpt, entropy(gpt(tokens).flatten(0, 1), tokens.flatten())
        ),
        "graph-lstm": drawn(
            "LSTM, 100 steps", lstm, lstm(gradling.randn(100, 4, 8)).square().mean()
        ),
    }


if __name__ == "__main__":
    for name, drawing in drawings().items():
        print(drawing.save(Path(__file__).parent / f"{name}.svg"), drawing)
