"""Tensors with a border: zeros, a constant, or entries of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import fits, numbers
from .errors import ShapeError
from .node import Array
from .record import apply
from .rows import arrange as rows
from .rows.indexing import getitem, index

if TYPE_CHECKING:
    from .tensor import Tensor


def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """A border around ``input``: ``pad`` = (before, after) of the last axis, then of the one
    before, …

    Args:
        pad: pairs of widths from the last axis on; negative ones crop.
        mode: "constant" (filled with ``value``, 0 by default), "reflect" (mirrored, without
            repeating the edge), "replicate" (the edge repeated), "circular" (from the other end).

    Raises:
        ShapeError: an odd number of widths, more pairs than axes, a border wider than the mode can
            fill.

    >>> import gradling
    >>> x = gradling.tensor([[1.0, 2.0, 3.0]])
    >>> gradling.pad(x, (1, 2))
    tensor([[0., 1., 2., 3., 0., 0.]])
    >>> gradling.pad(x, (1, 1), mode="reflect")
    tensor([[2., 1., 2., 3., 2.]])
    """
    widths = _pairs(numbers("pad", (pad,), "widths"), input._data.shape)
    if mode == "constant":
        return _constant(input, widths, 0.0 if value is None else value)
    if mode not in _PLACES:
        raise NotImplementedError(
            f"pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', got {mode!r}"
        )
    if value is not None:
        raise ShapeError(
            f"pad: mode {mode!r} takes its entries from the tensor, so it takes no value"
        )
    for dim, (before, after) in enumerate(widths):
        if before or after:
            where = _PLACES[mode](dim, input._data.shape[dim], before, after)
            key = (slice(None),) * dim + (where,)
            input = apply(index, (input,), (key, input._data.shape))
    return input


def _pairs(flat: tuple[int, ...], shape: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """(before, after) for each axis, first axis first."""
    if len(flat) % 2 or len(flat) > 2 * len(shape):
        raise ShapeError(
            "pad: expected pairs of widths (before, after) from the last axis on, at most "
            f"{len(shape)} pairs for shape {shape}, got {flat}"
        )
    pairs = list(zip(flat[::2], flat[1::2], strict=True))
    widths = ((0, 0),) * (len(shape) - len(pairs)) + tuple(reversed(pairs))
    for dim, (n, (before, after)) in enumerate(zip(shape, widths, strict=True)):
        cropped = max(-before, 0) + max(-after, 0)
        if cropped > n:
            raise ShapeError(
                f"pad: cannot crop {cropped} of the {n} entries of axis {dim}, shape {shape}"
            )
    return widths


def _constant(input: Tensor, widths: tuple[tuple[int, int], ...], value: float) -> Tensor:
    value = fits("pad", value, input._data.dtype)
    if any(before < 0 or after < 0 for before, after in widths):
        shape = input._data.shape
        kept = tuple(
            [slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(shape, widths, strict=True)]
        )
        input = apply(getitem, (input,), ((*kept, Ellipsis), shape))
        widths = tuple([(max(before, 0), max(after, 0)) for before, after in widths])
    return apply(rows.pad, (input,), (widths, value))


def _reflected(dim: int, n: int, before: int, after: int) -> Array:
    if max(before, after) >= n:
        raise ShapeError(
            f"pad: reflecting takes widths below the size of axis {dim}, {n}; got {before} and "
            f"{after}"
        )
    where = np.abs(np.arange(-before, n + after))
    return np.where(where >= n, 2 * (n - 1) - where, where)


def _replicated(dim: int, n: int, before: int, after: int) -> Array:
    if n == 0:
        raise ShapeError(f"pad: axis {dim} has no entries to repeat")
    return np.clip(np.arange(-before, n + after), 0, n - 1)


def _circular(dim: int, n: int, before: int, after: int) -> Array:
    start, stop = max(-before, 0), n - max(-after, 0)  # what is left after cropping goes round
    before, after, left = max(before, 0), max(after, 0), stop - start
    if max(before, after) > left:
        raise ShapeError(
            f"pad: going round once takes widths up to the size of axis {dim}, {left}; got "
            f"{before} and {after}"
        )
    return start + np.arange(-before, left + after) % max(left, 1)


_PLACES = {"reflect": _reflected, "replicate": _replicated, "circular": _circular}
