"""Convolution line by line: windows that overlap in memory along the first axis, and are no copies.

Columns (``columns.py``) copy every entry once per tap. Here entries are only copied once per tap of
the *other* axes: as (lines, taps, channels, places), the lines of the input that a line of outputs
meets are neighbours, one block of memory, and the next output's block overlaps it. So a kernel of
3 x 3 copies three times, not nine times.

In two and more dimensions, with dilation 1 along the first axis, where a line has enough outputs to
be a matrix.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ...tensor.node import Array
from .columns import pieces
from .geometry import Geometry
from .halves import share
from .products import blockwise, in_order
from .scratch import scratch
from .tiles import copy_runs

PIECE = 1 << 20  # bytes of copied lines at a time: what the nearest cache holds
LEAST = 256  # outputs of a line


def fits(how: Geometry, batch: int) -> bool:
    """Whether this is a way to compute it."""
    return len(how.size) > 1 and how.dilation[0] == 1 and prod(how.out[1:]) * batch >= LEAST


def _pieces(x: Array, how: Geometry) -> list[slice]:
    """Lines of the output: at least two pieces, of at least two lines."""
    taps, places = prod(how.kernel[1:]), prod(how.out[1:]) * x.shape[-1]
    bytes_each = how.stride[0] * taps * len(x) * places * x.itemsize
    lines = max(2, PIECE // bytes_each)
    return pieces(how.out[0], 1, max(1, min(lines, -(-how.out[0] // 2))))


def windows(x: Array, how: Geometry, lines: slice) -> Array:
    """x (C, *size, N) -> (groups, lines of the output, taps * channels, places); scratch."""
    count, kernel, stride = lines.stop - lines.start, how.kernel[0], how.stride[0]
    channels, places = len(x) // how.groups, prod(how.out[1:]) * x.shape[-1]
    reach = (count - 1) * stride + kernel
    shape = (how.groups, reach, *how.kernel[1:], channels, *how.out[1:], x.shape[-1])
    room = scratch("lines", shape, x.dtype)
    start = lines.start * stride - how.padding[0][0]
    top, bottom = max(0, -start), max(0, min(reach, how.size[0] - start))
    room[:, :top] = 0
    room[:, bottom:] = 0
    grouped = x.reshape(how.groups, channels, *x.shape[1:])
    met = grouped[:, :, start + top : start + bottom].swapaxes(1, 2)
    every: Any = (slice(None),) * 3
    for tap, inputs, outs in how.across():
        at: Any = (slice(None), slice(top, bottom), *tap)
        part = room[at]
        if outs != tuple([slice(0, o) for o in how.out[1:]]):
            part[...] = 0
        if outs is not None and inputs is not None:
            copy_runs(part[every + outs], met[every + inputs])
    rows = prod(shape[2 : -len(how.size)])
    line, entry = room.strides[1], x.itemsize
    return as_strided(
        room,
        (how.groups, count, kernel * rows, places),
        (room.strides[0], stride * line, places * entry, entry),
        writeable=False,
    )


def forward(x: Array, w: Array, how: Geometry) -> Array:
    """x (C, *size, N), w (O, C / groups, *kernel) -> (O, *out, N)."""
    x, outputs = in_order(x), len(w) // how.groups
    y = np.empty((len(w), *how.out, x.shape[-1]), x.dtype)
    by_line = y.reshape(how.groups, outputs, how.out[0], -1)
    taps = np.moveaxis(w.reshape(how.groups, outputs, w.shape[1], -1), 2, 3)
    matrix = taps.reshape(how.groups, 1, outputs, -1)

    def convolve(lines: slice) -> None:
        out = by_line[:, :, lines].swapaxes(1, 2)
        blockwise(matrix, windows(x, how, lines), out)

    share(convolve, _pieces(x, how))
    return y


def weight_gradient(z: Array, x: Array, how: Geometry) -> Array:
    """z (O, *out, N), x (C, *size, N) -> (O, C / groups, *kernel): outputs times windows."""
    x, outputs, channels = in_order(x), len(z) // how.groups, len(x) // how.groups
    by_line = in_order(z).reshape(how.groups, outputs, how.out[0], -1)
    numbered = list(enumerate(_pieces(x, how)))
    # even pieces are added up in one sum, odd ones, which a second thread may have, in another
    totals: list[Array] = [np.empty(0)] * min(2, len(numbered))

    def correlate(one: tuple[int, slice]) -> None:
        number, lines = one
        met = windows(x, how, lines)
        parts = scratch("parts", (how.groups, met.shape[1], outputs, met.shape[2]), x.dtype)
        blockwise(by_line[:, :, lines].swapaxes(1, 2), met.mT, parts, 16)
        if number < 2:
            totals[number] = parts.sum(1)
        else:
            for line in range(met.shape[1]):
                totals[number % 2] += parts[:, line]

    share(correlate, numbered)
    total = totals[0]
    if len(totals) > 1:
        total += totals[1]
    total = np.moveaxis(total.reshape(len(z), -1, channels), 1, 2)
    return np.ascontiguousarray(total).reshape(len(z), channels, *how.kernel)
