"""Normalization: activations brought to mean 0 and spread 1 before they are scaled and shifted."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor import Tensor, edits
from ...tensor.arguments import said
from ...tensor.errors import ShapeError
from ...tensor.node import Array
from ...tensor.quiet import Quiet
from ...tensor.reading import filled_with, prepared
from ...tensor.record import apply, record
from ..rows import normalization as rows
from .checks import reshapes_that


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """y = (x - mean) / √(var + eps) · weight + bias, mean and variance taken per example.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the last axes, over which is averaged.
        weight, bias: of ``normalized_shape``, or None for 1 and 0.
        eps: keeps a constant row from being divided by 0.

    Backward, with x̂ the normalized row, s its spread, ĝ = g · weight: dx = (ĝ - mean(ĝ) - x̂
    mean(ĝ x̂)) / s; dweight = Σ g x̂ and dbias = Σ g over rows (Ba et al., "Layer normalization",
    2016).

    >>> import gradling
    >>> layer_norm(gradling.tensor([[1.0, 2.0, 3.0]]), (3,)).sum().abs() < 1e-6
    tensor(True)
    """
    shape = _trailing("layer_norm", input, normalized_shape, weight, bias)
    w = _given(weight, np.ones, shape, input)
    return apply(rows.layer_norm, (input, w, _given(bias, np.zeros, shape, input)), (eps,))


def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """y = x / √(mean(x²) + eps) · weight: layer norm without taking the mean away.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the last axes, over which is averaged.
        weight: of ``normalized_shape``, or None for 1.
        eps: the dtype's smallest step from 1 if None.

    Backward, with x̂ = x / s and ĝ = g · weight: dx = (ĝ - x̂ mean(ĝ x̂)) / s, dweight = Σ g x̂
    (Zhang & Sennrich, "Root mean square layer normalization", 2019).

    >>> import gradling
    >>> rms_norm(gradling.tensor([3.0, 4.0, 0.0, 0.0]), 4)
    tensor([1.2000, 1.6000, 0.0000, 0.0000])
    """
    shape = _trailing("rms_norm", input, normalized_shape, weight, None)
    if eps is None:
        eps = float(np.finfo(input.dtype).eps)
    return apply(rows.rms_norm, (input, _given(weight, np.ones, shape, input)), (eps,))


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Layer norm over groups of channels, with a scale and a shift per channel.

    Args:
        input: (N, C, *), C divisible by ``num_groups``.
        weight, bias: (C,), or None for 1 and 0.

    Backward: as ``layer_norm`` with C / num_groups channels and all their places as one row (Wu &
    He, "Group normalization", 2018).

    >>> import gradling
    >>> group_norm(gradling.ones(2, 6, 4), 3).shape
    (2, 6, 4)
    """
    channels = _channels("group_norm", input, weight, bias)
    if num_groups < 1 or channels % num_groups:
        raise ShapeError(
            f"group_norm: {channels} channels cannot be split in {num_groups} groups; input "
            f"{input.shape}"
        )
    if input._data.size == len(input._data) * num_groups > 0:
        raise ShapeError(
            f"group_norm: expected more than 1 value in each of {num_groups} groups, got input "
            f"{input.shape}: a number less its own mean is 0"
            + (". Take fewer groups" if num_groups > 1 else "")
        )
    w = _given(weight, np.ones, (channels,), input)
    b = _given(bias, np.zeros, (channels,), input)
    return apply(rows.group_norm, (input, w, b), (num_groups, eps))


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """y = (x - mean) / √(var + eps) · weight + bias, mean and variance taken per channel.

    Args:
        input: (N, C, *).
        running_mean, running_var: (C,). In training they move towards the batch's by the share
            ``momentum`` (the variance as of n - 1); otherwise they are what is normalized by.
        weight, bias: (C,), or None for 1 and 0.
        training: measure the batch.

    Backward in training: as ``layer_norm`` over all examples and places of a channel (Ioffe &
    Szegedy, "Batch normalization", 2015). Otherwise the map is a line per channel.

    Raises:
        ShapeError: in training, a channel with a single number, which is its own mean.

    >>> import gradling
    >>> x = gradling.tensor([[1.0], [3.0]])
    >>> batch_norm(x, None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    channels = _channels("batch_norm", input, weight, bias)
    w = _given(weight, np.ones, (channels,), input)
    b = _given(bias, np.zeros, (channels,), input)
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError(
                "batch_norm: running_mean and running_var are needed to normalize by, or pass "
                "training=True to measure the batch"
            )
        # copies: what the graph keeps must not move when training goes on before backward
        inverse = Tensor(prepared(_inverse_deviation, running_var._data, eps, w.dtype))
        mean = Tensor(prepared(np.ndarray.astype, running_mean._data, w.dtype))
        scale = w * inverse
        return apply(rows.channel_affine, (input, scale, b - mean * scale))
    count = input._data.size // max(channels, 1)
    if len(input._data):
        _enough(input, count)
    operands = (input, w, b)
    arrays = (input._data, w._data, b._data)
    with Quiet():
        y, kept = rows.batch_norm.on[Array](*arrays, eps)
    with Quiet():
        if running_mean is not None and count:
            _move(running_mean, kept[0], momentum)
        if running_var is not None and count:
            _move(running_var, kept[1] * (count / max(count - 1, 1)), momentum)
    return record(rows.batch_norm, y, tuple([x._node for x in operands]), arrays, (eps, kept))


def _inverse_deviation(variance: Array, eps: float, dtype: Any) -> Array:
    with Quiet():
        return np.asarray((1 / np.sqrt(variance + eps)).astype(dtype))


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalizes every channel of every example by itself.

    Args:
        input: (N, C, L), (N, C, H, W), …
        running_mean, running_var: (C,), moved towards the mean over examples.
        use_input_stats: False normalizes by the running ones.

    Backward: as ``group_norm`` with as many groups as channels (Ulyanov et al., "Instance
    normalization: the missing ingredient for fast stylization", 2016).

    >>> import gradling
    >>> instance_norm(gradling.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    channels = _channels("instance_norm", input, weight, bias)
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    places = input._data.size // max(len(input._data) * channels, 1)
    if places == 1:
        raise ShapeError(
            "instance_norm: expected more than 1 place per channel to normalize over, got input "
            f"{input.shape}: a number less its own mean is 0. Pool less before it, or take a norm "
            "over channels too: LayerNorm or GroupNorm"
        )
    if running_mean is not None and running_var is not None:
        x = input._data.reshape(len(input._data), channels, -1)
        _move(running_mean, x.mean(2).mean(0), momentum)
        _move(running_var, x.var(2, ddof=1).mean(0), momentum)
    w = _given(weight, np.ones, (channels,), input)
    b = _given(bias, np.zeros, (channels,), input)
    return apply(rows.group_norm, (input, w, b), (channels, eps))


def _move(running: Tensor, towards: Array, share: float) -> None:
    """running + share · (towards - running), in its own memory."""
    edits.note(running._data, "the running statistics of a norm layer")
    array = running._data
    array += (share * (towards.astype(array.dtype, copy=False) - array)).astype(array.dtype)


def _given(x: Tensor | None, fill: Any, shape: tuple[int, ...], input: Tensor) -> Tensor:
    return Tensor(filled_with(fill(shape, input.dtype))) if x is None else x


def _enough(input: Tensor, count: int) -> None:
    if count == 1:
        raise ShapeError(
            "batch_norm: expected more than 1 value per channel when training, got input "
            f"{input.shape}: a number less its own mean is 0. Call model.eval() to predict, or "
            "train on batches of 2 or more (DataLoader(..., drop_last=True) drops the rest)"
        )


def _floating(name: str, input: Any) -> None:
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}: expected input to be a tensor, got {said(input)}")
    if input._data.dtype.kind != "f":
        raise TypeError(
            f"{name}: expected a floating tensor, got {input.dtype}; convert it with .float()"
        )


def _trailing(
    name: str, input: Tensor, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None
) -> tuple[int, ...]:
    _floating(name, input)
    given = normalized_shape
    shape = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    if not shape or input.shape[-len(shape) :] != shape:
        hint = reshapes_that(input, lambda found: found[-len(shape) :] == shape)
        raise ShapeError(
            f"{name}: the last axes of input {input.shape} must be normalized_shape {shape}{hint}"
        )
    for what, x in (("weight", weight), ("bias", bias)):
        if x is not None and (x.shape != shape or x.dtype is not input.dtype):
            raise _misfit(name, what, x, shape, input)
    return shape


def _channels(name: str, input: Tensor, weight: Tensor | None, bias: Tensor | None) -> int:
    _floating(name, input)
    if input.ndim < 2:
        raise ShapeError(f"{name}: expected input (batch, channels, ...), got {input.shape}")
    channels = input.shape[1]
    for what, x in (("weight", weight), ("bias", bias)):
        if x is not None and (x.shape != (channels,) or x.dtype is not input.dtype):
            raise _misfit(name, what, x, (channels,), input)
    return channels


def _misfit(
    name: str, what: str, x: Tensor, shape: tuple[int, ...], input: Tensor
) -> ShapeError | TypeError:
    if x.shape != shape:
        return ShapeError(f"{name}: {what} {x.shape} must be {shape} for input {input.shape}")
    return TypeError(
        f"{name}: input is {input.dtype}, {what} is {x.dtype}; convert the input with "
        f".to({x.dtype}) or the module with .to({input.dtype})"
    )
