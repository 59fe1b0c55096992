"""grad(create_graph=True): derivatives of derivatives, against the known ones."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from gradling.engine import TABLE, Op, Value, grad, no_grad

Function = Callable[[Value], Value]
sin, cos, exp = math.sin, math.cos, math.exp
x0 = 0.7
t = math.tanh(x0)
s = 1 / (1 + exp(-x0))

# value and the first four derivatives at x0
KNOWN: list[tuple[str, Function, list[float]]] = [
    ("cube", lambda x: x**3, [x0**3, 3 * x0**2, 6 * x0, 6.0, 0.0]),
    ("product", lambda x: x * x * x * x, [x0**4, 4 * x0**3, 12 * x0**2, 24 * x0, 24.0]),
    ("sin", lambda x: x.sin(), [sin(x0), cos(x0), -sin(x0), -cos(x0), sin(x0)]),
    ("exp", lambda x: (2 * x).exp(), [2**n * exp(2 * x0) for n in range(5)]),
    ("log", lambda x: x.log(), [math.log(x0), 1 / x0, -1 / x0**2, 2 / x0**3, -6 / x0**4]),
    ("1/x", lambda x: 1 / x, [1 / x0, -1 / x0**2, 2 / x0**3, -6 / x0**4, 24 / x0**5]),
    (
        "tanh",
        lambda x: x.tanh(),
        [t, 1 - t**2, -2 * t * (1 - t**2), (1 - t**2) * (6 * t**2 - 2),
         (1 - t**2) * (16 * t - 24 * t**3)],
    ),
    (
        "sigmoid",
        lambda x: x.sigmoid(),
        [s, s * (1 - s), s * (1 - s) * (1 - 2 * s), s * (1 - s) * (1 - 6 * s + 6 * s**2),
         s * (1 - s) * (1 - 2 * s) * (1 - 12 * s + 12 * s**2)],
    ),
    ("x**x", lambda x: x**x, [
        x0**x0,
        x0**x0 * (1 + math.log(x0)),
        x0**x0 * ((1 + math.log(x0)) ** 2 + 1 / x0),
    ]),
    ("relu", lambda x: x.relu() * x, [x0**2, 2 * x0, 2.0, 0.0]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "known"), [k[1:] for k in KNOWN], ids=[k[0] for k in KNOWN])
def test_known_derivatives(function: Function, known: list[float]) -> None:
    x = Value(x0)
    y = function(x)
    found = [y.data]
    for _ in known[1:]:
        y = grad(y, x, create_graph=True)
        found.append(y.data)
    assert found == pytest.approx(known, rel=1e-12, abs=1e-12)
    assert x._grad is None


SMOOTH = [op for op in TABLE.values() if float in op.on and op.differentiable]


@pytest.mark.parametrize("op", SMOOTH, ids=lambda op: op.name)
def test_the_rules_on_values_give_the_slopes_on_floats(op: Op) -> None:
    at = [0.6, 0.8, 0.3][: len(op.args)] if op.name != "acosh" else [1.6]
    if op.name == "where":
        at = [1.0, 0.8, 0.3]
    xs = [Value(x) for x in at]
    y = op(*xs, *op.defaults)
    slopes = grad(y, xs, create_graph=True)
    assert [g.data for g in slopes] == pytest.approx([g.data for g in grad(y, xs)], rel=1e-12)


@pytest.mark.parametrize("op", SMOOTH, ids=lambda op: op.name)
def test_second_derivatives_of_every_row(op: Op) -> None:
    """The slope of the slope, against a difference quotient of slopes."""
    at = {"acosh": [1.6], "where": [1.0, 0.8, 0.3]}.get(op.name, [0.6, 0.8, 0.3][: len(op.args)])

    def slopes(place: int, step: float) -> list[float]:
        moved = [x + step * (i == place) for i, x in enumerate(at)]
        xs = [Value(x) for x in moved]
        return [g.data for g in grad(op(*xs, *op.defaults), xs)]

    xs = [Value(x) for x in at]
    firsts = grad(op(*xs, *op.defaults), xs, create_graph=True)
    for i, first in enumerate(firsts):
        for j, second in enumerate(grad(first, xs)):
            if op.name == "where" and j == 0:
                continue  # a truth value does not move by a step
            h = 1e-5
            quotient = (slopes(j, h)[i] - slopes(j, -h)[i]) / (2 * h)
            assert second.data == pytest.approx(quotient, rel=1e-6, abs=1e-8)


def test_mixed_partial_derivatives_agree() -> None:
    a, b = Value(0.4), Value(1.3)
    y = (a * b).sin() * b + a**b
    da, db = grad(y, [a, b], create_graph=True)
    assert grad(da, b).data == pytest.approx(grad(db, a).data, rel=1e-13)


def test_a_gradient_penalty_trains() -> None:
    """backward() through a slope, as in a penalty on gradients."""
    w, x = Value(0.5), Value(2.0)
    slope = grad((w * x).tanh(), x, create_graph=True)  # w (1 - tanh²(w x))
    (slope**2).backward()
    y = math.tanh(1.0)
    by_hand = 2 * (0.5 * (1 - y * y)) * ((1 - y * y) - 0.5 * 2 * y * (1 - y * y) * 2.0)
    assert w.grad == pytest.approx(by_hand, rel=1e-12)


def test_the_graph_of_gradients_is_built_under_no_grad_too() -> None:
    x = Value(2.0)
    y = x**3
    with no_grad():
        first = grad(y, x, create_graph=True)
    assert grad(first, x).data == 12.0
    assert grad(y, x).op is None
