"""Work space that kernels use again and again: fresh memory would cost a page fault every 4 kB."""

from __future__ import annotations

import threading
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ...tensor.node import Array

SPARE = 16  # entries between the lines of a staggered array
LARGEST = 1 << 25  # bytes of a buffer that is kept; kernels work in pieces that stay far below
KEPT_ONES = 1 << 16  # the most ones that are kept


class _Shelf(threading.local):
    def __init__(self) -> None:
        self.buffers: dict[str, Array] = {}


_shelf = _Shelf()


def scratch(slot: str, shape: tuple[int, ...], dtype: Any) -> Array:
    """An uninitialised array of this thread, valid until the same ``slot`` is asked for again.

    It must never leave the kernel that asked for it: the next kernel overwrites it.
    """
    dtype = np.dtype(dtype)
    if dtype.hasobject:  # scalar graphs in arrays: a reference is never left lying about
        return np.empty(shape, dtype)
    size = prod(shape) * dtype.itemsize
    buffer = _shelf.buffers.get(slot)
    if buffer is None or buffer.nbytes < size:
        buffer = np.empty(size, np.uint8)
        if size <= LARGEST:
            _shelf.buffers[slot] = buffer
    found: Array = buffer[:size].view(dtype).reshape(shape)
    return found


def staggered(slot: str, shape: tuple[int, ...], dtype: Any) -> Array:
    """A scratch array whose first axis does not step by a power of two.

    Otherwise the entries of a column all compete for the same few places of the cache, and products
    with small matrices, which mix lines, take twice as long (measured).
    """
    length = prod(shape[1:])
    return scratch(slot, (shape[0], length + SPARE), dtype)[:, :length].reshape(shape)


def ones(count: int, dtype: Any) -> Array:
    """For products that add up, which matrix libraries do faster than NumPy; not to be written
    to."""
    return _ones(count, dtype) if count <= KEPT_ONES else np.ones(count, dtype)


@lru_cache(maxsize=64)
def _ones(count: int, dtype: Any) -> Array:
    made = np.ones(count, dtype)
    made.flags.writeable = False
    return made
