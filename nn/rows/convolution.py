"""The three bilinear forms of convolution, each the other two's derivative.

All three come from one number, T(x, w, z) = Σ z · conv(x, w), linear in each of input x, kernel w
and z (which has the shape of the output): its derivative by z is the convolution, by x the gradient
to the input, by w the gradient to the kernel. So each form's rules are the other two forms, and
derivatives of any order stay among them.

Arrays come and go as (N, C, *size). Inside, the batch is last, (C, *size, N): what NumPy does then
runs along long rows of neighbours, and products of matrices need no rearranging. Results are handed
out as views of such memory, and a net keeps that order from layer to layer without copying.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.op import REAL, Op
from ...tensor.node import Array
from ...tensor.rows.reductions import sum_
from ...tensor.rows.structural import structural
from ..kernels import columns, depthwise, lines, winograd
from ..kernels.copies import in_order
from ..kernels.geometry import Geometry, mirrored
from ..kernels.products import product


def batch_last(x: Array) -> Array:
    """(N, C, *size) seen as (C, *size, N)."""
    return x.transpose(*range(1, x.ndim), 0)


def batch_first(x: Array) -> Array:
    """(C, *size, N) seen as (N, C, *size)."""
    return x.transpose(x.ndim - 1, *range(x.ndim - 1))


def _pointwise(how: Geometry) -> bool:
    """Kernels of one tap inside the input: a product of matrices at every place, or every s-th."""
    return all(k == 1 for k in how.kernel) and not any(map(any, how.padding)) and how.groups == 1


def _every(how: Geometry) -> Any:
    """The places (C, *size, N) that a kernel of one tap meets.

    Not all that the stride reaches: ``output_padding`` leaves some behind the last one.
    """
    met = zip(how.out, how.stride, strict=True)
    return (slice(None), *(slice(0, (o - 1) * s + 1, s) for o, s in met))


def _conv_last(x: Array, w: Array, how: Geometry) -> Array:
    if not x.shape[-1]:
        return np.zeros((len(w), *how.out, 0), x.dtype)
    if _pointwise(how):
        met = in_order(x[_every(how)])
        y = product(w.reshape(len(w), -1), met.reshape(len(x), -1))
        return y.reshape(len(w), *how.out, -1)
    if how.groups > 1 and w.shape[1] == 1:
        return depthwise.forward(x, w, how)
    tiled = _by_tiles(x, w, how)
    return _through_windows(x, w, how) if tiled is None else tiled


def _by_tiles(x: Array, w: Array, how: Geometry, turned: bool = False) -> Array | None:
    """None where other ways are faster, or a number that is not finite would spread."""
    m = winograd.tile_for(how, len(x), w.shape[1] if turned else len(w), x.shape[-1])
    return winograd.forward(x, w, how, m, turned) if m else None


def _through_windows(x: Array, w: Array, how: Geometry) -> Array:
    if lines.fits(how, x.shape[-1]):
        return lines.forward(x, w, how)
    return columns.forward(x, w, how)


def _conv(x: Array, w: Array, how: Geometry) -> Array:
    return batch_first(_conv_last(batch_last(x), w, how))


def _conv_bias(x: Array, w: Array, b: Array, how: Geometry) -> Array:
    y = _conv_last(batch_last(x), w, how)
    y += b.reshape(-1, *(1,) * (y.ndim - 1))
    return batch_first(y)


def _conv_input(z: Array, w: Array, how: Geometry) -> Array:
    return batch_first(_conv_input_last(batch_last(z), w, how))


def _conv_input_last(z: Array, w: Array, how: Geometry) -> Array:
    channels = how.groups * w.shape[1]
    if not z.shape[-1]:
        return np.zeros((channels, *how.size, 0), z.dtype)
    if _pointwise(how):
        g = product(w.reshape(len(w), -1).T, in_order(z).reshape(len(w), -1))
        g = g.reshape(channels, *z.shape[1:])
        if how.size == how.out:
            return g
        gx = np.zeros((channels, *how.size, z.shape[-1]), z.dtype)
        gx[_every(how)] = g
        return gx
    if how.groups > 1 and w.shape[1] == 1:
        return depthwise.input_gradient(z, w, how)
    if any(s > 1 for s in how.stride):
        return columns.input_gradient(z, w, how)
    back = mirrored(how)
    tiled = _by_tiles(z, w, back, turned=True)
    if tiled is not None:
        return tiled
    # Turned round, windows of z are copied; otherwise windows of the result are added up, which
    # costs two to six times as much per entry, but per input channel, not per output channel.
    if channels * (6 if lines.fits(back, z.shape[-1]) else 2) <= len(w):
        return columns.input_gradient(z, w, how)
    return _through_windows(z, _turned(w, how.groups), back)


def _turned(w: Array, groups: int) -> Array:
    """The kernel of the gradient to the input: axes reversed, inputs and outputs exchanged."""
    axes = tuple(range(3, w.ndim + 1))
    w = np.flip(w.reshape(groups, -1, *w.shape[1:]), axes).swapaxes(1, 2)
    return w.reshape(-1, *w.shape[2:])


def _conv_weight(z: Array, x: Array, how: Geometry) -> Array:
    z, x = batch_last(z), batch_last(x)
    if not x.shape[-1]:
        return np.zeros((len(z), len(x) // how.groups, *how.kernel), x.dtype)
    if _pointwise(how):
        met = in_order(x[_every(how)]).reshape(len(x), -1)
        return product(in_order(z).reshape(len(z), -1), met.T).reshape(len(z), len(x), *how.kernel)
    if how.groups == len(x) > 1:
        return depthwise.weight_gradient(z, x, how)
    m = winograd.tile_for(how, len(x), len(z), x.shape[-1])
    tiled = winograd.weight_gradient(z, x, how, m) if m else None
    if tiled is not None:
        return tiled
    if lines.fits(how, x.shape[-1], to_add=True):
        return lines.weight_gradient(z, x, how)
    return columns.weight_gradient(z, x, how)


conv: Op = structural(
    "conv", "x w", _conv, params={"how": None}, symbol="*",
    vjp=(
        lambda g, y, x, w, how: conv_input(g, w, how),
        lambda g, y, x, w, how: conv_weight(g, x, how),
    ),
    domain=(REAL, REAL),
    why="y[i] = Σ w[t] x[i + t] over taps t: x[j] meets w[t] in y[j - t], w[t] meets x[i + t].",
)  # fmt: skip
# Fused with its bias, added where the product was written: as a step of its own it was 15 % of a
# small conv.
conv_bias: Op = structural(
    "conv_bias", "x w b", _conv_bias, params={"how": None}, symbol="* +",
    vjp=(
        lambda g, y, x, w, b, how: conv_input(g, w, how),
        lambda g, y, x, w, b, how: conv_weight(g, x, how),
        lambda g, y, x, w, b, how: sum_(g, (0, *range(2, g.ndim)), False, tuple(g.shape)),
    ),
    domain=(REAL, REAL, REAL),
    why="A convolution, and a number per channel, which moves every place of its channel.",
)  # fmt: skip
conv_input: Op = structural(
    "conv_input", "z w", _conv_input, params={"how": None}, symbol="*ᵀ",
    vjp=(
        lambda g, y, z, w, how: conv(g, w, how),
        lambda g, y, z, w, how: conv_weight(z, g, how),
    ),
    domain=(REAL, REAL),
    why="The transposed convolution: z is spread to where each of its entries was gathered from.",
)  # fmt: skip
conv_weight: Op = structural(
    "conv_weight", "z x", _conv_weight, params={"how": None}, symbol="*ʷ",
    vjp=(
        lambda g, y, z, x, how: conv(x, g, how),
        lambda g, y, z, x, how: conv_input(z, g, how),
    ),
    domain=(REAL, REAL),
    why="How much each tap's pairs of input and output go together, over all places and examples.",
)  # fmt: skip
