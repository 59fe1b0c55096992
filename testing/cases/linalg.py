"""Cases of products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..laws import Case
from ..strategies import arrays, broadcastable_shapes
from .registry import case


@case("matmul", reference=lambda a, b: np.einsum("...ij,...jk->...ik", a, b))
@st.composite
def products(draw: Any) -> Case:
    lead = draw(broadcastable_shapes(2, max_dims=2))
    side = st.integers(0, 3)
    rows, inner, columns = draw(st.tuples(side, side, side))
    a = draw(arrays((*lead[0], rows, inner)))
    return Case((a, draw(arrays((*lead[1], inner, columns)))))
