"""Several tensors made one, and one made several: the parts share memory with the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import numbers, said, whole
from .dtypes import result_dtype
from .errors import ShapeError, normal_dim
from .record import apply
from .rows import arrange as rows
from .rows.indexing import getitem
from .rows.shape import view_put
from .shape import atleast_1d, atleast_2d, atleast_3d

if TYPE_CHECKING:
    from .tensor import Tensor

Tensors = Sequence["Tensor"]


def _several(name: str, tensors: Any) -> list[Tensor]:
    """A list of tensors, brought to the one dtype that they all fit in."""
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(f"{name}: expected a tuple or list of tensors, got {said(tensors)}")
    if not tensors:
        raise ShapeError(
            f"{name}: expected one tensor or more, got an empty {type(tensors).__name__}"
        )
    try:
        first = tensors[0]._data.dtype
        for x in tensors:
            if x._data.dtype is not first:
                break
        else:
            return list(tensors)
    except AttributeError:
        i, x = next((i, x) for i, x in enumerate(tensors) if not hasattr(x, "_data"))
        raise TypeError(f"{name}: expected tensors, got {said(x)} at position {i}") from None
    return _one_dtype(list(tensors))


def _one_dtype(tensors: list[Tensor]) -> list[Tensor]:
    shaped = tuple([x._data.dtype for x in tensors if x._data.ndim])
    single = tuple([x._data.dtype for x in tensors if not x._data.ndim])
    wanted = result_dtype(shaped, single, ())
    return [x.to(wanted) for x in tensors]


def cat(tensors: Tensors, dim: int = 0, *, axis: int | None = None) -> Tensor:
    """Tensors laid end to end along ``dim``; all other sizes must agree.

    Empty vectors, shape (0,), are left out whatever the other shapes, as in PyTorch.

    Raises:
        ShapeError: sizes that differ on another axis, with the axis; 0-d tensors (use ``stack``).

    >>> import gradling
    >>> gradling.cat([gradling.zeros(2, 1), gradling.ones(2, 2)], dim=1)
    tensor([[0., 1., 1.],
            [0., 1., 1.]])
    """
    parts = _several("cat", tensors)
    sizes = [x._data.shape for x in parts]
    if (0,) in sizes:
        parts = [x for x in parts if x._data.shape != (0,)] or parts[:1]
        sizes = [x._data.shape for x in parts]
    shape = sizes[0]
    for i, other in enumerate(sizes):
        if not other:
            raise ShapeError(
                f"cat: the tensor at position {i} is 0-d, it has no axis to join; use stack"
            )
    place = normal_dim("cat", dim if axis is None else axis, len(shape))
    for other in sizes:
        if other != shape:
            _check_sizes(shape, other, place)
    return apply(rows.cat, tuple(parts), (place, tuple([other[place] for other in sizes])))


concat = concatenate = cat


def _check_sizes(first: tuple[int, ...], other: tuple[int, ...], dim: int) -> None:
    if len(first) != len(other):
        raise ShapeError(
            f"cat: expected the same number of axes everywhere, got shapes {first} and {other}; "
            ".unsqueeze(dim) adds one, stack makes a new one"
        )
    for axis, (n, m) in enumerate(zip(first, other, strict=True)):
        if n != m and axis != dim:
            raise ShapeError(
                f"cat: along axis {axis} the sizes are {n} and {m} (shapes {first} and {other}), "
                f"but only axis {dim} may differ"
            )


def stack(tensors: Tensors, dim: int = 0) -> Tensor:
    """Tensors of one shape as layers along a new axis ``dim``.

    >>> import gradling
    >>> gradling.stack([gradling.zeros(3), gradling.ones(3)]).shape
    (2, 3)
    """
    parts = _several("stack", tensors)
    shape = parts[0]._data.shape
    for i, x in enumerate(parts):
        if x._data.shape != shape:
            raise ShapeError(
                f"stack: expected one shape, got {shape} at position 0 and {x.shape} at position "
                f"{i}; cat joins tensors of different sizes"
            )
    return apply(rows.stack, tuple(parts), (normal_dim("stack", dim, len(shape) + 1),))


def hstack(tensors: Tensors) -> Tensor:
    """Side by side: joined along axis 1, vectors along their only one."""
    parts = [atleast_1d(x) for x in _several("hstack", tensors)]
    return cat(parts, 0 if parts[0]._data.ndim == 1 else 1)


def vstack(tensors: Tensors) -> Tensor:
    """One below the other: vectors are rows."""
    return cat([atleast_2d(x) for x in _several("vstack", tensors)], 0)


row_stack = vstack


def dstack(tensors: Tensors) -> Tensor:
    """One behind the other: joined along axis 2."""
    return cat([atleast_3d(x) for x in _several("dstack", tensors)], 2)


def column_stack(tensors: Tensors) -> Tensor:
    """Side by side: vectors are columns."""
    parts = _several("column_stack", tensors)
    return cat([x.reshape(-1, 1) if x._data.ndim < 2 else x for x in parts], 1)


def block_diag(*tensors: Tensor) -> Tensor:
    """Matrices as blocks along the diagonal of a matrix of zeros."""
    blocks = [atleast_2d(x) for x in _several("block_diag", tensors)]
    if any(x._data.ndim > 2 for x in blocks):
        raise ShapeError(f"block_diag: expected matrices, got shapes {[x.shape for x in tensors]}")
    width = sum([x._data.shape[1] for x in blocks])
    lines, start = [], 0
    for x in blocks:
        columns = x._data.shape[1]
        widths = ((0, 0), (start, width - start - columns))
        lines.append(apply(rows.pad, (x,), (widths, 0.0)))
        start += columns
    return cat(lines, 0)


def slice_along(input: Tensor, dim: int, start: int, stop: int) -> Tensor:
    """Entries ``start`` to ``stop`` of axis ``dim``, as a view."""
    index = (slice(None),) * dim + (slice(start, stop), Ellipsis)
    return apply(getitem, (input,), (index, input._data.shape))


def _cut(input: Tensor, dim: int, ends: list[int]) -> tuple[Tensor, ...]:
    return tuple([slice_along(input, dim, a, b) for a, b in zip(ends, ends[1:], strict=False)])


def _axis(name: str, input: Tensor, dim: Any) -> tuple[int, int]:
    """The axis to split, and its size."""
    if not input._data.ndim:
        raise ShapeError(f"{name}: a 0-d tensor has no axis to split")
    place = normal_dim(name, dim, input._data.ndim)
    return place, input._data.shape[place]


def split(input: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of one size along ``dim``, the last one smaller if need be; or parts of the sizes
    listed.

    >>> import gradling
    >>> [part.tolist() for part in gradling.arange(5).split(2)]
    [[0, 1], [2, 3], [4]]
    >>> [part.tolist() for part in gradling.arange(5).split([1, 4])]
    [[0], [1, 2, 3, 4]]
    """
    place, size = _axis("split", input, dim)
    if isinstance(split_size_or_sections, (tuple, list)):
        sections = numbers("split", (split_size_or_sections,))
        if sum(sections) != size or any(n < 0 for n in sections):
            raise ShapeError(
                f"split: sections {sections} must not be negative and sum to {size}, the size of "
                f"axis {place}; they sum to {sum(sections)}"
            )
        return _cut(input, place, [0, *np.cumsum(sections, dtype=int).tolist()])
    step = whole("split", "the size of a part", split_size_or_sections)
    if step < 0 or (step == 0 and size):
        raise ShapeError(f"split: expected a positive size for the parts, got {step}")
    return _cut(input, place, [*range(0, size, step or 1), size] if size else [0, 0])


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` parts along ``dim``, of one size but for the last; fewer if they come out
    even."""
    place, size = _axis("chunk", input, dim)
    count = whole("chunk", "chunks", chunks)
    if count <= 0:
        raise ShapeError(f"chunk: expected chunks > 0, got {count}")
    if size == 0:
        return _cut(input, place, [0] * (count + 1))
    return split(input, -(-size // count), place)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of almost equal size along ``dim`` (their number given), or cut before the indices
    listed.

    >>> import gradling
    >>> [part.tolist() for part in gradling.arange(5).tensor_split(2)]
    [[0, 1, 2], [3, 4]]
    """
    place, size = _axis("tensor_split", input, dim)
    given = getattr(indices_or_sections, "_data", indices_or_sections)
    if np.ndim(given) == 0:
        count = whole("tensor_split", "the number of parts", indices_or_sections)
        if count <= 0:
            raise ShapeError(f"tensor_split: expected a number of parts > 0, got {count}")
        each, more = divmod(size, count)
        return _cut(input, place, [k * each + min(k, more) for k in range(count + 1)])
    cuts = numbers("tensor_split", (tuple(given),), "indices")
    return tuple(
        [slice_along(input, place, a, b) for a, b in zip((0, *cuts), (*cuts, size), strict=True)]
    )


def _even(name: str, axis: int, least: int) -> Any:
    def function(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
        shape = input._data.shape
        if len(shape) < least:
            raise ShapeError(f"{name}: expected {least} axes or more, got shape {shape}")
        place = 0 if len(shape) == 1 else axis
        if isinstance(indices_or_sections, int):
            count = indices_or_sections
            if count <= 0 or shape[place] % count:
                raise ShapeError(
                    f"{name}: axis {place} of {shape} cannot be cut into {count} equal parts; "
                    "tensor_split takes unequal ones"
                )
        return tensor_split(input, indices_or_sections, place)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"``tensor_split`` along axis {axis}, into parts of equal size."
    return function


hsplit, vsplit, dsplit = _even("hsplit", 1, 1), _even("vsplit", 0, 2), _even("dsplit", 2, 3)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The layers along ``dim``, without that axis."""
    if not input._data.ndim:
        raise IndexError("unbind: a 0-d tensor has no axis to go along")
    place = normal_dim("unbind", dim, input._data.ndim)
    return tuple([select(input, place, i) for i in range(input._data.shape[place])])


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """``length`` entries of axis ``dim`` from ``start`` on."""
    place, size = _axis("narrow", input, dim)
    first, count = whole("narrow", "start", start), whole("narrow", "length", length)
    if not -size <= first <= size:
        raise IndexError(
            f"narrow: start {first} is out of range for axis {place}; use {-size} to {size}"
        )
    first += size if first < 0 else 0
    if count < 0 or first + count > size:
        raise ShapeError(
            f"narrow: {count} entries from {first} on do not fit axis {place}, which has {size}"
        )
    return slice_along(input, place, first, first + count)


def select(input: Tensor, dim: int, index: Any) -> Tensor:
    """Layer ``index`` along ``dim``, without that axis."""
    if not input._data.ndim:
        raise IndexError("select: a 0-d tensor has no axis to pick from")
    place = normal_dim("select", dim, input._data.ndim)
    size, at = input._data.shape[place], whole("select", "index", index)
    if not -size <= at < size:
        raise IndexError(
            f"select: index {at} is out of range for axis {place} of {input.shape}; "
            + (f"use {-size} to {size - 1}" if size else "it has no entries")
        )
    key = (slice(None),) * place + (at, Ellipsis)
    return apply(getitem, (input,), (key, input._data.shape))


def _with_view(input: Tensor, src: Tensor, key: tuple[Any, ...], name: str) -> Tensor:
    room = input._data[key].shape
    if src._data.shape != room:
        raise ShapeError(f"{name}: expected src of shape {room}, got {src.shape}")
    patch = src if src._data.dtype is input._data.dtype else src.to(input._data.dtype)
    return apply(view_put, (input, patch), (getitem, (key, input._data.shape)))


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """``input`` with layer ``index`` of axis ``dim`` replaced by ``src``."""
    place = normal_dim("select_scatter", dim, input._data.ndim)
    select(input.detach(), place, index)  # checks the index
    return _with_view(input, src, (*(slice(None),) * place, index, Ellipsis), "select_scatter")


def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """``input`` with ``start:end:step`` of axis ``dim`` replaced by ``src``."""
    place = normal_dim("slice_scatter", dim, input._data.ndim)
    key = (*(slice(None),) * place, slice(start, end, step), Ellipsis)
    return _with_view(input, src, key, "slice_scatter")
