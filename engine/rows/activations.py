"""The smooth and bent steps that nets put between their layers."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from ..op import REAL, Domain, Pin, row
from .choice import where
from .powers import exp

INV_SQRT2, INV_SQRT_2PI, TWO_OVER_SQRT_PI = 1 / sqrt(2), 1 / sqrt(2 * pi), 2 / sqrt(pi)
TANH_SCALE, TANH_CUBIC = (
    sqrt(2 / pi),
    0.044715,
)  # of the tanh form of gelu (Hendrycks & Gimpel, 2016)

erf = row(
    "erf", "x", result="float",
    vjp=(lambda g, y, x: g * (TWO_OVER_SQRT_PI * exp(-x * x)),),
    domain=(REAL,),
    why="erf is the integral of 2/√π exp(-t²), so its slope is the integrand.",
)  # fmt: skip
sigmoid = row(
    "sigmoid", "x", result="float", symbol="σ",
    vjp=(lambda g, y, x: g * (y * (1 - y)),),
    domain=(REAL,), analytic=True,
    why="σ' = σ(1 - σ), from y alone. The kernel takes exp of -|x| only, which cannot overflow.",
)  # fmt: skip
logit = row(
    "logit", "x", result="float",
    vjp=(lambda g, y, x: where(y == y, g / (x * (1 - x)), y),),
    domain=(Domain("between 0 and 1", low=0.0, high=1.0),), analytic=True,
    why="log(x/(1 - x)), the inverse of σ: dx = y(1 - y) dy there is x(1 - x) here; nan outside.",
)  # fmt: skip
relu = row(
    "relu", "x",
    vjp=(lambda g, y, x: where(y != 0, g, 0.0),),
    domain=(REAL.without(0.0),),
    pinned=(Pin((0.0,), (0.0,), "off at 0, as everywhere to the left"),),
    why="A switch: the gradient passes where the output is positive. maximum(x, 0) would pass half "
    "of it at 0.",
)  # fmt: skip
leaky_relu = row(
    "leaky_relu", "x", params={"negative_slope": 0.01}, result="float",
    vjp=(lambda g, y, x, negative_slope: where(x > 0, g, g * negative_slope),),
    domain=(REAL.without(0.0),),
    pinned=(Pin((0.0,), (0.01,), "0 counts as the left side"),),
    why="Slope 1 to the right of 0, negative_slope to the left, so that no unit is ever off.",
)  # fmt: skip
elu = row(
    "elu", "x", params={"alpha": 1.0}, result="float",
    vjp=(lambda g, y, x, alpha: where(x <= 0, g * (alpha * exp(x)), g),),
    domain=(REAL.without(0.0),),
    pinned=(Pin((0.0,), (1.0,), "smooth at 0 for alpha = 1; otherwise 0 counts as the left side"),),
    why="Left of 0, d alpha*(exp(x) - 1) = alpha*exp(x); y + alpha is the same, but has lost the "
    "small ones. The kernel uses expm1.",
)  # fmt: skip


def _gelu_rule(g: Any, y: Any, x: Any, approximate: str) -> Any:
    if approximate == "tanh":
        s = sigmoid(2 * TANH_SCALE * (x + TANH_CUBIC * (x * x * x)))
        slope = 2 * TANH_SCALE * (1 + 3 * TANH_CUBIC * (x * x))
        return g * (s + x * (s * (1 - s) * slope))
    share = 0.5 * (1 + erf(x * INV_SQRT2))
    return g * (share + x * (INV_SQRT_2PI * exp(-0.5 * (x * x))))


gelu = row(
    "gelu", "x", params={"approximate": "none"}, result="float",
    vjp=(_gelu_rule,),
    domain=(REAL,),
    why="x Φ(x), Φ the normal distribution function: product rule, Φ' the bell curve. The tanh "
    "form is computed as x σ(2z): 1 + tanh(z) would lose the small ones far left.",
)  # fmt: skip


def _silu_rule(g: Any, y: Any, x: Any) -> Any:
    s = sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


silu = row(
    "silu", "x", result="float",
    vjp=(_silu_rule,),
    domain=(REAL,), analytic=True,
    why="x σ(x): product rule with σ' = σ(1 - σ).",
)  # fmt: skip
softplus = row(
    "softplus", "x", params={"beta": 1.0, "threshold": 20.0}, result="float",
    vjp=(
        lambda g, y, x, beta, threshold: where(x * beta > threshold, g, g * sigmoid(x * beta)),
    ),
    domain=(REAL,),
    why="log(1 + exp(βx))/β has slope σ(βx). The kernel keeps exp's argument negative; above the "
    "threshold the line x itself.",
)  # fmt: skip
logsigmoid = row(
    "logsigmoid", "x", result="float",
    vjp=(lambda g, y, x: g * sigmoid(-x),),
    domain=(REAL,),
    why="log σ(x) = -softplus(-x), so it is exact where σ(x) underflows.",
)  # fmt: skip
