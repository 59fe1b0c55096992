"""Cases of the three forms of convolution."""

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
def convolutions(draw: Any) -> tuple[Geometry, int, tuple[int, ...], tuple[int, ...]]:
    """A geometry, a batch size, and the shapes of the kernel and of the output."""
    dims = draw(st.integers(1, 2))
    kernel = tuple(draw(st.integers(1, 3 if dims == 1 else 2)) for _ in range(dims))
    stride, dilation = (tuple(draw(st.integers(1, 2)) for _ in range(dims)) for _ in range(2))
    padding = tuple((draw(st.integers(0, 1)), draw(st.integers(0, 1))) for _ in range(dims))
    size = tuple(
        max(1, (k - 1) * d + 1 - lo - hi) + draw(st.integers(0, 2))
        for k, d, (lo, hi) in zip(kernel, dilation, padding, strict=True)
    )
    groups = draw(st.sampled_from((1, 1, 2)))
    channels, outputs = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    how = geometry(size, kernel, stride, padding, dilation, groups)
    batch = draw(st.sampled_from((1, 2, 0)))
    weight = (groups * outputs, channels, *kernel)
    return how, batch, weight, (batch, groups * outputs, *how.out)


def _input(how: Geometry, batch: int, weight: tuple[int, ...]) -> tuple[int, ...]:
    return (batch, how.groups * weight[1], *how.size)


def triples(x: Array, w: Array, z: Array, how: Geometry) -> tuple[Array, Array, Array]:
    """The derivatives of Σ z · conv(x, w) by x, w and z, place by place and tap by tap."""
    before, after = zip(*how.padding, strict=True)
    widths = [(0, 0), (0, 0), *zip(before, after, strict=True)]
    xp = np.pad(x, widths)
    dx, dw, dz = np.zeros_like(xp), np.zeros_like(w), np.zeros_like(z)
    per_output, per_input = len(w) // how.groups, w.shape[1]
    for o, c, *tap in np.ndindex(*w.shape):
        channel = o // per_output * per_input + c
        for n, *i in np.ndindex(len(z), *how.out):
            at: Any = (n, channel, *(
                p * s + t * d for p, s, t, d in zip(i, how.stride, tap, how.dilation, strict=True)
            ))  # fmt: skip
            entry: Any = (o, c, *tap)
            place: Any = (n, o, *i)
            dx[at] += z[place] * w[entry]
            dw[entry] += z[place] * xp[at]
            dz[place] += xp[at] * w[entry]
    inner: Any = (
        ...,
        *(slice(lo, lo + n) for lo, n in zip(before, how.size, strict=True)),
    )
    return dx[inner], dw, dz


def _y(x: Array, w: Array, how: Geometry) -> Array:
    return triples(x, w, np.zeros((len(x), len(w), *how.out)), how)[2]


@case("conv", reference=_y)
@st.composite
def conv(draw: Any) -> Case:
    how, batch, weight, _ = draw(convolutions())
    return Case((draw(arrays(_input(how, batch, weight))), draw(arrays(weight))), (how,))


@case(
    "conv_bias",
    reference=lambda x, w, b, how: _y(x, w, how) + b.reshape(-1, *(1,) * len(how.out)),
)
@st.composite
def conv_bias(draw: Any) -> Case:
    how, batch, weight, _ = draw(convolutions())
    operands = (_input(how, batch, weight), weight, weight[:1])
    return Case(tuple(draw(arrays(shape)) for shape in operands), (how,))


@case(
    "conv_input",
    reference=lambda z, w, how: triples(
        np.zeros((len(z), how.groups * w.shape[1], *how.size)), w, z, how
    )[0],
)
@st.composite
def conv_input(draw: Any) -> Case:
    how, _, weight, output = draw(convolutions())
    return Case((draw(arrays(output)), draw(arrays(weight))), (how,))


@case(
    "conv_weight",
    reference=lambda z, x, how: triples(
        x, np.zeros((z.shape[1], x.shape[1] // how.groups, *how.kernel)), z, how
    )[1],
)
@st.composite
def conv_weight(draw: Any) -> Case:
    how, batch, weight, output = draw(convolutions())
    return Case((draw(arrays(output)), draw(arrays(_input(how, batch, weight)))), (how,))
