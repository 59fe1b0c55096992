"""The largest and smallest entries, their places, and what lies between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import elementwise
from .errors import normal_dim, normal_dims
from .node import Array
from .record import apply
from .rows import reductions as rows

if TYPE_CHECKING:
    from .tensor import Tensor


class ValuesAndIndices(NamedTuple):
    """Entries along an axis, and the places they were found at."""

    values: Tensor
    indices: Tensor


def pick(input: Tensor, dim: int, indices: Array, keepdim: bool = True) -> ValuesAndIndices:
    """The entries at ``indices`` along ``dim``; gradients go back to just these."""
    places = type(input.detach())(indices)
    values = input.gather(dim, places) if input._data.ndim else input.clone()
    if not keepdim and input._data.ndim:
        values, places = values.squeeze(dim), places.squeeze(dim)
    return ValuesAndIndices(values, places)


def _full(name: str, input: Tensor, dims: tuple[int, ...]) -> None:
    shape = input._data.shape
    for dim in dims:
        if shape[dim] == 0:
            raise IndexError(
                f"{name}: there is nothing along dim {dim} of shape {shape}, so it has no value; give "
                "a dim that is not empty"
            )
    if not dims and input._data.size == 0:
        raise ValueError(f"{name}: a tensor of shape {shape} has no entries, so it has no value")


def _among(name: str, row: Any, input: Tensor, dim: Any, keepdim: bool) -> Tensor:
    shape = input._data.shape
    empty = dim is None or (isinstance(dim, (tuple, list)) and not dim)
    dims = normal_dims(name, None if empty else dim, len(shape))
    _full(name, input, dims)
    return apply(row, (input,), (dims, keepdim, shape))


def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The largest entry over ``dim``; equally large ones share the gradient evenly."""
    return _among("amax", rows.amax, input, dim, keepdim)


def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """The smallest entry over ``dim``; equally small ones share the gradient evenly."""
    return _among("amin", rows.amin, input, dim, keepdim)


def aminmax(
    input: Tensor, *, dim: int | None = None, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    """Smallest and largest entry."""
    return amin(input, dim, keepdim), amax(input, dim, keepdim)


def _extreme(name: str, input: Tensor, dim: Any, keepdim: bool) -> Any:
    if hasattr(dim, "_data"):
        return (elementwise.maximum if name == "max" else elementwise.minimum)(input, dim)
    if dim is None:
        return _among(name, rows.amax if name == "max" else rows.amin, input, None, keepdim)
    place = normal_dim(name, dim, input._data.ndim)
    return pick(input, place, _places(name, input, place), keepdim)


def _places(name: str, input: Tensor, dim: int) -> Array:
    """The first place of the extreme along ``dim``, which is kept."""
    x = input._data
    if not x.ndim:
        return np.zeros((), np.int64)
    _full(name, input, (dim,))
    return np.asarray((np.argmax if name == "max" else np.argmin)(x, axis=dim, keepdims=True))


def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest entry; with ``dim``, the largest along it and where; or the larger of two tensors.

    Without ``dim``, equally large entries share the gradient evenly. With it, the first one's place is
    given, and that entry takes the gradient.

    >>> import gradling
    >>> x = gradling.tensor([[1.0, 5.0], [7.0, 2.0]])
    >>> x.max().item(), x.max(1).indices.tolist()
    (7.0, [1, 0])
    """
    return _extreme("max", input, dim, keepdim)


def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """As ``max``, for the smallest entry."""
    return _extreme("min", input, dim, keepdim)


def _argument(name: str, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    x = input._data
    find = np.argmax if name == "argmax" else np.argmin
    if dim is None:
        _full(name, input, ())
        found = find(x)
        shape = (1,) * x.ndim if keepdim else ()
        return type(input.detach())(np.asarray(found, np.int64).reshape(shape))
    place = normal_dim(name, dim, x.ndim)
    if not x.ndim:
        return type(input.detach())(np.zeros((), np.int64))
    _full(name, input, (place,))
    return type(input.detach())(np.asarray(find(x, axis=place, keepdims=keepdim), np.int64))


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest entry is, the first if there are several; counted through all without dim."""
    return _argument("argmax", input, dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest entry is, the first if there are several; counted through all without dim."""
    return _argument("argmin", input, dim, keepdim)
