"""Rules of the commonest activations spelt out for arrays, where that pays.

A rule of the table serves every kind of operand, so on arrays it makes an array per operator and
brings its numbers to the arrays' dtype each time. Here the same formula writes into one scratch
array. Measured on 100 x 16 in float32: tanh 1.8 us against 2.5, relu 2.2 against 3.8. The law that
holds for both is tested; a rule that somebody replaces in the table is no longer looked up here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ..engine.op import TABLE
from .kernels import BITS
from .node import Array

Rule = Callable[..., Any]


@lru_cache(maxsize=16)
def number(x: float, dtype: Any) -> Array:
    """A constant as an array of no axes, which NumPy need not look at before it computes."""
    return np.array(x, dtype)


def _tanh(g: Array, y: Array, x: Any) -> Array:
    slope: Array = number(1, y.dtype) - y * y
    slope *= g
    return slope


def _sigmoid(g: Array, y: Array, x: Any) -> Array:
    slope: Array = number(1, y.dtype) - y
    slope *= y
    slope *= g
    return slope


def _relu(g: Array, y: Array, x: Any) -> Array:
    bits = BITS.get(y.dtype)
    if bits is None:  # float16
        return np.where(y != 0, g, g.dtype.type(0))
    kept: Array = np.not_equal(y, number(0, y.dtype)).astype(bits)  # see kernels.where
    kept *= g.view(bits)
    return kept.view(y.dtype)


SPELT: dict[Rule | None, Rule] = {
    TABLE[name].vjp[0]: rule
    for name, rule in (("tanh", _tanh), ("sigmoid", _sigmoid), ("relu", _relu))
}
