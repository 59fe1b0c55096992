"""3x3 convolution with stride 1 in fewer multiplications (Winograd, 1980; Lavin & Gray, 2015).

The outputs are cut into tiles of m x m. A tile and its input patch of n x n (n = m + 2) are
polynomials whose product is known from its values at n points per axis; evaluating and
interpolating are small fixed matrices, and between them a tile costs n*n products per pair of
channels where the definition takes 9*m*m (36 for 144, m = 4):

    Y = Aᵀ [ (G w Gᵀ) ⊙ (Bᵀ x B) ] A,   the ⊙ summed over channels: one matrix product per point.

The gradient to the kernel runs the same three maps backwards. The price is rounding: about 1e-6 of
the largest entry in float32 for m = 2 and 1e-5 for m = 4, and results that are not exact for whole
numbers, so that this way is only taken with many channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ...tensor.node import Array
from .columns import padded
from .geometry import Geometry
from .halves import cut, share
from .scratch import scratch

# Points 0, ±1, ∞ (m = 2) and 0, ±1, ±2, ∞ (m = 4), scaled so that two of the three matrices are
# whole numbers.
_B = {
    2: [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
    4: [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
}
_G = {
    2: [[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]],
    4: [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
}
_A = {
    2: [[1, 1, 1, 0], [0, 1, -1, -1]],
    4: [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
}
PIECE = 1 << 20  # bytes of one of the three work arrays, aimed at: what the nearest cache holds

SPARE = 16  # entries between lines of work arrays


@lru_cache
def _maps(m: int, dtype: Any) -> tuple[Array, Array, Array]:
    """Bᵀ (n, n), G ⊗ G (n*n, 9), Aᵀ ⊗ Aᵀ (m*m, n*n)."""
    b, g, a = (np.array(table[m], dtype) for table in (_B, _G, _A))
    return b, np.kron(g, g), np.kron(a, a)


# Nanoseconds, measured on 2 cores in float32: a multiplication and addition in a matrix product, an
# entry copied into columns, an entry of a tile on its way to its points and back, and an entry of a
# kernel at its points, written and read.
PRODUCT, COPY, POINT, KERNEL = 0.0125, 0.2, 2.0, 1.5


@lru_cache(maxsize=1024)
def tile_for(how: Geometry, channels: int, outputs: int, batch: int) -> int:
    """The tile that is expected to be fastest: 4, 2, or 0 for columns.

    With fewer than 16 channels always 0, so that small whole numbers give exact results.
    """
    if how.kernel != (3, 3) or how.stride != (1, 1) or how.dilation != (1, 1) or how.groups > 1:
        return 0
    if min(channels, outputs) < 16:
        return 0
    pairs, places = channels * outputs, how.out[0] * how.out[1] * batch
    costs = {0: 9 * places * (pairs * PRODUCT + channels * COPY)}
    for m in (2, 4):
        tiles = -(-how.out[0] // m) * -(-how.out[1] // m) * batch
        each = pairs * PRODUCT + (channels + outputs) * POINT / 2
        costs[m] = (m + 2) ** 2 * (tiles * each + pairs * KERNEL)
    return min(costs, key=lambda m: costs[m])


@dataclass
class Tiles:
    """How places of a convolution are cut, and pieces of it: some rows of tiles, some images."""

    how: Geometry
    m: int
    channels: int
    outputs: int

    def __post_init__(self) -> None:
        self.n = self.m + 2
        self.rows, self.columns = (-(-o // self.m) for o in self.how.out)
        self.pads = tuple(
            (lo, t * self.m + 2 - size - lo)
            for t, size, (lo, _) in zip(
                (self.rows, self.columns), self.how.size, self.how.padding, strict=True
            )
        )

    def pieces(self, x: Array) -> list[tuple[slice, slice]]:
        """(rows of tiles, images); enough tiles to pay for reading the kernels once more.

        At least two, so that two threads have work.
        """
        images, most = x.shape[-1], -(-self.rows // 2)
        row = self.n**2 * max(self.channels, self.outputs) * self.columns * x.itemsize
        batch = min(images, max(1, PIECE // row, -(-256 // self.columns)))
        rows = max(1, PIECE // (row * batch), -(-256 // (self.columns * batch)))
        rows = min(rows, most if batch == images else self.rows)
        if self.rows == 1 and batch == images:
            batch = max(1, -(-images // 2))
        return [
            (slice(t, min(t + rows, self.rows)), slice(b, min(b + batch, images)))
            for b in range(0, images, batch)
            for t in range(0, self.rows, rows)
        ]

    def evaluate(self, xp: Array, rows: slice, images: slice, b: Array) -> Array:
        """Patches of the padded input at the n*n points: (n*n, C, tiles * images); scratch."""
        n, m = self.n, self.m
        part = xp[:, rows.start * m :, :, images]
        channel, row, column, image = part.strides
        shape = (n, n, self.channels, rows.stop - rows.start, self.columns, part.shape[-1])
        patches = as_strided(
            part, shape, (row, column, channel, row * m, column * m, image), writeable=False
        )
        length = patches[0, 0].size
        first = scratch("points", (n, n, length + SPARE), xp.dtype)
        second = scratch("halfway", first.shape, xp.dtype)
        np.copyto(first[..., :length].reshape(shape), patches)
        first[..., length:] = 0
        np.matmul(b, first.reshape(n, -1), out=second.reshape(n, -1))
        np.matmul(b, second, out=first)
        return first[..., :length].reshape(n * n, self.channels, -1)

    def spread(self, zp: Array, rows: slice, images: slice, a: Array) -> Array:
        """Interpolation's adjoint: outputs at the points, (n*n, O, tiles * images); scratch."""
        m = self.m
        part = zp[:, rows.start * m : rows.stop * m, :, images]
        cut = part.reshape(self.outputs, -1, m, self.columns, m, part.shape[-1])
        cut = cut.transpose(2, 4, 0, 1, 3, 5)
        tiles = _lines("halfway", m * m, cut[0, 0].size, zp.dtype)
        np.copyto(tiles.reshape(cut.shape), cut)
        out = _lines("products", self.n**2, tiles.shape[1], zp.dtype)
        np.matmul(a.T, tiles, out=out)
        return out.reshape(self.n**2, self.outputs, -1)


