"""3x3 convolution with stride 1 in fewer multiplications (Winograd, 1980; Lavin & Gray, 2015).

The outputs are cut into tiles of m x m. A tile and its input patch of n x n (n = m + 2) are
polynomials whose product is known from its values at n points per axis; evaluating and
interpolating are small fixed matrices, and between them a tile costs n*n products per pair of
channels where the definition takes 9*m*m (36 for 144, m = 4):

    Y = Aᵀ [ (G w Gᵀ) ⊙ (Bᵀ x B) ] A,   the ⊙ summed over channels: one matrix product per point.

The gradient to the kernel runs the same three maps backwards. The price is rounding: about 1e-6 of
the largest entry in float32 for m = 2 and 1e-5 for m = 4, and results that are not exact for whole
numbers, so that this way is only taken with many channels.

An inf or nan, or what overflows on the way to the points, would spread over its whole tile. So
where a result is not finite, there is none: the caller takes another way.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...tensor.node import Array
from .copies import copy_runs, in_order
from .geometry import Geometry
from .halves import cut, pieces, share
from .products import along_lines, blockwise
from .scratch import scratch, staggered
from .tiles import Tiles, finite, maps

PIECE = 1 << 20  # bytes of a work array, aimed at: what the nearest cache holds

# Nanoseconds, measured on 2 cores in float32: a multiplication and addition in a matrix product, an
# entry copied into columns, an entry of a tile on its way to its points and back, an entry of a
# kernel at its points, and what the steps of Python between them take.
PRODUCT, COPY, POINT, KERNEL, STEPS = 0.0125, 0.2, 1.0, 0.25, 250_000
SHORT = 64  # tiles of a row up to which rows are added up by one product
NARROW = 4  # columns that a product wastes


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
        row = -(-how.out[1] // m) * batch
        each = pairs * PRODUCT * (1 + NARROW / row) + (channels + outputs) * POINT / 2
        costs[m] = STEPS + (m + 2) ** 2 * (-(-how.out[0] // m) * row * each + pairs * KERNEL)
    return min(costs, key=lambda m: costs[m])


def _of_places(tiles: Tiles, channels: int, x: Array) -> list[tuple[slice, slice]]:
    """(rows of tiles, images); enough tiles to pay for reading the kernels once more.

    At least two, so that two threads have work.
    """
    images, most = x.shape[-1], -(-tiles.rows // 2)
    row = tiles.n**2 * channels * tiles.columns * x.itemsize
    batch = min(images, max(1, PIECE // row, -(-256 // tiles.columns)))
    rows = max(1, PIECE // (row * batch), -(-256 // (tiles.columns * batch)))
    rows = min(rows, most if batch == images else tiles.rows)
    if tiles.rows == 1 and batch == images:
        batch = max(1, -(-images // 2))
    return [
        (slice(t, min(t + rows, tiles.rows)), slice(b, min(b + batch, images)))
        for b in range(0, images, batch)
        for t in range(0, tiles.rows, rows)
    ]


def _few_tiles(tiles: Tiles, outputs: int, x: Array) -> bool:
    """Whether kernels are more than tiles: then outputs are taken in pieces, all tiles at a time.

    Neither the kernels at the points nor what becomes of them have to leave the cache.
    """
    places: int = tiles.rows * tiles.columns * x.shape[-1]
    return outputs > places


def _of_outputs(count: int, channels: int, tiles: Tiles, x: Array) -> list[slice]:
    """``count`` outputs in pieces: 16 or more, at least two pieces."""
    most = max(16, PIECE // (tiles.n**2 * channels * x.itemsize) & -16)
    return pieces(count, 1, max(1, min(most, -(-count // 2))))


def _kernels(w: Array, some: slice, m: int, turned: bool, out: Array) -> None:
    """Kernels of some outputs at the n*n points, into ``out`` (n*n, outputs, channels)."""
    _, g, _ = maps(m, w.dtype)
    entries = w.reshape(*w.shape[:2], 9)
    if turned:
        g, met = g[:, ::-1], entries[:, some].swapaxes(0, 1)
        entries = scratch("turned", met.shape, w.dtype)
        copy_runs(entries, met)
    else:
        entries = entries[some]
    along_lines(g, entries.reshape(-1, 9).T, out.reshape(len(g), -1))


def forward(x: Array, w: Array, how: Geometry, m: int, turned: bool = False) -> Array | None:
    """x (C, H, W, N), w (O, C, 3, 3) -> (O, h, w, N); None where that is not finite.

    ``turned``: with the kernel as the gradient to the input has it, w (C, O, 3, 3) turned by half a
    circle.
    """
    x, tiles = in_order(x), Tiles(how, m)
    outputs, channels = w.shape[1] if turned else len(w), len(x)
    y = np.empty((outputs, tiles.rows * m, tiles.columns * m, x.shape[-1]), x.dtype)
    fine: list[bool] = []

    def finish(kernels: Array, values: Array, y: Array, rows: slice) -> None:
        shape = (len(values), values.shape[1], len(y), values.shape[3])
        products = staggered("products", shape, x.dtype)
        blockwise(kernels[:, None], values, products)
        fine.append(tiles.interpolate(products, y, rows))

    def by_outputs(some: slice) -> None:
        kernels = staggered("kernels", (tiles.n**2, some.stop - some.start, channels), x.dtype)
        _kernels(w, some, m, turned, kernels)
        finish(kernels, shared, y[some], slice(0, tiles.rows))

    def by_places(piece: tuple[slice, slice]) -> None:
        rows, some = piece
        finish(shared, tiles.evaluate(x[..., some], rows), y[..., some], rows)

    if _few_tiles(tiles, outputs, x):
        shared = _all_values(tiles, x)
        share(by_outputs, _of_outputs(outputs, channels, tiles, x))
    else:
        shared = staggered("shared", (tiles.n**2, outputs, channels), x.dtype)
        # cut however small: otherwise the library starts its own thread for it, and both wait
        share(lambda some: _kernels(w, some, m, turned, shared[:, some]), cut(outputs))
        share(by_places, _of_places(tiles, max(channels, outputs), x))
    if not all(fine):
        return None
    height, width = how.out
    return y if y.shape[1:3] == how.out else np.ascontiguousarray(y[:, :height, :width])


def _all_values(tiles: Tiles, x: Array, transposed: bool = False) -> Array:
    """The whole input at the points, (n*n, rows, C, T) or (n*n, rows, T, C); scratch."""
    rows, places = slice(0, tiles.rows), tiles.columns * x.shape[-1]
    last = (places, len(x)) if transposed else (len(x), places)
    values = staggered("shared", (tiles.n**2, tiles.rows, *last), x.dtype)

    def evaluate(some: slice) -> None:
        if transposed:
            np.copyto(values[..., some], tiles.evaluate(x[some], rows).mT)
        else:
            tiles.evaluate(x[some], rows, values[:, :, some])

    share(evaluate, cut(len(x)))
    return values


def weight_gradient(z: Array, x: Array, how: Geometry, m: int) -> Array | None:
    """z (O, h, w, N), x (C, H, W, N) -> (O, C, 3, 3): outputs inputsᵀ per point, back by Gᵀ.

    None where that is not finite.
    """
    x, z, tiles, g = in_order(x), in_order(z), Tiles(how, m), maps(m, x.dtype)[1]
    outputs, channels = len(z), len(x)
    kernel = np.empty((outputs, channels * 9), x.dtype)
    fine: list[bool] = []

    def finish(total: Array, some: slice) -> None:
        along_lines(g.T, total.reshape(len(g), -1), kernel[some].reshape(-1, 9).T)
        fine.append(finite(kernel[some]))

    def by_outputs(some: slice) -> None:
        total = staggered("total", (len(g), some.stop - some.start, channels), x.dtype)
        _add(_rows_in_one(tiles.spread(z[some], slice(0, tiles.rows))), values, total, fresh=True)
        finish(total, some)

    def by_places(one: tuple[int, tuple[slice, slice]]) -> None:
        number, (rows, some) = one
        spread, met = tiles.spread(z[..., some], rows), tiles.evaluate(x[..., some], rows)
        _add(_rows_in_one(spread), _rows_in_one(met).mT, totals[number % 2], fresh=number < 2)

    def add_up(some: slice) -> None:
        if len(totals) > 1:
            totals[0][:, some] += totals[1][:, some]
        finish(totals[0][:, some], some)

    if _few_tiles(tiles, outputs, x):
        values = _all_values(tiles, x, transposed=True)
        if values.shape[2] <= SHORT:
            values = values.reshape(len(g), 1, -1, channels)
        share(by_outputs, _of_outputs(outputs, channels, tiles, x))
    else:
        numbered = list(enumerate(_of_places(tiles, max(channels, outputs), x)))
        # even pieces are added up in one sum, odd ones, which a second thread may have, in another
        shape = (len(g), outputs, channels)
        totals = [staggered(slot, shape, x.dtype) for slot in ("even", "odd")[: len(numbered)]]
        share(by_places, numbered)
        share(add_up, cut(outputs))
    return kernel.reshape(outputs, channels, 3, 3) if all(fine) else None


def _rows_in_one(x: Array) -> Array:
    """(n*n, rows, C, T) as (n*n, 1, C, rows * T) where rows are short; then a copy."""
    if x.shape[3] > SHORT:
        return x
    return x.swapaxes(1, 2).reshape(len(x), 1, x.shape[2], -1)


def _add(spread: Array, values: Array, total: Array, fresh: bool) -> None:
    """``total += spread @ values`` for every row of tiles; ``fresh``: it holds nothing yet."""
    part = staggered("part", total.shape, total.dtype)
    # measured: blocks of 16 where the second matrix is transposed, 64 otherwise
    high = 64 if values.strides[-1] == values.itemsize else 16
    for row in range(spread.shape[1]):
        into = total if fresh and row == 0 else part
        blockwise(spread[:, row], values[:, row], into, high)
        if into is part:
            total += part
