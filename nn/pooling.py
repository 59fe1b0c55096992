"""Layers that reduce windows, or parts, of the input to one number."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .functional.adaptive import adaptive_avg_pool, adaptive_max_pool
from .functional.pooling import avg_pool, max_pool, max_unpool
from .functional.sizes import each
from .module import Module


class _MaxPoolNd(Module):
    dims: int

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        return max_pool(
            type(self).__name__, self.dims, input, self.kernel_size, self.stride, self.padding,
            self.dilation, self.ceil_mode, self.return_indices,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """``MaxPool2d`` along one axis: (N, C, L) or (C, L).

    >>> import gradling
    >>> MaxPool1d(2)(gradling.zeros(1, 3, 8)).shape
    (1, 3, 4)
    """

    dims = 1


class MaxPool2d(_MaxPoolNd):
    """The largest entry of every window.

    Args:
        kernel_size: of the window; one number, or one per axis.
        stride: between windows; the kernel size if None.
        padding: on both sides, at most half a window; it never wins.
        dilation: places between the taps of a window.
        return_indices: also return where the entries came from, for ``MaxUnpool2d``.
        ceil_mode: a last window may reach beyond the end, if it starts inside.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C, H', W') with H' = ⌊(H + 2 padding -
    dilation (kH - 1) - 1) / stride⌋ + 1.

    Backward: the maximum follows its largest argument, so each window's gradient goes to the entry
    that won: the first one, where several are equal (Ranzato et al., 2007).

    >>> import gradling
    >>> MaxPool2d(2)(gradling.zeros(1, 3, 8, 6)).shape
    (1, 3, 4, 3)
    """

    dims = 2


class MaxPool3d(_MaxPoolNd):
    """``MaxPool2d`` along three axes: (N, C, D, H, W) or (C, D, H, W)."""

    dims = 3


class _AvgPoolNd(Module):
    dims: int

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return avg_pool(
            type(self).__name__, self.dims, input, self.kernel_size, self.stride, self.padding,
            self.ceil_mode, self.count_include_pad, self.divisor_override,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """``AvgPool2d`` along one axis: (N, C, L) or (C, L).

    >>> import gradling
    >>> AvgPool1d(2)(gradling.zeros(1, 3, 8)).shape
    (1, 3, 4)
    """

    dims = 1

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)

    def extra_repr(self) -> str:
        sizes = (self.kernel_size, self.stride, self.padding)
        as_tuples = [n if isinstance(n, tuple) else (n,) for n in sizes]
        return "kernel_size={}, stride={}, padding={}".format(*as_tuples)


class AvgPool2d(_AvgPoolNd):
    """The mean of every window.

    Args:
        kernel_size, stride, padding, ceil_mode: as ``MaxPool2d``; padding is zeros.
        count_include_pad: divide by the window's size, padding included; otherwise by how many of
            its entries are the input's.
        divisor_override: divide by this in their place.

    Shapes: as ``MaxPool2d``. Backward: every entry of a window has the share 1 / count in its mean,
    and gets that share of its gradient (LeCun et al., 1989).

    >>> import gradling
    >>> AvgPool2d(3, stride=2, padding=1)(gradling.zeros(1, 3, 8, 6)).shape
    (1, 3, 4, 3)
    """

    dims = 2


class AvgPool3d(_AvgPoolNd):
    """``AvgPool2d`` along three axes: (N, C, D, H, W) or (C, D, H, W)."""

    dims = 3


class _AdaptiveAvgPoolNd(Module):
    dims: int

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return adaptive_avg_pool(type(self).__name__, self.dims, input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """``AdaptiveAvgPool2d`` along one axis: (N, C, L) or (C, L)."""

    dims = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Means of the input's parts: an output of ``output_size``, whatever the input's size.

    Part i of an axis of H entries runs from ⌊i H / H'⌋ to ⌈(i + 1) H / H'⌉.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C, H', W'); None keeps an axis. Size 1 is
    the mean over the plane (Lin et al., "Network in network", 2014).

    Backward: every entry of a part gets the part's gradient divided by its size.

    >>> import gradling
    >>> AdaptiveAvgPool2d((1, None))(gradling.zeros(1, 3, 8, 6)).shape
    (1, 3, 1, 6)
    """

    dims = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """``AdaptiveAvgPool2d`` along three axes."""

    dims = 3


class _AdaptiveMaxPoolNd(Module):
    dims: int

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return adaptive_max_pool(
            type(self).__name__, self.dims, input, self.output_size, self.return_indices
        )

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """``AdaptiveMaxPool2d`` along one axis: (N, C, L) or (C, L)."""

    dims = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """The largest entries of the input's parts; parts as in ``AdaptiveAvgPool2d``.

    Backward: each part's gradient goes to the entry that won, the first of several.

    >>> import gradling
    >>> AdaptiveMaxPool2d(2)(gradling.zeros(1, 3, 5, 7)).shape
    (1, 3, 2, 2)
    """

    dims = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """``AdaptiveMaxPool2d`` along three axes."""

    dims = 3


class _MaxUnpoolNd(Module):
    dims: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = each(name, "kernel_size", kernel_size, self.dims)
        self.stride = (
            self.kernel_size if stride is None else each(name, "stride", stride, self.dims)
        )
        self.padding = each(name, "padding", padding, self.dims, least=0)

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return max_unpool(
            type(self).__name__, self.dims, input, indices, self.kernel_size, self.stride,
            self.padding, output_size,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """``MaxUnpool2d`` along one axis: (N, C, L) or (C, L).

    >>> import gradling
    >>> y, places = MaxPool1d(2, return_indices=True)(gradling.tensor([[[1.0, 3.0, 4.0, 2.0]]]))
    >>> MaxUnpool1d(2)(y, places).tolist()
    [[[0.0, 3.0, 4.0, 0.0]]]
    """

    dims = 1


class MaxUnpool2d(_MaxUnpoolNd):
    """Puts what ``MaxPool2d(..., return_indices=True)`` found back in its place, zeros elsewhere.

    Called with the pooled entries, their indices, and ``output_size`` where several sizes pool to
    the same (Zeiler & Fergus, "Visualizing and understanding convolutional networks", 2014).

    Backward: each entry answers for the place it was put to.

    >>> import gradling
    >>> y, places = MaxPool2d(2, return_indices=True)(gradling.zeros(1, 3, 5, 6))
    >>> MaxUnpool2d(2)(y, places, output_size=(5, 6)).shape
    (1, 3, 5, 6)
    """

    dims = 2


__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
]  # fmt: skip
