"""Cases of attention, masked and not."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..laws import Case
from ..strategies import distinct_arrays, shapes
from .registry import case


@case("scaled_dot_product_attention", reference=lambda *args: _attended(*args))
@st.composite
def queries_keys_values(draw: Any) -> Case:
    lead = draw(shapes(max_dims=2, min_side=1, max_side=2))
    length, steps = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    width, out = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    # all different: with equal keys or values the scores' gradients cancel to rounding noise
    q = draw(distinct_arrays((*lead, length, width)))
    k, v = draw(distinct_arrays((*lead, steps, width))), draw(distinct_arrays((*lead, steps, out)))
    mask = draw(distinct_arrays((length, steps)))
    causal = draw(st.booleans())
    return Case((q, k, v, mask), (draw(st.sampled_from([0.5, 1.0])), causal, None))


@case("self_attention", reference=lambda *args: _self_attended(*args))
@st.composite
def packed(draw: Any) -> Case:
    n, length, heads, width = (draw(st.integers(1, 2)) for _ in range(4))
    # small: where one score outweighs all others, second derivatives are below the noise
    x = draw(distinct_arrays((n, length, 3 * heads * width))) / 4
    mask = draw(distinct_arrays((length, length)))
    return Case((x, mask), (heads, draw(st.sampled_from([0.5, 1.0])), None))


def _self_attended(x: Any, mask: Any, heads: int, scale: float, keep: Any) -> np.ndarray[Any, Any]:
    apart = np.split(x, 3 * heads, axis=-1)
    triples = zip(apart[:heads], apart[heads : 2 * heads], apart[2 * heads :], strict=True)
    mixed = [_attended(q, k, v, mask, scale, False, keep) for q, k, v in triples]
    return np.concatenate(mixed, axis=-1)


def _attended(
    q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool, keep: Any
) -> np.ndarray[Any, Any]:
    scores = np.einsum("...le,...se->...ls", q, k) * scale + mask
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:]) > 0, scores, -np.inf)
    e = np.exp(scores)
    mixed: np.ndarray[Any, Any] = np.einsum("...ls,...sv->...lv", e / e.sum(-1, keepdims=True), v)
    return mixed
