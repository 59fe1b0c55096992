"""micrograd's demo: two moons, 100 points, a 2-16-16-1 net of numbers, one full step."""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any

import numpy as np

from ..case import Case, Skip, Step

ALPHA, RATE = 1e-4, 0.5


def moons() -> tuple[list[list[float]], list[int]]:
    """100 points of two half circles, and their sides, -1 or 1."""
    rng = np.random.default_rng(0)
    t = np.linspace(0, np.pi, 50)
    upper = np.stack([np.cos(t), np.sin(t)], 1)
    lower = np.stack([1 - np.cos(t), 0.5 - np.sin(t)], 1)
    points = np.concatenate([upper, lower]) + rng.normal(scale=0.1, size=(100, 2))
    return points.tolist(), [-1] * 50 + [1] * 50


def net(module: str) -> Any:
    """The library's net with the same weights for every library."""
    model = import_module(module).MLP(2, [16, 16, 1])
    draw = random.Random(0)
    for p in model.parameters():
        p.data = draw.uniform(-1, 1)
    return model


def descend(model: Any) -> None:
    for p in model.parameters():
        p.data -= RATE * p.grad


def eager(engine: str, module: str) -> Step:
    """The demo's loop body as its notebook has it; only the imports differ."""
    value, model = import_module(engine).Value, net(module)
    points, sides = moons()

    def step() -> float:
        inputs = [list(map(value, point)) for point in points]
        scores = list(map(model, inputs))
        losses = [(1 + -side * score).relu() for side, score in zip(sides, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        total = data_loss + ALPHA * sum(p * p for p in model.parameters())
        right = [(side > 0) == (score.data > 0) for side, score in zip(sides, scores, strict=True)]
        model.zero_grad()
        total.backward()
        descend(model)
        return sum(right) / len(right)

    return lambda: None if step() >= 0 else None


def lifted() -> Step:
    """The same program, lifted: scores of all points at once, the penalty as one call."""
    import gradling

    if not hasattr(gradling, "lift"):
        raise Skip("no lift yet")
    model = net("gradling.nn")
    scores_of = gradling.lift(model)
    penalty_of = gradling.lift(lambda: ALPHA * sum(p * p for p in model.parameters()))
    points, sides = (np.array(x, dtype=np.float64) for x in moons())
    X, y = gradling.tensor(points), gradling.tensor(sides)

    def step() -> None:
        scores = scores_of(X)
        total = (1 - y * scores).relu().mean() + penalty_of()
        ((scores._data > 0) == (sides > 0)).mean()
        model.zero_grad()
        total.backward()
        descend(model)

    return step


def by_micrograd() -> Step:
    return eager("micrograd.engine", "micrograd.nn")


CASES = (
    Case(
        "moons", "Values, eager: micrograd's demo step",
        {"gradling": lambda: eager("gradling", "gradling.nn"), "micrograd": by_micrograd},
        {"micrograd": 0.08}, rounds=10,
    ),
    Case(
        "moons-lifted", "Values, lifted: the same step",
        {"gradling": lifted, "micrograd": by_micrograd}, {"micrograd": 0.003}, rounds=10,
    ),
)  # fmt: skip
