"""Pooling: every window of the input, or every part of it, as one number."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ...tensor import Tensor
from ...tensor.arguments import said
from ...tensor.errors import ShapeError
from ...tensor.record import apply
from ...tensor.rows.indexing import place as put
from ..kernels import windows
from ..kernels.geometry import Geometry, Sizes, geometry
from ..rows import pooling as rows
from .checks import reshapes_that
from .sizes import AXES, each


def max_pool(
    name: str,
    dims: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    """Max pooling in any number of dimensions; with ``return_indices`` also where from."""
    how, shape = _windows(name, dims, input, kernel_size, stride, padding, dilation, ceil_mode)
    x = input.reshape(1, *shape) if len(shape) == dims + 1 else input
    y = apply(rows.max_pool, (x,), (how,))
    place: Any = None
    if return_indices:
        place = Tensor(windows.positions(windows.winners(x._data, y._data, how), how))
    if len(shape) == dims + 1:
        y = y.reshape(shape[0], *how.out)
        place = place.reshape(shape[0], *how.out) if return_indices else None
    return (y, place) if return_indices else y


def avg_pool(
    name: str,
    dims: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    """Average pooling in any number of dimensions."""
    how, shape = _windows(name, dims, input, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override is not None:
        if divisor_override == 0:
            raise ShapeError(f"{name}: divisor_override must not be 0")
        divisor: Any = divisor_override
    else:
        divisor = _divisor(how, each(name, "padding", padding, dims, 0), count_include_pad)
    x = input.reshape(1, *shape) if len(shape) == dims + 1 else input
    y = apply(rows.avg_pool, (x,), (how, divisor))
    return y.reshape(shape[0], *how.out) if len(shape) == dims + 1 else y


_divisor = lru_cache(1024)(windows.counts)


def _windows(
    name: str,
    dims: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> tuple[Geometry, Sizes]:
    shape = _shape(name, dims, input)
    kernel = each(name, "kernel_size", kernel_size, dims)
    steps = kernel if stride is None or stride == () else each(name, "stride", stride, dims)
    pads = each(name, "padding", padding, dims, least=0)
    spread = each(name, "dilation", dilation, dims)
    how = _geometry(shape[-dims:], kernel, steps, pads, spread, bool(ceil_mode))
    if any(p > span // 2 for p, span in zip(pads, how.reach, strict=True)):
        raise ShapeError(
            f"{name}: padding {pads} must be at most half of what the window spans, {how.reach}: "
            "beyond that a window would hold nothing but padding"
        )
    if min(how.out) < 1:
        raise ShapeError(
            f"{name}: a window that spans {how.reach} does not fit in an input of size {how.size} "
            f"with padding {pads}; take a smaller kernel_size"
        )
    return how, shape


@lru_cache(4096)
def _geometry(
    size: Sizes, kernel: Sizes, stride: Sizes, pads: Sizes, dilation: Sizes, ceil_mode: bool
) -> Geometry:
    """With ``ceil_mode`` a last window may reach beyond the end, if it starts inside."""
    out = []
    for n, k, s, p, d in zip(size, kernel, stride, pads, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        count = room // s + 1
        if ceil_mode:
            count = -(-room // s) + 1
            count -= (count - 1) * s >= n + p
        out.append(count)
    plain = geometry(size, kernel, stride, tuple((p, p) for p in pads), dilation, 1)
    return Geometry(size, tuple(out), kernel, stride, dilation, plain.padding, 1)


def _shape(name: str, dims: int, input: Tensor) -> Sizes:
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}: expected input to be a tensor, got {said(input)}")
    shape = input.shape
    if len(shape) not in (dims + 1, dims + 2):
        hint = reshapes_that(input, lambda shape: len(shape) == dims + 2)
        raise ShapeError(
            f"{name}: expected input (batch, channels, {AXES[dims]}) or (channels, {AXES[dims]}), "
            f"got {shape}{hint}"
        )
    if 0 in shape[-dims - 1 :]:
        raise ShapeError(f"{name}: only the batch may be empty, got input {shape}")
    if input._data.dtype.kind != "f":
        raise TypeError(
            f"{name}: expected a floating tensor, got {input.dtype}; convert it with .float()"
        )
    return shape


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """``max_pool2d`` along one axis: (N, C, L) or (C, L).

    >>> import gradling
    >>> max_pool1d(gradling.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return max_pool(
        "max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest entry of every window.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: of the window; one number, or one per axis.
        stride: between windows; the kernel size if None.
        padding: on both sides, at most half a window; it never wins.
        dilation: places between the taps of a window.
        ceil_mode: a last window may reach beyond the end, if it starts inside.
        return_indices: also return where the entries came from, counted along the flattened
            plane: what ``max_unpool2d`` takes.

    Returns:
        (N, C, H', W') with H' = ⌊(H + 2 padding - dilation (kH - 1) - 1) / stride⌋ + 1.

    Backward: a window's gradient goes to its largest entry, to the first one of several.

    >>> import gradling
    >>> x = gradling.tensor([[[1.0, 2.0], [4.0, 3.0]]], requires_grad=True)
    >>> max_pool2d(x, 2).sum().backward()
    >>> x.grad
    tensor([[[0., 0.],
             [1., 0.]]])
    """
    return max_pool(
        "max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """``max_pool2d`` along three axes: (N, C, D, H, W) or (C, D, H, W)."""
    return max_pool(
        "max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """``avg_pool2d`` along one axis: (N, C, L) or (C, L).

    >>> import gradling
    >>> avg_pool1d(gradling.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return avg_pool(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of every window.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size, stride, padding, ceil_mode: as ``max_pool2d``; padding is zeros.
        count_include_pad: divide by the window's size, padding included; otherwise by how many of
            its entries are the input's.
        divisor_override: divide by this in their place.

    Backward: every entry of a window gets its gradient divided by the same count.

    >>> import gradling
    >>> avg_pool2d(gradling.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
    tensor([[[2.5000]]])
    """
    return avg_pool(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
        divisor_override,
    )  # fmt: skip


def avg_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """``avg_pool2d`` along three axes: (N, C, D, H, W) or (C, D, H, W)."""
    return avg_pool(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
        divisor_override,
    )  # fmt: skip


def max_unpool(
    name: str,
    dims: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_size: Any,
) -> Tensor:
    """Entries put back where max pooling found them, zeros elsewhere."""
    shape = _shape(name, dims, input)
    kernel = each(name, "kernel_size", kernel_size, dims)
    steps = kernel if stride is None or stride == () else each(name, "stride", stride, dims)
    pads = each(name, "padding", padding, dims, least=0)
    size = tuple(
        (n - 1) * s - 2 * p + k
        for n, s, p, k in zip(shape[-dims:], steps, pads, kernel, strict=True)
    )
    if output_size is not None:
        size = tuple(output_size)[-dims:]
    place = indices._data
    if place.shape != shape or place.dtype.kind != "i":
        raise ShapeError(
            f"{name}: indices must be whole numbers of the input's shape {shape}, got "
            f"{indices.dtype} {place.shape}; take those that max pooling returns"
        )
    if place.size and not 0 <= place.min() <= place.max() < prod(size):
        raise ShapeError(
            f"{name}: indices run from {place.min()} to {place.max()}, the output of size {size} "
            f"has places 0 to {prod(size) - 1}; pass output_size= of what was pooled"
        )
    lead = shape[:-dims]
    rows_ = np.arange(prod(lead)).reshape(-1, 1)
    places = prod(shape[-dims:])
    flat = input.reshape(len(rows_), places)
    key = (rows_, place.reshape(len(rows_), places))
    return apply(put, (flat,), (key, (len(rows_), prod(size)))).reshape(*lead, *size)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """``max_unpool2d`` along one axis."""
    return max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Tensor:
    """Undo ``max_pool2d`` as far as possible: entries at ``indices``, zeros elsewhere.

    Args:
        input, indices: what ``max_pool2d(..., return_indices=True)`` gave, (N, C, H, W).
        kernel_size, stride, padding: as it was called with.
        output_size: (H', W') of what was pooled, where several sizes pool to the same.

    >>> import gradling
    >>> y, places = max_pool2d(gradling.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2, return_indices=True)
    >>> max_unpool2d(y, places, 2)
    tensor([[[0., 0.],
             [4., 0.]]])
    """
    return max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)
