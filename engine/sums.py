"""Σ wᵢ·xᵢ + b as one number with an edge to each operand: what a neuron is made of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add, mul
from typing import Any

from .modes import mode
from .op import TABLE
from .value import Value, _given, _result, apply

_WEIGHTED_SUM = TABLE["weighted_sum"]
_VALUES, _FLOATS, _NUMBERS = {Value}, {float}, {Value, float}


def weighted_sum(weights: Sequence[Any], xs: Sequence[Any], bias: Any = 0.0) -> Value:
    """bias + weights[0]*xs[0] + weights[1]*xs[1] + …, added from left to right.

    The same number, to the last bit, as written with ``+`` and ``*``, and the same gradients; but
    one ``Value`` in place of two for each product: twice as fast, in large graphs five times.

    Args:
        weights, xs: as many of one as of the other: Values, or numbers that are constants.
        bias: what the products are added to.

    Backward: with g the gradient of the sum, each weight gets g times its x, each x g times its
    weight, the bias g.

    Raises:
        ValueError: there are more of one than of the other.
        TypeError: something is neither a Value nor a number.

    >>> w, x = [Value(2.0), Value(-1.0)], [Value(3.0), Value(0.5)]
    >>> y = weighted_sum(w, x, bias=1.0)
    >>> y.backward()
    >>> y.data, w[0].grad, x[1].grad
    (6.5, 3.0, -1.0)
    """
    ws, xs = _listed("weights", weights), _listed("xs", xs)
    n = len(ws)
    if n != len(xs):
        raise ValueError(
            f"weighted_sum: expected as many weights as xs, got {n} weights and {len(xs)} xs"
        )
    if mode().plain and bias.__class__ in _NUMBERS and set(map(type, ws)) == _VALUES:
        kinds = set(map(type, xs))
        if kinds in (_VALUES, _FLOATS):
            return _plain(ws, xs, bias, kinds == _FLOATS)
    operands = _in_order(ws, xs, bias)
    for place, number in enumerate(operands):
        if number.__class__ not in _NUMBERS:
            operands[place] = _given(f"weighted_sum: {_name(place)}", number)
    return apply(_WEIGHTED_SUM, tuple(operands))


def _plain(ws: list[Value], xs: list[Any], bias: Any, fixed: bool) -> Value:
    """As ``apply``, of weights that are Values and xs that are too, or all ``fixed``: by slices, at
    a third of the cost of going operand by operand."""
    w = [v.data for v in ws]
    x = xs if fixed else [v.data for v in xs]
    edges: list[Any] = [None] * ((2 if fixed else 4) * len(w))
    if fixed:
        edges[::2], edges[1::2] = ws, x
    else:
        edges[::4], edges[1::4], edges[2::4], edges[3::4] = ws, x, xs, w
    followed = bias.__class__ is Value
    # not sum(): from Python 3.12 on it adds floats with another rounding than + does
    data = reduce(add, map(mul, w, x), bias.data if followed else bias)
    y = _result(data, (bias, 1.0, *edges) if followed else tuple(edges), _WEIGHTED_SUM)
    if fixed or not followed:
        y._call = tuple(_in_order(ws, xs, bias))
    return y


def _in_order(ws: list[Any], xs: list[Any], bias: Any) -> list[Any]:
    """bias, w0, x0, w1, x1, …: the operands of the row."""
    operands = [bias] * (2 * len(ws) + 1)
    operands[1::2], operands[2::2] = ws, xs
    return operands


def _name(place: int) -> str:
    return f"{'xs' if place % 2 == 0 else 'weights'}[{(place - 1) // 2}]" if place else "bias"


def _listed(name: str, numbers: Any) -> list[Any]:
    """The numbers one by one; a tensor is refused as a whole."""
    if not hasattr(numbers, "requires_grad"):
        return numbers if numbers.__class__ is list else list(numbers)
    raise TypeError(
        f"weighted_sum: expected {name} to be a list of Values and numbers, got a "
        f"{type(numbers).__name__}; for tensors write gradling.dot(weights, xs) + bias"
    )
