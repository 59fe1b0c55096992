"""Cases of rows that put entries in another order, side by side, repeated, or surrounded."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..laws import Case
from ..strategies import arrays, shapes
from .reductions import axes
from .registry import case


@case("flip", reference=lambda x, dims: np.flip(x, dims))
@st.composite
def flipped(draw: Any) -> Case:
    x = draw(arrays())
    return Case((x,), (axes(draw, x.ndim),))


@case("roll", reference=lambda x, shifts, dims: _rolled(x, shifts, dims))
@st.composite
def rolled(draw: Any) -> Case:
    x = draw(arrays(shapes(min_dims=1)))
    dims = axes(draw, x.ndim) or (0,)
    return Case((x,), (tuple(draw(st.integers(-3, 3)) for _ in dims), dims))


def _rolled(x: Any, shifts: Any, dims: Any) -> Any:
    for shift, dim in zip(shifts, dims, strict=True):
        if x.shape[dim]:
            x = np.take(x, (np.arange(x.shape[dim]) - shift) % x.shape[dim], dim)
    return x


@case("cat", reference=lambda *args: np.concatenate(args[:-2], args[-2]))
@st.composite
def laid_end_to_end(draw: Any) -> Case:
    shape = draw(shapes(min_dims=1))
    dim = draw(st.integers(0, len(shape) - 1))
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    parts = [draw(arrays((*shape[:dim], n, *shape[dim + 1 :]))) for n in sizes]
    return Case(tuple(parts), (dim, tuple(sizes)))


@case("stack", reference=lambda *args: np.moveaxis(np.array(args[:-1]), 0, args[-1]))
@st.composite
def piled_up(draw: Any) -> Case:
    shape = draw(shapes())
    count = draw(st.integers(1, 3))
    layers = [draw(arrays(shape)) for _ in range(count)]
    return Case(tuple(layers), (draw(st.integers(0, len(shape))),))


@case("repeat", reference=lambda x, times, shape: np.tile(x, times))
@st.composite
def tiled(draw: Any) -> Case:
    x = draw(arrays(shapes(max_dims=2)))
    count = x.ndim + draw(st.integers(0, 1))
    times = tuple(draw(st.integers(0, 3)) for _ in range(count))
    return Case((x,), (times, x.shape))


@case("repeat_interleave", reference=lambda x, times, dim, shape: np.repeat(x, times, dim))
@st.composite
def repeated(draw: Any) -> Case:
    x = draw(arrays(shapes(min_dims=1)))
    return Case((x,), (draw(st.integers(0, 3)), draw(st.integers(0, x.ndim - 1)), x.shape))


@case("pad", reference=lambda x, widths, value: _padded(x, widths, value))
@st.composite
def padded(draw: Any) -> Case:
    x = draw(arrays())
    side = st.integers(0, 2)
    widths = tuple((draw(side), draw(side)) for _ in range(x.ndim))
    return Case((x,), (widths, draw(st.sampled_from((0.0, 2.5)))))


def _padded(x: Any, widths: Any, value: float) -> Any:
    return np.pad(x, widths, constant_values=value) if x.ndim else x


@case("tril", reference=lambda x, diagonal: x * _kept(x.shape, lambda i, j: j - i <= diagonal))
@case("triu", reference=lambda x, diagonal: x * _kept(x.shape, lambda i, j: j - i >= diagonal))
@st.composite
def triangles(draw: Any) -> Case:
    x = draw(arrays(shapes(min_dims=2)))
    return Case((x,), (draw(st.integers(-3, 3)),))


def _kept(shape: Any, keep: Any) -> Any:
    rows, columns = shape[-2:]
    marks = [float(keep(i, j)) for i in range(rows) for j in range(columns)]
    return np.array(marks).reshape(rows, columns)
