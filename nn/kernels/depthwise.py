"""Convolution with one input channel per group: tap by tap, each a product entry by entry.

The products per window are too few for matrices; a tap is one scaled slice of the whole input.
Channels last; outputs are (channels, multiplier).
"""

from __future__ import annotations

from math import prod

import numpy as np

from ...tensor.node import Array
from .columns import padded
from .geometry import Geometry
from .scratch import scratch

# bytes of output per piece: it is read once per tap, so it should stay in the nearest cache
PIECE = 1 << 18


def _pieces(batch: int, outputs: int) -> list[slice]:
    step = max(1, PIECE // max(4 * outputs, 1))
    return [slice(i, min(i + step, batch)) for i in range(0, batch, step)]


def _by_tap(w: Array, groups: int) -> Array:
    """(O, 1, *kernel) as (*kernel, channels, multiplier)."""
    dims = w.ndim - 2
    w = w.reshape(groups, -1, *w.shape[2:])
    return np.ascontiguousarray(w.transpose(*range(2, 2 + dims), 0, 1))


def forward(x: Array, w: Array, how: Geometry) -> Array:
    """x (N, *size, C), w (C * m, 1, *kernel) -> (N, *out, C * m)."""
    taps = _by_tap(w, how.groups)
    y = np.zeros((len(x), *how.out, *taps.shape[-2:]), x.dtype)
    for piece in _pieces(len(x), prod(how.out) * len(w)):
        part, out = padded(x[piece], how.padding)[..., None], y[piece]
        term = scratch("outputs", out.shape, x.dtype)
        for tap, where in how.taps():
            out += np.multiply(part[where], taps[tap], out=term)
    return y.reshape(*y.shape[:-2], -1)


def input_gradient(z: Array, w: Array, how: Geometry) -> Array:
    """z (N, *out, C * m), w (C * m, 1, *kernel) -> (N, *size, C)."""
    taps = _by_tap(w, how.groups)
    z = z.reshape(*z.shape[:-1], *taps.shape[-2:])
    gx = np.empty((len(z), *how.size, how.groups), z.dtype)
    for piece in _pieces(len(z), prod(how.out) * len(w)):
        part = z[piece]
        whole = scratch("padded", (len(part), *how.whole, how.groups), z.dtype)
        whole.fill(0)
        term = scratch("outputs", part.shape, z.dtype)
        for tap, where in how.taps():
            np.multiply(part, taps[tap], out=term)
            whole[where] += term.sum(-1) if term.shape[-1] > 1 else term[..., 0]
        gx[piece] = whole[(slice(None), *how.inner)]
    return gx


def weight_gradient(z: Array, x: Array, how: Geometry) -> Array:
    """z (N, *out, C * m), x (N, *size, C) -> (C * m, 1, *kernel)."""
    dims, outputs = len(how.kernel), z.shape[-1]
    z = z.reshape(*z.shape[:-1], how.groups, -1)
    total = np.zeros((*how.kernel, *z.shape[-2:]), z.dtype)
    axes = tuple(range(1 + dims))
    for piece in _pieces(len(x), prod(how.out) * outputs):
        part, xp = z[piece], padded(x[piece], how.padding)[..., None]
        term = scratch("outputs", part.shape, z.dtype)
        for tap, where in how.taps():
            total[tap] += np.multiply(part, xp[where], out=term).sum(axes)
    return total.transpose(dims, dims + 1, *range(dims)).reshape(-1, 1, *how.kernel)
