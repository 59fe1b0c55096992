"""Scalar forms of factorisations: the finite formulas of textbooks, on arrays of Values.

Where an algorithm chooses (a pivot, a sign), sizes choose; the formula that was chosen is what is
differentiated, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from .entries import Array, boxed, inner, numbers, one

Matrix = list[list[Any]]


def stacked(f: Callable[..., Any], *stacks: Array) -> Array:
    """``f`` of the matrices (lists of rows) in stacks whose leading axes broadcast."""
    lead = np.broadcast_shapes(*[x.shape[:-2] for x in stacks])
    wide = [np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in stacks]
    found = [f(*[x[at].tolist() for x in wide]) for at in np.ndindex(lead)]
    if found and not isinstance(found[0], list):
        return boxed(np.array([*found, None], object)[:-1].reshape(lead))
    y = np.empty((len(found), *np.shape(numbers_of(found))[1:]), object)
    for place, matrix in enumerate(found):
        for i, row in enumerate(matrix):
            for j, entry in enumerate(row):
                y[place, i, j] = entry
    return boxed(y.reshape(*lead, *y.shape[1:]))


def numbers_of(found: list[Matrix]) -> Any:
    return [[[float(x) for x in row] for row in matrix] for matrix in found]


def solve(a: Matrix, b: Matrix) -> Matrix:
    """A Y = B by elimination; the largest entry left in a column is its pivot."""
    n = len(a)
    rows = [[*left, *right] for left, right in zip(a, b, strict=True)]
    for k in range(n):
        best = max(range(k, n), key=lambda i: abs(float(rows[i][k])))
        rows[k], rows[best] = rows[best], rows[k]
        for i in range(k + 1, n):
            factor = one("div", rows[i][k], rows[k][k])
            rows[i] = [
                x if j <= k else x - factor * p
                for j, (x, p) in enumerate(zip(rows[i], rows[k], strict=True))
            ]
    answers: Matrix = []
    for k in reversed(range(n)):
        known = rows[k][k + 1 : n]
        answer = []
        for column in range(n, len(rows[k])):
            others = [row[column - n] for row in answers]
            rest = rows[k][column] - inner(known, others) if known else rows[k][column]
            answer.append(one("div", rest, rows[k][k]))
        answers.insert(0, answer)
    return answers


def inv(a: Matrix) -> Matrix:
    return solve(a, np.eye(len(a)).tolist())


def det(a: Matrix) -> Any:
    """Laplace's expansion, each minor once: no division, so that singular matrices need no care."""

    @cache
    def minor(row: int, columns: tuple[int, ...]) -> Any:
        if not columns:
            return 1.0
        if len(columns) == 1:
            return a[row][columns[0]]
        y: Any = None
        for k, column in enumerate(columns):
            term = a[row][column] * minor(row + 1, columns[:k] + columns[k + 1 :])
            y = term if y is None else y - term if k % 2 else y + term
        return y

    return minor(0, tuple(range(len(a))))


def cofactor(a: Matrix) -> Matrix:
    def of(i: int, j: int) -> Any:
        rest = [[x for c, x in enumerate(row) if c != j] for r, row in enumerate(a) if r != i]
        return -det(rest) if (i + j) % 2 else det(rest)

    return [[of(i, j) for j in range(len(a))] for i in range(len(a))]


def logabsdet(a: Matrix) -> Any:
    return one("log", one("abs", det(a)))


def cholesky(a: Matrix) -> Matrix:
    n = len(a)
    a = [[(a[i][j] + a[j][i]) / 2.0 for j in range(n)] for i in range(n)]
    y: Matrix = [[0.0] * n for _ in range(n)]
    for j in range(n):
        for i in range(j, n):
            rest = a[i][j] - inner(y[i][:j], y[j][:j]) if j else a[i][j]
            y[i][j] = one("sqrt", rest) if i == j else one("div", rest, y[j][j])
    return y


def qr(a: Matrix) -> Matrix:
    """Gram and Schmidt's: Q above R, with the signs that LAPACK gives."""
    m, n = len(a), len(a[0])
    signs = np.sign(np.diagonal(np.linalg.qr(numbers(a))[1]))
    basis: list[list[Any]] = []
    r: Matrix = [[0.0] * n for _ in range(n)]
    for j in range(n):
        left = [row[j] for row in a]
        for k, q in enumerate(basis):
            r[k][j] = inner(q, left)
            left = [x - r[k][j] * e for x, e in zip(left, q, strict=True)]
        size = one("sqrt", inner(left, left))
        r[j][j] = size if signs[j] > 0 else -size
        basis.append([one("div", x, r[j][j]) for x in left])
    return [[basis[j][i] for j in range(n)] for i in range(m)] + r


def product(a: Matrix, b: Matrix) -> Matrix:
    columns = list(zip(*b, strict=True))
    return [[inner(row, list(column)) for column in columns] for row in a]


def pinv(a: Matrix) -> Matrix:
    """(AᵀA)⁻¹Aᵀ, or Aᵀ(AAᵀ)⁻¹, of a matrix of full rank."""
    m, n = len(a), len(a[0])
    if int(np.linalg.matrix_rank(numbers(a))) < min(m, n):
        raise NotImplementedError(
            "unroll: the pseudo-inverse of a matrix that is not of full rank has no finite formula "
            "in its entries; unroll what comes before it, or after it"
        )
    turned = [list(row) for row in zip(*a, strict=True)]
    if m >= n:
        return solve(product(turned, a), turned)
    left = solve(product(a, turned), a)
    return [list(row) for row in zip(*left, strict=True)]
