"""Cases of rows that bring many entries down to few."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..laws import Case
from ..strategies import arrays, distinct_arrays, shapes
from .registry import case


def axes(draw: Any, ndim: int) -> tuple[int, ...]:
    """Some axes, counted from the front and in order, as kernels take them."""
    return tuple(k for k in range(ndim) if draw(st.booleans()))


@case("sum", reference=lambda x, dim, keepdim, shape: _einsum(x, dim, keepdim))
@st.composite
def summed(draw: Any) -> Case:
    x = draw(arrays(shapes()))
    return Case((x,), (axes(draw, x.ndim), draw(st.booleans()), x.shape))


def _einsum(x: Any, dim: Any, keepdim: bool) -> Any:
    kept = [k for k in range(x.ndim) if k not in dim]
    out = np.einsum(x, list(range(x.ndim)), kept)
    return out.reshape([1 if k in dim else n for k, n in enumerate(x.shape)]) if keepdim else out


@case("mean", reference=lambda x, dim, keepdim, shape: np.mean(x, dim, keepdims=keepdim))
@case("logsumexp", reference=lambda x, dim, keepdim, shape: _logsumexp(x, dim, keepdim))
@st.composite
def averaged(draw: Any) -> Case:
    x = draw(arrays(shapes(min_side=1)))
    return Case((x,), (axes(draw, x.ndim), draw(st.booleans()), x.shape))


def _logsumexp(x: Any, dim: Any, keepdim: bool) -> Any:
    return np.log(np.sum(np.exp(x), axis=dim, keepdims=keepdim))


@case("amax", reference=lambda x, dim, keepdim, shape: np.max(x, dim, keepdims=keepdim))
@case("amin", reference=lambda x, dim, keepdim, shape: np.min(x, dim, keepdims=keepdim))
@st.composite
def extreme(draw: Any) -> Case:
    x = draw(distinct_arrays(draw(shapes(min_side=1))))
    return Case((x,), (axes(draw, x.ndim), draw(st.booleans()), x.shape))


@case("var", reference=lambda x, dim, keepdim, n, shape: np.var(x, dim, ddof=n, keepdims=keepdim))
@case("std", reference=lambda x, dim, keepdim, n, shape: np.std(x, dim, ddof=n, keepdims=keepdim))
@st.composite
def spread(draw: Any) -> Case:
    x = draw(distinct_arrays(draw(shapes(min_dims=1, min_side=2))))
    dims = axes(draw, x.ndim) or (0,)
    return Case((x,), (dims, draw(st.booleans()), draw(st.sampled_from((0, 1))), x.shape))


@case("prod", reference=lambda x, keepdim: np.prod(x, -1, keepdims=keepdim))
@st.composite
def multiplied(draw: Any) -> Case:
    x = draw(arrays(shapes(min_dims=1)))
    return Case((x,), (draw(st.booleans()),))


@case("cumsum", reference=lambda x, dim, backwards: _running_sum(x, dim, backwards))
@st.composite
def added_up(draw: Any) -> Case:
    x = draw(arrays(shapes(min_dims=1)))
    return Case((x,), (draw(st.integers(0, x.ndim - 1)), draw(st.booleans())))


def _running_sum(x: Any, dim: int, backwards: bool) -> Any:
    if backwards:
        return np.flip(np.cumsum(np.flip(x, dim), dim), dim)
    return np.cumsum(x, dim)


@case("cumprod", reference=lambda x: np.cumprod(x, -1))
@case("logcumsumexp", reference=lambda x: np.log(np.cumsum(np.exp(x), -1)))
@st.composite
def along_the_last(draw: Any) -> Case:
    return Case((draw(arrays(shapes(min_dims=1))),))
