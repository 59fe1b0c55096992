"""Activations entry by entry. The layers of the same names say more about each.

``inplace=True`` keeps the result in the input tensor too, as PyTorch programs may rely on; it saves
no memory here.
"""

from __future__ import annotations

from typing import Any

from ...engine import TABLE
from ...tensor import Tensor
from ...tensor import elementwise as tensors
from ...tensor.elementwise import gelu, logsigmoid, sigmoid, softplus, tanh
from ...tensor.errors import ShapeError
from ...tensor.generators import drawing
from ...tensor.inplace import assign
from ...tensor.record import elementwise
from ..rows import activations as rows

__all__ = [
    "celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu",
    "logsigmoid", "mish", "prelu", "relu", "relu6", "rrelu", "selu", "sigmoid", "silu", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold",
]  # fmt: skip

_SILU, _LEAKY_RELU, _ELU = TABLE["silu"], TABLE["leaky_relu"], TABLE["elu"]


def _result(name: str, input: Tensor, y: Tensor, inplace: bool) -> Tensor:
    return assign(input, y, f"{name}_") if inplace else y


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0), whose slope at 0 is 0.

    >>> import gradling
    >>> relu(gradling.tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    return _result("relu", input, tensors.relu(input), inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where positive, negative_slope · x elsewhere."""
    y = elementwise(_LEAKY_RELU, (input,), (negative_slope,))
    return _result("leaky_relu", input, y, inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where positive, weight · x elsewhere; ``weight`` (1,) for all, or (C,), one per channel
    (axis 1).

    >>> import gradling
    >>> prelu(gradling.tensor([-2.0, 2.0]), gradling.tensor([0.25])).tolist()
    [-0.5, 2.0]
    """
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.shape != (channels,):
            raise ShapeError(
                f"prelu: weight {weight.shape} must be (1,) or one slope per channel, "
                f"({channels},), for input {input.shape}"
            )
        weight = weight.reshape(channels, *(1,) * (input.ndim - 2))
    elif input.ndim == 0:
        weight = weight.reshape(())
    return elementwise(rows.prelu, (input, weight))


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Tensor:
    """leaky_relu with slopes drawn evenly from [lower, upper] in training, else their mean."""
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    if lower > upper:
        raise ValueError(f"rrelu: expected lower <= upper, got {lower} and {upper}")
    slopes = drawing("rrelu", generator).uniform(lower, upper, input.shape)
    y = elementwise(rows.prelu, (input, slopes.astype(input.dtype)))
    return _result("rrelu", input, y, inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where positive, alpha (exp(x) - 1) elsewhere."""
    return _result("elu", input, elementwise(_ELU, (input,), (alpha,)), inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """1.0507 · elu(x, 1.6733): keeps mean 0 and variance 1."""
    return _result("selu", input, elementwise(rows.selu, (input,)), inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where positive, alpha (exp(x / alpha) - 1) elsewhere: smooth at 0 for every alpha.

    Raises:
        ValueError: alpha is 0.
    """
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0, by which x is divided; relu is the limit")
    return _result("celu", input, elementwise(rows.celu, (input,), (alpha,)), inplace)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x σ(x), also called swish."""
    return _result("silu", input, elementwise(_SILU, (input,)), inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(log(1 + exp(x)))."""
    return _result("mish", input, elementwise(rows.mish, (input,)), inplace)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return elementwise(rows.softsign, (input,))


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return elementwise(rows.tanhshrink, (input,))


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """The nearest number in [min_val, max_val], with slope 0 at the bounds (clamp has 1).

    Raises:
        ValueError: min_val is above max_val.
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: expected min_val <= max_val, got {min_val} and {max_val}")
    y = elementwise(rows.hardtanh, (input,), (min_val, max_val))
    return _result("hardtanh", input, y, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """relu6(x + 3) / 6."""
    return _result("hardsigmoid", input, elementwise(rows.hardsigmoid, (input,)), inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x relu6(x + 3) / 6."""
    return _result("hardswish", input, elementwise(rows.hardswish, (input,)), inplace)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved by lambd towards 0, but not across it.

    Raises:
        ValueError: lambd is negative.
    """
    if lambd < 0:
        raise ValueError(f"softshrink: lambd must not be negative, got {lambd}")
    return elementwise(rows.softshrink, (input,), (lambd,))


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 within lambd of 0, else x."""
    return elementwise(rows.hardshrink, (input,), (lambd,))


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where above ``threshold``, else ``value``."""
    y = elementwise(rows.threshold, (input,), (threshold, value))
    return _result("threshold", input, y, inplace)
