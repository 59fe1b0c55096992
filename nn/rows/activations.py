"""Rows of the activations that are bent at more than one place, or made of several smooth pieces.

All work on numbers and arrays alike. Written where a composition would put a kink's gradient
elsewhere than PyTorch does, or would take three nodes and more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...engine.floats import expm1 as expm1_of_float
from ...engine.floats import softplus as softplus_of_float
from ...engine.op import REAL, Op, Pin, row
from ...engine.rows.activations import sigmoid, softplus
from ...engine.rows.choice import where
from ...engine.rows.powers import exp
from ...engine.rows.trigonometry import tanh
from ...engine.value import Value, apply
from ...tensor.node import Array

# Klambauer et al., "Self-normalizing neural networks" (2017): fixed point of mean 0 and variance 1
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def both(
    name: str,
    args: str,
    of_float: Callable[..., float],
    of_array: Callable[..., Any],
    **columns: Any,
) -> Op:
    """A row for numbers and arrays, entry by entry."""
    op = row(name, args, result="float", **columns)
    arity = len(op.args)

    def of_values(*given: Any) -> Value:
        operands = tuple(x if isinstance(x, Value) else float(x) for x in given[:arity])
        return apply(op, operands, given[arity:])

    op.on[float], op.on[Array], op.on[Value] = of_float, of_array, of_values
    return op


hardtanh = both(
    "hardtanh", "x",
    lambda x, min_val, max_val: min(max(x, min_val), max_val),
    lambda x, min_val, max_val: np.minimum(np.maximum(x, min_val), max_val),
    params={"min_val": -1.0, "max_val": 1.0},
    vjp=(lambda g, y, x, min_val, max_val: where((x <= min_val) | (x >= max_val), 0.0, g),),
    domain=(REAL.without(-1.0, 1.0),),
    pinned=(
        Pin((-1.0,), (0.0,), "off at the bound, where clamp is on"),
        Pin((1.0,), (0.0,), "off at the bound, where clamp is on"),
    ),
    why="The line between two flats.",
)  # fmt: skip
hardsigmoid = both(
    "hardsigmoid", "x",
    lambda x: min(max(x + 3.0, 0.0), 6.0) / 6.0,
    lambda x: np.minimum(np.maximum(x + 3, 0), 6) / 6,
    vjp=(lambda g, y, x: where((x > -3) & (x < 3), g / 6, 0.0),),
    domain=(REAL.without(-3.0, 3.0),),
    pinned=(
        Pin((-3.0,), (0.0,), "off at the bound"),
        Pin((3.0,), (0.0,), "off at the bound"),
    ),
    why="A line of slope 1/6 between two flats.",
)  # fmt: skip
hardswish = both(
    "hardswish", "x",
    lambda x: x * min(max(x + 3.0, 0.0), 6.0) / 6.0,
    lambda x: x * np.minimum(np.maximum(x + 3, 0), 6) / 6,
    vjp=(lambda g, y, x: where(x <= -3, 0.0, where(x < 3, g * (x / 3 + 0.5), g)),),
    domain=(REAL.without(-3.0, 3.0),),
    pinned=(
        Pin((-3.0,), (0.0,), "off at the lower bound"),
        Pin((3.0,), (1.0,), "the line at the upper bound"),
    ),
    why="x times hardsigmoid(x): between the bounds (x² + 3x)/6, of slope x/3 + 1/2.",
)  # fmt: skip
celu = both(
    "celu", "x",
    lambda x, alpha: x if x > 0 else alpha * expm1_of_float(x / alpha),
    lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)),
    params={"alpha": 1.0},
    vjp=(lambda g, y, x, alpha: where(x <= 0, g * exp(x / alpha), g),),
    domain=(REAL.without(0.0),),
    pinned=(Pin((0.0,), (1.0,), "smooth for every alpha"),),
    why="Left of 0, d alpha*(exp(x/alpha) - 1) = exp(x/alpha), which is 1 at 0 whatever alpha is.",
)  # fmt: skip
selu = both(
    "selu", "x",
    lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * expm1_of_float(x)),
    lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0))),
    vjp=(
        lambda g, y, x: where(x <= 0, g * (SELU_SCALE * SELU_ALPHA * exp(x)), g * SELU_SCALE),
    ),
    domain=(REAL.without(0.0),),
    pinned=(Pin((0.0,), (SELU_SCALE * SELU_ALPHA,), "0 counts as the left side"),),
    why="elu scaled so that activations of mean 0 and variance 1 stay so.",
)  # fmt: skip


def _mish_of_float(x: float) -> float:
    return x * math.tanh(softplus_of_float(x, 1.0, 20.0))


def _mish_rule(g: Any, y: Any, x: Any) -> Any:
    t = tanh(softplus(x, 1.0, 20.0))
    return g * (t + x * (sigmoid(x) * (1 - t * t)))


mish = both(
    "mish", "x",
    _mish_of_float, lambda x: x * np.tanh(np.logaddexp(x.dtype.type(0), x)),
    vjp=(_mish_rule,), domain=(REAL,),
    why="x tanh(softplus(x)): product rule, tanh' = 1 - tanh² and softplus' = σ.",
)  # fmt: skip
softsign = both(
    "softsign", "x",
    lambda x: x / (1.0 + abs(x)), lambda x: x / (1 + np.absolute(x)),
    vjp=(lambda g, y, x: g / (1 + abs(x)) / (1 + abs(x)),), domain=(REAL,),
    why="x/(1 + |x|): quotient rule, where the terms with |x| cancel and leave 1/(1 + |x|)².",
)  # fmt: skip

# x³/3 - 2x⁵/15 + …: the series of x - tanh(x), whose difference cancels near 0
_TANHSHRINK = (
    1 / 3, -2 / 15, 17 / 315, -62 / 2835, 1382 / 155925, -21844 / 6081075, 929569 / 638512875,
    -6404582 / 10854718875, 443861162 / 1856156927625,
)  # fmt: skip


def _tanhshrink_near_0(x: Any) -> Any:
    total = 0.0
    for c in reversed(_TANHSHRINK):
        total = total * (x * x) + c
    return total * x * x * x


def _tanhshrink_of_float(x: float) -> float:
    return x - math.tanh(x) if abs(x) > 0.25 else float(_tanhshrink_near_0(x))


def _tanhshrink(x: Array) -> Array:
    near = _tanhshrink_near_0(np.clip(x, -0.25, 0.25))
    return np.where(np.absolute(x) > 0.25, x - np.tanh(x), near)


tanhshrink = both(
    "tanhshrink", "x",
    _tanhshrink_of_float, _tanhshrink,
    vjp=(lambda g, y, x: g * (tanh(x) * tanh(x)),), domain=(REAL,),
    why="x - tanh(x): 1 - (1 - tanh²) = tanh².",
)  # fmt: skip


def _softshrink_of_float(x: float, lambd: float) -> float:
    return x - lambd if x > lambd else x + lambd if x < -lambd else x * 0.0


softshrink = both(
    "softshrink", "x",
    _softshrink_of_float,
    lambda x, lambd: np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, x * 0)),
    params={"lambd": 0.5},
    vjp=(lambda g, y, x, lambd: where((x >= -lambd) & (x <= lambd), 0.0, g),),
    domain=(REAL.without(-0.5, 0.5),),
    pinned=(Pin((0.5,), (0.0,), "the bound counts as inside"),),
    why="Everything moves lambd towards 0, and what is nearer stays there.",
)  # fmt: skip
hardshrink = both(
    "hardshrink", "x",
    lambda x, lambd: 0.0 if -lambd <= x <= lambd else x,
    lambda x, lambd: np.where((x >= -lambd) & (x <= lambd), 0, x),
    params={"lambd": 0.5},
    vjp=(lambda g, y, x, lambd: where((x >= -lambd) & (x <= lambd), 0.0, g),),
    domain=(REAL.without(-0.5, 0.5),),
    pinned=(Pin((0.5,), (0.0,), "the bound counts as inside"),),
    why="What is within lambd of 0 becomes 0; the rest is itself.",
)  # fmt: skip
threshold = both(
    "threshold", "x",
    lambda x, threshold, value: value if x <= threshold else x,
    lambda x, threshold, value: np.where(x <= threshold, value, x),
    params={"threshold": 0.0, "value": 0.0},
    vjp=(lambda g, y, x, threshold, value: where(x <= threshold, 0.0, g),),
    domain=(REAL.without(0.0),),
    pinned=(Pin((0.0,), (0.0,), "the threshold counts as below"),),
    why="What is not above the threshold becomes a constant.",
)  # fmt: skip
prelu = both(
    "prelu", "x weight",
    lambda x, weight: x if x > 0 else weight * x,
    lambda x, weight: np.where(x > 0, x, weight * x),
    vjp=(
        lambda g, y, x, weight: where(x > 0, g, g * weight),
        lambda g, y, x, weight: where(x > 0, 0.0, g * x),
    ),
    domain=(REAL.without(0.0), REAL),
    pinned=(Pin((0.0, 0.25), (0.25, 0.0), "0 counts as the left side"),),
    why="leaky_relu whose slope is learnt: left of 0 a product, so each factor gets the other.",
)  # fmt: skip
