"""Cases of the fused rows of layers and losses. Their compositions are their references."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...nn.rows.losses import Picked
from ..laws import Case
from ..strategies import arrays, shapes
from .registry import case

REDUCTIONS = st.sampled_from(("mean", "sum", "none"))


@case("linear", reference=lambda x, weight, bias: np.einsum("...i,oi->...o", x, weight) + bias)
@st.composite
def affine(draw: Any) -> Case:
    x, weight = _product(draw)
    return Case((x, weight, draw(arrays((weight.shape[0],)))))


@case("linear_without_bias", reference=lambda x, weight: np.einsum("...i,oi->...o", x, weight))
@st.composite
def product(draw: Any) -> Case:
    return Case(_product(draw))


def _product(draw: Any) -> tuple[Any, Any]:
    lead = draw(shapes(min_dims=1, max_dims=2))
    features, out = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return draw(arrays((*lead, features))), draw(arrays((out, features)))


@case("mse_loss", reference=lambda x, t, reduction: _reduced((x - t) ** 2, reduction))
@case("bce_with_logits", reference=lambda x, t, how: _reduced(np.logaddexp(0, x) - t * x, how))
@st.composite
def losses(draw: Any) -> Case:
    shape = draw(shapes(min_side=1))
    return Case((draw(arrays(shape)), draw(arrays(shape))), (draw(REDUCTIONS),))


def _reduced(x: Any, reduction: str) -> Any:
    return x if reduction == "none" else x.mean() if reduction == "mean" else x.sum()


@case("cross_entropy")
@st.composite
def picked(draw: Any) -> Case:
    rows, classes = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    x = draw(arrays((rows, classes)))
    places = [draw(st.integers(0, classes - 1)) for _ in range(rows)]
    picks = np.arange(rows) * classes + np.array(places)
    weights = draw(arrays((rows,)))
    share: Any = draw(st.sampled_from((1.0, 0.5, weights)))
    ignored = None
    if draw(st.booleans()):  # those rows count for nothing, whatever their scores
        ignored = draw(arrays((rows,), dtype="bool", elements=st.booleans()))
        share = np.where(ignored, 0.0, share)
    reduction = draw(st.sampled_from(("sum", "none")))
    return Case((x,), (Picked(picks, share, ignored), reduction))


@case("embedding")
@st.composite
def looked_up(draw: Any) -> Case:
    rows, dim = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    index = draw(arrays(draw(shapes(max_dims=2)), dtype="int64", elements=st.integers(0, rows - 1)))
    # with a share (padding, by frequency) what comes back is by intention not the derivative:
    # tests/nn/test_layers.py has that
    return Case((draw(arrays((rows, dim))),), (index, None, (rows, dim)))


@case("dropout", reference=lambda x, mask: x * mask)
@st.composite
def dropped(draw: Any) -> Case:
    shape = draw(shapes())
    mask = draw(arrays(shape, elements=st.sampled_from((0.0, 2.0))))
    return Case((draw(arrays(shape)),), (mask,))


@case("conv")
@st.composite
def convolved(draw: Any) -> Case:
    how, x, w, _ = _sizes(draw)
    return Case((draw(arrays(x)), draw(arrays(w))), (how,))


@case("conv_bias")
@st.composite
def convolved_and_shifted(draw: Any) -> Case:
    how, x, w, _ = _sizes(draw)
    return Case((draw(arrays(x)), draw(arrays(w)), draw(arrays(w[:1]))), (how,))


@case("conv_input")
@st.composite
def spread_back(draw: Any) -> Case:
    how, _, w, z = _sizes(draw)
    return Case((draw(arrays(z)), draw(arrays(w))), (how,))


@case("conv_weight")
@st.composite
def paired(draw: Any) -> Case:
    how, x, _, z = _sizes(draw)
    return Case((draw(arrays(z)), draw(arrays(x))), (how,))


def _sizes(draw: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """(geometry, shape of x, of w, of the output) of a small convolution."""
    from ...nn.kernels.geometry import geometry

    axes = draw(st.integers(1, 2))
    groups = draw(st.integers(1, 2))
    channels, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    size, kernel, stride, padding, dilation = [], [], [], [], []
    for _ in range(axes):
        taps, spread = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        pads = (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
        least = max(1, (taps - 1) * spread + 1 - sum(pads))
        size.append(least + draw(st.integers(0, 2)))
        kernel.append(taps)
        stride.append(draw(st.integers(1, 2)))
        padding.append(pads)
        dilation.append(spread)
    how = geometry(
        tuple(size), tuple(kernel), tuple(stride), tuple(padding), tuple(dilation), groups
    )
    batch = draw(st.integers(1, 2))
    return (
        how,
        (batch, channels, *size),
        (outputs, channels // groups, *kernel),
        (batch, outputs, *how.out),
    )
