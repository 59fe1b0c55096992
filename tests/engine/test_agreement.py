"""A number and a 0-d tensor of it: every elementwise row gives both the same value and gradient."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import pytest

import gradling
from gradling.engine import TABLE, Value
from gradling.engine.op import Op

inf, nan = math.inf, math.nan
EDGES = [
    0.0, -0.0, inf, -inf, nan, 1e300, -1e300, 1e-300, -1e-300, 5e-324, 0.5, -0.5, 1.0, -1.0,
    1.5, -1.5, 2.0, -2.0, 3.0, 7.5, -40.0, 40.0, 800.0, -800.0,
]  # fmt: skip
FEW = [0.0, -0.0, inf, -inf, nan, 1e300, 5e-324, 0.5, 1.0, -1.0, -3.0]
ELEMENTWISE = [name for name, op in TABLE.items() if float in op.on and name != "where"]


def same(a: float, b: float) -> bool:
    """Equal to 1e-12, where nan is nan; below 1e-307 numbers lose digits."""
    if a != a or b != b:
        return a != a and b != b
    return a == b or abs(a - b) <= 1e-12 * max(abs(a), abs(b)) + 1e-307


def on_values(op: Op, numbers: tuple[float, ...], tracked: tuple[bool, ...]) -> list[float]:
    xs = [Value(x) if t else x for x, t in zip(numbers, tracked, strict=True)]
    y = op(*xs, *op.defaults)
    if not isinstance(y, Value):
        return [float(y)]
    y.backward()
    return [y.data, *(x.grad for x in xs if isinstance(x, Value))]


def on_tensors(op: Op, numbers: tuple[float, ...], tracked: tuple[bool, ...]) -> list[float]:
    xs: list[Any] = [
        gradling.tensor(x, dtype=gradling.float64, requires_grad=True) if t else x
        for x, t in zip(numbers, tracked, strict=True)
    ]
    y = op(*xs, *op.defaults)
    if op.result == "bool":
        return [float(y)]
    if y.requires_grad:
        y.backward()
    leaves = [x for x, t in zip(xs, tracked, strict=True) if t]
    return [y.item(), *(0.0 if x.grad is None else x.grad.item() for x in leaves)]


def subsets(count: int) -> Iterator[tuple[bool, ...]]:
    """Every choice of operands that are numbers in a graph, the others constants."""
    return (t for t in itertools.product([True, False], repeat=count) if any(t))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_value_agrees_with_0d_tensor(name: str) -> None:
    op = TABLE[name]
    count = len(op.args)
    for numbers in itertools.product(EDGES if count < 3 else FEW, repeat=count):
        for tracked in subsets(count) if numbers[0] in FEW else [(True,) * count]:
            mine = on_values(op, numbers, tracked)
            its = on_tensors(op, numbers, tracked)
            assert len(mine) == len(its)
            assert all(map(same, mine, its)), (
                f"{name}{numbers}, in a graph {tracked}: value and gradients {mine} of a Value, "
                f"{its} of a tensor"
            )


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_nothing_is_raised_on_the_way_to_a_second_derivative(name: str) -> None:
    op = TABLE[name]
    if op.result == "bool" or not op.differentiable:
        return
    for numbers in itertools.product(FEW, repeat=len(op.args)):
        xs = [Value(x) for x in numbers]
        firsts = gradling.engine.grad(op(*xs, *op.defaults), xs, create_graph=True)
        for first in firsts:
            gradling.engine.grad(first, xs)
