"""``gradling.linalg``: linear algebra by PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .arranging import diagonal as _diagonal
from .errors import ShapeError
from .factors import (
    cholesky,
    det,
    eigh,
    eigvalsh,
    inv,
    lstsq,
    matrix_rank,
    pinv,
    qr,
    slogdet,
    solve,
    solve_triangular,
    svd,
    svdvals,
)
from .norms import cond, matrix_norm, norm, vector_norm
from .products import cross, matmul, matrix_exp, matrix_power
from .rows.factors import LinAlgError

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "vecdot",
    "vector_norm",
]


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of the matrices in the last two axes."""
    return _diagonal(A, offset, dim1, dim2)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Sums of products along ``dim``; the other axes broadcast."""
    return (x * y).sum(dim)


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices, in the order of fewest multiplications.

    The first and the last may be vectors.
    """
    if len(tensors) < 2:
        raise ShapeError(f"multi_dot: expected two tensors or more, got {len(tensors)}")
    first, last = tensors[0]._data, tensors[-1]._data
    sizes = [1 if first.ndim == 1 else first.shape[0]]  # of every cut between two matrices
    sizes += [x._data.shape[0] for x in tensors[1:]]
    sizes.append(1 if last.ndim == 1 else last.shape[-1])
    cut = _best_cuts(sizes)

    def product(first: int, last: int) -> Any:
        if first == last:
            return tensors[first]
        middle = cut[first, last]
        return matmul(product(first, middle), product(middle + 1, last))

    return product(0, len(tensors) - 1)  # type: ignore[no-any-return]


def _best_cuts(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to cut each run of matrices in two (dynamic programming over runs)."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    cut: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            options = [
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            ]
            cost[i, j], cut[i, j] = min(options)
    return cut
