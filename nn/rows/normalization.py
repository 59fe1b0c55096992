"""Entries brought to mean 0 and spread 1, each with the composition that it equals."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ...engine.op import REAL, Op
from ...tensor import Tensor
from ...tensor.node import Array
from ...tensor.rows.structural import structural
from ..kernels import normalization as kernels
from ..kernels.scratch import ones

# Why fused (measured, float32, forward and backward): layer_norm of 1024 x 64: 0.29 ms against 1.9
# ms as ten steps; batch_norm of 32 x 64 x 32 x 32: 5 ms against 60 ms, and one array kept in place
# of six.


def _wide(x: Array) -> Array:
    """Half precision is summed in single: 2048 + 1 is 2048 in float16."""
    return x.astype(np.float32) if x.dtype.itemsize == 2 else x


def _rows_of(x: Array, dims: int) -> Array:
    """The last ``dims`` axes as columns, what comes before as rows."""
    shape = x.shape
    lead = len(shape) - dims
    return x.reshape(prod(shape[:lead]), prod(shape[lead:]))


def _layer_norm(x: Array, w: Array, b: Array, eps: float) -> Any:
    normal, inverse = kernels.by_row(_wide(_rows_of(x, w.ndim)), eps)
    y = normal * w.reshape(-1)
    y += b.reshape(-1)
    return y.reshape(x.shape).astype(x.dtype, copy=False), (normal, inverse)


def _layer_norm_parts(
    needed: tuple[bool, ...], g: Any, y: Any, x: Any, w: Any, b: Any, eps: float, kept: Any
) -> tuple[Any, ...]:
    normal, inverse = kept
    rows = _rows_of(g, w.ndim)
    of_x = of_w = of_b = None
    if needed[0]:
        scaled = np.multiply(rows, w.reshape(-1), dtype=normal.dtype)
        of_x = kernels.by_row_back(scaled, normal, inverse).reshape(x.shape)
    if needed[1]:
        of_w = kernels.scale_back(rows, normal).reshape(w.shape)
    if needed[2]:
        of_b = (ones(len(rows), normal.dtype) @ rows).reshape(b.shape)
    return of_x, of_w, of_b


def _layer_norm_composed(x: Tensor, w: Tensor, b: Tensor, eps: float) -> Tensor:
    dims = tuple(range(-w.ndim, 0))
    centred = x - x.mean(dims, keepdim=True)
    return centred * (centred * centred).mean(dims, keepdim=True).add(eps).rsqrt() * w + b


layer_norm: Op = structural(
    "layer_norm", "x w b", _layer_norm, params={"eps": 1e-5},
    vjp=(None, None, None), domain=(REAL, REAL, REAL), joint=_layer_norm_parts,
    composition=_layer_norm_composed,
    why="x̂ has mean 0, spread 1 whatever x is: what is constant in ĝ = g w, or along x̂, is lost.",
)  # fmt: skip


def _rms_norm(x: Array, w: Array, eps: float) -> Any:
    normal, inverse = kernels.by_row(_wide(_rows_of(x, w.ndim)), eps, centred=False)
    y = normal * w.reshape(-1)
    return y.reshape(x.shape).astype(x.dtype, copy=False), (normal, inverse)


def _rms_norm_parts(
    needed: tuple[bool, ...], g: Any, y: Any, x: Any, w: Any, eps: float, kept: Any
) -> tuple[Any, ...]:
    normal, inverse = kept
    rows = _rows_of(g, w.ndim)
    of_x = of_w = None
    if needed[0]:
        scaled = np.multiply(rows, w.reshape(-1), dtype=normal.dtype)
        of_x = kernels.by_row_back(scaled, normal, inverse, centred=False).reshape(x.shape)
    if needed[1]:
        of_w = kernels.scale_back(rows, normal).reshape(w.shape)
    return of_x, of_w


def _rms_norm_composed(x: Tensor, w: Tensor, eps: float) -> Tensor:
    return x * (x * x).mean(tuple(range(-w.ndim, 0)), keepdim=True).add(eps).rsqrt() * w


rms_norm: Op = structural(
    "rms_norm", "x w", _rms_norm, params={"eps": 1e-5},
    vjp=(None, None), domain=(REAL, REAL), joint=_rms_norm_parts, composition=_rms_norm_composed,
    why="x̂ has length √n whatever x is: of ĝ = g w what is along x̂ is lost.",
)  # fmt: skip


def _group_norm(x: Array, w: Array, b: Array, groups: int, eps: float) -> Any:
    rows = _wide(x.reshape(len(x) * groups, prod(x.shape[1:]) // groups))
    normal, inverse = kernels.by_row(rows, eps)
    by_channel = normal.reshape(*x.shape[:2], prod(x.shape[2:]))
    y = by_channel * w[:, None]
    y += b[:, None]
    return y.reshape(x.shape).astype(x.dtype, copy=False), (normal, inverse)


def _group_norm_parts(
    needed: tuple[bool, ...], g: Any, y: Any, x: Any, w: Any, b: Any, groups: int, eps: float,
    kept: Any,
) -> tuple[Any, ...]:  # fmt: skip
    normal, inverse = kept
    rows = g.reshape(*x.shape[:2], prod(x.shape[2:]))
    of_x = of_w = of_b = None
    if needed[0]:
        scaled = np.multiply(rows, w[:, None], dtype=normal.dtype).reshape(normal.shape)
        of_x = kernels.by_row_back(scaled, normal, inverse).reshape(x.shape)
    if needed[1]:
        of_w = np.vecdot(rows, normal.reshape(rows.shape)).sum(0)
    if needed[2]:
        of_b = rows.sum((0, 2))
    return of_x, of_w, of_b


def _group_norm_composed(x: Tensor, w: Tensor, b: Tensor, groups: int, eps: float) -> Tensor:
    shape = x.shape
    rows = x.reshape(shape[0], groups, prod(shape[1:]) // groups)
    centred = rows - rows.mean(-1, keepdim=True)
    normal = centred * (centred * centred).mean(-1, keepdim=True).add(eps).rsqrt()
    per_channel = (-1, *(1,) * (len(shape) - 2))
    return normal.reshape(shape) * w.reshape(per_channel) + b.reshape(per_channel)


group_norm: Op = structural(
    "group_norm", "x w b", _group_norm, params={"groups": 1, "eps": 1e-5},
    vjp=(None, None, None), domain=(REAL, REAL, REAL), joint=_group_norm_parts,
    composition=_group_norm_composed,
    why="As layer_norm over one group of channels at a time, with a scale and a shift per channel.",
)  # fmt: skip


def _batch_norm(x: Array, w: Array, b: Array, eps: float) -> Any:
    y, (mean, variance, inverse) = kernels.by_channel(_wide(x), w, b, eps)
    return y.astype(x.dtype, copy=False), (mean, variance, inverse)


def _batch_norm_parts(
    needed: tuple[bool, ...], g: Any, y: Any, x: Any, w: Any, b: Any, eps: float, kept: Any
) -> tuple[Any, ...]:
    mean, _, inverse = kept
    return kernels.by_channel_back(needed, _wide(g), _wide(x), w, mean, inverse)


def _batch_norm_composed(x: Tensor, w: Tensor, b: Tensor, eps: float) -> Tensor:
    dims = (0, *range(2, x.ndim))
    per_channel = (-1, *(1,) * (x.ndim - 2))
    centred = x - x.mean(dims, keepdim=True)
    normal = centred * (centred * centred).mean(dims, keepdim=True).add(eps).rsqrt()
    return normal * w.reshape(per_channel) + b.reshape(per_channel)


batch_norm: Op = structural(
    "batch_norm", "x w b", _batch_norm, params={"eps": 1e-5},
    vjp=(None, None, None), domain=(REAL, REAL, REAL), joint=_batch_norm_parts,
    composition=_batch_norm_composed,
    why="As layer_norm, but one channel's entries, in all examples, share a mean.",
)  # fmt: skip


def _channel_affine_composed(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    per_channel = (-1, *(1,) * (x.ndim - 2))
    return x * scale.reshape(per_channel) + shift.reshape(per_channel)


channel_affine: Op = structural(
    "channel_affine", "x scale shift", kernels.affine,
    vjp=(None, None, None), domain=(REAL, REAL, REAL),
    joint=lambda needed, g, y, x, scale, shift: kernels.affine_back(needed, g, x, scale),
    composition=_channel_affine_composed,
    why="A line per channel: x moves y by its scale, the scale by x, the shift by 1.",
)  # fmt: skip
