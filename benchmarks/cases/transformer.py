"""A step of a transformer of 2 layers, width 64, 4 heads, on 32 sequences of 32 tokens, Adam."""

from __future__ import annotations

from typing import Any

from ..case import Case, Step
from . import classes, training, twins

VOCABULARY = 64


def build(lib: Any) -> Step:
    nn = lib.nn
    lib.manual_seed(0)
    layer = nn.TransformerEncoderLayer(64, 4, 256, dropout=0.0, batch_first=True)
    model = nn.Sequential(
        nn.Embedding(VOCABULARY, 64), nn.TransformerEncoder(layer, 2), nn.Linear(64, VOCABULARY)
    )
    tokens = classes(32 * 33, VOCABULARY).reshape(32, 33)
    x, t = lib.tensor(tokens[:, :-1].copy()), lib.tensor(tokens[:, 1:].reshape(-1).copy())
    loss = nn.functional.cross_entropy
    return training(lib, model, lambda: loss(model(x).reshape(-1, VOCABULARY), t), "Adam", 1e-3)


CASES = (
    Case(
        "transformer", "transformer step, 2 layers, width 64, 4 heads, 32 x 32, Adam", twins(build),
        {"torch": 0.9}, rounds=20,
    ),
)  # fmt: skip
