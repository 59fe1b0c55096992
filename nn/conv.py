"""Layers that slide a kernel over the input."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

from ..tensor import Tensor
from ..tensor.padding import pad
from . import init
from .functional.conv import convolve, paddings, transposed
from .functional.sizes import each
from .linear import blank
from .module import Module
from .parameter import Parameter

MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What convolutions of any number of dimensions share: arguments and parameters."""

    dims: int
    transposed = False
    padding: Any  # numbers, "same" or "valid"
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        _check(name, in_channels, out_channels, groups)
        if padding_mode not in MODES:
            raise ValueError(f"{name}: padding_mode must be one of {MODES}, got {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = each(name, "kernel_size", kernel_size, self.dims)
        self.stride = each(name, "stride", stride, self.dims)
        self.dilation = each(name, "dilation", dilation, self.dims)
        pads = paddings(name, padding, self.kernel_size, self.stride, self.dilation)
        self.padding = padding if isinstance(padding, str) else tuple(lo for lo, _ in pads)
        self.padding_mode = padding_mode
        self.output_padding = (0,) * self.dims
        # as nn.functional.pad takes it: pairs from the last axis on
        self._reversed_padding_repeated_twice = [n for pair in reversed(pads) for n in pair]
        first, second = (out_channels, in_channels)[:: -1 if self.transposed else 1]
        self.weight = blank(first, second // groups, *self.kernel_size, dtype=dtype)
        self.bias = blank(out_channels, dtype=dtype) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw the parameters anew."""
        bound = 1 / sqrt(prod(self.weight.shape[1:]))
        init.uniform_(self.weight, -bound, bound, generator)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound, generator)

    def forward(self, input: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = 0
        return convolve(
            type(self).__name__, self.dims, input, self.weight, self.bias, self.stride, padding,
            self.dilation, self.groups,
        )  # fmt: skip

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        if self.padding != (0,) * self.dims:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.dims:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * self.dims:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        return text + (
            f", padding_mode={self.padding_mode}" if self.padding_mode != "zeros" else ""
        )


def _check(name: str, in_channels: int, out_channels: int, groups: int) -> None:
    for what, n in (("in_channels", in_channels), ("out_channels", out_channels)):
        if groups < 1 or n < 1 or n % groups:
            raise ValueError(
                f"{name}: {what}={n} must be 1 or more and divisible by groups={groups}"
            )


class Conv1d(_ConvNd):
    """``Conv2d`` along one axis: (N, C, L) or (C, L) to (N, out_channels, L').

    >>> import gradling
    >>> Conv1d(4, 8, 3, padding="same")(gradling.zeros(2, 4, 10)).shape
    (2, 8, 10)
    """

    dims = 1


class Conv2d(_ConvNd):
    """A kernel slid over images: every place of the output is the same function of its window.

    Args:
        in_channels, out_channels: C and O.
        kernel_size, stride, dilation: one number, or one per axis.
        padding: zeros around the input; a number, one per axis, "same" or "valid".
        groups: channels in groups that do not mix; ``groups=in_channels`` is a depthwise
            convolution.
        bias: learn a number per output channel.
        padding_mode: what stands around the input: "zeros", "reflect", "replicate" or "circular".
        generator: what the start values are drawn from.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, O, H', W') with H' = ⌊(H + 2 padding -
    dilation (kH - 1) - 1) / stride⌋ + 1. Parameters: ``weight`` (O, C / groups, kH, kW) and
    ``bias`` (O,), both starting evenly from ±1/√(C / groups · kH · kW), as ``Linear`` with that
    many inputs.

    Backward: with g the gradient of y, dw[o, c, t] = Σ g[n, o, i] x[n, c, i + t] over examples and
    places, dx[n, c, j] = Σ w[o, c, t] g[n, o, j - t] over outputs and taps: two convolutions more
    (LeCun et al., "Backpropagation applied to handwritten zip code recognition", 1989).

    >>> import gradling
    >>> Conv2d(3, 8, 3, padding=1)(gradling.zeros(2, 3, 28, 28)).shape
    (2, 8, 28, 28)
    """

    dims = 2


class Conv3d(_ConvNd):
    """``Conv2d`` along three axes: (N, C, D, H, W) to (N, out_channels, D', H', W').

    >>> import gradling
    >>> Conv3d(1, 2, 3)(gradling.zeros(1, 1, 4, 5, 6)).shape
    (1, 2, 2, 3, 4)
    """

    dims = 3


class _ConvTransposeNd(_ConvNd):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        name = type(self).__name__
        if padding_mode != "zeros":
            raise ValueError(f"{name}: only padding_mode='zeros' is defined, got {padding_mode!r}")
        # in numbers: "same" says too little here
        each(name, "padding", padding, self.dims, least=0)
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype, generator=generator,
        )  # fmt: skip
        self.output_padding = each(name, "output_padding", output_padding, self.dims, least=0)

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """``output_size``: the size wanted, (H', W'), in place of ``output_padding``."""
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        return transposed(
            type(self).__name__, self.dims, input, self.weight, self.bias, self.stride,
            self.padding, extra, self.groups, self.dilation,
        )  # fmt: skip

    def _extra(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        wanted = tuple(output_size)[-self.dims :]
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                input.shape[-self.dims :], self.stride, self.padding, self.dilation,
                self.kernel_size, strict=True,
            )
        ]  # fmt: skip
        extra = tuple(w - n for w, n in zip(wanted, least, strict=True))
        if any(e < 0 or e >= s for e, s in zip(extra, self.stride, strict=True)):
            most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
            raise ValueError(
                f"{type(self).__name__}: an input of shape {input.shape} can give sizes from "
                f"{tuple(least)} to {tuple(most)}, not output_size={wanted}"
            )
        return extra


class ConvTranspose1d(_ConvTransposeNd):
    """``ConvTranspose2d`` along one axis.

    >>> import gradling
    >>> ConvTranspose1d(4, 2, 2, stride=2)(gradling.zeros(1, 4, 5)).shape
    (1, 2, 10)
    """

    dims = 1


class ConvTranspose2d(_ConvTransposeNd):
    """The adjoint of ``Conv2d``: every input entry puts its multiple of the kernel into the output.

    Args: as ``Conv2d``, and
        output_padding: rows and columns more at the end of the output: with a stride, several sizes
            of input have the same convolution, and this says which of them comes out here.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, O, H', W') with H' = (H - 1) stride - 2
    padding + dilation (kH - 1) + output_padding + 1. ``weight`` is (C, O / groups, kH, kW); it and
    ``bias`` start evenly from ±1/√(O / groups · kH · kW).

    Backward: the map is conv2d's gradient to its input, so its own gradient to the input is conv2d:
    dx = conv2d(g, w) (Zeiler et al., "Deconvolutional networks", 2010).

    >>> import gradling
    >>> ConvTranspose2d(8, 3, 4, stride=2, padding=1)(gradling.zeros(1, 8, 7, 7)).shape
    (1, 3, 14, 14)
    """

    dims = 2


class ConvTranspose3d(_ConvTransposeNd):
    """``ConvTranspose2d`` along three axes.

    >>> import gradling
    >>> ConvTranspose3d(1, 1, 2, stride=2)(gradling.zeros(1, 1, 2, 3, 4)).shape
    (1, 1, 4, 6, 8)
    """

    dims = 3


__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]
