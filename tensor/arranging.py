"""Entries in another order, repeated, on diagonals and in triangles, seen through windows."""

from __future__ import annotations

from itertools import combinations as choices
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import numbers, whole
from .dims import is_empty
from .errors import DtypeError, ShapeError, normal_dim, normal_dims
from .joining import stack
from .reading import read
from .record import apply
from .rows import arrange as rows
from .rows import shape as views
from .shape import Shape, given, meshgrid, ravel, unsqueeze

if TYPE_CHECKING:
    from .tensor import Tensor


def flip(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """Turned round along ``dims``; a copy, where ``x[::-1]`` is a view.

    >>> import gradling
    >>> gradling.arange(3).flip(0)
    tensor([2, 1, 0])
    """
    wanted = normal_dims("flip", given("flip", dims, named, "dims"), input._data.ndim)
    return apply(rows.flip, (input,), (wanted,))


def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order."""
    if input._data.ndim < 2:
        raise ShapeError(f"fliplr: expected 2 dimensions or more, got shape {input.shape}")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order."""
    if input._data.ndim < 1:
        raise ShapeError("flipud: expected 1 dimension or more, got a 0-d tensor")
    return flip(input, 0)


def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Turned by ``k`` quarters, from the first of two axes towards the second."""
    if input._data.ndim < 2:
        raise ShapeError(f"rot90: expected 2 dimensions or more, got shape {input.shape}")
    axes = normal_dims("rot90", tuple(dims), input._data.ndim)
    if len(axes) != 2:
        raise ShapeError(f"rot90: expected two dims, got {dims} for shape {input.shape}")
    quarters = whole("rot90", "k", k) % 4
    if quarters == 0:
        return input.clone()
    if quarters == 2:
        return flip(input, *axes)
    return flip(input, axes[1 if quarters == 1 else 0]).transpose(*axes)


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Entries shifted by ``shifts`` along ``dims``, coming back in at the other end.

    Without ``dims`` the tensor is flattened, shifted, and brought back to its shape.

    >>> import gradling
    >>> gradling.arange(4).roll(1)
    tensor([3, 0, 1, 2])
    """
    steps = numbers("roll", (shifts,), "shifts")
    if dims is None or is_empty(dims):
        if len(steps) != 1:
            raise ShapeError(f"roll: expected one shift when there are no dims, got {steps}")
        return apply(rows.roll, (ravel(input),), (steps, (0,))).reshape(input._data.shape)
    if not input._data.ndim:
        raise IndexError("roll: a 0-d tensor has no axis to shift along")
    axes = numbers("roll", (dims,), "dims")
    if len(axes) != len(steps):
        raise ShapeError(f"roll: expected one shift per dim, got {steps} for dims {axes}")
    places = tuple([normal_dim("roll", d, input._data.ndim) for d in axes])
    return apply(rows.roll, (input,), (steps, places))


def repeat(input: Tensor, *repeats: Any, **named: Any) -> Tensor:
    """The whole tensor ``repeats`` times along each axis; more numbers than axes make new ones in
    front.

    Raises:
        ShapeError: fewer numbers than axes (``tile`` takes that), or negative ones.

    >>> import gradling
    >>> gradling.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    return _repeated("repeat", input, given("repeat", repeats, named, "repeats"))


def _repeated(name: str, input: Tensor, times: Shape) -> Tensor:
    shape = input._data.shape
    if len(times) < len(shape):
        raise ShapeError(f"{name}: expected a number for each axis of {shape}, got {times}")
    if any(n < 0 for n in times):
        raise ShapeError(f"{name}: numbers of copies cannot be negative, got {times}")
    return apply(rows.repeat, (input,), (times, shape))


def tile(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """``repeat`` that takes fewer numbers than axes: they count for the last ones."""
    times = given("tile", dims, named, "dims")
    return _repeated("tile", input, (1,) * (input._data.ndim - len(times)) + times)


def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each entry along ``dim`` several times in a row: ``repeats`` is a number, or one per entry.

    Without ``dim`` the tensor is flattened first. ``repeat_interleave(repeats)`` alone gives the
    indices: each i as often as ``repeats[i]`` says.

    >>> import gradling
    >>> gradling.tensor([5, 6]).repeat_interleave(2)
    tensor([5, 5, 6, 6])
    >>> gradling.tensor([5, 6]).repeat_interleave(gradling.tensor([1, 3]))
    tensor([5, 6, 6, 6])
    """
    if repeats is None:
        times = _times(input._data)
        return type(input)(np.repeat(np.arange(len(times)), times))
    if dim is None:
        input, dim = ravel(input), 0
    if not input._data.ndim:
        raise IndexError("repeat_interleave: a 0-d tensor has no axis; leave dim out")
    place, shape = normal_dim("repeat_interleave", dim, input._data.ndim), input._data.shape
    if hasattr(repeats, "_data") and repeats._data.size != 1:
        times = _times(repeats._data)
        if len(times) != shape[place]:
            raise ShapeError(
                f"repeat_interleave: expected {shape[place]} repeats, one per entry of axis "
                f"{place}, got {len(times)}"
            )
        where = np.repeat(np.arange(shape[place]), times)
        made = input[(slice(None),) * place + (where,)]
    else:
        if hasattr(repeats, "_data"):
            repeats = _times(repeats._data).item()
        count = whole("repeat_interleave", "repeats", repeats)
        if count < 0:
            raise ShapeError(f"repeat_interleave: repeats cannot be negative, got {count}")
        made = apply(rows.repeat_interleave, (input,), (count, place, shape))
    if output_size is not None and output_size != made._data.shape[place]:
        raise ShapeError(
            f"repeat_interleave: output_size is {output_size}, but there are "
            f"{made._data.shape[place]}"
        )
    return made


def _times(repeats: Any) -> Any:
    read("repeat_interleave")
    if repeats.dtype.kind not in "iu":
        raise DtypeError(
            f"repeat_interleave: expected whole repeats, got {repeats.dtype}; use .long()"
        )
    if repeats.ndim > 1:
        raise ShapeError(
            f"repeat_interleave: expected a vector of repeats, got shape {repeats.shape}"
        )
    if (repeats < 0).any():
        raise ShapeError(f"repeat_interleave: repeats cannot be negative, got {repeats.min()}")
    return repeats.reshape(-1)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The entries on a diagonal of axes ``dim1`` and ``dim2``, as a view: that axis comes last.

    ``offset`` > 0 is above the main diagonal, < 0 below.
    """
    ndim = input._data.ndim
    a, b = normal_dim("diagonal", dim1, ndim), normal_dim("diagonal", dim2, ndim)
    if a == b:
        raise ShapeError(f"diagonal: dim1 and dim2 must differ, both are {dim1}")
    k = whole("diagonal", "offset", offset)
    return apply(views.diagonal, (input,), (k, a, b, input._data.shape))


_diagonal = diagonal  # the name of a parameter below


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Zeros with the last axis of ``input`` on a diagonal of the new axes ``dim1`` and ``dim2``.

    >>> import gradling
    >>> gradling.diag_embed(gradling.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    shape, k = input._data.shape, whole("diag_embed", "offset", offset)
    ndim = len(shape) + 1
    if not shape:
        raise IndexError("diag_embed: expected 1 dimension or more, got a 0-d tensor")
    a, b = normal_dim("diag_embed", dim1, ndim), normal_dim("diag_embed", dim2, ndim)
    if a == b:
        raise ShapeError(f"diag_embed: dim1 and dim2 must differ, both are {dim1}")
    side = shape[-1] + abs(k)
    rest = iter(shape[:-1])
    full = tuple([side if d in (a, b) else next(rest) for d in range(ndim)])
    return apply(views.diag_embed, (input,), (k, a, b, full))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A vector as the diagonal of a matrix of zeros; of a matrix, a copy of its diagonal."""
    if input._data.ndim == 1:
        return diag_embed(input, diagonal)
    if input._data.ndim != 2:
        raise ShapeError(
            f"diag: expected a vector or a matrix, got shape {input.shape}; use diagonal"
        )
    return _diagonal(input, diagonal).clone()


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """All entries on the diagonal of a matrix of zeros."""
    return diag_embed(ravel(input), offset)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All tuples with one entry of each vector, as rows.

    >>> import gradling
    >>> gradling.cartesian_prod(gradling.tensor([1, 2]), gradling.tensor([5, 6])).tolist()
    [[1, 5], [1, 6], [2, 5], [2, 6]]
    """
    columns = [ravel(x) for x in meshgrid(*tensors, indexing="ij")]
    return columns[0] if len(columns) == 1 else stack(columns, 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of ``r`` entries of a vector, in order, as rows."""
    if input._data.ndim != 1:
        raise ShapeError(f"combinations: expected a vector, got shape {input.shape}")
    choose = combinations_with_replacement if with_replacement else choices
    count = whole("combinations", "r", r)
    if count == 0:
        return input[:0]
    rows_of = list(choose(range(input._data.size), count))
    return input[np.array(rows_of, np.int64).reshape(len(rows_of), count)]


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of each matrix: entries above the given diagonal are 0."""
    return apply(rows.tril, (input,), (_triangle("tril", input, diagonal),))


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of each matrix: entries below the given diagonal are 0."""
    return apply(rows.triu, (input,), (_triangle("triu", input, diagonal),))


def _triangle(name: str, input: Tensor, diagonal: int) -> int:
    if input._data.ndim < 2:
        raise ShapeError(
            f"{name}: expected matrices, got shape {input.shape}; .unsqueeze(0) makes a row"
        )
    return whole(name, "diagonal", diagonal)


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of ``size`` entries along an axis, ``step`` apart, as a view: windows lie on a
    new last axis.

    An axis of n entries has (n - size) // step + 1 windows.

    >>> import gradling
    >>> gradling.arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    single = not input._data.ndim
    if single:  # a 0-d tensor counts as one entry
        input = unsqueeze(input, 0)
    dim, shape = normal_dim("unfold", dimension, input._data.ndim), input._data.shape
    width, stride = whole("unfold", "size", size), whole("unfold", "step", step)
    if stride <= 0:
        raise ShapeError(f"unfold: expected step > 0, got {stride}")
    if not 0 <= width <= shape[dim]:
        raise ShapeError(
            f"unfold: windows of {width} do not fit axis {dim}, which has {shape[dim]} entries"
        )
    made = apply(views.unfold, (input,), (dim, width, stride, shape))
    return made[0] if single else made
