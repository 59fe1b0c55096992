"""Matrix products in halves and in small blocks, cut so that the library underneath works alone.

A matrix library's own second thread, once it was used, goes on looking for work for a tenth of a
second, and takes that time from ours: three products of its own made a ResNet-18, whose other
products run in ``share``, a fifth slower (measured, forward and backward, on 2 cores).

OpenBLAS, which NumPy comes with, multiplies small matrices as they lie and copies large ones into
an order of its own first. With few rows, or blocks that are in cache already, the copies cost more
than they save: 64 x 64 times 64 x 256 ran at 69 billion operations a second on one core, the same
as two halves at 102, a map of 6 x 6 over long lines at twice the speed.
"""

from __future__ import annotations

import numpy as np

from ...tensor.node import Array
from .halves import cut, share

ALONE = 1 << 18  # multiplications up to which a library uses one thread anyway
SMALL = 1_000_000  # multiplications up to which OpenBLAS takes matrices as they lie


def product(a: Array, b: Array) -> Array:
    """``a @ b`` of two matrices."""
    out = np.empty((len(a), b.shape[1]), np.result_type(a, b))

    def multiply(some: slice) -> None:
        np.matmul(a[some], b, out=out[some])

    share(multiply, [slice(None)] if len(a) * b.size <= ALONE else cut(len(a)))
    return out


def _divisor(size: int, most: int) -> int:
    """The largest divisor of ``size`` up to ``most``."""
    return next(d for d in range(max(1, min(size, most)), 0, -1) if size % d == 0)


def blockwise(a: Array, b: Array, out: Array, high: int = 512) -> None:
    """``out = a @ b`` for stacks of matrices, in blocks of rows of ``a`` and columns of ``b``.

    About 64 columns to a block, and as many rows, up to ``high``, as leave it small.
    """
    (*stack, rows, inner), columns = a.shape, b.shape[-1]
    if rows * inner * columns <= SMALL:
        np.matmul(a, b, out=out)
        return
    wide = _divisor(columns, 64)
    high = _divisor(rows, min(high, SMALL // (inner * wide)))
    if wide * high < 256:  # sizes without divisors
        np.matmul(a, b, out=out)
        return
    np.matmul(
        a.reshape(*stack, rows // high, 1, high, inner),
        b.reshape(*b.shape[:-1], columns // wide, wide).swapaxes(-2, -3)[..., None, :, :, :],
        out=out.reshape(*out.shape[:-2], rows // high, high, columns // wide, wide).swapaxes(
            -2, -3
        ),
    )


def along_lines(a: Array, lines: Array, out: Array) -> None:
    """``out = a @ lines`` for a small matrix and (stacks of) long lines, in pieces of the lines."""
    length, most = lines.shape[-1], max(16, SMALL // a.size)
    if length <= most:
        np.matmul(a, lines, out=out)
        return
    width = max(16, length // -(-length // most) & -16)
    whole = length - length % width
    np.matmul(a, _cut(lines[..., :whole], width), out=_cut(out[..., :whole], width))
    if whole < length:
        np.matmul(a, lines[..., whole:], out=out[..., whole:])


def _cut(lines: Array, width: int) -> Array:
    """(..., count, length) as (..., pieces, count, width)."""
    return lines.reshape(*lines.shape[:-1], -1, width).swapaxes(-2, -3)
