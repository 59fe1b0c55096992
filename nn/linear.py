"""Layers that mix features, or only rearrange them."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tensor.arguments import numbers
from ..tensor.dtypes import as_dtype, get_default_dtype
from ..tensor.shape import flatten, unflatten
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


def blank(*shape: int, dtype: Any = None) -> Parameter:
    """A parameter to be filled by ``reset_parameters``."""
    sizes = numbers("layer", shape)
    if any(n < 0 for n in sizes):
        raise ValueError(f"layer: sizes cannot be negative, got {sizes} for a parameter")
    return Parameter(
        Tensor(np.zeros(sizes, get_default_dtype() if dtype is None else as_dtype(dtype)))
    )


class Identity(Module):
    """Gives what it is given; any arguments are ignored. Backward: the gradient as it comes.

    >>> Identity(54, unused=True)(3)
    3
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    """y = x Wᵀ + b along the last axis.

    Args:
        in_features: size of the last axis of the input.
        out_features: size of the last axis of the output.
        bias: learn b.
        dtype: of the parameters; the default dtype if None.
        generator: what the start values are drawn from.

    Shapes: input (..., in_features), output (..., out_features). Parameters: ``weight``
    (out_features, in_features) and ``bias`` (out_features,), both starting evenly from
    ±1/√in_features, which keeps the variance of y near a third of x's (LeCun et al., "Efficient
    backprop", 1998).

    Backward: y_no = Σ_i x_ni W_oi + b_o, so dx_ni = Σ_o g_no W_oi, dW_oi = Σ_n g_no x_ni, db_o =
    Σ_n g_no; in matrices dx = g W, dW = gᵀ x.

    >>> import gradling
    >>> Linear(3, 5)(gradling.zeros(2, 3)).shape
    (2, 5)
    """

    in_features: int
    out_features: int
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = blank(out_features, in_features, dtype=dtype)
        self.bias = blank(out_features, dtype=dtype) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw the parameters anew."""
        bound = 1 / sqrt(self.in_features) if self.in_features else 0.0
        init.uniform_(self.weight, -bound, bound, generator)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound, generator)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """y_k = x₁ᵀ W_k x₂ + b_k: a score for every pair of features.

    Shapes: inputs (..., in1_features) and (..., in2_features), output (..., out_features).
    ``weight`` is (out_features, in1_features, in2_features); it and ``bias`` start evenly from
    ±1/√in1_features.

    Backward: y_k is linear in each of x₁, W and x₂, so each one's gradient is the product of the
    other two with g: dx₁ = Σ_k g_k W_k x₂, dx₂ = Σ_k g_k W_kᵀ x₁, dW_k = g_k x₁ x₂ᵀ.

    >>> import gradling
    >>> Bilinear(2, 3, 4)(gradling.zeros(5, 2), gradling.zeros(5, 3)).shape
    (5, 4)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__()
        if in1_features < 1:
            raise ValueError(f"Bilinear: expected in1_features of 1 or more, got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = blank(out_features, in1_features, in2_features, dtype=dtype)
        self.bias = blank(out_features, dtype=dtype) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw the parameters anew."""
        bound = 1 / sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound, generator)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound, generator)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Flatten(Module):
    """Axes ``start_dim`` to ``end_dim`` as one: (N, C, H, W) -> (N, C H W) by default.

    Backward: the gradient in the input's shape.

    >>> import gradling
    >>> Flatten()(gradling.zeros(2, 3, 4)).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Axis ``dim`` split into several of sizes ``unflattened_size``, one of which may be -1.

    Backward: the gradient in the input's shape.

    >>> import gradling
    >>> Unflatten(1, (3, -1))(gradling.zeros(2, 12)).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, input: Tensor) -> Tensor:
        return unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
