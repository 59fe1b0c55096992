"""The arguments of a lifted program: what differs by sample, and what all samples share."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine import Value
from ..tensor import Tensor
from .places import Array


class Call:
    """The arguments of one call, as arrays and as all numbers that they consist of."""

    def __init__(self, args: tuple[Any, ...], in_dims: Any) -> None:
        dims = in_dims if isinstance(in_dims, (tuple, list)) else (in_dims,) * len(args)
        if len(dims) != len(args):
            raise TypeError(f"lift: in_dims names {len(dims)} arguments, the call has {len(args)}")
        self.args = args
        self.arrays = [_array(k, x) for k, x in enumerate(args)]
        # numbers, and what in_dims excludes, are the same for all samples
        self.dims = [
            _dim(k, dim, x) for k, (dim, x) in enumerate(zip(dims, self.arrays, strict=True))
        ]
        pairs = list(zip(self.arrays, self.dims, strict=True))
        counts = {x.shape[dim] for x, dim in pairs if dim is not None}
        if len(counts) > 1:
            shapes = ", ".join(str(x.shape) for x in self.arrays)
            raise ValueError(
                f"lift: arguments of shapes {shapes} have different numbers of samples "
                f"({sorted(counts)}); in_dims=None marks one that all samples share"
            )
        self.many = bool(counts)
        self.samples = counts.pop() if counts else 1
        self.shapes = [
            x.shape if dim is None else (*x.shape[:dim], *x.shape[dim + 1 :]) for x, dim in pairs
        ]
        self.key = tuple(zip(self.shapes, [dim is not None for dim in self.dims], strict=True))
        self.flags: list[bool] = []  # of each number that a sample consists of
        shared, batched = [np.empty(0)], [np.empty((0, self.samples))]
        for x, dim, shape in zip(self.arrays, self.dims, self.shapes, strict=True):
            size = int(np.prod(shape, dtype=int))
            if dim is None:
                shared.append(x.reshape(size))
            else:
                batched.append(np.moveaxis(x, dim, -1).reshape(size, self.samples))
            self.flags += [dim is not None] * size
        self.shared, self.batched = np.concatenate(shared), np.concatenate(batched)

    def sample(self, row: int) -> tuple[Any, ...]:
        """The arguments of one sample, on Values."""
        found = []
        for x, dim in zip(self.arrays, self.dims, strict=True):
            one = x if dim is None else np.take(x, row, axis=dim)
            found.append(_on_values(one.tolist()))
        return tuple(found)

    def split(self, shared: Array, batched: Array) -> list[Array]:
        """Numbers of all inputs, as arrays like the arguments."""
        found, at = [], [0, 0]
        for dim, shape in zip(self.dims, self.shapes, strict=True):
            many = dim is not None
            size = int(np.prod(shape, dtype=int))
            part = (batched if many else shared)[at[many] : at[many] + size]
            at[many] += size
            part = part.reshape((*shape, *part.shape[1:]))
            found.append(np.moveaxis(part, -1, dim) if dim is not None else part)
        return found


def _dim(k: int, dim: Any, x: Array) -> int | None:
    if dim is None or not x.ndim:
        return None
    if not isinstance(dim, int) or not -x.ndim <= dim < x.ndim:
        raise ValueError(
            f"lift: in_dims gives axis {dim!r} for argument {k}, which has shape {x.shape}"
        )
    return dim % x.ndim


def _array(k: int, x: Any) -> Array:
    if isinstance(x, Tensor):
        x = x._data
    if isinstance(x, Value):
        raise TypeError(
            f"lift: argument {k} is a Value; give its number, or let the function use the Value "
            "without taking it as an argument: then it is a parameter"
        )
    try:
        found = np.asarray(x)
    except ValueError:
        found = np.asarray(None)
    if found.dtype.kind not in "fiub":
        raise TypeError(
            f"lift: argument {k} must be a number, an array or a tensor, got {type(x).__name__}"
        )
    return found.astype(np.float64)


def _on_values(x: Any) -> Any:
    return [_on_values(part) for part in x] if isinstance(x, list) else Value(x)
