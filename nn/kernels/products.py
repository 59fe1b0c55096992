"""Matrix products in halves, for nets in which other kernels share their work out as well.

A matrix library's own second thread, once it was used, goes on looking for work for a tenth of a
second, and takes that time from ours: three products of its own made a ResNet-18, whose other
products run in ``share``, a fifth slower (measured, forward and backward, on 2 cores).
"""

from __future__ import annotations

import numpy as np

from ...tensor.node import Array
from .halves import cut, share

ALONE = 1 << 18  # multiplications up to which a library uses one thread anyway


def product(a: Array, b: Array) -> Array:
    """``a @ b`` of two matrices."""
    out = np.empty((len(a), b.shape[1]), np.result_type(a, b))

    def multiply(some: slice) -> None:
        np.matmul(a[some], b, out=out[some])

    share(multiply, [slice(None)] if len(a) * b.size <= ALONE else cut(len(a)))
    return out


def in_order(x: Array) -> Array:
    """``x`` contiguous, copied in halves where it is not: by its first axis."""
    if x.flags.c_contiguous:
        return x
    out = np.empty_like(x, order="C")

    def fill(some: slice) -> None:
        out[some] = x[some]

    share(fill, cut(len(x)) if x.size >= ALONE else [slice(None)])
    return out
