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


@case("median", reference=lambda x, dim, keepdim, shape: np.partition(x, _mid(x), None)[_mid(x)])
@st.composite
def middle(draw: Any) -> Case:
    x = draw(distinct_arrays(draw(shapes(min_side=1))))
    return Case((x,), (tuple(range(x.ndim)), False, x.shape))


def _mid(x: Any) -> int:
    return (int(x.size) - 1) // 2


@case("var", reference=lambda x, n, dim, keepdim, shape: np.var(x, dim, ddof=n, keepdims=keepdim))
@case("std", reference=lambda x, n, dim, keepdim, shape: np.std(x, dim, ddof=n, keepdims=keepdim))
@st.composite
def spread(draw: Any) -> Case:
    x = draw(distinct_arrays(draw(shapes(min_dims=1, min_side=2))))
    dims = axes(draw, x.ndim) or (0,)
    return Case((x,), (draw(st.sampled_from((0, 1))), dims, draw(st.booleans()), x.shape))


def zeroed(draw: Any, x: Any) -> Any:
    """With some entries 0, now and then: products must be right there too."""
    places = draw(st.lists(st.integers(0, max(0, x.size - 1)), max_size=3))
    x = x.copy()
    x.reshape(-1)[places if x.size else []] = 0
    return x


@case("prod", reference=lambda x, dim, keepdim, shape: np.prod(x, axis=dim, keepdims=keepdim))
@st.composite
def multiplied(draw: Any) -> Case:
    x = zeroed(draw, draw(arrays(shapes())))
    return Case((x,), (axes(draw, x.ndim), draw(st.booleans()), x.shape))


@case("cumsum", reference=lambda x, dim, reverse: _running_sum(x, dim, reverse))
@st.composite
def added_up(draw: Any) -> Case:
    x = draw(arrays(shapes()))
    return Case((x,), (draw(st.integers(0, max(0, x.ndim - 1))), draw(st.booleans())))


def _running_sum(x: Any, dim: int, reverse: bool) -> Any:
    if x.ndim == 0:
        return x
    return np.flip(np.cumsum(np.flip(x, dim), dim), dim) if reverse else np.cumsum(x, dim)


@case("cumprod", reference=lambda x, dim: np.cumprod(x, dim) if x.ndim else x)
@st.composite
def multiplied_up(draw: Any) -> Case:
    x = zeroed(draw, draw(arrays(shapes())))
    return Case((x,), (draw(st.integers(0, max(0, x.ndim - 1))),))


@case("logcumsumexp", reference=lambda x, dim: _running_log(x, dim))
@case("softmax", reference=lambda x, dim: _share(x, dim))
@case("log_softmax", reference=lambda x, dim: np.log(_share(x, dim)))
@st.composite
def along_an_axis(draw: Any) -> Case:
    x = draw(arrays(shapes()))
    return Case((x,), (draw(st.integers(0, max(0, x.ndim - 1))),))


def _running_log(x: Any, dim: int) -> Any:
    return np.log(np.cumsum(np.exp(x), dim)) if x.ndim else x


def _share(x: Any, dim: int) -> Any:
    return np.exp(x) / np.sum(np.exp(x), dim, keepdims=True) if x.ndim else np.ones(())