def _lines(slot: str, count: int, length: int, dtype: Any) -> Array:
    """A scratch matrix whose lines do not begin a power of two apart.

    Otherwise the entries of a column all compete for the same few places of the cache, and the
    small maps, which mix lines, take twice as long (measured).
    """
    return scratch(slot, (count, length + SPARE), dtype)[:, :length]


def _kernels(w: Array, m: int, turned: bool) -> Array:
    """The kernels at the n*n points, (n*n, *first axes of w); scratch."""
    _, g, _ = _maps(m, w.dtype)
    g, entries = g[:, ::-1] if turned else g, w.reshape(-1, 9).T
    points = _lines("kernel", len(g), entries.shape[1], w.dtype)

    def evaluate(some: slice) -> None:
        np.matmul(g, entries[:, some], out=points[:, some])

    # cut however small: otherwise the library starts its own thread for it, and both wait
    share(evaluate, cut(entries.shape[1], 64))
    return points.reshape(len(g), *w.shape[:2])


def forward(x: Array, w: Array, how: Geometry, m: int, turned: bool = False) -> Array:
    """x (C, H, W, N), w (O, C, 3, 3) -> (O, h, w, N).

    ``turned``: with the kernel as the gradient to the input has it, w (C, O, 3, 3) turned by half a
    circle.
    """
    b, _, a = _maps(m, x.dtype)
    outputs, n = w.shape[1] if turned else len(w), m + 2
    tiles = Tiles(how, m, len(x), outputs)
    kernels = _kernels(w, m, turned)
    if turned:
        kernels = kernels.mT
    y = np.empty((outputs, tiles.rows * m, tiles.columns * m, x.shape[-1]), x.dtype)
    xp = padded(x, tiles.pads)

    def convolve(piece: tuple[slice, slice]) -> None:
        rows, images = piece
        values = tiles.evaluate(xp, rows, images, b)
        length = outputs * values.shape[2]
        products = _lines("products", n * n, length, x.dtype)
        np.matmul(kernels, values, out=products.reshape(n * n, outputs, -1))
        results = _lines("halfway", m * m, length, x.dtype)
        np.matmul(a, products, out=results)
        part = y[:, rows.start * m : rows.stop * m, :, images]
        places = part.reshape(outputs, -1, m, tiles.columns, m, part.shape[-1])
        cut_up = results.reshape(m, m, outputs, -1, tiles.columns, part.shape[-1])
        places[...] = cut_up.transpose(2, 3, 0, 4, 1, 5)

    share(convolve, tiles.pieces(x))
    h, w_ = how.out
    return y if y.shape[1:3] == how.out else np.ascontiguousarray(y[:, :h, :w_])


def weight_gradient(z: Array, x: Array, how: Geometry, m: int) -> Array:
    """z (O, h, w, N), x (C, H, W, N) -> (O, C, 3, 3): outputs inputsᵀ per point, back by Gᵀ."""
    b, g, a = _maps(m, x.dtype)
    tiles, n = Tiles(how, m, len(x), len(z)), m + 2
    xp = padded(x, tiles.pads)
    grid = (tiles.rows * m, tiles.columns * m)
    spare = tuple((0, size - o) for size, o in zip(grid, how.out, strict=True))
    zp = padded(z, spare, "outputs")
    pieces = list(enumerate(tiles.pieces(x)))
    # even pieces are added up in one sum, odd ones, which a second thread may have, in another
    pairs, sums = len(z) * len(x), min(2, len(pieces))
    totals = _lines("kernel", sums * n * n, pairs, x.dtype).reshape(sums, n * n, len(z), -1)

    def correlate(numbered: tuple[int, tuple[slice, slice]]) -> None:
        number, (rows, images) = numbered
        # spread before evaluate: both use the scratch named "halfway"
        spread = tiles.spread(zp, rows, images, a)
        values = tiles.evaluate(xp, rows, images, b).mT
        total = totals[number % 2]
        if number < 2:
            np.matmul(spread, values, out=total)
        else:
            part = scratch("part", total.shape, x.dtype)
            total += np.matmul(spread, values, out=part)

    share(correlate, pieces)
    kernel = np.empty((pairs, 9), x.dtype)

    def back(some: slice) -> None:
        total = totals.reshape(sums, n * n, -1)[:, :, some]
        if sums > 1:
            total[0] += total[1]
        np.matmul(total[0].T, g, out=kernel[some])

    share(back, cut(pairs, 64))
    return kernel.reshape(len(z), len(x), 3, 3)
