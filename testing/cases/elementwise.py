"""Cases of elementwise rows: operands of broadcastable shapes, drawn from the row's domains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ...engine import Op
from ..domains import separated
from ..laws import Case
from ..strategies import arrays, broadcastable_shapes

# Parameters worth varying; other rows are tested at their defaults.
PARAMS: dict[str, SearchStrategy[tuple[Any, ...]]] = {
    "leaky_relu": st.tuples(st.sampled_from((0.01, 0.5, -0.25))),
    "elu": st.tuples(st.sampled_from((1.0, 0.5, 2.0))),
    "gelu": st.tuples(st.sampled_from(("none", "tanh"))),
    "softplus": st.tuples(st.sampled_from((1.0, 0.5, 2.0)), st.just(20.0)),
}


def _quotients(k: int) -> SearchStrategy[float]:
    """Dividends (k = 0) and divisors (k = 1) whose quotient keeps away from whole numbers."""
    if k == 0:
        return st.integers(-4, 3).map(lambda n: n + 0.5)
    return st.tuples(
        st.sampled_from((1.0, 2.0, -1.0, -2.0)), st.floats(0.98, 1.02)
    ).map(lambda pair: pair[0] * pair[1])  # fmt: skip


def _lanes(k: int) -> SearchStrategy[float]:
    """Numbers of operand ``k`` that no other operand ever comes near: no ties by construction."""
    return st.tuples(st.integers(-3, 3), st.floats(0, 0.0625)).map(
        lambda pair: pair[0] + 0.25 * k + pair[1]
    )


def _elements(op: Op) -> Callable[[int], SearchStrategy[float]] | None:
    """How operands of an op are drawn together, where its domains alone would meet kinks."""
    if len(op.domain) == 2 and all(domain.name == "whole number" for domain in op.domain):
        return _quotients
    return _lanes if separated(op) else None


@st.composite
def elementwise_cases(draw: Any, op: Op) -> Case:
    """A case of an elementwise row."""
    count = len(op.args)
    shapes = draw(broadcastable_shapes(count))
    special = _elements(op)
    operands = []
    for k, (shape, domain) in enumerate(zip(shapes, op.domain, strict=True)):
        elements = None if special is None else special(k)
        if domain.name == "truth value" and op.name.startswith("bitwise"):
            operands.append(draw(arrays(shape, dtype="int64", elements=st.integers(0, 7))))
        else:
            operands.append(draw(arrays(shape, domain, elements=elements)))
    params = draw(PARAMS[op.name]) if op.name in PARAMS else op.defaults
    return Case(tuple(operands), params)


def reference_of(op: Op) -> Callable[..., Any] | None:
    """The row's float kernel (from ``math``), entry by entry: another computation of the value."""
    if float not in op.on:
        return None
    scalar = op.on[float]
    count = len(op.args)

    def reference(*arguments: Any) -> Any:
        operands, params = arguments[:count], arguments[count:]
        spread = np.broadcast_arrays(*operands)
        numbers = [
            scalar(*(x.item() for x in entry), *params)
            for entry in zip(*(x.reshape(-1) for x in spread), strict=True)
        ]
        return np.array(numbers, dtype=_kind(numbers)).reshape(spread[0].shape)

    return reference


def _kind(numbers: list[Any]) -> Any:
    return type(numbers[0]) if numbers else np.float64
