"""Picking and writing by index tensors: along an axis, layer by layer, and by position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import RangeError, fits, said
from .errors import DtypeError, ShapeError, normal_dim
from .indexing import parse
from .node import Array
from .positions import index_array
from .reading import filled_with
from .record import apply
from .rows import indexing as rows
from .shape import broadcast_shapes

if TYPE_CHECKING:
    from .tensor import Tensor

FULL = slice(None)


def _checked(name: str, input: Tensor, dim: int, index: Any, src: Any = None) -> tuple[int, Array]:
    """The axis, and index as an array: it may be smaller than the tensors, but have as many
    axes."""
    shape = input._data.shape
    place = normal_dim(name, dim, len(shape))
    n = shape[place] if shape else 1
    array = index_array(name, index, n, place)
    if array.size == 0:
        return place, array
    for what, other in (("input", input), ("src", src)):
        if other is None:
            continue
        sizes = other._data.shape or (1,)
        have = array.shape or (1,)
        free = place if what == "input" else -1
        if len(sizes) != len(have) or any(
            m > size and axis != free
            for axis, (m, size) in enumerate(zip(have, sizes, strict=True))
        ):
            raise ShapeError(
                f"{name}: index {array.shape} must have as many axes as {what} {other.shape} and "
                "be no larger on any" + (f" but axis {place}" if what == "input" else "")
            )
    return place, array


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Entries picked along ``dim``: out[i, j] = input[index[i, j], j] for dim 0, and so on.

    Args:
        index: whole numbers, as many axes as ``input``, no larger than it except along ``dim``.

    Raises:
        IndexError: an index below 0 or beyond the axis.
        ShapeError: axes that do not match.

    >>> import gradling
    >>> x = gradling.tensor([[1, 2], [3, 4]])
    >>> x.gather(1, gradling.tensor([[0], [1]]))
    tensor([[1],
            [4]])
    """
    place, array = _checked("gather", input, dim, index)
    if array.size == 0 or not (array.ndim and input._data.ndim):
        return _gather_of_few(input, array)
    return apply(rows.gather, (input, type(input)(array)), (place, input._data.shape))


def _gather_of_few(input: Tensor, array: Array) -> Tensor:
    """0-d operands count as one entry; an empty index picks nothing, whatever its shape."""
    flat = input.reshape(-1)[array.reshape(-1)]
    return flat.reshape(array.shape)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """``gather`` that broadcasts the axes other than ``dim``, and counts negative indices from the
    end.

    Without ``dim`` the indices count through all entries.
    """
    if dim is None:
        return take(input, indices)
    ndim = input._data.ndim
    place = normal_dim("take_along_dim", dim, ndim)
    if indices._data.ndim != ndim:
        raise ShapeError(
            f"take_along_dim: expected indices with as many axes as {input.shape}, got "
            f"{indices.shape}"
        )
    n = input._data.shape[place]
    array = index_array("take_along_dim", indices, n, place, negative=True)
    lead = [list(input._data.shape), list(array.shape)]
    lead[0][place] = lead[1][place] = 1
    common = list(broadcast_shapes(*lead))
    wide = input.expand(*common[:place], n, *common[place + 1 :])
    index = np.broadcast_to(array, (*common[:place], array.shape[place], *common[place + 1 :]))
    return gather(wide, place, type(input)(np.where(index < 0, index + n, index)))


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Tensor:
    """``input`` with entries overwritten along ``dim``: out[index[i, j], j] = src[i, j] for dim 0.

    ``src`` is a tensor no smaller than ``index``, or a number. Of several written to one place the
    last stays. ``reduce="add"`` or ``"multiply"`` combines with what is there instead.

    >>> import gradling
    >>> gradling.zeros(3).scatter(0, gradling.tensor([2, 0]), gradling.tensor([5.0, 6.0]))
    tensor([6., 0., 5.])
    """
    if src is None:
        src = value
    if reduce not in (None, "add", "multiply"):
        raise RangeError(f"scatter: reduce must be None, 'add' or 'multiply', got {reduce!r}")
    patch = _source("scatter", input, src)
    place, array = _checked("scatter", input, dim, index, patch if patch._data.ndim else None)
    if hasattr(src, "_data") and patch._data.ndim != array.ndim:
        raise ShapeError(f"scatter: index {array.shape} and src {src.shape} differ in their axes")
    if array.size == 0:
        return input.clone()
    cut = (
        patch[tuple([slice(n) for n in array.shape])]
        if patch._data.ndim
        else patch.expand(array.shape)
    )
    if reduce == "add":
        return _with_sums(input, place, array, cut)
    if reduce == "multiply":
        return _with_products(input, place, array, cut)
    if not input._data.ndim:
        return cut.reshape(())
    return apply(rows.setitem, (input, cut), (rows.along(np.array(array), place),))


