"""Where the numbers of a program lie in its two arrays, and how a step gets at many of them."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Bank:
    """The numbers of one run: shared ones (n,), batched ones (m, samples)."""

    __slots__ = ("shared", "batched")

    def __init__(self, shared: Array, batched: Array) -> None:
        self.shared, self.batched = shared, batched

    def of(self, batched: bool) -> Array:
        return self.batched if batched else self.shared


class Places:
    """Some places of a bank, in an array of any shape: (…) read as (…) or (…, samples).

    Neighbouring places are read as a view, any others by their index; adding to places that come
    several times adds up first.
    """

    __slots__ = ("shape", "batched", "run", "index", "targets", "inverse", "order", "starts")

    def __init__(self, index: Array, batched: bool) -> None:
        self.shape, self.batched = index.shape, batched
        flat = index.reshape(-1)
        self.run: slice | None = None
        self.targets: Array | None = None
        if flat.size and np.array_equal(flat, np.arange(flat[0], flat[0] + flat.size)):
            self.run = slice(int(flat[0]), int(flat[0]) + flat.size)
        self.index = flat
        if self.run is None:
            targets, inverse = np.unique(flat, return_inverse=True)
            if targets.size < flat.size:
                self.targets, self.inverse = targets, inverse
                self.order = np.argsort(inverse, kind="stable")
                self.starts = np.searchsorted(inverse[self.order], np.arange(targets.size))

    def read(self, bank: Bank) -> Array:
        held = bank.of(self.batched)
        found: Array = held[self.run] if self.run is not None else held.take(self.index, axis=0)
        return found if len(self.shape) == 1 else found.reshape(self.shape + held.shape[1:])

    def write(self, bank: Bank, numbers: Array) -> None:
        held = bank.of(self.batched)
        at = self.index if self.run is None else self.run
        held[at] = numbers.reshape((self.index.size, *held.shape[1:]))

    def add(self, bank: Bank, numbers: Array) -> None:
        held = bank.of(self.batched)
        flat = numbers.reshape((self.index.size, *held.shape[1:]))
        if self.run is not None:
            held[self.run] += flat
        elif self.targets is None:
            held[self.index] += flat
        elif flat.ndim == 1:
            held[self.targets] += np.bincount(self.inverse, flat, self.targets.size)
        else:
            held[self.targets] += np.add.reduceat(flat[self.order], self.starts, axis=0)
