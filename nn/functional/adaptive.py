"""Pooling to a given size: the input in that many parts per axis, each as one number."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ...tensor import Tensor
from ...tensor.arguments import said, whole
from ...tensor.node import Array
from ...tensor.record import apply
from ...tensor.rows.indexing import index
from ..kernels.geometry import Sizes
from .pooling import _shape, avg_pool, max_pool


def _wanted(name: str, dims: int, shape: Sizes, output_size: Any) -> Sizes:
    """Output sizes, None standing for the input's."""
    given = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * dims
    if len(given) == 1:
        given = tuple(given) * dims
    if len(given) != dims:
        raise ValueError(f"{name}: expected {dims} output sizes, got {said(output_size)}")
    sizes = tuple(
        n if m is None else whole(name, "each output size", m)
        for m, n in zip(given, shape[-dims:], strict=True)
    )
    if min(sizes) < 0:
        raise ValueError(f"{name}: output sizes cannot be negative, got {said(output_size)}")
    return sizes


def parts(size: int, count: int) -> tuple[Array, Array]:
    """Where each of ``count`` parts of an axis starts and ends; parts may share an entry."""
    i = np.arange(count)
    return i * size // count, -(-(i + 1) * size // count)


@lru_cache(256)
def _averages(size: int, count: int, dtype: Any) -> Array:
    """The matrix (size, count) whose columns average the parts."""
    start, end = parts(size, count)
    place = np.arange(size)[:, None]
    inside = (place >= start) & (place < end)
    shares: Array = (inside / (end - start)).astype(dtype)
    return shares


def adaptive_avg_pool(name: str, dims: int, input: Tensor, output_size: Any) -> Tensor:
    """Means of parts, in any number of dimensions."""
    shape = _shape(name, dims, input)
    sizes = _wanted(name, dims, shape, output_size)
    axes = tuple(range(-dims, 0))
    if all(m == 1 for m in sizes):
        return input.mean(axes, keepdim=True)
    if all(m and n % m == 0 for n, m in zip(shape[-dims:], sizes, strict=True)):
        kernel = tuple(n // m for n, m in zip(shape[-dims:], sizes, strict=True))
        return avg_pool(name, dims, input, kernel, None, 0, False, True, None)
    for axis, n, m in zip(axes, shape[-dims:], sizes, strict=True):
        matrix = Tensor(_averages(n, m, input.dtype))
        input = (input.transpose(axis, -1) @ matrix).transpose(axis, -1)
    return input


def adaptive_max_pool(
    name: str, dims: int, input: Tensor, output_size: Any, return_indices: bool
) -> Any:
    """Largest entries of parts, in any number of dimensions."""
    shape = _shape(name, dims, input)
    sizes = _wanted(name, dims, shape, output_size)
    if all(m and n % m == 0 for n, m in zip(shape[-dims:], sizes, strict=True)):
        kernel = tuple(n // m for n, m in zip(shape[-dims:], sizes, strict=True))
        return max_pool(name, dims, input, kernel, None, 0, 1, False, return_indices)
    found = _best(input._data, dims, sizes)
    lead = shape[:-dims]
    rows = np.arange(prod(lead)).reshape(-1, 1)
    flat = input.reshape(len(rows), prod(shape[-dims:]))
    key = (rows, found.reshape(len(rows), prod(sizes)))
    y = apply(index, (flat,), (key, flat.shape)).reshape(*lead, *sizes)
    return (y, Tensor(found)) if return_indices else y


def _best(x: Array, dims: int, sizes: Sizes) -> Array:
    """Places (in the flattened plane) of the largest entries, last axis first.

    The first of equals in each row, then the first row: the first of all in reading order.
    """
    place = np.broadcast_to(np.arange(prod(x.shape[-dims:])).reshape(x.shape[-dims:]), x.shape)
    for axis in range(-1, -dims - 1, -1):
        start, end = parts(x.shape[axis], sizes[axis])
        best = np.take(x, start, axis)
        best_place = np.take(place, start, axis)
        for offset in range(1, int((end - start).max(initial=1))):
            at = np.minimum(start + offset, end - 1)  # a shorter part meets its last entry again
            other = np.take(x, at, axis)
            better = (other > best) | np.isnan(other)
            best = np.where(better, other, best)
            best_place = np.where(better, np.take(place, at, axis), best_place)
        x, place = best, best_place
    return np.ascontiguousarray(place)


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """``adaptive_avg_pool2d`` along one axis: (N, C, L) or (C, L).

    >>> import gradling
    >>> adaptive_avg_pool1d(gradling.tensor([[1.0, 2.0, 3.0, 4.0]]), 2)
    tensor([[1.5000, 3.5000]])
    """
    return adaptive_avg_pool("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Means of the input's parts: an output of ``output_size`` for an input of any size.

    Args:
        input: (N, C, H, W) or (C, H, W).
        output_size: one number or two; None keeps an axis.

    Part i of an axis runs from ⌊i H / H'⌋ to ⌈(i + 1) H / H'⌉; where H' does not divide H, parts
    share entries. The mean over a part is linear along each axis, so it is two products with a
    matrix of shares, and its backward the products with their transposes.

    >>> import gradling
    >>> adaptive_avg_pool2d(gradling.ones(1, 8, 5, 7), (1, 1)).shape
    (1, 8, 1, 1)
    """
    return adaptive_avg_pool("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """``adaptive_avg_pool2d`` along three axes."""
    return adaptive_avg_pool("adaptive_avg_pool3d", 3, input, output_size)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """``adaptive_max_pool2d`` along one axis: (N, C, L) or (C, L).

    >>> import gradling
    >>> adaptive_max_pool1d(gradling.tensor([[1.0, 2.0, 4.0, 3.0]]), 2)
    tensor([[2., 4.]])
    """
    return adaptive_max_pool("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest entry of each of the input's parts; parts as in ``adaptive_avg_pool2d``.

    >>> import gradling
    >>> adaptive_max_pool2d(gradling.ones(1, 8, 5, 7), (2, None)).shape
    (1, 8, 2, 7)
    """
    return adaptive_max_pool("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """``adaptive_max_pool2d`` along three axes."""
    return adaptive_max_pool("adaptive_max_pool3d", 3, input, output_size, return_indices)