def _source(name: str, input: Tensor, src: Any) -> Tensor:
    """A tensor of the same dtype, or a number made one."""
    if hasattr(src, "_data"):
        if src._data.dtype is not input._data.dtype:
            raise DtypeError(f"{name}: src is {src.dtype}, but input is {input.dtype}; convert it")
        return src  # type: ignore[no-any-return]
    if not isinstance(src, (bool, int, float)):
        raise TypeError(f"{name}: expected src to be a tensor or a number, got {said(src)}")
    number = np.asarray(fits(name, src, input._data.dtype), input._data.dtype)
    return type(input)(filled_with(number))


def _with_sums(input: Tensor, place: int, array: Array, src: Tensor) -> Tensor:
    shape = input._data.shape
    if not shape:
        return input + src.sum()
    return input + apply(rows.spread, (src, type(input)(array)), (place, shape))


def _with_products(input: Tensor, place: int, array: Array, src: Tensor) -> Tensor:
    """Products of several factors for one place, one factor at a time."""
    out = input
    for k in range(array.shape[place] if array.ndim else 1):
        layer = (FULL,) * place + (slice(k, k + 1),)
        one, factor = (array[layer], src[layer]) if array.ndim else (array, src)
        product = gather(out, place, type(input)(one)) * factor
        out = scatter(out, place, type(input)(one), product)
    return out


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``input`` with entries added along ``dim``: out[index[i, j], j] += src[i, j] for dim 0.

    >>> import gradling
    >>> index, src = gradling.tensor([1, 1, 0]), gradling.tensor([1.0, 2.0, 4.0])
    >>> gradling.zeros(2).scatter_add(0, index, src)
    tensor([4., 3.])
    """
    if not hasattr(src, "_data"):
        raise TypeError(f"scatter_add: expected src to be a tensor, got {said(src)}")
    _source("scatter_add", input, src)
    place, array = _checked("scatter_add", input, dim, index, src)
    if array.size == 0:
        return input.clone()
    cut = src[tuple([slice(n) for n in array.shape])]
    return _with_sums(input, place, array, cut)


def _along_one(
    name: str, input: Tensor, dim: int, index: Any, negative: bool = False
) -> tuple[tuple[Any, ...], int, Array]:
    """The key that picks layers ``index`` of axis ``dim``."""
    shape = input._data.shape
    place = normal_dim(name, dim, len(shape))
    array = index_array(name, index, shape[place] if shape else 1, place, negative)
    if array.ndim > 1:
        raise PositionsError(f"{name}: expected index to be a vector, got shape {array.shape}")
    array = np.array(array).reshape(-1)
    return (FULL,) * place + (array,), place, array


class PositionsError(IndexError, ShapeError):
    """Index tensors of a wrong shape."""


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The layers ``index`` (a vector) of axis ``dim``, in that order.

    >>> import gradling
    >>> gradling.tensor([[1, 2], [3, 4]]).index_select(0, gradling.tensor([1, 1]))
    tensor([[3, 4],
            [3, 4]])
    """
    key, _, array = _along_one("index_select", input, dim, index)
    if not input._data.ndim:
        if array.size != 1:
            raise ShapeError(f"index_select: a 0-d tensor has one entry, got {array.size} indices")
        return input.clone()
    return apply(rows.index, (input,), (key, input._data.shape))


