"""The affine map, as one node in place of three."""

from __future__ import annotations

from math import prod
from typing import Any

from ...engine.op import REAL
from ...tensor.node import Array
from ...tensor.rows.structural import structural
from ..kernels.scratch import ones

# Measured, 100 x 16 -> 16 in float32, forward and backward: 21 us as one node, 44 us as transpose,
# product and sum.


def _rows_of(x: Array) -> Array:
    """The leading axes of ``x`` as one."""
    return x if x.ndim == 2 else x.reshape(prod(x.shape[:-1]), x.shape[-1])


def _product(x: Array, weight: Array) -> Array:
    y: Array = _rows_of(x).dot(weight.T)  # as a method, which is a fifth cheaper than np.dot
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], weight.shape[0])


def _linear(x: Array, weight: Array, bias: Array) -> Array:
    y: Array = x.dot(weight.T) if x.ndim == 2 else _product(x, weight)
    y += bias
    return y


def _linear_parts(
    needed: tuple[bool, ...], g: Any, y: Any, x: Any, weight: Any, bias: Any
) -> tuple[Any, ...]:
    flat = g.ndim == 2
    rows = g if flat else _rows_of(g)
    to_x, to_weight, to_bias = needed
    dx = rows.dot(weight) if to_x else None
    if dx is not None and not flat:
        dx = dx.reshape(x.shape)
    return (
        dx,
        rows.T.dot(x if flat else _rows_of(x)) if to_weight else None,
        # a product with ones adds the rows up 1.7 to 7 times as fast as a sum over the first axis
        ones(len(rows), rows.dtype).dot(rows) if to_bias else None,
    )


linear = structural(
    "linear", "x weight bias", _linear, symbol="xWᵀ+b",
    vjp=(None, None, None), domain=(REAL, REAL, REAL), joint=_linear_parts,
    composition=lambda x, weight, bias: x @ weight.mT + bias,
    why="y = x Wᵀ + b: dx = g W, dW = gᵀ x, db = g summed over the rows.",
)  # fmt: skip


def _product_parts(
    needed: tuple[bool, ...], g: Any, y: Any, x: Any, weight: Any
) -> tuple[Any, ...]:
    return _linear_parts((*needed, False), g, y, x, weight, None)[:2]


linear_without_bias = structural(
    "linear_without_bias", "x weight", _product, symbol="xWᵀ",
    vjp=(None, None), domain=(REAL, REAL), joint=_product_parts,
    composition=lambda x, weight: x @ weight.mT,
    why="y = x Wᵀ: dx = g W, dW = gᵀ x.",
)  # fmt: skip
