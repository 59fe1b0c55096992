"""Other shapes for the same entries: these share memory with their operand wherever they can."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import all_tensors, numbers, said
from .asking import strides
from .errors import DtypeError, ShapeError, broadcast_clash, normal_dim, normal_dims
from .record import apply
from .rows import shape as rows

if TYPE_CHECKING:
    from .tensor import Tensor

Shape = tuple[int, ...]


def given(name: str, separate: tuple[Any, ...], named: dict[str, Any], keyword: str) -> Shape:
    """The numbers of ``f(x, 2, 3)``, ``f(x, (2, 3))`` or ``f(x, dims=(2, 3))``."""
    if separate and not named:  # the common case first: nothing but ints
        plain = separate[0] if len(separate) == 1 and separate[0].__class__ is tuple else separate
        for n in plain:
            if n.__class__ is not int:
                break
        else:
            return plain
    if named:
        if separate or set(named) != {keyword}:
            extra = sorted(set(named) - {keyword}) or [keyword]
            raise TypeError(
                f"{name}: unexpected argument {extra[0]!r}; write {name}(x, {keyword}=...)"
            )
        separate = (named[keyword],)
    if not separate:
        raise TypeError(f"{name}: expected {keyword}; an empty tuple stands for none")
    return numbers(name, separate, keyword)


def completed(name: str, wanted: Shape, have: Shape) -> Shape:
    """``wanted`` with a -1 worked out, checked against the number of entries."""
    count, known = prod(have), prod(wanted)
    if known == count and (count or -1 not in wanted) and min(wanted, default=0) >= 0:
        return wanted
    blanks = wanted.count(-1)
    known = prod([n for n in wanted if n != -1])
    if blanks > 1 or any(n < -1 for n in wanted):
        raise ShapeError(f"{name}: sizes must be positive, with at most one -1, got {wanted}")
    if blanks and known == 0:
        raise ShapeError(
            f"{name}: -1 in {wanted} could be anything, since another size is 0; state it"
        )
    if blanks and count % known == 0:
        return tuple([count // known if n == -1 else n for n in wanted])
    if blanks or known != count:
        raise ShapeError(
            f"{name}: shape {have} has {count} entries, which do not fit {wanted}"
            + (f" ({known} entries)" if not blanks else f" (not a multiple of {known})")
        )
    return wanted


def reshape(input: Tensor, *shape: Any, **named: Any) -> Tensor:
    """The same entries, in the same order, in another shape; one size may be -1, to be worked out.

    Shares memory with ``input`` if its layout allows that, else copies: ``view`` never copies.

    Raises:
        ShapeError: where the numbers of entries differ, with both.

    >>> import gradling
    >>> gradling.tensor([1, 2, 3, 4, 5, 6]).reshape(2, -1).shape
    (2, 3)
    """
    x = input._data
    return _reshaped(input, completed("reshape", given("reshape", shape, named, "shape"), x.shape))


def _reshaped(input: Tensor, shape: Shape) -> Tensor:
    x = input._data
    y = apply(rows.reshape, (input,), (shape, x.shape))
    if not x.flags.c_contiguous and not np.may_share_memory(x, y._data):
        y._base = None  # a copy after all: what is written to it stays there
    return y


def view(input: Tensor, *shape: Any, **named: Any) -> Tensor:
    """``reshape`` that never copies.

    Raises:
        ShapeError: where the entries do not lie in memory in that order; ``reshape`` copies them
            then.
        TypeError: for a dtype: the bits of a tensor are not reinterpreted here, ``.to(dtype)``
            converts.
    """
    first = shape[0] if shape else None
    if len(shape) == 1 and not isinstance(first, (tuple, list)) and not hasattr(first, "__index__"):
        raise TypeError(f"view: expected sizes, got {said(first)}; .to(dtype) converts")
    x = input._data
    wanted = completed("view", given("view", shape, named, "size"), x.shape)
    y = apply(rows.reshape, (input,), (wanted, x.shape))
    if not x.flags.c_contiguous and x.size and not np.may_share_memory(x, y._data):
        raise ShapeError(
            f"view: the entries of this {x.shape} tensor, strides {strides(input)}, do not lie in "
            f"memory in the order that {wanted} needs; .reshape{wanted} copies them"
        )
    return y


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """``view`` in the shape of ``other``."""
    all_tensors("view_as", other=other)
    return view(input, other._data.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """``reshape`` in the shape of ``other``."""
    all_tensors("reshape_as", other=other)
    return reshape(input, other._data.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from ``start_dim`` to ``end_dim``, both included, made one.

    >>> import gradling
    >>> gradling.zeros(2, 3, 4).flatten(1).shape
    (2, 12)
    """
    shape = input._data.shape
    if len(shape) == 1:
        normal_dim("flatten", start_dim, 1), normal_dim("flatten", end_dim, 1)
        return input
    first, last = (
        normal_dim("flatten", start_dim, len(shape)),
        normal_dim("flatten", end_dim, len(shape)),
    )
    if first > last:
        raise ShapeError(
            f"flatten: start_dim {start_dim} comes after end_dim {end_dim}; exchange them"
        )
    return _reshaped(input, (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """All entries in one axis, in row-major order."""
    return _reshaped(input, (input._data.size,))


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """Axis ``dim`` split into axes of ``sizes``, one of which may be -1.

    >>> import gradling
    >>> gradling.zeros(2, 12).unflatten(1, (3, -1)).shape
    (2, 3, 4)
    """
    shape = input._data.shape
    place = normal_dim("unflatten", dim, len(shape))
    if not isinstance(sizes, (tuple, list)) or not sizes:
        raise (ShapeError if sizes in ((), []) else TypeError)(
            f"unflatten: expected sizes to be a tuple with one size or more, got {said(sizes)}"
        )
    if not shape:
        raise ShapeError("unflatten: a 0-d tensor has no axis to split; use .reshape")
    split = completed("unflatten", numbers("unflatten", (sizes,)), (shape[place],))
    return _reshaped(input, (*shape[:place], *split, *shape[place + 1 :]))


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without the axes ``dim`` (all, by default) that have size 1; axes of other sizes stay.

    >>> import gradling
    >>> gradling.zeros(1, 2, 1).squeeze().shape
    (2,)
    """
    shape = input._data.shape
    dims = normal_dims("squeeze", dim, len(shape))
    return apply(rows.squeeze, (input,), (tuple([d for d in sorted(dims) if shape[d] == 1]),))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With an axis of size 1 put in, which becomes axis ``dim`` of the result.

    >>> import gradling
    >>> gradling.zeros(2, 3).unsqueeze(1).shape
    (2, 1, 3)
    """
    return apply(rows.unsqueeze, (input,), ((normal_dim("unsqueeze", dim, input._data.ndim + 1),),))


def _atleast(count: int, name: str) -> Any:
    def function(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
            tensors = tuple(tensors[0])
        done = tuple([_padded(x, count) for x in tensors])
        return done[0] if len(done) == 1 else done

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Each tensor with axes of size 1 put in, where it has fewer than {count}."
    return function


def _padded(input: Tensor, count: int) -> Tensor:
    ndim = input._data.ndim
    if ndim >= count:
        return input
    # as NumPy does it: (n,) becomes (1, n) and (1, n, 1), (n, m) becomes (n, m, 1)
    places = {(0, 1): (0,), (0, 2): (0, 1), (1, 2): (0,)}
    places |= {(0, 3): (0, 1, 2), (1, 3): (0, 2), (2, 3): (2,)}
    return apply(rows.unsqueeze, (input,), (places[ndim, count],))


atleast_1d, atleast_2d = _atleast(1, "atleast_1d"), _atleast(2, "atleast_2d")
atleast_3d = _atleast(3, "atleast_3d")


def permute(input: Tensor, *dims: Any, **named: Any) -> Tensor:
    """Axes in the order ``dims``.

    >>> import gradling
    >>> gradling.zeros(2, 3, 4).permute(2, 0, 1).shape
    (4, 2, 3)
    """
    ndim = input._data.ndim
    wanted = given("permute", dims, named, "dims")
    if len(wanted) != ndim:
        raise ShapeError(f"permute: expected all {ndim} dimensions in some order, got {wanted}")
    return apply(rows.permute, (input,), (normal_dims("permute", wanted, ndim),))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Axes ``dim0`` and ``dim1`` exchanged."""
    ndim = input._data.ndim
    a, b = normal_dim("transpose", dim0, ndim), normal_dim("transpose", dim1, ndim)
    if ndim == 2:
        return apply(rows.permute, (input,), ((1, 0) if a != b else (0, 1),))
    if ndim == 0:
        return apply(rows.alias, (input,))
    order = list(range(ndim))
    order[a], order[b] = b, a
    return apply(rows.permute, (input,), (tuple(order),))


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """``transpose`` by NumPy's name."""
    return transpose(input, axis0, axis1)


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Axes ``source`` moved to the places ``destination``; the others keep their order.

    >>> import gradling
    >>> gradling.zeros(2, 3, 4).movedim(0, -1).shape
    (3, 4, 2)
    """
    ndim = input._data.ndim
    start, end = normal_dims("movedim", source, ndim), normal_dims("movedim", destination, ndim)
    if len(start) != len(end):
        raise ShapeError(f"movedim: {source} and {destination} must have the same number of axes")
    rest = iter([d for d in range(ndim) if d not in start])
    moved = dict(zip(end, start, strict=True))
    order = tuple([moved[d] if d in moved else next(rest) for d in range(ndim)])
    return apply(rows.permute, (input,), (order,))


def t(input: Tensor) -> Tensor:
    """A matrix with rows and columns exchanged; vectors and numbers as they are."""
    if input._data.ndim > 2:
        raise ShapeError(
            f"t: expected at most 2 dimensions, got shape {input.shape}; use .mT or transpose"
        )
    return reversed_axes(input)


def reversed_axes(input: Tensor) -> Tensor:
    """All axes in reverse order."""
    return apply(rows.permute, (input,), (tuple(range(input._data.ndim))[::-1],))


def matrix_transpose(input: Tensor) -> Tensor:
    """The last two axes exchanged: each matrix of a batch transposed."""
    if input._data.ndim == 1:
        raise ShapeError(
            f"mT: expected a matrix or a batch of them, got shape {input.shape}; .unsqueeze(-1) "
            "makes a column"
        )
    return transpose(input, -1, -2)


def expand(input: Tensor, *size: Any, **named: Any) -> Tensor:
    """Seen as ``size``, repeating along axes of size 1 without copying; -1 keeps an axis as it is.

    Raises:
        ShapeError: an axis that is not 1 and not the size that is wanted.

    >>> import gradling
    >>> gradling.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    return _expanded("expand", input, given("expand", size, named, "size"))


def _expanded(name: str, input: Tensor, wanted: Shape) -> Tensor:
    have = input._data.shape
    lead = len(wanted) - len(have)
    if wanted[lead:] == have and lead >= 0 and min(wanted, default=0) >= 0:
        return apply(rows.broadcast_to, (input,), (wanted,))
    if lead < 0:
        raise ShapeError(
            f"{name}: {have} has more axes than {wanted}; give a size for each of them (-1 keeps "
            "one)"
        )
    full = tuple([m if n == -1 else n for n, m in zip(wanted, (-1,) * lead + have, strict=True)])
    if any(n < 0 for n in full[:lead]):
        raise ShapeError(f"{name}: -1 in {wanted} stands for an axis that {have} does not have")
    for axis, (n, m) in enumerate(zip(full[lead:], have, strict=True)):
        if n != m and (m != 1 or n < 0):
            raise ShapeError(
                f"{name}: axis {axis} of {have} has size {m}, which cannot become {n} in "
                f"{wanted}; only axes of size 1 repeat"
            )
    return apply(rows.broadcast_to, (input,), (full,))


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """``expand`` to the shape of ``other``."""
    all_tensors("expand_as", other=other)
    return _expanded("expand_as", input, other._data.shape)


def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """Seen as ``size``, repeating along axes of size 1 without copying."""
    return _expanded("broadcast_to", input, numbers("broadcast_to", (size,)))


def broadcast_shapes(*shapes: Any) -> Shape:
    """The shape that shapes broadcast to.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    plain = [numbers("broadcast_shapes", (shape,)) for shape in shapes]
    clash = broadcast_clash(plain)
    if clash is not None:
        raise ShapeError(
            f"broadcast_shapes: {', '.join(map(str, plain))} do not broadcast: along axis "
            f"{clash[0]} they have {' and '.join(map(str, clash[1]))}, which must be equal or 1"
        )
    return np.broadcast_shapes(*plain)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Each tensor expanded to the shape that all of them broadcast to."""
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    shape = broadcast_shapes(*[x._data.shape for x in tensors])
    return tuple([_expanded("broadcast_tensors", x, shape) for x in tensors])


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinates of a grid: for vectors of sizes n, m, … one (n, m, …) tensor each, as views.

    ``indexing="xy"`` exchanges the first two axes, as pictures have them.

    >>> import gradling
    >>> x, y = meshgrid(gradling.arange(2), gradling.arange(3))
    >>> x.shape, y[0].tolist()
    ((2, 3), [0, 1, 2])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    if indexing not in ("ij", "xy"):
        raise ShapeError(f"meshgrid: indexing must be 'ij' or 'xy', got {indexing!r}")
    if not tensors:
        raise ShapeError("meshgrid: expected one vector or more, got none")
    if any(x._data.ndim > 1 for x in tensors):
        raise ShapeError(f"meshgrid: expected vectors, got shapes {[x.shape for x in tensors]}")
    if len({x._data.dtype for x in tensors}) > 1:
        raise DtypeError(
            f"meshgrid: expected one dtype, got {', '.join(str(x.dtype) for x in tensors)}"
        )
    order = list(range(len(tensors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = [1, 0]
    shape = tuple([tensors[i]._data.size for i in order])
    return tuple(_along(x, order.index(i), shape) for i, x in enumerate(tensors))


def _along(x: Tensor, axis: int, shape: Shape) -> Tensor:
    column = (1,) * axis + (x._data.size,) + (1,) * (len(shape) - axis - 1)
    return _expanded("meshgrid", _reshaped(x, column), shape)
