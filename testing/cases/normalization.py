"""Cases of rows that normalize. Their compositions are their references."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..laws import Case
from ..strategies import arrays, shapes
from .registry import case

Array = np.ndarray[Any, Any]
EPS = st.sampled_from((0.5, 0.125))  # large: where all entries are equal, slopes go as 1 / √eps


def _normal(x: Array, axes: tuple[int, ...], eps: float) -> Array:
    scale = np.sqrt(x.var(axes, keepdims=True) + eps)
    return np.asarray((x - x.mean(axes, keepdims=True)) / scale)


def _spread(numbers: Array, x: Array) -> Array:
    return numbers.reshape(-1, *(1,) * (x.ndim - 2))


def _rows(draw: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Lead axes, and the axes that are normalized over."""
    return draw(shapes(max_dims=2, max_side=3)), draw(shapes(1, 2, 1, 3))


@case(
    "layer_norm",
    reference=lambda x, w, b, eps: _normal(x, tuple(range(-w.ndim, 0)), eps) * w + b,
)
@st.composite
def by_row(draw: Any) -> Case:
    lead, shape = _rows(draw)
    return Case(
        (draw(arrays((*lead, *shape))), draw(arrays(shape)), draw(arrays(shape))), (draw(EPS),)
    )


@case(
    "rms_norm",
    reference=lambda x, w, eps: (
        x / np.sqrt((x * x).mean(tuple(range(-w.ndim, 0)), keepdims=True) + eps) * w
    ),
)
@st.composite
def by_size(draw: Any) -> Case:
    lead, shape = _rows(draw)
    return Case((draw(arrays((*lead, *shape))), draw(arrays(shape))), (draw(EPS),))


@case(
    "group_norm",
    reference=lambda x, w, b, groups, eps: (
        _normal(x.reshape(len(x), groups, -1 if x.size else 0), (2,), eps).reshape(x.shape)
        * _spread(w, x)
        + _spread(b, x)
    ),
)
@st.composite
def by_group(draw: Any) -> Case:
    groups = draw(st.integers(1, 2))
    channels = groups * draw(st.integers(1, 2))
    shape = (draw(st.integers(1, 2)), channels, *draw(shapes(0, 2, 1, 3)))
    operands = draw(arrays(shape)), draw(arrays((channels,))), draw(arrays((channels,)))
    return Case(operands, (groups, draw(EPS)))


@case(
    "batch_norm",
    reference=lambda x, w, b, eps: (
        _normal(x, (0, *range(2, x.ndim)), eps) * _spread(w, x) + _spread(b, x)
    ),
)
@st.composite
def by_channel(draw: Any) -> Case:
    return Case(_channels(draw), (draw(EPS),))


@case(
    "channel_affine",
    reference=lambda x, scale, shift: x * _spread(scale, x) + _spread(shift, x),
)
@st.composite
def lines(draw: Any) -> Case:
    return Case(_channels(draw))


def _channels(draw: Any) -> tuple[Array, Array, Array]:
    shape = (draw(st.integers(1, 4)), draw(st.integers(1, 3)), *draw(shapes(0, 2, 1, 3)))
    return draw(arrays(shape)), draw(arrays(shape[1:2])), draw(arrays(shape[1:2]))
