"""Convolution as large matrix products over copied windows ("columns"), channels last.

Every output position reads a window of the input. Windows are copied into the rows of a matrix, and
one product with the kernel gives all outputs. With few channels such rows are short, and copying
them costs more than the product; then a row holds the longer window of ``block`` neighbouring
outputs, and the kernel becomes a banded matrix that gives all of them at once: more
multiplications, of which the matrix product does 100 in the time of one copy.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ...tensor.node import Array
from .geometry import Geometry, Pads
from .scratch import scratch

# bytes of columns made at a time: they stay in cache, and memory does not grow with the batch
PIECE = 1 << 22


def padded(x: Array, pads: Pads, slot: str = "padded") -> Array:
    """``x`` (N, *size, C) with zeros around (negative: cut off), contiguous; scratch if copied."""
    if not any(map(any, pads)):
        if x.flags.c_contiguous:
            return x
        out = scratch(slot, x.shape, x.dtype)
        np.copyto(out, x)
        return out
    size = x.shape[1:-1]
    shape = tuple(n + lo + hi for n, (lo, hi) in zip(size, pads, strict=True))
    out = scratch(slot, (x.shape[0], *shape, x.shape[-1]), x.dtype)
    inner, kept = [slice(None)], [slice(None)]
    for axis, (n, (lo, hi)) in enumerate(zip(size, pads, strict=True)):
        lead = (slice(None),) * (axis + 1)
        if lo > 0:
            out[(*lead, slice(0, lo))] = 0
        if hi > 0:
            out[(*lead, slice(shape[axis] - hi, None))] = 0
        inner.append(slice(max(lo, 0), shape[axis] - max(hi, 0)))
        kept.append(slice(max(-lo, 0), n - max(-hi, 0)))
    out[tuple(inner)] = x[tuple(kept)]
    return out


def pieces(batch: int, bytes_each: int) -> list[slice]:
    """The batch in slices whose work space stays within ``PIECE``."""
    step = max(1, PIECE // max(bytes_each, 1))
    return [slice(i, min(i + step, batch)) for i in range(0, batch, step)]


def block_of(how: Geometry, channels: int, outputs: int) -> int:
    """How many neighbouring outputs share a row, from measurements (see benchmarks)."""
    width, taps = how.out[-1], how.kernel[-1]
    if how.groups > 1 or how.dilation[-1] > 1 or taps == 1:
        return 1
    wanted = min(max(1, 96 // max(channels, outputs)), width)
    return min(range(max(wanted // 2, 1), wanted + 1), key=lambda b: (-width % b, -b))


class Columns:
    """The windows of one convolution: how to copy them, and the kernel in the order they have.

    Groups are a leading axis throughout: g products, each of its own channels.
    """

    def __init__(self, how: Geometry, channels: int, outputs: int, dtype: Any) -> None:
        self.how, self.dtype = how, np.dtype(dtype)
        self.channels, self.outputs = channels // how.groups, outputs // how.groups  # of one group
        self.block = b = block_of(how, self.channels, self.outputs)
        self.blocks = -(-how.out[-1] // b)
        s, d, k = how.stride[-1], how.dilation[-1], how.kernel[-1]
        self.taps = k if b == 1 else (b - 1) * s + k
        self.tap_step = d if b == 1 else 1
        self.width = self.blocks * b  # of the outputs, with what the last block has too much
        lo, hi = how.padding[-1]
        reached = (self.blocks - 1) * b * s + (self.taps - 1) * self.tap_step + 1
        self.pads = (*how.padding[:-1], (lo, max(hi, reached - how.size[-1] - lo)))
        self.rows = (*how.out[:-1], self.blocks)
        self.row = prod(how.kernel[:-1]) * self.taps * self.channels
        self.bytes_each = how.groups * prod(self.rows) * self.row * self.dtype.itemsize

    def gather(self, x: Array) -> Array:
        """A piece (n, *size, C) of the batch as columns (groups, rows, taps * C); scratch."""
        how, xp = self.how, padded(x, self.pads)
        first, *along, last = xp.strides
        steps = [s * stride for s, stride in zip(how.stride, along, strict=True)]
        steps[-1] *= self.block
        taps = [d * stride for d, stride in zip(how.dilation, along, strict=True)]
        taps[-1] = self.tap_step * along[-1]
        shape = (how.groups, len(x), *self.rows, *how.kernel[:-1], self.taps, self.channels)
        strides = (self.channels * last, first, *steps, *taps, last)
        out = scratch("columns", shape, x.dtype)
        np.copyto(out, as_strided(xp, shape, strides, writeable=False))
        return out.reshape(how.groups, -1, self.row)

    def _band(self, matrix: Array) -> Array:
        """The places of a banded matrix (groups, row, block * outputs) where the kernel's entries
        stand.
        """
        how, b = self.how, self.block
        sizes = (how.groups, *how.kernel[:-1], self.taps, self.channels, b, self.outputs)
        *outer, tap, channel, place, output = matrix.reshape(sizes).strides
        shape = (how.groups, *how.kernel[:-1], b, how.kernel[-1], self.channels, self.outputs)
        strides = (*outer, how.stride[-1] * tap + place, tap, channel, output)
        return as_strided(matrix, shape, strides)

    def matrix(self, w: Array) -> Array:
        """The kernel (outputs, channels, *kernel) as (groups, row, block * outputs)."""
        how, dims = self.how, len(self.how.kernel)
        w = w.reshape(how.groups, self.outputs, self.channels, *how.kernel)
        w = w.transpose(0, *range(3, 3 + dims), 2, 1)
        if self.block == 1:
            return w.reshape(how.groups, self.row, self.outputs)
        out = np.zeros((how.groups, self.row, self.block * self.outputs), w.dtype)
        self._band(out)[...] = np.expand_dims(w, dims)
        return out

    def kernel(self, matrix: Array) -> Array:
        """The adjoint of ``matrix``: the kernel's gradient from the matrix's."""
        how, dims = self.how, len(self.how.kernel)
        if self.block == 1:
            w = matrix.reshape(how.groups, *how.kernel, self.channels, self.outputs)
        else:
            w = self._band(matrix).sum(dims)
        w = w.transpose(0, dims + 2, dims + 1, *range(1, dims + 1))
        return w.reshape(-1, self.channels, *how.kernel)

    def split(self, z: Array) -> Array:
        """A piece (n, *out, O) of the outputs as products have it: (groups, rows, block * O)."""
        spare = ((0, 0),) * (z.ndim - 3) + ((0, self.width - z.shape[-2]),)
        if self.how.groups == 1:
            return padded(z, spare, "outputs").reshape(1, -1, self.block * self.outputs)
        grown = padded(z, spare, "padded").reshape(*z.shape[:-2], self.width, self.how.groups, -1)
        out = scratch("outputs", (self.how.groups, *grown.shape[:-2], self.outputs), z.dtype)
        np.copyto(out, np.moveaxis(grown, -2, 0))
        return out.reshape(self.how.groups, -1, self.block * self.outputs)


def forward(x: Array, w: Array, how: Geometry) -> Array:
    """x (N, *size, C), w (O, C / groups, *kernel) -> (N, *out, O)."""
    form = Columns(how, x.shape[-1], len(w), x.dtype)
    y = np.empty((len(x), *how.out[:-1], form.width, len(w)), x.dtype)
    matrix = form.matrix(w)
    for piece in pieces(len(x), form.bytes_each):
        columns, part = form.gather(x[piece]), y[piece]
        if how.groups == 1:
            np.matmul(columns[0], matrix[0], out=part.reshape(columns.shape[1], -1))
        else:
            grouped = scratch("outputs", (*columns.shape[:2], matrix.shape[2]), x.dtype)
            np.matmul(columns, matrix, out=grouped)
            grouped = grouped.reshape(how.groups, *part.shape[:-1], form.outputs)
            part.reshape(*part.shape[:-1], how.groups, -1)[...] = np.moveaxis(grouped, 0, -2)
    return y if form.width == how.out[-1] else y[..., : how.out[-1], :]


def weight_gradient(z: Array, x: Array, how: Geometry) -> Array:
    """z (N, *out, O), x (N, *size, C) -> (O, C / groups, *kernel): columns transposed, times the
    gradient.
    """
    form = Columns(how, x.shape[-1], z.shape[-1], x.dtype)
    total = np.zeros((how.groups, form.row, form.block * form.outputs), x.dtype)
    for number, piece in enumerate(pieces(len(x), form.bytes_each)):
        outputs = form.split(z[piece])  # before gather: both use the scratch named "padded"
        columns = form.gather(x[piece]).mT
        if number == 0:
            np.matmul(columns, outputs, out=total)
        else:
            total += columns @ outputs
    return form.kernel(total)


def input_gradient(z: Array, w: Array, how: Geometry) -> Array:
    """z (N, *out, O), w (O, C / groups, *kernel) -> (N, *size, C): columns of the gradient, added
    up.

    For any stride; at stride 1 a convolution with the kernel turned round needs no adding up.
    """
    dims, channels = len(how.kernel), w.shape[1]
    outputs = len(w) // how.groups
    matrix = w.reshape(how.groups, outputs, channels, *how.kernel)
    matrix = matrix.transpose(0, 1, *range(3, 3 + dims), 2).reshape(how.groups, outputs, -1)
    gx = np.empty((len(z), *how.size, how.groups * channels), z.dtype)
    for piece in pieces(len(z), prod(how.out) * matrix.size // outputs * z.itemsize):
        part = z[piece].reshape(-1, how.groups, outputs).swapaxes(0, 1)
        columns = scratch("columns", (how.groups, part.shape[1], matrix.shape[2]), z.dtype)
        np.matmul(part, matrix, out=columns)
        columns = columns.reshape(how.groups, -1, *how.out, *how.kernel, channels)
        whole = scratch("padded", (columns.shape[1], *how.whole, how.groups, channels), z.dtype)
        whole.fill(0)
        for tap, where in how.taps():
            at: Any = (..., *tap, slice(None))
            whole[where] += np.moveaxis(columns[at], 0, -2)
        gx[piece] = whole[(slice(None), *how.inner)].reshape(*gx[piece].shape)
    return gx
