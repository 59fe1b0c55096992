"""Cases of contractions, norms, inverses and factorisations, at matrices where they are defined."""

from __future__ import annotations

from operator import mul
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..laws import Case
from ..strategies import arrays, broadcastable_shapes, distinct_arrays
from .registry import case

Array = np.ndarray[Any, Any]
# A leading axis, always: a layout that repeats the first row then repeats a matrix.
LEADS = st.sampled_from([(1,), (2,), (0,), (2, 1)])
# Entries with nothing special: at a 0 LAPACK may take another branch, with other signs.
PLAIN = np.array([[2.0, 0.53, 0.31], [0.74, -1.55, 0.42], [0.63, 0.95, 1.81]])


@case("dot", reference=lambda a, b: np.asarray(np.sum(a * b)))
@st.composite
def two_vectors(draw: Any) -> Case:
    n = draw(st.integers(0, 4))
    return Case((draw(arrays((n,))), draw(arrays((n,)))))


@case("weighted_sum", reference=lambda b, *wx: b + sum(map(mul, wx[::2], wx[1::2])))
@st.composite
def bias_and_factors(draw: Any) -> Case:
    shapes = draw(broadcastable_shapes(1 + 2 * draw(st.integers(0, 2))))
    return Case(tuple(draw(arrays(shape)) for shape in shapes))


@case("matvec", reference=lambda a, b: (a * b).sum(axis=-1))
@st.composite
def matrix_and_vector(draw: Any) -> Case:
    n, k = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    return Case((draw(arrays((n, k))), draw(arrays((k,)))))


@case("einsum", reference=lambda a, b, ia, ib, io: np.einsum(a, ia, b, ib, io))
@st.composite
def contracted(draw: Any) -> Case:
    """Every label of an operand is in the other one or in the result."""
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    ia, ib, io = [], [], []
    for label in range(len(sizes)):
        a, b, kept = draw(st.sampled_from([(1, 1, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)]))
        ia += [label] * a
        ib += [label] * b
        io += [label] * kept
    orders = [tuple(draw(st.permutations(part))) for part in (ia, ib, io)]
    a, b = (draw(arrays(tuple(sizes[i] for i in order))) for order in orders[:2])
    return Case((a, b), tuple(orders))


@case("vector_norm", reference=lambda x, order, dim, keepdim, shape: _norm(x, order, dim, keepdim))
@st.composite
def measured(draw: Any) -> Case:
    shape = draw(st.lists(st.integers(1, 3), max_size=3).map(tuple))
    order = draw(st.sampled_from([2.0, 1.0, 3.0, 1.5, 0.5, -1.0, np.inf, -np.inf, 0.0]))
    sizes = draw(distinct_arrays(shape))
    signs = draw(st.lists(st.sampled_from([1.0, -1.0]), min_size=sizes.size, max_size=sizes.size))
    # away from 0, and no two of one size
    x = np.asarray(np.reshape(signs, shape) * (sizes - sizes.min() + 0.5))
    dims = tuple(sorted(draw(st.permutations(range(len(shape))))[: draw(st.integers(0, 3))]))
    return Case((x,), (order, dims, draw(st.booleans()), shape))


def _norm(x: Array, order: float, dim: tuple[int, ...], keepdim: bool) -> Array:
    ndim = x.ndim
    y = np.moveaxis(x, dim, range(ndim - len(dim), ndim)) if dim else x[..., None]
    rest = y.shape[: ndim - len(dim)]
    found = np.linalg.norm(y.reshape((*rest, int(np.prod(y.shape[len(rest) :])))), order, axis=-1)
    return np.asarray(np.expand_dims(found, dim) if keepdim else found)


@st.composite
def _square(draw: Any) -> Array:
    """Matrices far from singular, in a stack that may be empty."""
    n = draw(st.integers(1, 3))
    x = draw(arrays((*draw(LEADS), n, n)))
    return np.asarray(PLAIN[:n, :n] + 0.15 * np.sin(x))


@case("inv", reference=lambda x: _minors(x).mT / _leibniz(x)[..., None, None])
@case("det", reference=lambda x: _leibniz(x))
@case("cofactor", reference=lambda x: _minors(x))
@case("logabsdet", reference=lambda x: np.log(np.abs(_leibniz(x))))
@st.composite
def invertible(draw: Any) -> Case:
    return Case((draw(_square()),))


def _leibniz(x: Array) -> Array:
    if x.shape[-1] == 0:
        return np.ones(x.shape[:-2])
    parts = [
        (-1) ** j * x[..., 0, j] * _leibniz(np.delete(x[..., 1:, :], j, axis=-1))
        for j in range(x.shape[-1])
    ]
    return np.asarray(sum(parts))


def _minors(x: Array) -> Array:
    y = np.empty_like(x)
    for i, j in np.ndindex(x.shape[-2:]):
        minor = np.delete(np.delete(x, i, axis=-2), j, axis=-1)
        y[..., i, j] = (-1) ** (i + j) * _leibniz(minor)
    return y


@case("solve", reference=lambda a, b: np.linalg.inv(a) @ b)
@st.composite
def equations(draw: Any) -> Case:
    a = draw(_square())
    lead = draw(st.sampled_from([(), a.shape[:-2]]))
    return Case((a, draw(arrays((*lead, a.shape[-1], draw(st.integers(0, 2)))))))


@case("cholesky", reference=lambda x: np.linalg.cholesky((x + x.mT) / 2))
@st.composite
def definite(draw: Any) -> Case:
    x = draw(_square())
    return Case((x @ x.mT + np.eye(x.shape[-1]) / 2,))


@case("eigh")
@st.composite
def symmetric(draw: Any) -> Case:
    """Eigenvalues apart from each other: near equal ones turn their vectors without bound."""
    x = draw(_square())
    n = x.shape[-1]
    return Case(((x + x.mT) / 4 + np.diag(np.arange(n) * 3.0),))


@case("qr")
@st.composite
def tall(draw: Any) -> Case:
    x = draw(_square())
    below = draw(arrays((*x.shape[:-2], draw(st.integers(0, 2)), x.shape[-1])))
    return Case((np.concatenate([x, 0.37 + 0.1 * np.sin(below)], axis=-2),))


@st.composite
def _apart(draw: Any) -> Array:
    """Matrices whose singular values keep apart from each other and from 0, tall or wide."""
    x = draw(_square())
    n = x.shape[-1]
    x = x / 2 + np.diag(np.arange(1, n + 1) * 1.5)
    more = draw(arrays((*x.shape[:-2], draw(st.integers(0, 1)), n)))
    x = np.concatenate([x, 0.37 + 0.1 * np.sin(more)], axis=-2)
    return np.asarray(x.mT if draw(st.booleans()) else x)


@case("svd")
@st.composite
def decomposed(draw: Any) -> Case:
    x = draw(_apart())
    return Case((x,), x.shape[-2:])


@case("pinv", reference=lambda x, rcond: np.linalg.pinv(x))
@st.composite
def inverted(draw: Any) -> Case:
    return Case((draw(_apart()),), (1e-15,))