def _layers(name: str, input: Tensor, dim: int, index: Any, source: Any) -> tuple[Any, Tensor]:
    """The key of layers ``index``, and what is written there: of their shape and dtype."""
    if not hasattr(source, "_data"):
        raise TypeError(f"{name}: expected source to be a tensor, got {said(source)}")
    _source(name, input, source)
    key, place, array = _along_one(name, input, dim, index)
    shape = input._data.shape
    room = (*shape[:place], array.size, *shape[place + 1 :]) if shape else ()
    if source._data.shape != room:
        raise PositionsError(
            f"{name}: {array.size} layers of axis {place} of {shape} have shape {room}, but "
            f"source has {source.shape}"
        )
    return key, source


def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1
) -> Tensor:
    """``input`` with ``alpha * source`` added to its layers ``index`` along ``dim``."""
    key, source = _layers("index_add", input, dim, index, source)
    if alpha != 1:
        source = source * fits("index_add", alpha, source._data.dtype)
    if not input._data.ndim:
        return input + source
    return input + apply(rows.collect, (source,), (key, input._data.shape))


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """``input`` with its layers ``index`` along ``dim`` replaced by those of ``source``."""
    key, source = _layers("index_copy", input, dim, index, source)
    if not input._data.ndim:
        return source.clone()
    return apply(rows.setitem, (input, source), (key,))


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """``input`` with its layers ``index`` along ``dim`` filled with ``value``."""
    key, _, _ = _along_one("index_fill", input, dim, index, negative=True)
    patch = _filling("index_fill", input, value)
    if not input._data.ndim:
        return patch.clone()
    return apply(rows.setitem, (input, patch), (key,))


def _filling(name: str, input: Tensor, value: Any) -> Tensor:
    """A number, or a tensor that holds one, in the dtype of ``input``."""
    if not hasattr(value, "_data"):
        return _source(name, input, value)
    if value._data.ndim:
        raise ShapeError(
            f"{name}: expected value to be a number or a 0-d tensor, got {value.shape}"
        )
    return value.to(input._data.dtype)  # type: ignore[no-any-return]


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """``input`` after ``input[indices] = values``, or, with ``accumulate``, ``+=`` that counts
    repetitions.

    Args:
        indices: a tuple of index tensors and masks, as they would stand in brackets.
    """
    if not isinstance(indices, (tuple, list)):
        raise TypeError(f"index_put: expected a tuple of index tensors, got {said(indices)}")
    if not hasattr(values, "_data"):
        raise TypeError(f"index_put: expected values to be a tensor, got {said(values)}")
    _source("index_put", input, values)
    key = tuple([FULL if index is None else index for index in indices])
    if not accumulate:
        made = input.clone()
        made[key] = values
        return made
    room = input.detach()[key]._data.shape
    values = values if values._data.shape == room else values.expand(room)
    parts = tuple([np.array(p) if isinstance(p, np.ndarray) else p for p in parse(key)[0]])
    return input + apply(rows.collect, (values,), (parts, input._data.shape))


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """``input`` with entries, by their position in the flattened tensor, replaced (or added to)."""
    index_array("put", index, input._data.size, 0, negative=True)
    flat = index_put(input.reshape(-1), (index.reshape(-1),), source.reshape(-1), accumulate)
    return flat.reshape(input._data.shape)


def take(input: Tensor, index: Tensor) -> Tensor:
    """Entries by their position in the flattened tensor, in the shape of ``index``."""
    index_array("take", index, input._data.size, 0, negative=True)
    return input.reshape(-1)[index]


def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """``fill_value`` on the main diagonal, in place; all axes of a tensor with more than 2 must be
    equal.

    ``wrap`` starts the diagonal again below the square part of a tall matrix.
    """
    shape = self._data.shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ShapeError(
            f"fill_diagonal_: expected a matrix, or a cube of any dimension, got {shape}"
        )
    where = np.arange(min(shape))
    key: tuple[Any, ...] = (where,) * len(shape)
    if wrap and len(shape) == 2 and shape[0] > shape[1]:
        key = np.unravel_index(np.arange(0, shape[0] * shape[1], shape[1] + 1), shape)
    self[key] = _filling("fill_diagonal_", self, fill_value)
    return self
