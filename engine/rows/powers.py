"""Powers, roots, exponentials and logarithms."""

from __future__ import annotations

import math
from typing import Any

from ..op import ABOVE_MINUS_ONE, NONZERO, POSITIVE, REAL, Op, Pin, row
from .choice import isfinite, where

LN2, LN10 = math.log(2.0), math.log(10.0)


def _base_rule(g: Any, y: Any, a: Any, b: Any) -> Any:
    if isinstance(b, (int, float)):
        return where(True, 0.0, g) if b == 0 else g * (b * pow_(a, b - 1))
    steep = pow_(a, b - 1)
    return where((b != 0) | isfinite(steep), g * (b * steep), 0.0)


pow_: Op = row(
    "pow", "a b", symbol="**",
    vjp=(
        _base_rule,
        lambda g, y, a, b: g * where((a == 0) & (b >= 0), 0.0, y * log(a)),
    ),
    domain=(POSITIVE, REAL), analytic=True,
    pinned=(
        Pin((0.0, 0.0), (0.0, 0.0), "0**0 is 1 whichever way the base moves"),
        Pin((0.0, 2.0), (0.0, 0.0), "0 to any positive power stays 0"),
        Pin((-2.0, 2.0), (-4.0, math.nan), "a negative base has no log: its exponent gets nan"),
    ),
    why="d a**b = b*a**(b-1) da + a**b*log(a) db. A zero exponent has slope 0 even at a = 0, where "
    "a**(b-1) is infinite; only there is it masked, so that this slope has the right slope by b. "
    "log is taken only where the exponent wants a gradient.",
)  # fmt: skip
square = row(
    "square", "x", symbol="²",
    vjp=(lambda g, y, x: g * (2 * x),),
    domain=(REAL,), analytic=True,
    why="Product rule on x*x: both factors are x.",
)  # fmt: skip
sqrt = row(
    "sqrt", "x", result="float", symbol="√",
    vjp=(lambda g, y, x: g / (2 * y),),
    domain=(POSITIVE,), analytic=True,
    why="y*y = x gives 2*y*dy = dx; infinite at 0.",
)  # fmt: skip
rsqrt = row(
    "rsqrt", "x", result="float", symbol="1/√",
    vjp=(lambda g, y, x: -0.5 * g * (y * y * y),),
    domain=(POSITIVE,), analytic=True,
    why="d x**-½ = -½ x**-3/2, from y alone.",
)  # fmt: skip
reciprocal = row(
    "reciprocal", "x", result="float", symbol="1/",
    vjp=(lambda g, y, x: -g * (y * y),),
    domain=(NONZERO,), analytic=True,
    why="d 1/x = -1/x², from y alone.",
)  # fmt: skip
exp: Op = row(
    "exp", "x", result="float",
    vjp=(lambda g, y, x: g * y,),
    domain=(REAL,), analytic=True,
    why="exp is its own derivative, so y is reused.",
)  # fmt: skip
exp2 = row(
    "exp2", "x", result="float",
    vjp=(lambda g, y, x: g * (y * LN2),),
    domain=(REAL,), analytic=True,
    why="2**x = exp(x log 2).",
)  # fmt: skip
expm1 = row(
    "expm1", "x", result="float",
    vjp=(lambda g, y, x: g * (y + 1),),
    domain=(REAL,), analytic=True,
    why="exp(x) = y + 1; the op itself keeps the digits that exp(x) - 1 loses near 0.",
)  # fmt: skip
log: Op = row(
    "log", "x", result="float",
    vjp=(lambda g, y, x: g / x,),
    domain=(POSITIVE,), analytic=True,
    why="Inverse of exp: dx = x dy.",
)  # fmt: skip
log2 = row(
    "log2", "x", result="float",
    vjp=(lambda g, y, x: g / (x * LN2),),
    domain=(POSITIVE,), analytic=True,
    why="log(x) / log(2).",
)  # fmt: skip
log10 = row(
    "log10", "x", result="float",
    vjp=(lambda g, y, x: g / (x * LN10),),
    domain=(POSITIVE,), analytic=True,
    why="log(x) / log(10).",
)  # fmt: skip
log1p = row(
    "log1p", "x", result="float",
    vjp=(lambda g, y, x: g / (x + 1),),
    domain=(ABOVE_MINUS_ONE,), analytic=True,
    why="log(1 + x), keeping the digits of a small x.",
)  # fmt: skip


def _softer(g: Any, gap: Any, a: Any, b: Any) -> Any:
    """g times the share of an operand that the other one tops by ``gap``."""
    return where((a == b) & (gap != gap), g / 2, g / (1 + exp(gap)))


logaddexp = row(
    "logaddexp", "a b", result="float",
    vjp=(
        lambda g, y, a, b: _softer(g, b - a, a, b),
        lambda g, y, a, b: _softer(g, a - b, a, b),
    ),
    domain=(REAL, REAL),
    why="log(exp a + exp b): each operand has its softmax share, 1/(1 + exp(other - operand)). "
    "Equal infinities, whose difference is nan, share evenly.",
)  # fmt: skip
xlogy: Op = row(
    "xlogy", "a b", result="float",
    vjp=(
        lambda g, y, a, b: where((a == 0) & (b <= 0), 0.0, xlogy(g, b)),
        lambda g, y, a, b: g * (a / b),
    ),
    domain=(REAL, POSITIVE),
    pinned=(Pin((0.0, 0.0), (0.0, math.nan), "no log of 0 is taken where a is 0"),),
    why="a*log(b), which is 0 at a = 0 even where log(b) is -inf, so entropies need no epsilon.",
)  # fmt: skip
hypot = row(
    "hypot", "a b", result="float",
    vjp=(lambda g, y, a, b: g * (a / y), lambda g, y, a, b: g * (b / y)),
    domain=(NONZERO, NONZERO),
    pinned=(Pin((0.0, 0.0), (math.nan, math.nan), "no direction at the origin"),),
    why="y² = a² + b² gives y dy = a da + b db; squaring inside would overflow early.",
)  # fmt: skip
