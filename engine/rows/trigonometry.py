"""Circular and hyperbolic functions and their inverses."""

from __future__ import annotations

from math import pi
from typing import Any

from ..op import ABOVE_ONE, NONZERO, REAL, UNIT, Op, Pin, row
from .choice import where
from .powers import hypot, rsqrt

sin = row(
    "sin", "x", result="float", vjp=(lambda g, y, x: g * cos(x),),
    domain=(REAL,), analytic=True, why="The slope of sine is cosine.",
)  # fmt: skip
cos: Op = row(
    "cos", "x", result="float", vjp=(lambda g, y, x: -g * sin(x),),
    domain=(REAL,), analytic=True, why="Sine a quarter turn on.",
)  # fmt: skip
tan = row(
    "tan", "x", result="float", vjp=(lambda g, y, x: g * (1 + y * y),),
    domain=(REAL.without(-pi / 2, pi / 2),), analytic=True,
    why="1/cos² = 1 + tan², from y alone.",
)  # fmt: skip
asin = row(
    "asin", "x", result="float", vjp=(lambda g, y, x: g * rsqrt(1 - x * x),),
    domain=(UNIT,), analytic=True, why="Inverse of sine: dx = cos(y) dy, and cos(y) = √(1 - x²).",
)  # fmt: skip
acos = row(
    "acos", "x", result="float", vjp=(lambda g, y, x: -g * rsqrt(1 - x * x),),
    domain=(UNIT,), analytic=True, why="asin and acos add up to a right angle.",
)  # fmt: skip
atan = row(
    "atan", "x", result="float", vjp=(lambda g, y, x: g / (1 + x * x),),
    domain=(REAL,), analytic=True, why="Inverse of tan: dx = (1 + x²) dy.",
)  # fmt: skip


def _turn(leg: Any, a: Any, b: Any) -> Any:
    """``leg`` over the squared radius, which itself could under- or overflow; 0 at the origin."""
    radius = hypot(a, b)
    return where(radius == 0, 0.0, leg / radius / radius)


atan2 = row(
    "atan2", "a b", result="float",
    vjp=(
        lambda g, y, a, b: g * _turn(b, a, b),
        lambda g, y, a, b: -g * _turn(a, a, b),
    ),
    domain=(NONZERO, NONZERO),
    pinned=(Pin((0.0, 0.0), (0.0, 0.0), "the origin has no angle to turn"),),
    why="The angle of (b, a): it turns by the tangential step over the squared radius.",
)  # fmt: skip
sinh = row(
    "sinh", "x", result="float", vjp=(lambda g, y, x: g * cosh(x),),
    domain=(REAL,), analytic=True, why="(exp x - exp -x)/2 has slope (exp x + exp -x)/2.",
)  # fmt: skip
cosh: Op = row(
    "cosh", "x", result="float", vjp=(lambda g, y, x: g * sinh(x),),
    domain=(REAL,), analytic=True, why="As sinh, without the change of sign that cosine has.",
)  # fmt: skip
tanh = row(
    "tanh", "x", result="float", vjp=(lambda g, y, x: g * (1 - y * y),),
    domain=(REAL,), analytic=True, why="1 - tanh², from y alone: no exponential to overflow.",
)  # fmt: skip
asinh = row(
    "asinh", "x", result="float", vjp=(lambda g, y, x: g * rsqrt(x * x + 1),),
    domain=(REAL,), analytic=True, why="Inverse of sinh: dx = cosh(y) dy, and cosh(y) = √(1 + x²).",
)  # fmt: skip
acosh = row(
    "acosh", "x", result="float", vjp=(lambda g, y, x: g * rsqrt(x * x - 1),),
    domain=(ABOVE_ONE,), analytic=True,
    why="Inverse of cosh: dx = sinh(y) dy, and sinh(y) = √(x² - 1).",
)  # fmt: skip
atanh = row(
    "atanh", "x", result="float", vjp=(lambda g, y, x: g / (1 - x * x),),
    domain=(UNIT,), analytic=True, why="Inverse of tanh: dx = (1 - x²) dy.",
)  # fmt: skip
