"""Products of matrices and vectors."""

from __future__ import annotations

import math
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import all_tensors, said, whole
from .errors import DtypeError, ShapeError, broadcast_clash
from .reading import read
from .record import apply, is_constant
from .rows import linalg as rows
from .shape import _reshaped, unsqueeze

if TYPE_CHECKING:
    from .tensor import Tensor


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product: (…, n, k) with (…, k, m) is (…, n, m), leading axes broadcast.

    A vector on the left is a row, on the right a column, and that axis is dropped from the result.

    Raises:
        ShapeError: axes that do not match, with the transposition that would fit if there is one.
        DtypeError: operands of two dtypes: nothing is converted silently.

    >>> import gradling
    >>> gradling.ones(2, 3) @ gradling.ones(3)
    tensor([3., 3.])
    """
    try:
        a, b = input._data, other._data
    except AttributeError:
        raise _no_tensor("matmul", input, other) from None
    if a.ndim < 2 or b.ndim < 2:
        return _with_vectors(input, other)
    if a.shape[-1] != b.shape[-2] or (
        a.ndim + b.ndim > 4 and broadcast_clash([a.shape[:-2], b.shape[:-2]])
    ):
        raise mismatch("matmul", a.shape, b.shape)
    if a.dtype is not b.dtype or a.dtype.kind == "b":
        raise _dtypes("matmul", a.dtype, b.dtype)
    return apply(rows.matmul, (input, other))


def _no_tensor(name: str, *operands: Any) -> TypeError:
    wrong = next(x for x in operands if not hasattr(x, "_data"))
    return TypeError(f"{name}: expected tensors, got {said(wrong)}; wrap it: gradling.tensor(...)")


def _dtypes(name: str, a: Any, b: Any) -> DtypeError:
    if a is b:
        return DtypeError(f"{name}: truth values have no sums of products; convert with .float()")
    wider = a if (a.kind == "f", a.itemsize) > (b.kind == "f", b.itemsize) else b
    return DtypeError(
        f"{name}: expected operands of one dtype, got {a} and {b}; a product sums up many "
        f"rounding errors, so the precision is yours to choose: .to(gradling.{wider}) on one of "
        "them"
    )


def _with_vectors(input: Tensor, other: Tensor) -> Tensor:
    a, b = input._data.shape, other._data.shape
    if not a or not b:
        raise ShapeError(
            f"matmul: expected at least 1 dimension each, got {a} and {b}; use * for numbers"
        )
    if a[-1] != (b[0] if len(b) == 1 else b[-2]):
        raise mismatch("matmul", a, b)
    if input._data.dtype is not other._data.dtype or input._data.dtype.kind == "b":
        raise _dtypes("matmul", input._data.dtype, other._data.dtype)
    if len(a) == len(b) == 1:
        return apply(rows.dot, (input, other))
    if len(b) == 1:
        flat = input if len(a) == 2 else _reshaped(input, (prod(a[:-1]), a[-1]))
        y = apply(rows.matvec, (flat, other))
        return y if len(a) == 2 else _reshaped(y, a[:-1])
    if len(b) == 2:
        return apply(rows.matvec, (other.mT, input))  # a B = Bᵀ a
    y = apply(rows.matmul, (unsqueeze(input, 0), other))
    return _reshaped(y, (*b[:-2], b[-1]))


def mismatch(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> ShapeError:
    """The error for a product of shapes that do not fit, with a change that was checked to work."""
    inner = b[0] if len(b) == 1 else b[-2]
    if a[-1] == inner:
        return ShapeError(f"{name}: the leading axes of {a} and {b} do not broadcast")
    hint = ""
    if len(b) > 1 and a[-1] == b[-1]:
        hint = "; the second one transposed (.mT) would fit"
    elif len(a) > 1 and a[-2] == inner:
        hint = "; the first one transposed (.mT) would fit"
    return ShapeError(
        f"{name}: {a} @ {b}: the last axis of the first ({a[-1]}) must equal the "
        f"{'only' if len(b) == 1 else 'second to last'} axis of the second ({inner}){hint}"
    )


def matmul_operator(input: Tensor, other: Any) -> Tensor:
    if hasattr(other, "_data"):
        return matmul(input, other)
    return np.matmul(input, other) if is_constant(other) else NotImplemented


def matmul_reflected(input: Tensor, other: Any) -> Tensor:
    return np.matmul(other, input) if is_constant(other) else NotImplemented


def _of_ndim(name: str, want: tuple[int, ...], *operands: Tensor) -> None:
    for x in operands:
        if not hasattr(x, "_data"):
            raise _no_tensor(name, x)
    for x, ndim in zip(operands, want, strict=True):
        if x._data.ndim != ndim:
            kinds = {1: "a vector", 2: "a matrix", 3: "a stack of matrices (b, n, m)"}
            raise ShapeError(
                f"{name}: expected {' and '.join(kinds[n] for n in want)}, got shapes "
                f"{' and '.join(str(o.shape) for o in operands)}; matmul broadcasts"
            )


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, (n, k) and (k, m)."""
    _of_ndim("mm", (2, 2), input, mat2)
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Products of two stacks of matrices, (b, n, k) and (b, k, m), pair by pair."""
    _of_ndim("bmm", (3, 3), input, mat2)
    if input._data.shape[0] != mat2._data.shape[0]:
        raise ShapeError(
            f"bmm: expected as many matrices on both sides, got {input.shape} and {mat2.shape}; "
            "matmul broadcasts"
        )
    return matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """A matrix (n, k) times a vector (k,)."""
    _of_ndim("mv", (2, 1), input, vec)
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of products of two vectors.

    >>> import gradling
    >>> gradling.dot(gradling.tensor([1.0, 2.0]), gradling.tensor([3.0, 4.0]))
    tensor(11.)
    """
    _of_ndim("dot", (1, 1), input, tensor)
    return matmul(input, tensor)


