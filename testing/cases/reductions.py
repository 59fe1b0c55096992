"""Cases of rows that bring many entries down to few."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..laws import Case
from ..strategies import arrays, shapes
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
