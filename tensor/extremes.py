"""The largest and the smallest entries: their values and where they are.

With ``dim``, the entry found gets all of the gradient, the first one where several tie; over the
whole tensor, and in ``amax``, ``amin``, entries that tie share it evenly. So it is in PyTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import record
from .dims import Dims, axes, is_empty, not_empty, numpy_names, one_axis
from .elementwise import maximum, minimum
from .node import Array
from .reading import prepared
from .record import apply
from .rows import reductions as rows
from .rows.indexing import gather
from .rows.shape import alias, reshape

if TYPE_CHECKING:
    from .tensor import Tensor


class ValuesAndIndices(NamedTuple):
    """Entries that were found along an axis, and where."""

    values: Tensor
    indices: Tensor


class MinAndMax(NamedTuple):
    """Both extremes."""

    min: Tensor
    max: Tensor


def outside_graph(array: Any) -> Tensor:
    """Results that have no gradient: places, counts, truth values."""
    return record._made(array)


def pick(input: Tensor, dim: int, places: Array, keepdim: bool = True) -> ValuesAndIndices:
    """The entries at ``places`` along ``dim``, an axis of both; the gradient goes to these."""
    indices = outside_graph(places)
    if input._data.ndim == 0:
        return ValuesAndIndices(apply(alias, (input,)), indices)
    values = apply(gather, (input, indices), (dim, input._data.shape))
    if keepdim:
        return ValuesAndIndices(values, indices)
    shape = places.shape[:dim] + places.shape[dim + 1 :]
    without = apply(reshape, (values,), (shape, places.shape))
    return ValuesAndIndices(without, outside_graph(places.reshape(shape)))


@numpy_names
def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest entry over ``dim``; entries that tie share the gradient evenly.

    >>> import gradling
    >>> gradling.tensor([[1.0, 5.0], [7.0, 2.0]]).amax(1)
    tensor([5., 7.])
    """
    return _most("amax", rows.amax_, input, dim, keepdim)


@numpy_names
def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest entry over ``dim``; entries that tie share the gradient evenly."""
    return _most("amin", rows.amin_, input, dim, keepdim)


def _most(name: str, op: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    shape = input._data.shape
    if dim is None or is_empty(dim):
        not_empty(name, input._data.size)
    dims = axes(name, dim, len(shape))
    for axis in dims:
        one_axis(name, axis, shape)
    return apply(op, (input,), (dims, keepdim, shape))


@numpy_names
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> MinAndMax:
    """``amin`` and ``amax`` over one axis, or over all: a tuple with ``min`` and ``max``."""
    return MinAndMax(amin(input, dim, keepdim), amax(input, dim, keepdim))


@numpy_names
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest entry of all; along ``dim``, values and indices; with a tensor, ``maximum``.

    Along ``dim`` the gradient goes to the first of a tie; over all, a tie shares it evenly.

    >>> import gradling
    >>> x = gradling.tensor([[1.0, 5.0], [7.0, 2.0]])
    >>> x.max()
    tensor(7.)
    >>> values, indices = x.max(dim=1)
    >>> values, indices
    (tensor([5., 7.]), tensor([1, 0]))
    """
    if other is not None or hasattr(dim, "_data"):
        return maximum(input, dim if other is None else other)
    if dim is None:
        return amax(input, None, keepdim)
    return _extreme("max", np.argmax, input, dim, keepdim)


@numpy_names
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest entry of all; along ``dim``, values and indices; with a tensor, ``minimum``."""
    if other is not None or hasattr(dim, "_data"):
        return minimum(input, dim if other is None else other)
    if dim is None:
        return amin(input, None, keepdim)
    return _extreme("min", np.argmin, input, dim, keepdim)


def _extreme(name: str, find: Any, input: Tensor, dim: int, keepdim: bool) -> ValuesAndIndices:
    axis = one_axis(name, dim, input._data.shape)
    return pick(input, axis, prepared(_indices, find, input._data, axis, True), keepdim)


def _indices(find: Any, x: Array, axis: int, keepdim: bool) -> Array:
    if x.ndim == 0:
        return np.zeros((), np.int64)
    return np.asarray(find(x, axis=axis, keepdims=keepdim), np.int64)


@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest entry is along ``dim``; without it, in the flattened tensor.

    Of entries that tie, the first.

    >>> import gradling
    >>> gradling.tensor([[1.0, 5.0], [7.0, 2.0]]).argmax(dim=1)
    tensor([1, 0])
    """
    return _place("argmax", np.argmax, input, dim, keepdim)


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest entry is along ``dim``; without it, in the flattened tensor."""
    return _place("argmin", np.argmin, input, dim, keepdim)


def _place(name: str, find: Any, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    x = input._data
    if dim is not None:
        return outside_graph(prepared(_indices, find, x, one_axis(name, dim, x.shape), keepdim))
    not_empty(name, x.size)
    return outside_graph(prepared(_first, find, x, (1,) * x.ndim if keepdim else ()))


def _first(find: Any, x: Array, shape: tuple[int, ...]) -> Array:
    return np.asarray(find(x)).reshape(shape)
