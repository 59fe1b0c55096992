"""Functions of tensors entry by entry, and their broadcasting.

Most rows of the table become a function as they are; those with options have one of their own here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engine import TABLE, Op
from . import kernels as _kernels  # noqa: F401  (attaches the array kernels)
from .arguments import RangeError, all_tensors
from .dtypes import common_dtype
from .errors import DtypeError
from .record import binary, elementwise, unary
from .whole import check

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
arcsinh, arccosh, arctanh = asinh, acosh, atanh
erf, sigmoid, relu = unary(TABLE["erf"]), unary(TABLE["sigmoid"]), unary(TABLE["relu"])
silu, logsigmoid = unary(TABLE["silu"]), unary(TABLE["logsigmoid"])
floor, ceil = unary(TABLE["floor"]), unary(TABLE["ceil"])
trunc = fix = unary(TABLE["trunc"])
frac, sign, logical_not = unary(TABLE["frac"]), unary(TABLE["sign"]), unary(TABLE["logical_not"])
isnan, isinf, isfinite = unary(TABLE["isnan"]), unary(TABLE["isinf"]), unary(TABLE["isfinite"])
bitwise_not = unary(TABLE["bitwise_not"])
sgn = sign

mul = multiply = binary(TABLE["mul"])
pow = binary(TABLE["pow"])
floor_divide = binary(TABLE["floor_divide"])
remainder, fmod = binary(TABLE["remainder"]), binary(TABLE["fmod"])
maximum, minimum = binary(TABLE["maximum"]), binary(TABLE["minimum"])
atan2 = arctan2 = binary(TABLE["atan2"])
hypot, logaddexp, xlogy = binary(TABLE["hypot"]), binary(TABLE["logaddexp"]), binary(TABLE["xlogy"])
eq, ne = binary(TABLE["eq"]), binary(TABLE["ne"])
lt, le, gt, ge = binary(TABLE["lt"]), binary(TABLE["le"]), binary(TABLE["gt"]), binary(TABLE["ge"])
not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
logical_and, logical_or = binary(TABLE["logical_and"]), binary(TABLE["logical_or"])
logical_xor = binary(TABLE["logical_xor"])
bitwise_and, bitwise_or = binary(TABLE["bitwise_and"]), binary(TABLE["bitwise_or"])
bitwise_xor = binary(TABLE["bitwise_xor"])
bitwise_left_shift = binary(TABLE["bitwise_left_shift"])
bitwise_right_shift = binary(TABLE["bitwise_right_shift"])
_add, _sub, _div = binary(TABLE["add"]), binary(TABLE["sub"]), binary(TABLE["div"])
_trunc_divide = binary(TABLE["trunc_divide"])
_round, _logit = unary(TABLE["round"]), unary(TABLE["logit"])


def add(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """``input + alpha * other``, broadcasting.

    >>> import gradling
    >>> gradling.add(gradling.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    return _add(input, _scaled(TABLE["add"], input, other, alpha))


def sub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """``input - alpha * other``, broadcasting. Truth values are refused: see ``~mask``."""
    return _sub(input, _scaled(TABLE["sub"], input, other, alpha))


subtract = sub


def rsub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """``other - alpha * input``, broadcasting."""
    return sub(other, input, alpha=alpha)


def _scaled(op: Op, input: Any, other: Any, alpha: float) -> Any:
    """``alpha * other``, which does not change what the result's dtype would be."""
    if alpha == 1:
        return other
    arrays = [getattr(x, "_data", x) for x in (input, other)]
    dtype = common_dtype(arrays)
    check(op, arrays, dtype)
    if dtype.kind != "f" and isinstance(alpha, float):
        raise DtypeError(f"{op.name}: {alpha} times whole numbers is not whole; use .float() first")
    return mul(other, alpha).to(dtype) if hasattr(other, "to") else other * alpha


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``, broadcasting; rounded down with "floor" or towards 0 with "trunc".

    Whole numbers give floats, and stay whole when rounded.

    Raises:
        RangeError: for any other rounding mode.

    >>> import gradling
    >>> gradling.div(gradling.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    """
    if rounding_mode is None:
        return _div(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        raise RangeError(
            f"div: rounding_mode must be None, 'floor' or 'trunc', got {rounding_mode!r}"
        )
    return _trunc_divide(input, other)


divide = true_divide = div


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest whole number, or with that many decimals (tens and hundreds where negative).

    Halves go to the even neighbour: 0.5 to 0, 1.5 to 2. The slope is 0.

    >>> import gradling
    >>> gradling.round(gradling.tensor([0.5, 1.5, 2.345]), decimals=1)
    tensor([0.5000, 1.5000, 2.3000])
    """
    if decimals == 0:
        return _round(input)
    if input._data.dtype.kind != "f":
        raise DtypeError(f"round: decimals need a floating tensor, got {input.dtype}; use .float()")
    if decimals < 0:
        return mul(_round(div(input, 10**-decimals)), 10**-decimals)
    return div(_round(mul(input, 10**decimals)), 10**decimals)


def positive(input: Tensor) -> Tensor:
    """``+input``: the tensor itself."""
    if input._data.dtype.kind == "b":
        raise DtypeError("positive: not defined on truth values; convert with .int() first")
    return input


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """``input + weight * (end - input)``: input at weight 0, end at weight 1.

    >>> import gradling
    >>> gradling.lerp(gradling.tensor([0.0, 10.0]), gradling.tensor([1.0, 20.0]), 0.5)
    tensor([ 0.5000, 15.0000])
    """
    return elementwise(TABLE["lerp"], (input, end, weight))


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``, broadcasting."""
    all_tensors("addcmul", input=input, tensor1=tensor1, tensor2=tensor2)
    input, tensor1, tensor2 = _alike(input, tensor1, tensor2)
    return add(input, mul(tensor1, tensor2), alpha=value)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``, broadcasting.

    Raises:
        DtypeError: both are whole: it would not be clear whether to round.
    """
    all_tensors("addcdiv", input=input, tensor1=tensor1, tensor2=tensor2)
    if tensor1._data.dtype.kind != "f" and tensor2._data.dtype.kind != "f":
        raise DtypeError(
            "addcdiv: whole numbers would be divided, and whether to round is not said: convert "
            "one with .float(), or use input + value * tensor1 // tensor2"
        )
    input, tensor1, tensor2 = _alike(input, tensor1, tensor2)
    return add(input, div(tensor1, tensor2), alpha=value)


def _alike(*tensors: Tensor) -> list[Tensor]:
    """All in their common dtype, so that nothing is rounded in between to a narrower one."""
    dtype = common_dtype([x._data for x in tensors])
    return [x.to(dtype) for x in tensors]


def float_power(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent`` in float64."""
    return pow(*(x.double() if hasattr(x, "double") else float(x) for x in (input, exponent)))


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)), the inverse of sigmoid; with ``eps``, of x clamped to [eps, 1 - eps]."""
    from .choice import clamp

    return _logit(input if eps is None else clamp(input, eps, 1 - eps))


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where positive, ``negative_slope`` * x elsewhere."""
    return elementwise(TABLE["leaky_relu"], (input,), (negative_slope,))


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """x where positive, ``alpha`` * (exp(x) - 1) elsewhere (Clevert et al., 2015)."""
    return elementwise(TABLE["elu"], (input,), (alpha,))


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x), with Φ the normal distribution function (Hendrycks & Gimpel, 2016).

    ``approximate="tanh"`` is their cheaper form of it.
    """
    if approximate not in ("none", "tanh"):
        raise RangeError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return elementwise(TABLE["gelu"], (input,), (approximate,))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta x)) / beta, and x itself where beta x > ``threshold``."""
    return elementwise(TABLE["softplus"], (input,), (beta, threshold))
