"""Where parameters start: each function fills a tensor in place and returns it.

A layer keeps the size of what passes through it if the variance of its weights is 1 / fan, fan
being the number of inputs (forward) or outputs (backward) of one unit, times a gain that makes up
for what the activation takes away.
"""

from __future__ import annotations

from math import erf, prod, sqrt
from typing import Any

import numpy as np

from ..tensor import Tensor, edits
from ..tensor.generators import drawing
from ..tensor.node import Array

_LINEAR = {
    "linear", "sigmoid", "conv1d", "conv2d", "conv3d",
    "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights grow to make up for what ``nonlinearity`` takes away.

    1 for linear layers and sigmoid, 5/3 for tanh, √2 for relu, √(2 / (1 + slope²)) for leaky_relu
    with ``param`` as slope (0.01), 3/4 for selu.

    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity in _LINEAR:
        return 1.0
    if nonlinearity == "tanh":
        return 5 / 3
    if nonlinearity == "relu":
        return sqrt(2)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(
                f"calculate_gain: expected a number as slope of leaky_relu, got {param!r}"
            )
        return sqrt(2 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3 / 4
    raise ValueError(
        f"calculate_gain: unknown nonlinearity {nonlinearity!r}; there are "
        f"{', '.join(sorted(_LINEAR))}, tanh, relu, leaky_relu, selu"
    )


def fill(name: str, tensor: Tensor, numbers: Any) -> Tensor:
    """Write ``numbers`` into a tensor's memory, outside the graph."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    edits.note(tensor._data)
    tensor._data[...] = numbers
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Evenly from [a, b)."""
    return fill("uniform_", tensor, drawing("uniform_", generator).uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """From the normal distribution."""
    return fill("normal_", tensor, drawing("normal_", generator).normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """From the normal distribution, drawing again what falls outside [a, b] (not scaled by std)."""
    draw = drawing("trunc_normal_", generator)
    inside = 0.5 * (erf((b - mean) / std / sqrt(2)) - erf((a - mean) / std / sqrt(2)))
    if not a < b or inside < 1e-3:
        raise ValueError(
            f"trunc_normal_: a normal distribution of mean {mean} and std {std} hardly ever falls "
            f"between a = {a} and b = {b}, which are bounds on the numbers themselves; widen them"
        )
    numbers = draw.normal(mean, std, tensor.shape)
    outside = (numbers < a) | (numbers > b)
    while outside.any():
        numbers[outside] = draw.normal(mean, std, int(outside.sum()))
        outside = (numbers < a) | (numbers > b)
    return fill("trunc_normal_", tensor, numbers)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """``val`` everywhere."""
    return fill("constant_", tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return fill("zeros_", tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return fill("ones_", tensor, 1)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix: as much of the input passes through as fits."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: expected a matrix, got shape {tensor.shape}")
    return fill("eye_", tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Convolution weights (out, in / groups, *kernel) that pass as many channels through as fit."""
    if not 3 <= tensor.ndim <= 5:
        raise ValueError(f"dirac_: expected 3, 4 or 5 dimensions, got shape {tensor.shape}")
    if groups < 1 or tensor.shape[0] % groups:
        raise ValueError(
            f"dirac_: {tensor.shape[0]} output channels cannot be split in {groups} groups"
        )
    numbers = np.zeros(tensor.shape)
    per_group = tensor.shape[0] // groups
    middle = tuple(n // 2 for n in tensor.shape[2:])
    for group in range(groups):
        for channel in range(min(per_group, tensor.shape[1])):
            numbers[(group * per_group + channel, channel, *middle)] = 1
    return fill("dirac_", tensor, numbers)


def fans(tensor: Tensor) -> tuple[int, int]:
    """(inputs, outputs) of one unit of a weight (out, in, *kernel)."""
    if tensor.ndim < 2:
        raise ValueError(
            f"init: fan in and fan out need a weight of at least 2 dimensions (out, in), got shape "
            f"{tensor.shape}; for a bias take zeros_ or uniform_"
        )
    kernel = prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Evenly, with variance gain² · 2 / (fan in + fan out).

    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks"
    (2010).
    """
    bound = sqrt(3) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal, with variance gain² · 2 / (fan in + fan out) (Glorot & Bengio, 2010)."""
    return normal_(tensor, 0, _xavier_std(tensor, gain), generator)


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * sqrt(2 / max(1, sum(fans(tensor))))


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Evenly, with variance gain² / fan; ``a`` is the slope of leaky_relu.

    He et al., "Delving deep into rectifiers" (2015).
    """
    bound = sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Normal, with variance gain² / fan; ``a`` is the slope of leaky_relu (He et al., 2015)."""
    return normal_(tensor, 0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"kaiming: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / sqrt(max(1, fan))


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Rows (or columns, if there are fewer) that are orthogonal and of length ``gain``.

    Dimensions after the first count as one. Saxe et al., "Exact solutions to the nonlinear dynamics
    of learning in deep linear neural networks" (2014).
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: expected at least 2 dimensions, got shape {tensor.shape}")
    rows, columns = tensor.shape[0], prod(tensor.shape[1:])
    random = drawing("orthogonal_", generator).standard_normal(
        (max(rows, columns), min(rows, columns))
    )
    q, r = np.linalg.qr(random)
    # without the signs the distribution would not be even over rotations
    signs: Array = np.where(np.diagonal(r) < 0, -1.0, 1.0)
    q = q * signs
    return fill("orthogonal_", tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal numbers, with the share ``sparsity`` of each column set to 0 (Martens, 2010)."""
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: expected a matrix, got shape {tensor.shape}")
    draw = drawing("sparse_", generator)
    numbers = draw.normal(0, std, tensor.shape)
    zeros = -int(-sparsity * tensor.shape[0] // 1)  # rounded up
    for column in range(tensor.shape[1]):
        numbers[draw.permutation(tensor.shape[0])[:zeros], column] = 0
    return fill("sparse_", tensor, numbers)
