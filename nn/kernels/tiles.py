"""The tiles of a convolution by Winograd's method, on their way to the n*n points and back.

Three small maps act along both axes of every tile, and every map is a product of a small matrix
with very long lines. So that the lines lie in memory as they are needed, tiles are taken apart by
their columns, with all lines of the image as they are: entry (k, line, channel, tile, image) is
column k of a tile. Rows of a tile are then neighbouring lines, which need no copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...tensor.node import Array
from .copies import copy_runs
from .geometry import Geometry
from .products import along_lines
from .scratch import ones, staggered

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


@lru_cache
def maps(m: int, dtype: Any) -> tuple[Array, Array, Array]:
    """Bᵀ (n, n), G ⊗ G (n*n, 9), Aᵀ (m, n)."""
    b, g, a = (np.array(table[m], dtype) for table in (_B, _G, _A))
    return b, np.kron(g, g), a


def finite(rows: Array) -> bool:
    """Whether all of a matrix is finite, by its sum: half the time of a look at each entry."""
    return bool(np.isfinite(np.vecdot(rows, ones(rows.shape[1], rows.dtype)).sum()))


@dataclass
class Tiles:
    """How the places of a convolution are cut into tiles of m x m, whose patches are n x n."""

    how: Geometry
    m: int

    def __post_init__(self) -> None:
        self.n = self.m + 2
        self.rows, self.columns = (-(-o // self.m) for o in self.how.out)
        self.before = (self.how.padding[0][0], self.how.padding[1][0])

    def evaluate(self, x: Array, rows: slice, out: Array | None = None) -> Array:
        """Patches of x (C, H, W, N) at the points: (n*n, rows, C, T), scratch if not ``out``.

        T are the tiles of a row, times images.
        """
        return self._at_points(x, rows, maps(self.m, x.dtype)[0], self.before, "values", out)

    def spread(self, z: Array, rows: slice) -> Array:
        """Interpolation's adjoint: outputs (O, h, w, N) at the points, (n*n, rows, O, T)."""
        return self._at_points(z, rows, maps(self.m, z.dtype)[2].T, (0, 0), "spread", None)

    def interpolate(self, products: Array, y: Array, rows: slice) -> bool:
        """Products (n*n, rows, O, T) at the points to outputs, into y (O, H, W, N): whole tiles.

        Returns:
            whether all of them are finite; asked here, where they are in the nearest cache.
        """
        m, n, outputs, images = self.m, self.n, y.shape[0], y.shape[-1]
        a = maps(m, y.dtype)[2]
        shape = (products.shape[1], outputs, self.columns, images)
        halfway = staggered("halfway", (n * m, *shape), y.dtype).reshape(n, m, -1)
        results = staggered("patches", (m * m, *shape), y.dtype).reshape(m, m, *shape)
        along_lines(a, products.reshape(n, n, -1), halfway)
        along_lines(a, halfway.swapaxes(0, 1), results.reshape(m, m, -1).swapaxes(0, 1))
        places = y[:, rows.start * m : rows.stop * m]
        places = places.reshape(outputs, -1, m, self.columns, m, images)
        copy_runs(places, results.transpose(3, 2, 0, 4, 1, 5))
        return finite(results.reshape(m * m, -1))

    def _at_points(
        self, x: Array, rows: slice, matrix: Array, before: tuple[int, int], slot: str,
        out: Array | None,
    ) -> Array:  # fmt: skip
        """Patches of x times ``matrix`` (n, size) along both axes."""
        n, size = matrix.shape
        patches = self._patches(x, rows, size, before)
        halfway = staggered("halfway", (size * n, patches.shape[2]), x.dtype).reshape(size, n, -1)
        if out is None:
            shape = (n * n, rows.stop - rows.start, len(x), self.columns * x.shape[-1])
            out = staggered(slot, shape, x.dtype)
        for row in range(rows.stop - rows.start):
            along_lines(matrix, patches[:, row * self.m : row * self.m + size], halfway)
            along_lines(matrix, halfway.swapaxes(0, 1), out[:, row].reshape(n, n, -1))
        return out

    def _patches(self, x: Array, rows: slice, size: int, before: tuple[int, int]) -> Array:
        """What rows of tiles meet of x, zero outside: (size, lines, C * T); scratch.

        Tiles lie m apart, have ``size`` columns and begin ``before`` the first entry.
        """
        channels, height, width, images = x.shape
        m, start = self.m, rows.start * self.m - before[0]
        lines = (rows.stop - rows.start - 1) * m + size
        shape = (channels, self.columns, images)
        room = staggered("patches", (size * lines, *shape), x.dtype).reshape(size, lines, *shape)
        top, bottom = max(0, -start), max(0, min(lines, height - start))
        room[:, :top] = 0
        room[:, bottom:] = 0
        for k, patch in enumerate(room[:, top:bottom]):
            shift = k - before[1]  # of the first tile's column k; tile t has it t * m further on
            left = min(self.columns, max(0, -(shift // m)))
            right = max(left, min(self.columns, (width - 1 - shift) // m + 1))
            patch[:, :, :left] = 0
            patch[:, :, right:] = 0
            if left < right and top < bottom:
                met = x[:, start + top : start + bottom, left * m + shift :: m, :]
                copy_runs(patch[:, :, left:right], met[:, :, : right - left].swapaxes(0, 1))
        return room.reshape(size, lines, -1)
