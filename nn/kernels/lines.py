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

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ...tensor.node import Array
from .copies import copy_runs, in_order, padded
from .geometry import Geometry
from .halves import pieces, share, total
from .products import blockwise
from .scratch import scratch

PIECE = 1 << 20  # bytes of copied lines at a time: what the nearest cache holds
LEAST = 256  # outputs of a line
TO_ADD = 512  # the same for the gradient to the kernel, where each line's product is added up


def fits(how: Geometry, batch: int, to_add: bool = False) -> bool:
    """Whether this is a way to compute it."""
    least = TO_ADD if to_add else LEAST
    return len(how.size) > 1 and how.dilation[0] == 1 and prod(how.out[1:]) * batch >= least


def _pieces(x: Array, how: Geometry) -> list[slice]:
    """Lines of the output, in an even number of pieces where there are enough."""
    taps, places = prod(how.kernel[1:]), prod(how.out[1:]) * x.shape[-1]
    copied = how.out[0] * how.stride[0] * taps * len(x) * places * x.itemsize
    pairs = -(-copied // (2 * PIECE))
    lines = -(-how.out[0] // (2 * pairs))
    # at least two lines, where that leaves two pieces: windows of a line alone share no copies
    return pieces(how.out[0], 1, max(lines, 2 if how.out[0] > 2 else 1))


def windows(xp: Array, how: Geometry, lines: slice) -> Array:
    """Padded xp (C, *size, N) -> (groups, lines of the output, taps * channels, places); scratch.

    One copy of runs of images: two threads that take turns at many small steps of Python, which one
    at a time may do, wait for each other longer than they work (measured: 350 us instead of 90).
    """
    channel, line, *along, image = xp.strides
    count, kernel, stride = lines.stop - lines.start, how.kernel[0], how.stride[0]
    channels, batch = len(xp) // how.groups, xp.shape[-1]
    shape = ((count - 1) * stride + kernel, *how.kernel[1:], channels, *how.out[1:], batch)
    taps = [d * step for d, step in zip(how.dilation[1:], along, strict=True)]
    places = [s * step for s, step in zip(how.stride[1:], along, strict=True)]
    met = as_strided(
        xp[:, lines.start * stride :],
        (how.groups, *shape),
        (channels * channel, line, *taps, channel, *places, image),
        writeable=False,
    )
    room = scratch("lines", met.shape, xp.dtype)
    copy_runs(room, met)
    rows, length = kernel * prod(how.kernel[1:]) * channels, prod(how.out[1:]) * batch
    step, entry = room.strides[1], room.itemsize
    return as_strided(
        room,
        (how.groups, count, rows, length),
        (room.strides[0], stride * step, length * entry, entry),
        writeable=False,
    )


def forward(x: Array, w: Array, how: Geometry) -> Array:
    """x (C, *size, N), w (O, C / groups, *kernel) -> (O, *out, N)."""
    xp, outputs = padded(x, how.padding), len(w) // how.groups
    y = np.empty((len(w), *how.out, x.shape[-1]), x.dtype)
    by_line = y.reshape(how.groups, outputs, how.out[0], -1)
    taps = np.moveaxis(w.reshape(how.groups, outputs, w.shape[1], -1), 2, 3)
    matrix = taps.reshape(how.groups, 1, outputs, -1)

    def convolve(lines: slice) -> None:
        out = by_line[:, :, lines].swapaxes(1, 2)
        blockwise(matrix, windows(xp, how, lines), out)

    share(convolve, _pieces(x, how))
    return y


def weight_gradient(z: Array, x: Array, how: Geometry) -> Array:
    """z (O, *out, N), x (C, *size, N) -> (O, C / groups, *kernel): outputs times windows."""
    outputs, channels = len(z) // how.groups, len(x) // how.groups
    xp = padded(x, how.padding)
    by_line = in_order(z).reshape(how.groups, outputs, how.out[0], -1)

    def correlate(lines: slice) -> Array:
        met = windows(xp, how, lines)
        parts = scratch("parts", (how.groups, met.shape[1], outputs, met.shape[2]), x.dtype)
        blockwise(by_line[:, :, lines].swapaxes(1, 2), met.mT, parts, 16)
        by_group: Array = parts.sum(1)
        return by_group

    entries = total(correlate, _pieces(x, how)).reshape(len(z), -1, channels)
    return np.ascontiguousarray(entries.mT).reshape(len(z), channels, *how.kernel)
