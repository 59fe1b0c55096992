"""Inverses, determinants, equations and factorisations of matrices, or of stacks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .errors import DtypeError, ShapeError, broadcast_clash
from .joining import cat
from .products import _dtypes, matmul
from .reading import read
from .record import apply
from .rows import factors as rows

if TYPE_CHECKING:
    from .tensor import Tensor


def square(name: str, input: Tensor) -> int:
    """The side of square matrices, checked."""
    shape = input._data.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ShapeError(f"{name}: expected square matrices (…, n, n), got shape {shape}")
    return int(shape[-1])


def _floating(name: str, input: Tensor) -> None:
    if input._data.dtype.kind != "f":
        raise DtypeError(f"{name}: expected a floating tensor, got {input.dtype}; use .float()")


def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices.

    To solve equations use ``solve``, which is faster and more exact.

    Raises:
        LinAlgError: a singular matrix, with its place in the stack.

    >>> import gradling
    >>> gradling.linalg.inv(gradling.tensor([[2.0, 0.0], [0.0, 4.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    square("inv", A)
    _floating("inv", A)
    return apply(rows.inv, (A,))


inverse = inv


def det(A: Tensor) -> Tensor:
    """The determinant of square matrices."""
    square("det", A)
    _floating("det", A)
    return apply(rows.det, (A,))


class SlogDet(NamedTuple):
    sign: Tensor
    logabsdet: Tensor


def slogdet(A: Tensor) -> SlogDet:
    """Sign and logarithm of the absolute value of the determinant: no overflow for large
    matrices."""
    square("slogdet", A)
    _floating("slogdet", A)
    full = A._data if A._data.itemsize > 2 else A._data.astype(np.float32)
    sign = np.asarray(np.linalg.slogdet(full)[0], A._data.dtype)
    return SlogDet(type(A)(sign), apply(rows.logabsdet, (A,)))


def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant: nan where that is negative."""
    read("logdet")
    sign, logabsdet = slogdet(input)
    return logabsdet + sign.clamp(max=0) * float("inf") if (sign._data < 0).any() else logabsdet


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A X = B (X A = B if not ``left``), without the inverse of A.

    Args:
        A: (…, n, n).
        B: (…, n, k), or a vector (n,), or a stack of vectors (…, n) with A's leading axes.

    Raises:
        LinAlgError: a singular A.
        ShapeError: sizes that do not match.

    >>> import gradling
    >>> A = gradling.tensor([[2.0, 0.0], [0.0, 4.0]])
    >>> gradling.linalg.solve(A, gradling.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    n = square("solve", A)
    _floating("solve", A)
    if A._data.dtype is not B._data.dtype:
        raise _dtypes("solve", A._data.dtype, B._data.dtype)
    a, b = A._data.shape, B._data.shape
    vector = len(b) == 1 or (len(b) == len(a) - 1 and b == a[:-1])
    if vector and not left:
        raise ShapeError("solve: X A = B needs matrices B; for vectors use left=True with A.mT")
    if vector:
        B = B.unsqueeze(-1)
    elif not left:
        A, B = A.mT, B.mT
    rows_of_b = B._data.shape[-2]
    if rows_of_b != n or broadcast_clash([a[:-2], B._data.shape[:-2]]):
        raise ShapeError(
            f"solve: A {a} and B {b} do not match: {'rows' if left else 'columns'} of B must be "
            f"{n}, and leading axes broadcast"
        )
    y = apply(rows.solve, (A, B))
    if vector:
        return y.squeeze(-1)
    return y if left else y.mT


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """``solve`` that only reads one triangle of A (with ones on its diagonal if
    ``unitriangular``)."""
    n = square("solve_triangular", A)
    triangle = A.triu() if upper else A.tril()
    if unitriangular:
        from .sequences import eye

        ones = eye(n, dtype=A._data.dtype)
        triangle = triangle - triangle.diagonal(0, -2, -1).diag_embed() + ones
    return solve(triangle, B, left=left)


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """L, lower triangular, with L Lᵀ = A for symmetric positive definite A (its transpose if
    ``upper``).

    Of an A that is not symmetric, (A + Aᵀ) / 2 is used.

    Raises:
        LinAlgError: a matrix that is not positive definite.
    """
    square("cholesky", A)
    _floating("cholesky", A)
    lower = apply(rows.cholesky, (A,))
    return lower.mT if upper else lower


class QR(NamedTuple):
    Q: Tensor
    R: Tensor


def qr(A: Tensor, mode: str = "reduced") -> QR:
    """A = Q R: Q (…, m, k) with orthonormal columns, R (…, k, n) upper triangular, k = min(m, n).

    ``mode="complete"`` gives Q (m, m), without gradient; ``"r"`` gives R alone, Q being empty.
    """
    _matrices("qr", A)
    m, n = A._data.shape[-2:]
    if mode not in ("reduced", "complete", "r"):
        raise ShapeError(f"qr: mode must be 'reduced', 'complete' or 'r', got {mode!r}")
    if mode == "complete" and m > n:
        if A.requires_grad:
            raise RuntimeError("qr: mode='complete' has no gradient; use 'reduced', or A.detach()")
        q, r = np.linalg.qr(A._data, "complete")
        return QR(type(A)(q), type(A)(r))
    front = A[..., :m] if n > m else A
    packed = apply(rows.qr, (front,))
    Q, R = packed[..., :m, :], packed[..., m:, :].triu()
    if n > m:
        R = cat([R, matmul(Q.mT, A[..., m:])], -1)
    return QR(type(A)(np.empty(0, A._data.dtype)), R) if mode == "r" else QR(Q, R)


class Eigh(NamedTuple):
    eigenvalues: Tensor
    eigenvectors: Tensor


def eigh(A: Tensor, UPLO: str = "L") -> Eigh:
    """Eigenvalues (…, n), ascending, and eigenvectors (…, n, n), as columns, of symmetric matrices.

    Of an A that is not symmetric, (A + Aᵀ) / 2 is used; ``UPLO`` is there for PyTorch programs.
    The gradient of eigenvectors exists where eigenvalues differ; near equal ones make it large.
    """
    square("eigh", A)
    _floating("eigh", A)
    if UPLO not in ("L", "U"):
        raise ShapeError(f"eigh: UPLO must be 'L' or 'U', got {UPLO!r}")
    packed = apply(rows.eigh, (A,))
    return Eigh(packed[..., -1], packed[..., :-1])


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Eigenvalues of symmetric matrices, ascending."""
    return eigh(A, UPLO).eigenvalues


class SVD(NamedTuple):
    U: Tensor
    S: Tensor
    Vh: Tensor


def svd(A: Tensor, full_matrices: bool = True) -> SVD:
    """A = U diag(S) Vh: orthonormal columns of U, orthonormal rows of Vh, S descending and not
    negative.

    ``full_matrices`` makes U (m, m) and Vh (n, n); their extra part has no gradient.
    """
    _matrices("svd", A)
    m, n = A._data.shape[-2:]
    if full_matrices and m != n:
        if A.requires_grad:
            raise RuntimeError(
                "svd: full matrices have no gradient; pass full_matrices=False, or A.detach()"
            )
        return SVD(*(type(A)(part) for part in np.linalg.svd(A._data)))
    packed = apply(rows.svd, (A,), (m, n))
    k = min(m, n)
    lead = packed._data.shape[:-1]
    return SVD(
        packed[..., : m * k].reshape(*lead, m, k),
        packed[..., m * k : m * k + k],
        packed[..., m * k + k :].reshape(*lead, k, n),
    )


def svdvals(A: Tensor) -> Tensor:
    """Singular values, descending."""
    return svd(A, full_matrices=False).S


def pinv(A: Tensor, *, rtol: float | None = None) -> Tensor:
    """The pseudo-inverse; singular values below ``rtol`` times the largest count as 0."""
    _matrices("pinv", A)
    if rtol is None:
        rtol = max(A._data.shape[-2:]) * float(np.finfo(A._data.dtype).eps)
    return apply(rows.pinv, (A,), (rtol,))


def matrix_rank(A: Tensor, *, rtol: float | None = None) -> Tensor:
    """How many singular values are larger than ``rtol`` times the largest."""
    _matrices("matrix_rank", A)
    values = np.linalg.svd(A._data, compute_uv=False)
    if rtol is None:
        rtol = max(A._data.shape[-2:]) * float(np.finfo(A._data.dtype).eps)
    largest = values.max(axis=-1, keepdims=True, initial=0)
    return type(A)(np.asarray((values > largest * rtol).sum(axis=-1)))


class Lstsq(NamedTuple):
    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def lstsq(A: Tensor, B: Tensor) -> Lstsq:
    """X with the least ‖A X - B‖, and of those the smallest; with the rank of A.

    ``residuals`` and ``singular_values`` are there for PyTorch programs, and empty.
    """
    _matrices("lstsq", A)
    if A._data.dtype is not B._data.dtype:
        raise _dtypes("lstsq", A._data.dtype, B._data.dtype)
    solution = matmul(pinv(A), B)
    made, dtype = type(A), A._data.dtype
    nothing = made(np.empty(0, dtype))
    return Lstsq(solution, nothing, matrix_rank(A), nothing)


def _matrices(name: str, A: Tensor) -> None:
    if A._data.ndim < 2:
        raise ShapeError(f"{name}: expected matrices (…, m, n), got shape {A.shape}")
    _floating(name, A)
