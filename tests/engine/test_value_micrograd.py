"""Programs written for micrograd run on this engine, and are right where micrograd is wrong."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradling.engine import Value


def readme(a: Any, b: Any) -> Any:
    """The little expression that every port of the idea is checked with."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def test_the_readme_expression() -> None:
    a, b = Value(-4.0), Value(2.0)
    g = readme(a, b)
    g.backward()
    assert f"{g.data:.4f} {a.grad:.4f} {b.grad:.4f}" == "24.7041 138.8338 645.5773"


def test_a_sanity_expression() -> None:
    """z = 2x + 2 + x, y = relu(z) + z x, h = relu(z²): the value and slope of h + y + y x at -4."""
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    # q = 3x² + 2x left of z = 0; y = (3x + 2)² + (3x² + 2x)(1 + x)
    assert y.data == (3 * -4 + 2) ** 2 + (3 * 16 - 8) * (1 - 4)
    assert x.grad == 6 * (3 * -4 + 2) + (6 * -4 + 2) * (1 - 4) + (3 * 16 - 8)


class Neuron:
    """As such programs write it: Values in lists, sums with a start, gradients set to 0."""

    def __init__(self, inputs: int, bent: bool) -> None:
        self.weights = [Value(random.uniform(-1, 1)) for _ in range(inputs)]
        self.bias = Value(0)
        self.bent = bent

    def __call__(self, x: Any) -> Value:
        total = sum((w * xi for w, xi in zip(self.weights, x, strict=True)), self.bias)
        return total.relu() if self.bent else total

    def parameters(self) -> list[Value]:
        return [*self.weights, self.bias]


class Net:
    def __init__(self, sizes: list[int]) -> None:
        last = len(sizes) - 2
        self.layers = [
            [Neuron(n, bent=place < last) for _ in range(m)]
            for place, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False))
        ]

    def __call__(self, x: Any) -> Value:
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0]  # type: ignore[no-any-return]

    def parameters(self) -> list[Value]:
        return [p for layer in self.layers for neuron in layer for p in neuron.parameters()]


def moons(count: int) -> tuple[list[list[float]], list[int]]:
    """Two half circles that reach into each other, labelled -1 and 1."""
    from math import cos, pi, sin

    points, labels = [], []
    for i in range(count):
        turn = pi * random.random()
        upper = i % 2 == 0
        x, y = (cos(turn), sin(turn)) if upper else (1 - cos(turn), 0.5 - sin(turn))
        points.append([x + random.gauss(0, 0.1), y + random.gauss(0, 0.1)])
        labels.append(-1 if upper else 1)
    return points, labels


def test_the_moons_demo() -> None:
    """Hinge loss with weight decay and a falling learning rate, 20 steps on 60 points."""
    random.seed(7)
    net = Net([2, 10, 10, 1])
    points, labels = moons(60)

    def loss() -> tuple[Value, float]:
        inputs = [list(map(Value, row)) for row in points]
        scores = [net(row) for row in inputs]
        losses = [(1 + -yi * score).relu() for yi, score in zip(labels, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        decay = 1e-4 * sum(p * p for p in net.parameters())
        right = [(yi > 0) == (s.data > 0) for yi, s in zip(labels, scores, strict=True)]
        return data_loss + decay, sum(right) / len(right)

    first, _ = loss()
    steps = 20
    for k in range(steps):
        total, accuracy = loss()
        for p in net.parameters():
            p.grad = 0
        total.backward()
        for p in net.parameters():
            p.data -= (1.0 - 0.9 * k / steps) * p.grad
    assert total.data < 0.6 * first.data
    assert accuracy >= 0.85


def test_the_notebook_that_draws_a_graph() -> None:
    """Its functions walk `_prev` and print `_op`, `data` and `grad` with %-formats."""

    def trace(root: Value) -> tuple[set[Value], set[tuple[Value, Value]]]:
        nodes: set[Value] = set()
        edges: set[tuple[Value, Value]] = set()

        def build(v: Value) -> None:
            if v not in nodes:
                nodes.add(v)
                for child in v._prev:
                    edges.add((child, v))
                    build(child)

        build(root)
        return nodes, edges

    x, w = Value(1.0), Value(3.0)
    y = (w * x + 1).relu()
    y.backward()
    nodes, edges = trace(y)
    records = sorted(f"{{ data {n.data:.4f} | grad {n.grad:.4f} }} {n._op}" for n in nodes)
    assert records == [
        "{ data 1.0000 | grad 3.0000 } ",
        "{ data 3.0000 | grad 1.0000 } ",
        "{ data 3.0000 | grad 1.0000 } *",
        "{ data 4.0000 | grad 1.0000 } +",
        "{ data 4.0000 | grad 1.0000 } relu",
    ]
    assert edges == {(a, b) for b in nodes for a in b._prev} and len(edges) == 4


def nets() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """micrograd's own nn module as it is installed, and once more with its import changed."""
    reason = "micrograd is not installed (pip install 'gradling[bench]')"
    pytest.importorskip("micrograd", reason=reason)
    found = importlib.util.find_spec("micrograd.nn")
    assert found is not None and found.origin is not None
    source = Path(found.origin).read_text(encoding="utf-8")
    changed = source.replace("from micrograd.engine", "from gradling.engine")
    assert changed != source
    spaces: list[dict[str, Any]] = [{}, {}]
    exec(source, spaces[0])
    exec(changed, spaces[1])
    return spaces[0]["MLP"], spaces[1]["MLP"]


def test_micrograds_own_nets_give_the_same_numbers() -> None:
    theirs, ours = nets()
    outcomes = []
    for make in (theirs, ours):
        random.seed(1337)
        net = make(2, [8, 8, 1])
        losses = []
        for step in range(5):
            scores = [net([0.5 * i - 1, 0.3 * i]) for i in range(6)]
            loss = sum((1 + -((-1) ** i) * s).relu() for i, s in enumerate(scores)) * (1.0 / 6)
            net.zero_grad()
            loss.backward()
            for p in net.parameters():
                p.data -= 0.1 / (step + 1) * p.grad
            losses.append(loss.data)
        outcomes.append((losses, [(p.data, p.grad) for p in net.parameters()]))
    (losses, parameters), (same, others) = outcomes
    assert same == pytest.approx(losses, rel=1e-12)
    for (data, grad), (data2, grad2) in zip(parameters, others, strict=True):
        assert (data2, grad2) == pytest.approx((data, grad), rel=1e-9, abs=1e-12)


class TestWhereMicrogradIsWrong:
    def test_the_second_backward(self) -> None:
        x = Value(3.0)
        y = x * x * x
        y.backward()
        x.grad = 0
        y.backward()
        assert x.grad == 27.0  # micrograd: 45, since its inner gradients add up too

    def test_deep_chains(self) -> None:
        x = Value(1.0)
        y = x
        for _ in range(5000):
            y = y + x
        y.backward()  # micrograd: RecursionError
        assert x.grad == 5001.0

    def test_zero_to_the_power_zero(self) -> None:
        x = Value(0.0)
        (x**0).backward()  # micrograd: ZeroDivisionError
        assert x.grad == 0.0

    def test_powers_of_values(self) -> None:
        a, b = Value(2.0), Value(3.0)
        (a**b).backward()  # micrograd: AssertionError
        assert a.grad == 12.0
