"""Batch and instance norm: every channel at mean 0 and spread 1, which may be remembered."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tensor.errors import ShapeError
from . import init
from .functional import normalization as F
from .linear import blank
from .module import Module
from .parameter import Buffer, Parameter


class _Channelwise(Module):
    """Parameters and running statistics per channel, as batch and instance norm have them."""

    ndims: tuple[int, ...]  # numbers of axes that an input may have
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = blank(num_features, dtype=dtype) if affine else None
        self.bias = blank(num_features, dtype=dtype) if affine and bias else None
        zeros = blank(num_features, dtype=dtype)._data
        if track_running_stats:
            self.running_mean = Buffer(zeros)
            self.running_var = Buffer(zeros + 1)
            self.num_batches_tracked = Buffer(np.zeros((), np.int64))
        else:
            self.running_mean = self.running_var = self.num_batches_tracked = None
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the batches seen: mean 0, variance 1."""
        if self.running_mean is not None and self.running_var is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
        if self.num_batches_tracked is not None:
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Start again from weight 1, bias 0 and no batches seen."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check(self, input: Tensor) -> None:
        name = type(self).__name__
        if input.ndim not in self.ndims:
            wanted = " or ".join(f"{n}-d" for n in self.ndims)
            raise ShapeError(
                f"{name}: expected {wanted} input (batch, channels, ...), got {input.shape}"
            )
        if input.shape[self._axis(input)] != self.num_features:
            raise ShapeError(
                f"{name}: expected num_features = {self.num_features} channels (axis "
                f"{self._axis(input)}), got {input.shape}"
            )

    def _axis(self, input: Tensor) -> int:
        return 1

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Channelwise):
    def forward(self, input: Tensor) -> Tensor:
        self._check(input)
        seen = self.num_batches_tracked
        measure = self.training or self.running_mean is None
        share = 0.0 if self.momentum is None else self.momentum
        if self.training and seen is not None:
            seen._data[...] += 1
            if self.momentum is None:
                share = 1 / int(seen._data)
        moves = self.training and self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if moves or not measure else None,
            self.running_var if moves or not measure else None,
            self.weight,
            self.bias,
            measure,
            share,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """``BatchNorm2d`` of vectors (N, C) or sequences (N, C, L).

    >>> import gradling
    >>> BatchNorm1d(4)(gradling.zeros(8, 4)).shape
    (8, 4)
    """

    ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Every channel brought to mean 0 and spread 1 over the batch, then scaled and shifted.

    y = (x - mean) / √(var + eps) · weight + bias, where in training mean and variance are measured
    over examples and places, and otherwise remembered ones are used.

    Args:
        num_features: C.
        eps: keeps a constant channel from being divided by 0.
        momentum: how far the remembered ones move towards each batch's; None takes the mean over
            all batches.
        affine: learn ``weight`` (C,) and, unless ``bias=False``, ``bias`` (C,), from 1 and 0.
        track_running_stats: remember ``running_mean`` and ``running_var`` (of n - 1); without, the
            batch is measured in evaluation too.

    Shapes: (N, C, H, W), output the same.

    Backward in training: mean and variance depend on every x, so with x̂ the normalized channel, s
    its spread and n its size, dx = weight / s (g - mean(g) - x̂ mean(g x̂)): what would only shift
    or stretch the channel is taken out. dweight = Σ g x̂, dbias = Σ g (Ioffe & Szegedy, "Batch
    normalization: accelerating deep network training", 2015).

    >>> import gradling
    >>> layer = BatchNorm2d(3)
    >>> layer(gradling.zeros(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    >>> int(layer.num_batches_tracked)
    1
    """

    ndims = (4,)


class BatchNorm3d(_BatchNorm):
    """``BatchNorm2d`` of volumes (N, C, D, H, W)."""

    ndims = (5,)


class _InstanceNorm(_Channelwise):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def _axis(self, input: Tensor) -> int:
        return input.ndim - max(self.ndims) + 1

    def forward(self, input: Tensor) -> Tensor:
        self._check(input)
        alone = input.ndim < max(self.ndims)
        x = input.reshape(1, *input.shape) if alone else input
        y = F.instance_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return y.reshape(input.shape) if alone else y


class InstanceNorm1d(_InstanceNorm):
    """``InstanceNorm2d`` of sequences (N, C, L) or (C, L)."""

    ndims = (3, 2)


class InstanceNorm2d(_InstanceNorm):
    """Every channel of every example brought to mean 0 and spread 1 by itself.

    Args: as ``BatchNorm2d``, but nothing is learnt or remembered unless asked for.

    Shapes: (N, C, H, W) or (C, H, W), output the same.

    Backward: that of ``LayerNorm`` with the places of one channel as its row; eps in the root keeps
    a channel of equal entries from being divided by 0 (Ulyanov et al.,
    "Instance normalization: the missing ingredient for fast stylization", 2016).

    >>> import gradling
    >>> InstanceNorm2d(3)(gradling.zeros(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    ndims = (4, 3)


class InstanceNorm3d(_InstanceNorm):
    """``InstanceNorm2d`` of volumes (N, C, D, H, W) or (C, D, H, W)."""

    ndims = (5, 4)


__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d",
    "InstanceNorm3d",
]  # fmt: skip
