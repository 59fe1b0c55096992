"""Convolution with one input channel per group: tap by tap, each a product entry by entry.

A window has too few products for matrices; a tap is one scaled slice of the whole input. The batch
is last; outputs are (channels, multiplier).
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ...tensor.node import Array
from .copies import padded
from .geometry import Geometry, Sizes
from .halves import pieces
from .scratch import scratch

# Bytes of output at a time: it is read once per tap, so it should stay in the nearest cache.
PIECE = 1 << 18


def _channels(z: Array, groups: int) -> list[slice]:
    """Pieces of the channels."""
    return pieces(groups, z.nbytes // groups, PIECE)


def _by_channel(w: Array, groups: int) -> Array:
    """(O, 1, *kernel) as (channels, multiplier, *kernel)."""
    return w.reshape(groups, -1, *w.shape[2:])


def _factor(kernels: Array, some: slice, tap: Sizes) -> Array:
    """One tap (channels, multiplier), to stand against (channels, multiplier, *places, N)."""
    at: Any = (some, slice(None), *tap)
    numbers: Array = kernels[at]
    return numbers.reshape(*numbers.shape, *(1,) * (len(tap) + 1))


def forward(x: Array, w: Array, how: Geometry) -> Array:
    """x (C, *size, N), w (C * m, 1, *kernel) -> (C * m, *out, N)."""
    kernels = _by_channel(w, how.groups)
    y = np.zeros((*kernels.shape[:2], *how.out, x.shape[-1]), x.dtype)
    for some in _channels(y, how.groups):
        part, out = padded(x[some], how.padding)[:, None], y[some]
        term = scratch("outputs", out.shape, x.dtype)
        for tap, where in how.taps():
            met = part[(slice(None), slice(None), *where)]
            out += np.multiply(met, _factor(kernels, some, tap), out=term)
    return y.reshape(len(w), *y.shape[2:])


def input_gradient(z: Array, w: Array, how: Geometry) -> Array:
    """z (C * m, *out, N), w (C * m, 1, *kernel) -> (C, *size, N)."""
    kernels = _by_channel(w, how.groups)
    z = z.reshape(*kernels.shape[:2], *z.shape[1:])
    gx = np.zeros((how.groups, *how.size, z.shape[-1]), z.dtype)
    for some in _channels(z, how.groups):
        part, out = z[some], gx[some]
        term = scratch("outputs", part.shape, z.dtype)
        for tap, places, outs in how.meetings():
            np.multiply(part, _factor(kernels, some, tap), out=term)
            met = term[(slice(None), slice(None), *outs)]
            out[(slice(None), *places)] += met[:, 0] if met.shape[1] == 1 else met.sum(1)
    return gx


def weight_gradient(z: Array, x: Array, how: Geometry) -> Array:
    """z (C * m, *out, N), x (C, *size, N) -> (C * m, 1, *kernel)."""
    z = z.reshape(how.groups, -1, *z.shape[1:])
    total = np.empty((*z.shape[:2], *how.kernel), z.dtype)
    places = prod(how.out) * z.shape[-1]
    for some in _channels(z, how.groups):
        part = z[some].reshape(*z[some].shape[:2], places)
        xp = padded(x[some], how.padding)
        met = scratch("outputs", (len(xp), *how.out, x.shape[-1]), x.dtype)
        for tap, where in how.taps():
            np.copyto(met, xp[(slice(None), *where)])
            at: Any = (some, slice(None), *tap)
            total[at] = np.vecdot(part, met.reshape(len(xp), 1, places))
    return total.reshape(-1, 1, *how.kernel)
