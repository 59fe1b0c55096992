"""How arrays compute each elementwise op. NumPy's own functions where it has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.op import KINDS, attach
from ..engine.rows.activations import INV_SQRT2, TANH_CUBIC, TANH_SCALE
from .erf import erf
from .node import Array


def div(a: Any, b: Any) -> Any:
    return np.true_divide(a, b)


def rsqrt(x: Array) -> Any:
    return 1 / np.sqrt(x)


def sigmoid(x: Array) -> Any:
    # exp may overflow to inf far left, where 1/(1 + inf) is the right answer, 0
    return 1 / (1 + np.exp(-x))


def relu(x: Array) -> Any:
    return np.maximum(x, 0)


def leaky_relu(x: Array, negative_slope: float) -> Any:
    return np.where(x > 0, x, x * negative_slope)


def elu(x: Array, alpha: float) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def gelu(x: Array, approximate: str) -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(TANH_SCALE * (x + TANH_CUBIC * (x * x * x))))
    return 0.5 * x * (1 + erf(x * INV_SQRT2))


def silu(x: Array) -> Any:
    return x * sigmoid(x)


def softplus(x: Array, beta: float, threshold: float) -> Any:
    z = x * beta
    return np.where(z > threshold, x, np.logaddexp(0, z) / beta)


def logsigmoid(x: Array) -> Any:
    return -np.logaddexp(0, -x)


def xlogy(a: Any, b: Any) -> Any:
    return np.where((a == 0) & ~np.isnan(b), 0, a * np.log(np.where(a == 0, 1, b)))


def lerp(a: Any, b: Any, weight: Any) -> Any:
    # from the nearer end, so that weight = 1 gives b to the last bit
    return np.where(np.abs(weight) < 0.5, a + weight * (b - a), b - (b - a) * (1 - weight))


def clamp(x: Any, low: Any, high: Any) -> Any:
    return np.minimum(np.maximum(x, low), high)


def nan_to_num(x: Array, nan: float, posinf: float | None, neginf: float | None) -> Any:
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


ARRAYS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": div,
    "neg": np.negative,
    "abs": np.absolute,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "fmod": np.fmod,
    "ceil": np.ceil,
    "floor": np.floor,
    "round": np.rint,
    "trunc": np.trunc,
    "lerp": lerp,
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
    "bitwise_not": np.invert,
    "bitwise_left_shift": np.left_shift,
    "bitwise_right_shift": np.right_shift,
    "where": np.where,
    "sign": np.sign,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "clamp": clamp,
    "nan_to_num": nan_to_num,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "logical_not": np.logical_not,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "pow": np.power,
    "square": np.square,
    "sqrt": np.sqrt,
    "rsqrt": rsqrt,
    "reciprocal": lambda x: 1 / x,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "logaddexp": np.logaddexp,
    "xlogy": xlogy,
    "hypot": np.hypot,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": erf,
    "sigmoid": sigmoid,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "gelu": gelu,
    "silu": silu,
    "softplus": softplus,
    "logsigmoid": logsigmoid,
}

attach(np.ndarray, ARRAYS)
for _scalar in (np.bool_, np.uint8, np.int8, np.int16, np.int32, np.int64, np.float16, np.float32, np.float64):
    KINDS[_scalar] = (2, np.ndarray)
KINDS[np.ndarray] = (2, np.ndarray)
