"""Convolutions in 1, 2 and 3 dimensions, and their transposes."""

from __future__ import annotations

from typing import Any

from ...tensor import Tensor
from ...tensor.arguments import said
from ...tensor.errors import ShapeError
from ...tensor.record import apply
from ..kernels.geometry import Geometry, Pads, geometry
from ..rows import convolution as rows
from .checks import reshapes_that
from .sizes import AXES, Sizes, each


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """``conv2d`` along one axis: input (N, C, L) or (C, L), weight (O, C / groups, k).

    >>> import gradling
    >>> conv1d(gradling.tensor([[1.0, 2.0, 4.0]]), gradling.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2.]])
    """
    return convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """y[n, o, i] = b[o] + Σ over c, t of w[o, c, t] x[n, c, i · stride + t · dilation - padding].

    Args:
        input: (N, C, H, W), or (C, H, W) without a batch.
        weight: (O, C / groups, kH, kW): ``t`` runs over its last two axes.
        bias: (O,) or None.
        stride: places between windows, one number or one per axis.
        padding: zeros on both sides, one number or one per axis; "valid" for none; "same" for an
            output of the input's size (one more zero at the end where it does not split evenly).
        dilation: places between the taps of a window.
        groups: input and output channels come in this many groups that do not mix.

    Returns:
        (N, O, H', W') with H' = ⌊(H + 2 padding - dilation (kH - 1) - 1) / stride⌋ + 1.

    Backward: x[j] meets w[t] in y[i] where i · stride + t · dilation - padding = j. So dw[t] = Σ
    g[i] x[j] over all such pairs, dx[j] = Σ w[t] g[i], and db = Σ g. Both are convolutions again
    (Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016).

    Raises:
        ShapeError: channels that do not fit, a kernel larger than the padded input.
        TypeError: dtypes that differ.

    >>> import gradling
    >>> x = gradling.ones(1, 1, 3, 3)
    >>> conv2d(x, gradling.ones(1, 1, 2, 2))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """``conv2d`` along three axes: input (N, C, D, H, W), weight (O, C / groups, kD, kH, kW).

    >>> import gradling
    >>> conv3d(gradling.ones(1, 1, 2, 2, 2), gradling.ones(1, 1, 2, 2, 2)).item()
    8.0
    """
    return convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def convolve(
    name: str,
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    """The convolution of any number of dimensions."""
    shape = check(name, dims, input, weight, bias)
    stride = each(name, "stride", stride, dims)
    dilation = each(name, "dilation", dilation, dims)
    kernel = weight._data.shape[2:]
    outputs, per_group = weight._data.shape[:2]
    _check_groups(name, "weight", weight, groups)
    if shape[-dims - 1] != per_group * groups:
        raise _channels(name, dims, input, weight, per_group * groups, groups)
    pads = paddings(name, padding, kernel, stride, dilation)
    how = geometry(shape[-dims:], kernel, stride, pads, dilation, groups)
    if min(how.out) < 1:
        raise _too_small(name, how)
    if len(shape) == dims + 1:
        input = input.reshape(1, *shape)
    if bias is None:
        y = apply(rows.conv, (input, weight), (how,))
    else:
        y = apply(rows.conv_bias, (input, weight, bias), (how,))
    return y.reshape(outputs, *how.out) if len(shape) == dims + 1 else y


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """``conv_transpose2d`` along one axis: input (N, C, L) or (C, L), weight (C, O / groups, k).

    >>> import gradling
    >>> conv_transpose1d(gradling.tensor([[1.0, 2.0]]), gradling.tensor([[[1.0, 10.0]]]), stride=2)
    tensor([[ 1., 10.,  2., 20.]])
    """
    return transposed(
        "conv_transpose1d",
        1,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """The gradient of ``conv2d`` to its input, taken as a map of its own: it makes images larger.

    Every entry of ``input`` puts a copy of the kernel, times itself, into the output, ``stride``
    apart; where copies overlap they add up.

    Args:
        input: (N, C, H, W), or (C, H, W) without a batch.
        weight: (C, O / groups, kH, kW).
        bias: (O,) or None.
        padding: cut off on both sides of the output.
        output_padding: rows and columns more at the end of the output: several sizes have the same
            convolution, this says which of them is meant. Below stride or dilation.

    Returns:
        (N, O, H', W') with H' = (H - 1) stride - 2 padding + dilation (kH - 1) + output_padding +
        1.

    Backward: as the map is conv2d's adjoint in x, its own adjoint is conv2d: dx = conv2d(g, w), and
    dw pairs x with g as conv2d's dw pairs g with x.

    >>> import gradling
    >>> conv_transpose2d(gradling.ones(1, 1, 2, 2), gradling.ones(1, 1, 2, 2))
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    return transposed(
        "conv_transpose2d",
        2,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """``conv_transpose2d`` along three axes.

    >>> import gradling
    >>> conv_transpose3d(gradling.ones(1, 1, 1, 1, 1), gradling.ones(1, 2, 2, 2, 2)).shape
    (1, 2, 2, 2, 2)
    """
    return transposed(
        "conv_transpose3d",
        3,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def transposed(
    name: str,
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    """The transposed convolution of any number of dimensions."""
    shape = check(name, dims, input, weight, None)
    stride = each(name, "stride", stride, dims)
    dilation = each(name, "dilation", dilation, dims)
    extra = each(name, "output_padding", output_padding, dims, least=0)
    pads = each(name, "padding", padding, dims, least=0)
    channels, per_group, *kernel = weight._data.shape
    outputs = per_group * groups
    _check_groups(name, "weight", weight, groups)
    if shape[-dims - 1] != channels:
        raise _channels(name, dims, input, weight, channels, groups)
    if bias is not None and bias._data.shape != (outputs,):
        raise ShapeError(f"{name}: bias {bias.shape} must be ({outputs},), one per output channel")
    for e, s, d in zip(extra, stride, dilation, strict=True):
        if e >= max(s, d):
            raise ShapeError(
                f"{name}: output_padding {extra} must be below stride {stride} or dilation "
                f"{dilation}: more of it would be rows that nothing is put into"
            )
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(
            shape[-dims:], stride, pads, dilation, kernel, extra, strict=True
        )
    )
    if min(size) < 1:
        raise ShapeError(
            f"{name}: padding {pads} cuts off the whole output: it would have size {size}"
        )
    how = Geometry(
        size, shape[-dims:], tuple(kernel), stride, dilation, tuple((p, p) for p in pads), groups
    )
    if len(shape) == dims + 1:
        input = input.reshape(1, *shape)
    y = apply(rows.conv_input, (input, weight), (how,))
    if bias is not None:
        y = y + bias.reshape(outputs, *(1,) * dims)
    return y.reshape(outputs, *size) if len(shape) == dims + 1 else y


def paddings(name: str, padding: Any, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Pads:
    """(before, after) per axis, from numbers, "same" or "valid"."""
    if not isinstance(padding, str):
        return tuple([(p, p) for p in each(name, "padding", padding, len(kernel), least=0)])
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise ValueError(f"{name}: padding must be numbers, 'valid' or 'same', got {padding!r}")
    if any(s != 1 for s in stride):
        raise ShapeError(
            f"{name}: padding='same' keeps the size, which stride {stride} does not; give the "
            "padding in numbers"
        )
    total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return tuple([(t // 2, t - t // 2) for t in total])


def check(name: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None) -> Sizes:
    """Kinds, dtypes and numbers of axes; gives the input's shape."""
    for what, given in (("input", input), ("weight", weight), ("bias", bias)):
        if not isinstance(given, Tensor) and not (what == "bias" and given is None):
            raise TypeError(f"{name}: expected {what} to be a tensor, got {said(given)}")
    x, w = input._data, weight._data
    if w.ndim != dims + 2 or 0 in w.shape:
        raise ShapeError(
            f"{name}: weight must have {dims + 2} axes, channels and {AXES[dims]}, none of size 0; "
            f"got {weight.shape}"
        )
    if x.ndim not in (dims + 1, dims + 2):
        hint = reshapes_that(input, lambda shape: len(shape) == dims + 2)
        raise ShapeError(
            f"{name}: expected input (batch, channels, {AXES[dims]}) or (channels, {AXES[dims]}), "
            f"got {input.shape}{hint}"
        )
    others = [w.dtype] if bias is None else [w.dtype, bias._data.dtype]
    if x.dtype.kind != "f" or any(dtype is not x.dtype for dtype in others):
        raise TypeError(
            f"{name}: input is {x.dtype}, the parameters are {', '.join(map(str, others))}; they "
            f"must have one floating dtype: convert the input with .to({w.dtype})"
        )
    if bias is not None and bias._data.shape != w.shape[:1]:
        raise ShapeError(
            f"{name}: bias {bias.shape} must be {w.shape[:1]}, one per output channel of the "
            f"weight {weight.shape}"
        )
    return input.shape


def _check_groups(name: str, what: str, weight: Tensor, groups: int) -> None:
    if groups < 1 or weight._data.shape[0] % groups:
        raise ShapeError(
            f"{name}: the first axis of {what} {weight.shape} cannot be split in {groups} groups"
        )


def _channels(
    name: str, dims: int, input: Tensor, weight: Tensor, wanted: int, groups: int
) -> ShapeError:
    axis = input.ndim - dims - 1
    last = ""
    if input.shape[-1] == wanted:
        order = (*range(axis), input.ndim - 1, *range(axis, input.ndim - 1))
        last = f"; channels come before {AXES[dims]}: `x.permute{order}` would fit"
    in_groups = f" in {groups} groups" if groups > 1 else ""
    return ShapeError(
        f"{name}: input {input.shape} has {input.shape[axis]} channels (axis {axis}), weight "
        f"{weight.shape}{in_groups} takes {wanted}{last}"
    )


def _too_small(name: str, how: Geometry) -> ShapeError:
    padded = tuple(n + lo + hi for n, (lo, hi) in zip(how.size, how.padding, strict=True))
    need = tuple(max(0, -(-(span - n) // 2)) for n, span in zip(how.size, how.reach, strict=True))
    return ShapeError(
        f"{name}: a kernel that spans {how.reach} does not fit in an input of size {how.size}, "
        f"{padded} with its padding; padding={need} would make room"
    )