vdot = dot


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of entries of two vectors: (n,) and (m,) give (n, m)."""
    _of_ndim("outer", (1, 1), input, vec2)
    return unsqueeze(input, 1) * vec2


ger = outer


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``; with ``beta=0`` what is in ``input`` does not
    matter."""
    _of_ndim("addmm", (2, 2), mat1, mat2)
    return _added("addmm", input, matmul(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``."""
    _of_ndim("addmv", (2, 1), mat, vec)
    return _added("addmv", input, matmul(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``."""
    return _added("addr", input, outer(vec1, vec2), beta, alpha)


def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """``beta * input + alpha * bmm(batch1, batch2)``."""
    return _added("baddbmm", input, bmm(batch1, batch2), beta, alpha)


def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """``beta * input + alpha *`` the sum of the products of a stack."""
    return _added("addbmm", input, bmm(batch1, batch2).sum(0), beta, alpha)


def _added(name: str, input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    if input._data.dtype is not product._data.dtype:
        raise _dtypes(name, input._data.dtype, product._data.dtype)
    wide = input.expand(product._data.shape)
    scaled = product if alpha == 1 else product * alpha
    if beta == 0:
        return scaled
    return (wide if beta == 1 else wide * beta) + scaled


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    _of_ndim("trace", (2,), input)
    return input.diagonal().sum()


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: a copy of ``other`` for every entry of ``input``, scaled by it.

    >>> import gradling
    >>> gradling.kron(gradling.tensor([1, 10]), gradling.tensor([1, 2]))
    tensor([ 1,  2, 10, 20])
    """
    all_tensors("kron", input=input, other=other)
    a, b = input._data.shape, other._data.shape
    ndim = max(len(a), len(b))
    a, b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
    left = _reshaped(input, tuple([size for n in a for size in (n, 1)]))
    right = _reshaped(other, tuple([size for n in b for size in (1, n)]))
    return _reshaped(left * right, tuple([n * m for n, m in zip(a, b, strict=True)]))


def matrix_exp(A: Tensor) -> Tensor:
    """The exponential Σ Aᵏ/k! of square matrices.

    A is halved until it is small, its series summed, and the result squared as often
    (Moler & Van Loan, 2003, method 3).
    """
    from .factors import square
    from .sequences import eye

    n = square("matrix_exp", A)
    read("matrix_exp")
    size = float(np.abs(A._data).sum(axis=-1).max(initial=0.0))
    halvings = max(0, math.ceil(math.log2(size)) + 1) if 0 < size < math.inf else 0
    x, one = A * 0.5**halvings, eye(n, dtype=A._data.dtype)
    total = one + x * (1 / 18)
    for k in range(17, 0, -1):  # by Horner's rule; the terms left out are below 1e-20
        total = one + matmul(x, total) * (1 / k)
    for _ in range(halvings):
        total = matmul(total, total)
    return total


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector product along an axis of size 3."""
    for x in (input, other):
        if not x._data.ndim or x._data.shape[dim] != 3:
            raise ShapeError(f"cross: expected size 3 along dim {dim}, got shape {x.shape}")
    turned = [x.roll(steps, dim) for steps in (-1, -2) for x in (input, other)]
    return turned[0] * turned[3] - turned[2] * turned[1]


def matrix_power(input: Tensor, n: int) -> Tensor:
    """``input`` times itself ``n`` times, by squaring; for negative ``n`` of its inverse."""
    from .factors import inv, square

    square("matrix_power", input)
    count = whole("matrix_power", "n", n)
    if count < 0:
        return matrix_power(inv(input), -count)
    if count == 0:
        from .sequences import eye

        return eye(input._data.shape[-1], dtype=input._data.dtype).expand(input._data.shape).clone()
    power, result = input, None
    while count:
        if count % 2:
            result = power if result is None else matmul(result, power)
        count //= 2
        if count:
            power = matmul(power, power)
    assert result is not None
    return result if result is not input else input.clone()
