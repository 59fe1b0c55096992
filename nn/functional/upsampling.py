"""Images in another size: interpolation, and channels turned into pixels."""

from __future__ import annotations

from functools import lru_cache
from math import floor
from typing import Any

import numpy as np

from ...tensor import Tensor
from ...tensor.arguments import said, whole
from ...tensor.arranging import repeat_interleave
from ...tensor.errors import ShapeError
from ...tensor.node import Array
from ...tensor.record import apply
from ...tensor.rows.indexing import index
from .adaptive import adaptive_avg_pool

MODES = {
    "nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3),
    "linear": (1,), "bilinear": (2,), "trilinear": (3,), "bicubic": (2,),
}  # fmt: skip


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """``input`` in another size.

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: of the output, one number or one per spatial axis; or
        scale_factor: output over input size, rounded down.
        mode: "nearest" (the pixel whose area holds the corner of the new one), "nearest-exact" (the
            centre), "linear" (3-d input), "bilinear" (4-d), "trilinear" (5-d), "bicubic" (4-d),
            "area" (means of parts, as ``adaptive_avg_pool2d``).
        align_corners: for the linear and cubic ones: let the centres of the corner pixels coincide;
            otherwise the corners of the images do.
        recompute_scale_factor: measure positions by the rounded sizes, not by ``scale_factor``.

    Every mode but "area" is, along each axis, y[i] = Σ_j M[i, j] x[j] with at most 4 entries of M
    in a row that are not 0: 1 for nearest, 1 - t and t for a point a share t of the way between two
    pixels. So backward is dx = Mᵀ g along each axis.

    >>> import gradling
    >>> interpolate(gradling.tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    dims = input.ndim - 2
    if mode not in MODES:
        raise NotImplementedError(f"interpolate: mode must be one of {list(MODES)}, got {mode!r}")
    if dims not in MODES[mode]:
        wanted = " or ".join(f"{d + 2}-d" for d in MODES[mode])
        raise NotImplementedError(
            f"interpolate: mode {mode!r} takes {wanted} input (batch, channels, ...), got shape "
            f"{input.shape}"
        )
    if antialias:
        raise NotImplementedError("interpolate: antialias is not offered; blur before you shrink")
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(f"interpolate: mode {mode!r} knows no align_corners; leave it None")
    sizes, factors = _sizes(input.shape[2:], size, scale_factor, bool(recompute_scale_factor))
    if mode == "area":
        return adaptive_avg_pool("interpolate", dims, input, sizes)
    for axis, (n, m, factor) in enumerate(zip(input.shape[2:], sizes, factors, strict=True)):
        if mode.startswith("nearest"):
            input = _nearest(input, axis + 2, n, m, factor, mode == "nearest-exact")
        elif n != m or factor is not None:
            matrix = _mixing(mode == "bicubic", n, m, factor, bool(align_corners), input.dtype)
            input = (input.transpose(axis + 2, -1) @ Tensor(matrix)).transpose(axis + 2, -1)
    return input


def _sizes(
    have: tuple[int, ...], size: Any, scale_factor: Any, recompute: bool
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """Output sizes, and per axis the scale that positions are measured by (None: by the sizes)."""
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give exactly one of size and scale_factor")
    given = size if scale_factor is None else scale_factor
    if not isinstance(given, (tuple, list)):
        given = (given,) * len(have)
    if len(given) != len(have):
        raise ValueError(
            f"interpolate: expected one number or {len(have)}, one per spatial axis, got "
            f"{said(given)}"
        )
    if scale_factor is None:
        sizes = tuple(whole("interpolate", "each size", n) for n in given)
    else:
        sizes = tuple(floor(n * float(f)) for n, f in zip(have, given, strict=True))
    if min(sizes) < 1 or min(have) < 1:
        raise ShapeError(f"interpolate: input size {have} and output size {sizes} must be positive")
    exact = scale_factor is not None and not recompute
    return sizes, tuple(float(f) if exact else None for f in given)


def _nearest(
    input: Tensor, axis: int, n: int, m: int, factor: float | None, centre: bool
) -> Tensor:
    if n == m and factor is None:
        return input
    if m % n == 0 and (factor is None or factor == m // n):
        return repeat_interleave(input, m // n, axis)
    # in float32 whatever the input's dtype: where rounding decides, it is to decide as in PyTorch
    scale = np.float32(n / m if factor is None else 1 / factor)
    shift = np.float32(0.5 if centre else 0)
    where = np.floor((np.arange(m, dtype=np.float32) + shift) * scale).astype(np.int64)
    key = (slice(None),) * axis + (np.minimum(where, n - 1),)
    return apply(index, (input,), (key, input.shape))


@lru_cache(256)
def _mixing(cubic: bool, n: int, m: int, factor: float | None, align: bool, dtype: Any) -> Array:
    """The matrix (n, m) that mixes n pixels into m."""
    i = np.arange(m)
    if align:
        position = i * ((n - 1) / (m - 1) if m > 1 else 0.0)
    else:
        position = (i + 0.5) * (n / m if factor is None else 1 / factor) - 0.5
        if not cubic:
            position = np.maximum(position, 0)
    base = np.floor(position).astype(np.int64)
    t = position - base
    weights = _cubic(t) if cubic else {0: 1 - t, 1: t}
    matrix = np.zeros((n, m))
    for step, share in weights.items():
        np.add.at(matrix, (np.clip(base + step, 0, n - 1), i), share)
    return matrix.astype(dtype)


def _cubic(t: Array) -> dict[int, Array]:
    """Shares of the pixels at -1, 0, 1, 2 for a point ``t`` past pixel 0 (Keys, 1981; a = -3/4)."""
    a = -0.75

    def near(d: Array) -> Array:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Array) -> Array:
        return ((d - 5) * d + 8) * d * a - 4 * a

    return {-1: far(t + 1), 0: near(t), 1: near(1 - t), 2: far(2 - t)}


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """``interpolate``, by its older name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """r² channels become r x r pixels: (…, C r², H, W) to (…, C, H r, W r).

    Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
    convolutional neural network" (2016). Entries only move, so gradients move back.

    >>> import gradling
    >>> pixel_shuffle(gradling.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]), 2)
    tensor([[[1., 2.],
             [3., 4.]]])
    """
    r = whole("pixel_shuffle", "upscale_factor", upscale_factor)
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ShapeError(
            f"pixel_shuffle: expected (..., channels, height, width) with channels divisible by "
            f"upscale_factor² = {r * r}, got {input.shape}"
        )
    *lead, c, h, w = input.shape
    k = len(lead)
    apart = input.reshape(*lead, c // (r * r), r, r, h, w)
    order = (*range(k + 1), k + 3, k + 1, k + 4, k + 2)
    return apart.permute(order).reshape(*lead, c // (r * r), h * r, w * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """r x r pixels become r² channels: the inverse of ``pixel_shuffle``.

    >>> import gradling
    >>> pixel_unshuffle(gradling.ones(1, 3, 4, 6), 2).shape
    (1, 12, 2, 3)
    """
    r = whole("pixel_unshuffle", "downscale_factor", downscale_factor)
    if input.ndim < 3 or r < 1 or input.shape[-1] % r or input.shape[-2] % r:
        raise ShapeError(
            f"pixel_unshuffle: expected (..., channels, height, width) with height and width "
            f"divisible by downscale_factor = {r}, got {input.shape}"
        )
    *lead, c, h, w = input.shape
    k = len(lead)
    apart = input.reshape(*lead, c, h // r, r, w // r, r)
    order = (*range(k + 1), k + 2, k + 4, k + 1, k + 3)
    return apart.permute(order).reshape(*lead, c * r * r, h // r, w // r)
