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
    return Case((x,), (draw(indices(x.shape)), x.shape))


@case("collect", reference=lambda g, index, shape: _collected(g, index, shape))
@st.composite
def collected(draw: Any) -> Case:
    shape = draw(shapes(min_dims=1))
    index = draw(indices(shape))
    return Case((draw(arrays(np.zeros(shape)[index].shape)),), (index, shape))


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
