"""Cases of rows that move entries without changing them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...engine import TABLE
from ..laws import Case
from ..strategies import arrays, broadcastable_shapes, shapes
from .registry import case


@case("alias", "clone", reference=lambda x: x)
@st.composite
def whole(draw: Any) -> Case:
    return Case((draw(arrays()),))


@case("sum_to", reference=lambda x, shape: _summed(x, shape))
@st.composite
def summed(draw: Any) -> Case:
    small, large = _stretched(draw)
    return Case((draw(arrays(large)),), (small,))


@case("broadcast_to", reference=lambda x, shape: x + np.zeros(shape))
@st.composite
def stretched(draw: Any) -> Case:
    small, large = _stretched(draw)
    return Case((draw(arrays(small)),), (large,))


def _stretched(draw: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A shape and one that it broadcasts to."""
    pair = draw(broadcastable_shapes(2))
    return pair[0], np.broadcast_shapes(*pair)


def _summed(x: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    out = np.zeros(shape)
    view = np.broadcast_to(np.arange(math.prod(shape)).reshape(shape), x.shape)
    np.add.at(out.reshape(-1), view.reshape(-1), x.reshape(-1))
    return out


@case("reshape", reference=lambda x, shape, before: np.array(x.reshape(-1)).reshape(shape))
@st.composite
def reshaped(draw: Any) -> Case:
    x = draw(arrays(shapes(max_dims=3)))
    sizes = draw(st.permutations([n for n in x.shape if n != 1]))
    if sizes and draw(st.booleans()):
        sizes = [math.prod(sizes)]
    for _ in range(draw(st.integers(0, 2))):
        sizes.insert(draw(st.integers(0, len(sizes))), 1)
    return Case((x,), (tuple(sizes), x.shape))


@case("permute", reference=lambda x, dims: np.einsum(x, range(x.ndim), dims))
@st.composite
def permuted(draw: Any) -> Case:
    x = draw(arrays())
    return Case((x,), (tuple(draw(st.permutations(range(x.ndim)))),))


@case("cast", reference=lambda x, dtype, before: x.astype(dtype))
@st.composite
def cast(draw: Any) -> Case:
    # float64 to float64: in a narrower dtype no slope can be measured to 1e-6
    kind = np.dtype("float64")
    return Case((draw(arrays()),), (kind, kind))


@case("view_put", reference=lambda base, patch, op, params: _put(base, patch, params))
@st.composite
def patched(draw: Any) -> Case:
    base = draw(arrays(shapes(min_dims=1)))
    index = (slice(draw(st.integers(0, 2)), None, draw(st.sampled_from((1, 2)))),)
    patch = draw(arrays(base[index].shape))
    return Case((base, patch), (TABLE["getitem"], (index, base.shape)))


def _put(base: Any, patch: Any, params: Any) -> Any:
    out = base.copy()
    out[params[0]] = patch
    return out


@case("unsqueeze", reference=lambda x, dims: np.expand_dims(x, dims))
@st.composite
def widened(draw: Any) -> Case:
    x = draw(arrays(shapes(max_dims=2)))
    count = draw(st.integers(0, 2))
    order = draw(st.permutations(range(x.ndim + count)))
    return Case((x,), (tuple(sorted(order[:count])),))


@case("squeeze", reference=lambda x, dims: np.squeeze(x, dims))
@st.composite
def narrowed(draw: Any) -> Case:
    x = draw(arrays(shapes(max_side=2)))
    ones = [k for k, n in enumerate(x.shape) if n == 1]
    return Case((x,), (tuple(k for k in ones if draw(st.booleans())),))


@case("diagonal", reference=lambda x, offset, d1, d2, shape: np.diagonal(x, offset, d1, d2).copy())
@st.composite
def on_a_diagonal(draw: Any) -> Case:
    x = draw(arrays(shapes(min_dims=2, max_dims=3)))
    return Case((x,), _diagonal_of(draw, x.shape))


@case("diag_embed")
@st.composite
def put_on_a_diagonal(draw: Any) -> Case:
    params = _diagonal_of(draw, draw(shapes(min_dims=2, max_dims=3)))
    offset, dim1, dim2, shape = params
    return Case((draw(arrays(np.zeros(shape).diagonal(offset, dim1, dim2).shape)),), params)


def _diagonal_of(draw: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    dim1, dim2 = draw(st.permutations(range(len(shape))))[:2]
    return draw(st.integers(-2, 2)), dim1, dim2, shape


@case("unfold", reference=lambda x, dim, size, step, shape: _windows(x, dim, size, step))
@st.composite
def windowed(draw: Any) -> Case:
    x, params = _sliding(draw)
    return Case((x,), params)


@case("fold")
@st.composite
def refolded(draw: Any) -> Case:
    x, params = _sliding(draw)
    return Case((draw(arrays(_windows(x, *params[:3]).shape)),), params)


def _sliding(draw: Any) -> tuple[Any, tuple[Any, ...]]:
    """An array and windows along one of its axes."""
    x = draw(arrays(shapes(min_dims=1, max_dims=2, min_side=1)))
    dim = draw(st.integers(0, x.ndim - 1))
    size = draw(st.integers(1, x.shape[dim]))
    return x, (dim, size, draw(st.integers(1, 3)), x.shape)


def _windows(x: Any, dim: int, size: int, step: int) -> Any:
    starts = range(0, x.shape[dim] - size + 1, step)
    picked = [np.moveaxis(np.take(x, range(at, at + size), dim), dim, -1) for at in starts]
    return np.stack(picked, dim)
