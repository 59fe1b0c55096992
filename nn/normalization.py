"""Layers that bring each example to mean 0 and spread 1 by itself: layer, RMS and group norm."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import init
from .functional import normalization as F
from .linear import blank
from .module import Module
from .parameter import Parameter


class LayerNorm(Module):
    """Every example brought to mean 0 and spread 1 over its last axes, then scaled and shifted.

    y = (x - mean) / √(var + eps) · weight + bias, in training and evaluation alike.

    Args:
        normalized_shape: the last axes of the input.
        eps: keeps a constant example from being divided by 0.
        elementwise_affine: learn ``weight`` and ``bias`` of that shape, from 1 and 0.
        bias: learn ``bias``.

    Shapes: (..., *normalized_shape), output the same.

    Backward: mean and spread depend on every entry of the row, so with x̂ the normalized row, s its
    spread and ĝ = g · weight, dx = (ĝ - mean(ĝ) - x̂ mean(ĝ x̂)) / s. dweight = Σ g x̂ and dbias =
    Σ g over rows (Ba, Kiros & Hinton, "Layer normalization", 2016).

    >>> import gradling
    >>> LayerNorm(8)(gradling.zeros(2, 5, 8)).shape
    (2, 5, 8)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        given = normalized_shape
        self.normalized_shape = tuple(given) if isinstance(given, (tuple, list)) else (given,)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        affine = elementwise_affine
        self.weight = blank(*self.normalized_shape, dtype=dtype) if affine else None
        self.bias = blank(*self.normalized_shape, dtype=dtype) if affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again from weight 1 and bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
            f", bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """Every example brought to a mean square of 1 over its last axes, then scaled.

    y = x / √(mean(x²) + eps) · weight: layer norm that leaves the mean where it is.

    Args:
        normalized_shape: the last axes of the input.
        eps: the dtype's smallest step from 1 if None.
        elementwise_affine: learn ``weight``, from 1.

    Shapes: (..., *normalized_shape), output the same.

    Backward: with x̂ = x / s and ĝ = g · weight, dx = (ĝ - x̂ mean(ĝ x̂)) / s, dweight = Σ g x̂
    (Zhang & Sennrich, "Root mean square layer normalization", 2019).

    >>> import gradling
    >>> RMSNorm(4)(gradling.ones(2, 4))[0]
    tensor([1., 1., 1., 1.], grad_fn=...)
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        given = normalized_shape
        self.normalized_shape = tuple(given) if isinstance(given, (tuple, list)) else (given,)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.weight = blank(*self.normalized_shape, dtype=dtype) if elementwise_affine else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again from weight 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Groups of channels brought to mean 0 and spread 1 per example, then scaled by channel.

    Args:
        num_groups: 1 takes all channels together, ``num_channels`` each by itself.
        num_channels: C, divisible by ``num_groups``.
        affine: learn ``weight`` (C,) and, unless ``bias=False``, ``bias`` (C,), from 1 and 0.

    Shapes: (N, C, *), output the same.

    Backward: that of ``LayerNorm`` with a group's channels and places as its row (Wu & He, "Group
    normalization", 2018). It needs no batch, so it takes the place of batch norm where batches are
    small.

    >>> import gradling
    >>> GroupNorm(2, 6)(gradling.zeros(1, 6, 4, 4)).shape
    (1, 6, 4, 4)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels={num_channels} must be divisible by "
                f"num_groups={num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.weight = blank(num_channels, dtype=dtype) if affine else None
        self.bias = blank(num_channels, dtype=dtype) if affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again from weight 1 and bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


__all__ = ["GroupNorm", "LayerNorm", "RMSNorm"]
