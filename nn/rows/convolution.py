"""The three bilinear forms of convolution, each the other two's derivative.

All three come from one number, T(x, w, z) = Σ z · conv(x, w), linear in each of input x, kernel w
and z (which has the shape of the output): its derivative by z is the convolution, by x the gradient
to the input, by w the gradient to the kernel. So each form's rules are the other two forms, and
derivatives of any order stay among them.

Arrays come and go as (N, C, *size). Inside, channels are last, so that a window's entries lie
together and the product over channels is one matrix product; results are handed out as views of
such memory, and a net keeps that order from layer to layer without copying.
"""

from __future__ import annotations

import numpy as np

from ...engine.op import REAL, Op
from ...tensor.node import Array
from ...tensor.rows.reductions import sum_
from ...tensor.rows.structural import structural
from ..kernels import columns, depthwise, winograd
from ..kernels.geometry import Geometry, mirrored


def channels_last(x: Array) -> Array:
    """(N, C, *size) seen as (N, *size, C)."""
    return x.transpose(0, *range(2, x.ndim), 1)


def channels_first(x: Array) -> Array:
    """(N, *size, C) seen as (N, C, *size)."""
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1))


def _pointwise(how: Geometry) -> bool:
    """A kernel of one tap inside the input: a product of matrices at every place, or every s-th."""
    return (
        not any(k != 1 for k in how.kernel) and not any(map(any, how.padding)) and how.groups == 1
    )


def _strided(x: Array, how: Geometry) -> Array:
    """The entries (N, *out, C) that one-tap kernels meet, as a matrix (places, C)."""
    if any(s > 1 for s in how.stride):
        x = x[(slice(None), *(slice(None, None, s) for s in how.stride))]
    return x.reshape(-1, x.shape[-1])


def _conv_last(x: Array, w: Array, how: Geometry) -> Array:
    if not len(x):
        return np.zeros((0, *how.out, len(w)), x.dtype)
    if _pointwise(how):
        y = _strided(x, how) @ w.reshape(len(w), -1).T
        return y.reshape(len(x), *how.out, len(w))
    if how.groups > 1 and w.shape[1] == 1:
        return depthwise.forward(x, w, how)
    m = winograd.tile_for(how, w.shape[1], len(w))
    return winograd.forward(x, w, how, m) if m else columns.forward(x, w, how)


def _conv(x: Array, w: Array, how: Geometry) -> Array:
    return channels_first(_conv_last(channels_last(x), w, how))


def _conv_bias(x: Array, w: Array, b: Array, how: Geometry) -> Array:
    y = _conv_last(channels_last(x), w, how)
    y += b
    return channels_first(y)


def _conv_input(z: Array, w: Array, how: Geometry) -> Array:
    z = channels_last(z)
    if not len(z):
        return np.zeros((0, how.groups * w.shape[1], *how.size), z.dtype)
    if _pointwise(how):
        g = z.reshape(-1, len(w)) @ w.reshape(len(w), -1)
        if all(s == 1 for s in how.stride):
            return channels_first(g.reshape(len(z), *how.size, -1))
        gx = np.zeros((len(z), *how.size, w.shape[1]), z.dtype)
        gx[(slice(None), *(slice(None, None, s) for s in how.stride))] = g.reshape(
            *z.shape[:-1], -1
        )
        return channels_first(gx)
    if how.groups > 1 and w.shape[1] == 1:
        return channels_first(depthwise.input_gradient(z, w, how))
    if any(s > 1 for s in how.stride):
        return channels_first(columns.input_gradient(z, w, how))
    back = mirrored(how)
    m = winograd.tile_for(back, len(w), w.shape[1])
    if m:
        return channels_first(winograd.forward(z, w, back, m, turned=True))
    return channels_first(columns.forward(z, _turned(w, how.groups), back))


def _turned(w: Array, groups: int) -> Array:
    """The kernel of the gradient to the input: axes reversed, inputs and outputs exchanged."""
    axes = tuple(range(3, w.ndim + 1))
    w = np.flip(w.reshape(groups, -1, *w.shape[1:]), axes).swapaxes(1, 2)
    return w.reshape(-1, *w.shape[2:])


def _conv_weight(z: Array, x: Array, how: Geometry) -> Array:
    z, x = channels_last(z), channels_last(x)
    channels, outputs = x.shape[-1], z.shape[-1]
    if not len(x):
        return np.zeros((outputs, channels // how.groups, *how.kernel), x.dtype)
    if _pointwise(how):
        w = z.reshape(-1, outputs).T @ _strided(x, how)
        return w.reshape(outputs, channels, *how.kernel)
    if how.groups == channels > 1:
        return depthwise.weight_gradient(z, x, how)
    m = winograd.tile_for(how, channels, outputs)
    return winograd.weight_gradient(z, x, how, m) if m else columns.weight_gradient(z, x, how)


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
