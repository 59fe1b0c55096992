"""Other shapes for the same entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ShapeError, normal_dim, normal_dims
from .record import apply
from .rows import shape as rows

if TYPE_CHECKING:
    from .tensor import Tensor


def sizes(name: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given as separate numbers or as one tuple."""
    if len(shape) == 1 and not hasattr(shape[0], "__index__"):
        shape = tuple(shape[0])
    try:
        return tuple(n.__index__() for n in shape)
    except AttributeError:
        raise TypeError(f"{name}: expected whole numbers as sizes, got {shape!r}") from None


def completed(name: str, wanted: tuple[int, ...], have: tuple[int, ...]) -> tuple[int, ...]:
    """``wanted`` with a -1 worked out, checked against the number of entries."""
    count, known = 1, 1
    for n in have:
        count *= n
    for n in wanted:
        known *= n if n != -1 else 1
    blanks = wanted.count(-1)
    if blanks > 1 or any(n < -1 for n in wanted):
        raise ShapeError(f"{name}: sizes must be positive, with at most one -1, got {wanted}")
    if blanks and known == 0:
        raise ShapeError(f"{name}: -1 in {wanted} could be anything, since another size is 0; state it")
    if blanks and count % known == 0:
        return tuple(count // known if n == -1 else n for n in wanted)
    if blanks or known != count:
        raise ShapeError(
            f"{name}: shape {have} has {count} entries, which do not fit {wanted}"
            + (f" ({known} entries)" if not blanks else f" (not a multiple of {known})")
        )
    return wanted


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same entries, in the same order, in another shape; one size may be -1, to be worked out.

    >>> import gradling
    >>> gradling.tensor([1, 2, 3, 4, 5, 6]).reshape(2, -1).shape
    (2, 3)
    """
    have = input._data.shape
    return apply(rows.reshape, (input,), (completed("reshape", sizes("reshape", shape), have), have))


def view(input: Tensor, *shape: Any) -> Tensor:
    """As ``reshape``, or the same tensor in another dtype's clothes is refused: use ``.to(dtype)``."""
    return reshape(input, *shape)


def permute(input: Tensor, *dims: Any) -> Tensor:
    """Axes in the order ``dims``."""
    order = normal_dims("permute", sizes("permute", dims), input._data.ndim)
    if len(order) != input._data.ndim:
        raise ShapeError(
            f"permute: expected all {input._data.ndim} dimensions in some order, got {order}"
        )
    return apply(rows.permute, (input,), (order,))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Axes ``dim0`` and ``dim1`` exchanged."""
    ndim = input._data.ndim
    a, b = normal_dim("transpose", dim0, ndim), normal_dim("transpose", dim1, ndim)
    if ndim == 0:
        return apply(rows.alias, (input,))
    order = list(range(ndim))
    order[a], order[b] = b, a
    return apply(rows.permute, (input,), (tuple(order),))


def t(input: Tensor) -> Tensor:
    """A matrix with rows and columns exchanged; vectors and numbers as they are."""
    if input._data.ndim > 2:
        raise ShapeError(f"t: expected at most 2 dimensions, got shape {input.shape}; use transpose")
    return reversed_axes(input)


def reversed_axes(input: Tensor) -> Tensor:
    """All axes in reverse order."""
    return apply(rows.permute, (input,), (tuple(range(input._data.ndim))[::-1],))


def matrix_transpose(input: Tensor) -> Tensor:
    """The last two axes exchanged."""
    return transpose(input, -1, -2)


def broadcast_to(input: Tensor, shape: Any) -> Tensor:
    """The tensor seen as ``shape``, repeating along axes of size 1, without copying."""
    return expand(input, *shape)


def expand(input: Tensor, *shape: Any) -> Tensor:
    """As ``broadcast_to``; -1 keeps an axis as it is."""
    wanted, have = sizes("expand", shape), input._data.shape
    lead = len(wanted) - len(have)
    if lead < 0 or any(
        n != m and m != 1 and n != -1 for n, m in zip(wanted[lead:], have, strict=True)
    ):
        raise ShapeError(f"expand: shape {have} does not broadcast to {wanted}")
    if -1 in wanted[:lead]:
        raise ShapeError(f"expand: -1 in {wanted} stands for an axis that {have} does not have")
    full = (*wanted[:lead], *(m if n == -1 else n for n, m in zip(wanted[lead:], have, strict=True)))
    return apply(rows.broadcast_to, (input,), (full,))
