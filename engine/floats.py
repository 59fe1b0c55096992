"""How one number computes each elementwise op: ``math``, with IEEE answers where Python raises."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import copysign, inf, isnan, nan
from typing import Any

from .op import attach, divide
from .rows.activations import INV_SQRT2, TANH_CUBIC, TANH_SCALE
from .rows.arithmetic import spelt_sum

Kernel = Callable[..., Any]


def ieee(function: Callable[[float], float], overflow: float = inf) -> Callable[[float], float]:
    """``function``; nan outside its domain, ``overflow`` (signed as x where odd) beyond it."""

    def kernel(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return nan
        except OverflowError:
            return copysign(overflow, x) if function is math.sinh else overflow

    return kernel


def pole(function: Callable[[float], float], at: float, value: float) -> Callable[[float], float]:
    """``function`` with its one-sided infinity ``value`` at ``at``, nan outside its domain."""

    def kernel(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return value if x == at else nan

    return kernel


def power(a: float, b: float) -> float:
    if a <= 0.0 and abs(b) == 0.5:  # roots, as in PyTorch: the sign of 0 counts, -inf has none
        return sqrt(a) if b > 0.0 else rsqrt(a)
    try:
        return math.pow(a, b)
    except OverflowError:
        odd = a < 0 and b % 2 == 1
        return -inf if odd else inf
    except ValueError:
        if a == 0:  # 0 to a negative power
            return copysign(inf, a) if b % 2 == 1 else inf
        return nan  # a negative base to a broken power


def exp2(x: float) -> float:
    return power(2.0, x)


def floor(x: float) -> float:
    return float(math.floor(x)) if math.isfinite(x) else x


def ceil(x: float) -> float:
    return -floor(-x)


def trunc(x: float) -> float:
    return copysign(float(math.trunc(x)), x) if math.isfinite(x) else x


def round_half_even(x: float) -> float:
    return copysign(float(round(x)), x) if math.isfinite(x) else x


def floor_divide(a: float, b: float) -> float:
    if b == 0 or not math.isfinite(a):
        return divide(a, b) if b == 0 else nan
    return a // b


def remainder(a: float, b: float) -> float:
    if b == 0 or not math.isfinite(a) or isnan(b):
        return nan
    return a % b


def fmod(a: float, b: float) -> float:
    try:
        return math.fmod(a, b)
    except ValueError:
        return nan


def sign(x: float) -> float:
    return float((x > 0) - (x < 0))


def frac(x: float) -> float:
    return x - trunc(x)


def sigmoid(x: float) -> float:
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    z = math.exp(x)
    return z / (1.0 + z)


def softplus(x: float, beta: float, threshold: float) -> float:
    z = x * beta
    if z > threshold:
        return x
    return (max(z, 0.0) + math.log1p(math.exp(-abs(z)))) / beta if z == z else nan


def logsigmoid(x: float) -> float:
    return min(x, 0.0) - math.log1p(math.exp(-abs(x))) if x == x else nan


def gelu(x: float, approximate: str) -> float:
    if approximate == "tanh":
        return x * sigmoid(2 * TANH_SCALE * (x + TANH_CUBIC * (x * x * x)))
    return x * 0.5 * (1.0 + math.erf(x * INV_SQRT2)) if x != -inf else nan


def expm1(x: float) -> float:
    try:
        return math.expm1(x)
    except OverflowError:
        return inf


def maximum(a: float, b: float) -> float:
    return nan if isnan(a) or isnan(b) else max(a, b)


def minimum(a: float, b: float) -> float:
    return nan if isnan(a) or isnan(b) else min(a, b)


def clamp(x: float, low: float, high: float) -> float:
    return minimum(maximum(x, low), high)


def logaddexp(a: float, b: float) -> float:
    if a == b:
        return a + math.log(2.0)
    top, gap = maximum(a, b), abs(a - b)
    return top + math.log1p(math.exp(-gap)) if top == top else nan


def xlogy(a: float, b: float) -> float:
    if isnan(b):
        return nan
    return 0.0 if a == 0 else a * log(b)


def nan_to_num(x: float, nan: float, posinf: float | None, neginf: float | None) -> float:
    largest = 1.7976931348623157e308
    if isnan(x):
        return nan
    if x == inf:
        return largest if posinf is None else posinf
    if x == -inf:
        return -largest if neginf is None else neginf
    return x


def lerp(a: float, b: float, weight: float) -> float:
    # from the nearer end, so that weight = 1 gives b to the last bit
    return a + weight * (b - a) if abs(weight) < 0.5 else b - (b - a) * (1.0 - weight)


def rsqrt(x: float) -> float:
    return divide(1.0, math.sqrt(x)) if x >= 0 else nan


log = pole(math.log, 0.0, -inf)
sqrt = ieee(math.sqrt)

FLOATS: dict[str, Kernel] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": divide,
    "neg": lambda x: -x,
    "abs": abs,
    "floor_divide": floor_divide,
    "trunc_divide": lambda a, b: trunc(divide(a, b)),
    "remainder": remainder,
    "fmod": fmod,
    "ceil": ceil,
    "floor": floor,
    "round": round_half_even,
    "trunc": trunc,
    "frac": frac,
    "lerp": lerp,
    "weighted_sum": spelt_sum,
    "where": lambda condition, a, b: a if condition else b,
    "sign": sign,
    "maximum": maximum,
    "minimum": minimum,
    "clamp": clamp,
    "nan_to_num": nan_to_num,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "logical_and": lambda a, b: bool(a) and bool(b),
    "logical_or": lambda a, b: bool(a) or bool(b),
    "logical_xor": lambda a, b: bool(a) != bool(b),
    "logical_not": lambda x: not x,
    "isnan": isnan,
    "isinf": math.isinf,
    "isfinite": math.isfinite,
    "pow": power,
    "square": lambda x: x * x,
    "sqrt": sqrt,
    "rsqrt": rsqrt,
    "reciprocal": lambda x: divide(1.0, x),
    "exp": ieee(math.exp),
    "exp2": exp2,
    "expm1": expm1,
    "log": log,
    "log2": pole(math.log2, 0.0, -inf),
    "log10": pole(math.log10, 0.0, -inf),
    "log1p": pole(math.log1p, -1.0, -inf),
    "logaddexp": logaddexp,
    "xlogy": xlogy,
    "hypot": math.hypot,
    "sin": ieee(math.sin),
    "cos": ieee(math.cos),
    "tan": ieee(math.tan),
    "asin": ieee(math.asin),
    "acos": ieee(math.acos),
    "atan": math.atan,
    "atan2": math.atan2,
    "sinh": ieee(math.sinh),
    "cosh": ieee(math.cosh),
    "tanh": math.tanh,
    "asinh": math.asinh,
    "acosh": ieee(math.acosh),
    "atanh": lambda x: copysign(inf, x) if abs(x) == 1 else ieee(math.atanh)(x),
    "erf": math.erf,
    "sigmoid": sigmoid,
    "logit": lambda x: log(divide(x, 1.0 - x)),
    "relu": lambda x: x if x > 0 or x != x else 0.0,
    "leaky_relu": lambda x, negative_slope: x if x > 0 else x * negative_slope,
    "elu": lambda x, alpha: x if x > 0 else alpha * expm1(x),
    "gelu": gelu,
    "silu": lambda x: x * sigmoid(x),
    "softplus": softplus,
    "logsigmoid": logsigmoid,
}

attach(float, FLOATS)
