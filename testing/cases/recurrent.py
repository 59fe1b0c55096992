"""Cases of sweeps over a sequence. Their compositions, step by step, are their references."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..laws import Case
from ..strategies import arrays
from .registry import case


def _operands(draw: Any, gates: int, states: int) -> tuple[np.ndarray[Any, Any], ...]:
    count, batch, size = (draw(st.integers(1, 3)) for _ in range(3))
    features = draw(st.integers(1, 2))
    shapes = [
        (count, batch, features),
        *[(batch, size)] * states,
        (gates * size, features),
        (gates * size, size),
        *[(gates * size,)] * 2,
    ]
    # small, so that no gate is saturated: there, slopes drown in the rounding of 1 - tanh²
    return tuple(draw(arrays(shape)) / 4 for shape in shapes)


@case("rnn_sweep")
@st.composite
def plain(draw: Any) -> Case:
    # tanh: a rectifier has a kink wherever a sum is 0, which no drawing of operands avoids
    return Case(_operands(draw, 1, 1), ("tanh", draw(st.booleans())))


@case("lstm_sweep")
@st.composite
def with_cell(draw: Any) -> Case:
    return Case(_operands(draw, 4, 2), (draw(st.booleans()),))


@case("gru_sweep")
@st.composite
def gated(draw: Any) -> Case:
    return Case(_operands(draw, 3, 1), (draw(st.booleans()),))
