"""Cases of rows that pick entries and put them back."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..laws import Case
from ..strategies import arrays, indices, shapes
from .registry import case


@case("getitem", reference=lambda x, index, shape: np.array(x)[index])
@st.composite
def picked(draw: Any) -> Case:
    x = draw(arrays(shapes(max_dims=3)))
    return Case((x,), (draw(indices(x.shape, advanced=False)), x.shape))


@case("place", reference=lambda g, index, shape: _put(np.zeros(shape), index, g))
@st.composite
def placed(draw: Any) -> Case:
    shape = draw(shapes())
    index = draw(indices(shape, advanced=False))
    return Case((draw(arrays(np.zeros(shape)[index].shape)),), (index, shape))


@case("index", reference=lambda x, index, shape: np.array(x)[index])
@st.composite
def picked_anywhere(draw: Any) -> Case:
    x = draw(arrays(shapes(min_dims=1)))
    return Case((x,), (_addressed(draw(indices(x.shape))), x.shape))


@case("collect", reference=lambda g, index, shape: _collected(g, index, shape))
@st.composite
def collected(draw: Any) -> Case:
    shape = draw(shapes(min_dims=1))
    index = _addressed(draw(indices(shape)))
    return Case((draw(arrays(np.zeros(shape)[index].shape)),), (index, shape))


def _addressed(index: Any) -> Any:
    """The index as kernels take it: lists as arrays."""
    return tuple(np.array(part) if isinstance(part, list) else part for part in index)


def _collected(g: Any, index: Any, shape: Any) -> Any:
    """Each entry of g at its own address, one at a time."""
    out = np.zeros(shape)
    where = np.arange(out.size).reshape(shape)[index]
    for at, number in zip(np.ravel(where), np.ravel(g), strict=True):
        out.reshape(-1)[at] += number
    return out


@case("setitem", reference=lambda x, value, index: _put(x.copy(), index, value))
@st.composite
def overwritten(draw: Any) -> Case:
    x = draw(arrays(shapes(min_dims=1)))
    index = draw(indices(x.shape, advanced=False))
    return Case((x, draw(arrays(x[index].shape))), (index,))


def _put(out: Any, index: Any, value: Any) -> Any:
    out[index] = value
    return out


@case("gather", reference=lambda x, index, dim, shape: _gathered(x, index, dim))
@st.composite
def gathered(draw: Any) -> Case:
    shape = draw(shapes(min_dims=1, min_side=1))
    index, dim = _addresses(draw, shape)
    return Case((draw(arrays(shape)), index), (dim, shape))


@case("spread", reference=lambda x, index, dim, shape: _spread(x, index, dim, shape))
@st.composite
def spread(draw: Any) -> Case:
    shape = draw(shapes(min_dims=1, min_side=1))
    index, dim = _addresses(draw, shape)
    return Case((draw(arrays(index.shape)), index), (dim, shape))


def _addresses(draw: Any, shape: tuple[int, ...]) -> tuple[Any, int]:
    """Indices along one axis of ``shape``, no larger than it along the others."""
    dim = draw(st.integers(0, len(shape) - 1))
    sizes = tuple(draw(st.integers(0, n if k != dim else 3)) for k, n in enumerate(shape))
    return draw(arrays(sizes, dtype="int64", elements=st.integers(0, shape[dim] - 1))), dim


def _gathered(x: Any, index: Any, dim: int) -> Any:
    out = np.zeros(index.shape)
    for at in np.ndindex(index.shape):
        out[at] = x[(*at[:dim], index[at], *at[dim + 1 :])]
    return out


def _spread(x: Any, index: Any, dim: int, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape)
    for at in np.ndindex(index.shape):
        out[(*at[:dim], index[at], *at[dim + 1 :])] += x[at]
    return out
