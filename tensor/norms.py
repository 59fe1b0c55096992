"""Norms of vectors and matrices."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from .arguments import RangeError
from .dtypes import as_dtype
from .errors import DtypeError, ShapeError, normal_dims
from .factors import inv, svdvals
from .record import apply
from .rows import norms as rows

if TYPE_CHECKING:
    from .tensor import Tensor


def vector_norm(
    x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """(Σ |x|^ord)^(1/ord) over ``dim`` (all axes by default).

    ``inf`` is the largest absolute value, ``-inf`` the smallest, 0 counts entries that are not 0.
    Where the norm is 0 its gradient is 0.

    >>> import gradling
    >>> gradling.linalg.vector_norm(gradling.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if not isinstance(ord, (int, float)):
        raise TypeError(f"vector_norm: expected ord to be a number, got {ord!r}")
    if dtype is not None:
        x = x.to(as_dtype(dtype))
    if x._data.dtype.kind != "f":
        raise DtypeError(f"vector_norm: expected a floating tensor, got {x.dtype}; use .float()")
    shape = x._data.shape
    dims = normal_dims("vector_norm", dim, len(shape))
    if dims == () and dim is not None and len(shape):
        dims = tuple(range(len(shape)))
    if (ord < 0 or ord == inf) and any(shape[d] == 0 for d in dims):
        raise RangeError(
            f"vector_norm: order {ord} of no entries at all, shape {shape}, is not defined"
        )
    return apply(rows.vector_norm, (x,), (float(ord), dims, keepdim, shape))


def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The norm of matrices in two axes.

    "fro": the root of the sum of squares; "nuc": the sum of singular values; 2 and -2: the largest
    and smallest singular value; 1 and -1: the largest and smallest column sum of absolute values;
    inf and -inf: row sums.
    """
    if A._data.ndim < 2:
        raise ShapeError(f"matrix_norm: expected matrices, got shape {A.shape}; use vector_norm")
    dims = normal_dims("matrix_norm", dim, A._data.ndim)
    if len(dims) != 2:
        raise ShapeError(f"matrix_norm: expected two dims, got {dim}")
    if dtype is not None:
        A = A.to(as_dtype(dtype))
    empty = 0 in (A._data.shape[dims[0]], A._data.shape[dims[1]])
    if ord == "fro" or (empty and ord in (1, 2, inf)):  # no entries: 0
        return vector_norm(A, 2, dims, keepdim)
    if empty and ord in (-1, -2, -inf):
        raise RangeError(f"matrix_norm: order {ord} of no entries at all, shape {A.shape}")
    if ord in (1, -1, inf, -inf):
        summed, along = dims if abs(ord) == 1 else dims[::-1]
        sums = vector_norm(A, 1, summed, keepdim=True)
        extreme = vector_norm(sums, inf if ord > 0 else -inf, along, keepdim=True)
        return extreme if keepdim else extreme.squeeze(dims)
    if ord not in (2, -2, "nuc"):
        raise RangeError(f"matrix_norm: ord must be 'fro', 'nuc', inf, -inf, ±1 or ±2, got {ord!r}")
    values = svdvals(A.movedim(dims, (-2, -1)))
    found = values.sum(-1) if ord == "nuc" else values[..., 0 if ord == 2 else -1]
    if keepdim:
        for d in sorted(dims):
            found = found.unsqueeze(d)
    return found


def norm(
    A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The vector or matrix norm, whichever ``ord`` and ``dim`` ask for.

    One dim, or no ``ord``: a vector norm (all entries by default). Two dims, or a matrix with an
    ``ord``: a matrix norm.
    """
    count = 1 if hasattr(dim, "__index__") else None if dim is None else len(dim)
    if count is not None and count not in (1, 2):
        raise ShapeError(f"norm: expected one dim or two, got {dim}")
    if dim is None and ord is not None and A._data.ndim not in (1, 2):
        raise ShapeError(f"norm: expected a vector or matrix, got shape {A.shape}; pass dim")
    if (
        isinstance(ord, str)
        or count == 2
        or (dim is None and ord is not None and A._data.ndim == 2)
    ):
        kind = "fro" if ord is None else ord
        return matrix_norm(A, kind, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def cond(A: Tensor, p: Any = None) -> Tensor:
    """‖A‖ ‖A⁻¹‖: by how much relative errors may grow when equations with A are solved."""
    if p in (None, 2, -2):
        values = svdvals(A)
        large, small = values[..., 0], values[..., -1]
        return small / large if p == -2 else large / small
    return matrix_norm(A, p) * matrix_norm(inv(A), p)
