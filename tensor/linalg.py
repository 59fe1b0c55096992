"""Products of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ShapeError, broadcast_clash
from .record import apply, as_operand, is_constant
from .rows import linalg as rows
from .shape import reshape

if TYPE_CHECKING:
    from .tensor import Tensor


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product: (…, n, k) with (…, k, m) is (…, n, m), leading axes broadcast.

    A vector on the left is a row, on the right a column, and that axis is dropped from the result.

    >>> import gradling
    >>> gradling.ones(2, 3) @ gradling.ones(3)
    tensor([3., 3.])
    """
    a, b = input._data, other._data
    if a.ndim < 2 or b.ndim < 2:
        return _with_vectors(input, other)
    if a.shape[-1] != b.shape[-2] or (a.ndim + b.ndim > 4 and broadcast_clash([a.shape[:-2], b.shape[:-2]])):
        raise _mismatch(a.shape, b.shape)
    if a.dtype is not b.dtype:
        raise TypeError(f"matmul: expected operands of one dtype, got {a.dtype} and {b.dtype}; convert one")
    return apply(rows.matmul, (input, other))


def _with_vectors(input: Tensor, other: Tensor) -> Tensor:
    a, b = input.shape, other.shape
    if not a or not b:
        raise ShapeError(f"matmul: expected at least 1 dimension each, got {a} and {b}; use * for numbers")
    if a[-1] != (b[0] if len(b) == 1 else b[-2]):
        raise _mismatch(a, b)
    left = reshape(input, 1, a[0]) if len(a) == 1 else input
    right = reshape(other, b[0], 1) if len(b) == 1 else other
    y = matmul(left, right)
    shape = list(y.shape)
    if len(b) == 1:
        del shape[-1]
    if len(a) == 1:
        del shape[-1 if len(b) == 1 else -2]
    return reshape(y, tuple(shape))


def _mismatch(a: tuple[int, ...], b: tuple[int, ...]) -> ShapeError:
    inner = b[0] if len(b) == 1 else b[-2]
    hint = ""
    if len(b) > 1 and a[-1] == b[-1]:
        hint = "; the second one transposed (.mT) would fit"
    elif len(a) > 1 and a[-2] == inner:
        hint = "; the first one transposed (.mT) would fit"
    if a[-1] == inner:
        return ShapeError(f"matmul: the leading axes of {a} and {b} do not broadcast")
    return ShapeError(
        f"matmul: {a} @ {b}: the last axis of the first ({a[-1]}) must equal the "
        f"{'only' if len(b) == 1 else 'second to last'} axis of the second ({inner}){hint}"
    )


def matmul_operator(input: Tensor, other: Any) -> Tensor:
    if hasattr(other, "_data"):
        return matmul(input, other)
    return matmul(input, as_operand(rows.matmul, other)) if is_constant(other) else NotImplemented


def matmul_reflected(input: Tensor, other: Any) -> Tensor:
    return matmul(as_operand(rows.matmul, other), input) if is_constant(other) else NotImplemented
