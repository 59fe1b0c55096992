"""Chapter 1: a little expression of numbers, its gradient, and its drawing."""

from __future__ import annotations

import inspect
import math

from .. import viz
from ..engine import Value, no_grad
from .guide import Guide


def expression(a: Value, b: Value) -> Value:
    """The little expression of the README."""
    c = a * b + b**3
    d = (c - a).relu() + (b / a).tanh()
    return d * d / 10


def run(guide: Guide) -> None:
    """Differentiate, compare with slopes measured by hand, and draw."""
    guide.chapter("One number at a time")
    guide.show_code(inspect.getsource(expression))
    a, b = Value(-4.0, label="a"), Value(2.0, label="b")
    y = expression(a, b)
    y.label = "y"
    y.backward()
    guide.tell(f"y = {y.data:.4f}, dy/da = {a.grad:.4f}, dy/db = {b.grad:.4f}")

    slopes = slope(-4.0, 2.0, da=1e-5), slope(-4.0, 2.0, db=1e-5)
    guide.tell(f"measured by moving a, then b, a little: {slopes[0]:.4f}, {slopes[1]:.4f}")
    if not all(
        math.isclose(g, s, rel_tol=1e-6) for g, s in zip((a.grad, b.grad), slopes, strict=True)
    ):
        guide.fail("the gradient of the little expression is not its slope")
    guide.draw(
        viz.draw(y), "expression.svg", "The little expression: every number with its gradient."
    )


def slope(a: float, b: float, da: float = 0.0, db: float = 0.0) -> float:
    """Measure how fast the expression changes along `(da, db)`."""
    with no_grad():
        up = expression(Value(a + da), Value(b + db)).data
        down = expression(Value(a - da), Value(b - db)).data
    return (up - down) / (2 * (da + db))
