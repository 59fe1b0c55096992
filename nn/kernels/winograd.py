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
PIECE = 1 << 22  # bytes of one of the three work arrays


@lru_cache
def _maps(m: int, dtype: Any) -> tuple[Array, Array, Array]:
    """Bᵀ (n, n), G ⊗ G (n*n, 9), Aᵀ ⊗ Aᵀ (m*m, n*n)."""
    b, g, a = (np.array(table[m], dtype) for table in (_B, _G, _A))
    return b, np.kron(g, g), np.kron(a, a)


def tile_for(how: Geometry, channels: int, outputs: int) -> int:
    """Tile size, or 0 where the definition is as fast (measured on 2 cores) or the kernel is
    another.
    """
    if how.kernel != (3, 3) or how.stride != (1, 1) or how.dilation != (1, 1) or how.groups > 1:
        return 0
    if min(channels, outputs) < 32 or min(how.out) < 2:
        return 0
    # a tile of 4 needs 36 kernels of channels * outputs: few tiles do not pay for them
    return 2 if how.out[0] * how.out[1] <= 16 else 4


@dataclass
class Tiles:
    """How the positions of one convolution are cut, and pieces of the batch with them."""

    how: Geometry
    m: int
    channels: int
    outputs: int

    def __post_init__(self) -> None:
        m, (h, w) = self.m, self.how.out
        self.n = m + 2
        self.grid = (-(-h // m), -(-w // m))
        self.pads = tuple(
            (lo, t * m + 2 - n - lo)
            for t, n, (lo, _) in zip(self.grid, self.how.size, self.how.padding, strict=True)
        )
        self.spare = tuple((0, t * m - o) for t, o in zip(self.grid, self.how.out, strict=True))

    def pieces(self, batch: int, itemsize: int) -> list[slice]:
        each = self.n**2 * self.grid[0] * self.grid[1] * max(self.channels, self.outputs) * itemsize
        step = max(1, PIECE // each, min(batch, -(-256 // (self.grid[0] * self.grid[1]))))
        return [slice(i, min(i + step, batch)) for i in range(0, batch, step)]

    def evaluate(self, x: Array, b: Array) -> Array:
        """Patches of a piece (p, H, W, C) at the n*n points: (n*n, p * tiles, C); scratch."""
        xp, n, m, (t, u) = padded(x, self.pads), self.n, self.m, self.grid
        image, row, column, channel = xp.strides
        shape = (n, n, len(x), t, u, self.channels)
        patches = as_strided(
            xp, shape, (row, column, image, row * m, column * m, channel), writeable=False
        )
        first, second = scratch("points", shape, x.dtype), scratch("halfway", shape, x.dtype)
        np.copyto(first, patches)
        np.matmul(b, first.reshape(n, -1), out=second.reshape(n, -1))
        np.matmul(b, second.reshape(n, n, -1), out=first.reshape(n, n, -1))
        return first.reshape(n * n, -1, self.channels)

    def spread(self, z: Array, a: Array) -> Array:
        """The adjoint of interpolating: a piece of outputs (p, h, w, O) as (n*n, p * tiles, O);
        scratch.
        """
        zp, m, (t, u) = padded(z, self.spare, "outputs"), self.m, self.grid
        tiles = zp.reshape(len(z), t, m, u, m, self.outputs).transpose(2, 4, 0, 1, 3, 5)
        cut = scratch("halfway", tiles.shape, z.dtype)
        np.copyto(cut, tiles)
        out = scratch("products", (self.n**2, len(z) * t * u, self.outputs), z.dtype)
        np.matmul(a.T, cut.reshape(m * m, -1), out=out.reshape(self.n**2, -1))
        return out


def forward(x: Array, w: Array, how: Geometry, m: int, turned: bool = False) -> Array:
    """x (N, H, W, C), w (O, C, 3, 3) -> (N, h, w, O).

    ``turned``: with the kernel as the gradient to the input has it, w (C, O, 3, 3) turned by half a
    circle.
    """
    b, g, a = _maps(m, x.dtype)
    channels = x.shape[-1]
    outputs = w.shape[1] if turned else len(w)
    tiles, n = Tiles(how, m, channels, outputs), m + 2
    points = scratch("kernel", (n * n, w.shape[0] * w.shape[1]), w.dtype)
    np.matmul(g[:, ::-1] if turned else g, w.reshape(-1, 9).T, out=points)
    kernels = points.reshape(n * n, *w.shape[:2])
    if not turned:
        kernels = kernels.mT
    t, u = tiles.grid
    y = np.empty((len(x), t * m, u * m, outputs), x.dtype)
    places = y.reshape(len(x), t, m, u, m, outputs)
    for piece in tiles.pieces(len(x), x.itemsize):
        values = tiles.evaluate(x[piece], b)
        products = scratch("products", (n * n, values.shape[1], outputs), x.dtype)
        np.matmul(values, kernels, out=products)
        results = scratch("halfway", (m * m, values.shape[1] * outputs), x.dtype)
        np.matmul(a, products.reshape(n * n, -1), out=results)
        cut = results.reshape(m, m, -1, t, u, outputs)
        places[piece] = cut.transpose(2, 3, 0, 4, 1, 5)
    return y[:, : how.out[0], : how.out[1]]


def weight_gradient(z: Array, x: Array, how: Geometry, m: int) -> Array:
    """z (N, h, w, O), x (N, H, W, C) -> (O, C, 3, 3): at each point outputsᵀ inputs, then back by
    Gᵀ.
    """
    b, g, a = _maps(m, x.dtype)
    tiles, n = Tiles(how, m, x.shape[-1], z.shape[-1]), m + 2
    total = scratch("kernel", (n * n, tiles.outputs, tiles.channels), x.dtype)
    total.fill(0)
    for number, piece in enumerate(tiles.pieces(len(x), x.itemsize)):
        spread = tiles.spread(z[piece], a)  # before evaluate: both use the scratch named "halfway"
        values = tiles.evaluate(x[piece], b)
        if number == 0:
            np.matmul(spread.mT, values, out=total)
        else:
            part = scratch("part", total.shape, x.dtype)
            total += np.matmul(spread.mT, values, out=part)
    w = total.reshape(n * n, -1).T @ g
    return w.reshape(tiles.outputs, tiles.channels, 3, 3)
