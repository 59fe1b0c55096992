"""Cases of rows that reduce windows to one number."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...nn.kernels.geometry import Geometry, geometry
from ..laws import Case
from ..strategies import arrays
from .registry import case

Array = np.ndarray[Any, Any]


@st.composite
def slides(draw: Any, spread: int = 1) -> tuple[Geometry, tuple[int, ...]]:
    """A geometry whose windows all hold something, and the lead axes (batch, channels)."""
    dims = draw(st.integers(1, 2))
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(dims))
    dilation = tuple(draw(st.integers(1, spread)) for _ in range(dims))
    stride = tuple(draw(st.integers(1, 3)) for _ in range(dims))
    padding = tuple((draw(st.integers(0, k // 2)), draw(st.integers(0, k // 2))) for k in kernel)
    size = tuple(
        (k - 1) * d + 1 + draw(st.integers(0, 2)) for k, d in zip(kernel, dilation, strict=True)
    )
    lead = (draw(st.sampled_from((1, 2, 0))), draw(st.integers(1, 2)))
    return geometry(size, kernel, stride, padding, dilation, 1), lead


def _windows(x: Array, how: Geometry, fill: float) -> Array:
    """Every window copied out: (N, C, *out, taps)."""
    xp = np.pad(x, ((0, 0), (0, 0), *how.padding), constant_values=fill)
    taps = [xp[(slice(None), slice(None), *where)] for _, where in how.taps()]
    return np.stack(taps, -1)


def _put(x: Array, won: Array, how: Geometry) -> Array:
    whole = np.zeros((*x.shape[:2], *how.whole))
    for number, (_, where) in enumerate(how.taps()):
        whole[(slice(None), slice(None), *where)] += x * (won == number)
    inner: Any = (..., *how.inner)
    return np.asarray(whole[inner])


def _put_evenly(x: Array, how: Geometry, divisor: Any) -> Array:
    ones = np.zeros(x.shape, int)
    taps = range(len(list(how.taps())))
    return np.asarray(np.sum([_put(x / divisor, ones + tap, how) for tap in taps], axis=0))


@case("max_pool", reference=lambda x, how: _windows(x, how, -np.inf).max(-1))
@st.composite
def largest(draw: Any) -> Case:
    how, lead = draw(slides(2))
    size = int(np.prod((*lead, *how.size)))
    # distinct entries, far enough apart that no slope is measured across a change of winner
    entries = np.array(draw(st.permutations(range(size))), float) / 4 - size / 8
    return Case((entries.reshape(*lead, *how.size),), (how,))


@case(
    "window_pick",
    reference=lambda x, won, how: np.take_along_axis(
        _windows(x, how, 0), won[..., None].astype(int), -1
    )[..., 0],
)
@st.composite
def picked(draw: Any) -> Case:
    how, lead, won = _chosen(draw)
    return Case((draw(arrays((*lead, *how.size))),), (won, how))


@case("window_spread", reference=_put)
@st.composite
def put_back(draw: Any) -> Case:
    how, lead, won = _chosen(draw)
    return Case((draw(arrays((*lead, *how.out))),), (won, how))


def _chosen(draw: Any) -> tuple[Geometry, tuple[int, ...], Array]:
    how, lead = draw(slides(2))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    won = rng.integers(0, len(list(how.taps())), (*lead, *how.out)).astype(np.uint8)
    return how, lead, won


@case("avg_pool", reference=lambda x, how, divisor: _windows(x, how, 0).sum(-1) / divisor)
@st.composite
def mean(draw: Any) -> Case:
    how, lead = draw(slides())
    return Case((draw(arrays((*lead, *how.size))),), (how, _divisor(draw, how)))


@case("avg_spread", reference=_put_evenly)
@st.composite
def given_evenly(draw: Any) -> Case:
    how, lead = draw(slides())
    return Case((draw(arrays((*lead, *how.out))),), (how, _divisor(draw, how)))


def _divisor(draw: Any, how: Geometry) -> Any:
    if draw(st.booleans()):
        return draw(st.integers(1, 5))
    return np.arange(1, 1 + int(np.prod(how.out))).reshape(how.out)
