"""Functions of tensors entry by entry, and their broadcasting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine import TABLE
from . import kernels as _kernels  # noqa: F401  (attaches the array kernels)
from .record import binary, elementwise, unary

if TYPE_CHECKING:
    from .tensor import Tensor

abs = absolute = unary(TABLE["abs"])
neg = negative = unary(TABLE["neg"])
exp, exp2, expm1 = unary(TABLE["exp"]), unary(TABLE["exp2"]), unary(TABLE["expm1"])
log, log1p = unary(TABLE["log"]), unary(TABLE["log1p"])
log2, log10 = unary(TABLE["log2"]), unary(TABLE["log10"])
sqrt, rsqrt = unary(TABLE["sqrt"]), unary(TABLE["rsqrt"])
square, reciprocal = unary(TABLE["square"]), unary(TABLE["reciprocal"])
sin, cos, tan = unary(TABLE["sin"]), unary(TABLE["cos"]), unary(TABLE["tan"])
asin, acos, atan = unary(TABLE["asin"]), unary(TABLE["acos"]), unary(TABLE["atan"])
sinh, cosh, tanh = unary(TABLE["sinh"]), unary(TABLE["cosh"]), unary(TABLE["tanh"])
asinh, acosh, atanh = unary(TABLE["asinh"]), unary(TABLE["acosh"]), unary(TABLE["atanh"])
arcsin, arccos, arctan = asin, acos, atan
erf, sigmoid, relu = unary(TABLE["erf"]), unary(TABLE["sigmoid"]), unary(TABLE["relu"])
silu, logsigmoid = unary(TABLE["silu"]), unary(TABLE["logsigmoid"])
floor, ceil, trunc = unary(TABLE["floor"]), unary(TABLE["ceil"]), unary(TABLE["trunc"])
sign, logical_not = unary(TABLE["sign"]), unary(TABLE["logical_not"])
isnan, isinf, isfinite = unary(TABLE["isnan"]), unary(TABLE["isinf"]), unary(TABLE["isfinite"])
bitwise_not = unary(TABLE["bitwise_not"])

mul = multiply = binary(TABLE["mul"])
pow = binary(TABLE["pow"])
floor_divide = binary(TABLE["floor_divide"])
remainder, fmod = binary(TABLE["remainder"]), binary(TABLE["fmod"])
maximum, minimum = binary(TABLE["maximum"]), binary(TABLE["minimum"])
atan2 = arctan2 = binary(TABLE["atan2"])
hypot, logaddexp, xlogy = binary(TABLE["hypot"]), binary(TABLE["logaddexp"]), binary(TABLE["xlogy"])
eq, ne = binary(TABLE["eq"]), binary(TABLE["ne"])
lt, le, gt, ge = binary(TABLE["lt"]), binary(TABLE["le"]), binary(TABLE["gt"]), binary(TABLE["ge"])
logical_and, logical_or = binary(TABLE["logical_and"]), binary(TABLE["logical_or"])
logical_xor = binary(TABLE["logical_xor"])
bitwise_and, bitwise_or = binary(TABLE["bitwise_and"]), binary(TABLE["bitwise_or"])
bitwise_xor = binary(TABLE["bitwise_xor"])
bitwise_left_shift = binary(TABLE["bitwise_left_shift"])
bitwise_right_shift = binary(TABLE["bitwise_right_shift"])
_add, _sub, _div = binary(TABLE["add"]), binary(TABLE["sub"]), binary(TABLE["div"])


def add(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """``input + alpha * other``, broadcasting.

    >>> import gradling
    >>> gradling.add(gradling.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    return _add(input, other if alpha == 1 else mul(other, alpha))


def sub(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """``input - alpha * other``, broadcasting."""
    return _sub(input, other if alpha == 1 else mul(other, alpha))


subtract = sub


def div(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``, broadcasting; rounded down with "floor" or towards 0 with "trunc".

    Raises:
        ValueError: for any other rounding mode.
    """
    if rounding_mode is None:
        return _div(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode == "trunc":
        return trunc(_div(input, other))
    raise ValueError(f"div: rounding_mode must be None, 'floor' or 'trunc', got {rounding_mode!r}")


divide = true_divide = div


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where positive, ``negative_slope`` * x elsewhere."""
    return elementwise(TABLE["leaky_relu"], (input,), (negative_slope,))


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x where positive, ``alpha`` * (exp(x) - 1) elsewhere (Clevert et al., 2015)."""
    return elementwise(TABLE["elu"], (input,), (alpha,))


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x), with Φ the normal distribution function (Hendrycks & Gimpel, 2016); "tanh" approximates it."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return elementwise(TABLE["gelu"], (input,), (approximate,))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta x)) / beta, and x itself where beta x > ``threshold``."""
    return elementwise(TABLE["softplus"], (input,), (beta, threshold))
