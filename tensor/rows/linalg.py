"""Products of matrices and vectors, and the bilinear form behind einsum."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ...engine.op import REAL, Op
from ..node import Array
from .shape import reshape, unsqueeze
from .structural import structural

Labels = tuple[int, ...]


def product(a: Array, b: Array) -> Array:
    """``a @ b`` for stacks of matrices; float16 is summed up in float32, as everywhere."""
    if a.dtype.char == "e":
        return product(a.astype(np.float32), b.astype(np.float32)).astype(np.float16)
    if a.ndim > 2 and b.ndim == 2 and a.flags.c_contiguous:
        # one product of large matrices instead of many of small ones
        y: Array = np.matmul(a.reshape(prod(a.shape[:-1]), a.shape[-1]), b)
        return y.reshape(*a.shape[:-1], b.shape[-1])
    return np.asarray(np.matmul(a, b))


def _for_the_right(g: Any, a: Any, b: Any) -> Any:
    """Aᵀ G; where one B met a stack of A, the sum over the stack is part of the product."""
    if b.ndim == 2 and a.ndim > 2:
        n = prod(a.shape[:-1])
        flat = reshape(a, (n, a.shape[-1]), a.shape)
        return matmul(flat.mT, reshape(g, (n, g.shape[-1]), g.shape))
    return matmul(a.mT, g)


matmul: Op = structural(
    "matmul", "a b", product, symbol="@",
    vjp=(lambda g, y, a, b: matmul(g, b.mT), lambda g, y, a, b: _for_the_right(g, a, b)),
    domain=(REAL, REAL), analytic=True,
    why="Y = A B: dA = G Bᵀ and dB = Aᵀ G, the only products of these shapes. Leading axes "
    "broadcast.",
)  # fmt: skip
matvec: Op = structural(
    "matvec", "a b", product, symbol="@",
    vjp=(lambda g, y, a, b: unsqueeze(g, (1,)) * b, lambda g, y, a, b: matvec(a.mT, g)),
    domain=(REAL, REAL), analytic=True,
    why="y = A b: row i of A only made y_i, so dA = g bᵀ; b meets every row: db = Aᵀ g.",
)  # fmt: skip
dot: Op = structural(
    "dot", "a b", product, symbol="·",
    vjp=(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    domain=(REAL, REAL), analytic=True,
    why="a·b = Σ a_i b_i: each entry's slope is its partner.",
)  # fmt: skip


def _contract(a: Array, b: Array, ia: Labels, ib: Labels, io: Labels) -> Array:
    """Σ over labels that are not in ``io``, as one stack of matrix products."""
    stack = [i for i in ia if i in ib and i in io]
    inner = [i for i in ia if i in ib and i not in io]
    left, right = [i for i in ia if i not in ib], [i for i in ib if i not in ia]
    size = dict(zip(ia + ib, a.shape + b.shape, strict=True))

    def sizes(*groups: list[int]) -> tuple[int, ...]:
        return tuple([prod([size[i] for i in group]) for group in groups])

    x = a.transpose([ia.index(i) for i in stack + left + inner])
    z = b.transpose([ib.index(i) for i in stack + inner + right])
    x, z = x.reshape(sizes(stack, left, inner)), z.reshape(sizes(stack, inner, right))
    y = product(x, z) if inner else x * z  # an outer product is no sum
    order = stack + left + right
    return y.reshape([size[i] for i in order]).transpose([order.index(i) for i in io])


einsum: Op = structural(
    "einsum", "a b", _contract, params={"ia": (), "ib": (), "io": ()},
    vjp=(
        lambda g, y, a, b, ia, ib, io: einsum(g, b, io, ib, ia),
        lambda g, y, a, b, ia, ib, io: einsum(g, a, io, ia, ib),
    ),
    domain=(REAL, REAL), analytic=True,
    why="A sum of products, one factor from each: the slope by one factor is the other, so the "
    "gradient is such a sum again, with g in place of the operand.",
)  # fmt: skip
