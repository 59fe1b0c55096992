"""Distances and angles between vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor import Tensor
from ...tensor.choice import clamp_min, where
from ...tensor.elementwise import abs as magnitude
from ...tensor.errors import ShapeError, broadcast_clash, normal_dim
from ...tensor.quiet import Quiet
from .checks import tensor_operands


def floored(x: Tensor, low: float) -> Tensor:
    """max(x, low) whose gradient does not know of ``low``."""
    with Quiet():  # inf - inf
        lift = np.maximum(x._data, x.dtype.type(low)) - x._data
    return x + Tensor(lift)


def vector_norm(x: Tensor, p: float, dim: int, keepdim: bool = False) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) along ``dim``; 0, with gradient 0, for a vector of zeros."""
    size = magnitude(x)
    if p == 0:
        return (x != 0).to(x.dtype).sum(dim, keepdim)
    if p == 1:
        return size.sum(dim, keepdim)
    if np.isinf(p):
        return size.amax(dim, keepdim) if p > 0 else size.amin(dim, keepdim)
    total = (x * x if p == 2 else size**p).sum(dim, keepdim)
    zero = total == 0
    # a root has no finite slope at 0: none is taken there
    root = where(zero, 1.0, total)
    root = root.sqrt() if p == 2 else root ** (1 / p)
    return where(zero, 0.0, root)  # type: ignore[no-any-return]


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Vectors along ``dim`` divided by their p-norm, or by ``eps`` if that is larger.

    >>> import gradling
    >>> normalize(gradling.tensor([[3.0, 4.0]])).tolist()
    [[0.6000000..., 0.8000000...]]
    """
    return input / clamp_min(vector_norm(input, p, dim, keepdim=True), eps)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 · x2 / (max(‖x1‖, eps) · max(‖x2‖, eps)) along ``dim``.

    Backward: with unit vectors u, v and their product c, g (v - c u) / ‖x1‖ towards x1: what of v
    is across u. A norm that eps replaces keeps its gradient, which is 0 for a vector of zeros.

    >>> import gradling
    >>> cosine_similarity(gradling.tensor([[2.0, 0.0]]), gradling.tensor([[1.0, 0.0]])).tolist()
    [1.0]
    """
    tensor_operands("cosine_similarity", x1=x1, x2=x2)
    if (clash := broadcast_clash([x1.shape, x2.shape])) is not None:
        raise ShapeError(
            f"cosine_similarity: x1 {x1.shape} and x2 {x2.shape} do not broadcast: along axis "
            f"{clash[0]} they have {clash[1][0]} and {clash[1][1]}, which must be equal or 1"
        )
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    x1, x2 = x1.broadcast_to(shape), x2.broadcast_to(shape)
    dim = normal_dim("cosine_similarity", dim, len(shape))
    a = x1 / floored(vector_norm(x1, 2, dim, keepdim=True), eps)
    b = x2 / floored(vector_norm(x2, 2, dim, keepdim=True), eps)
    return (a * b).sum(dim)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """‖x1 - x2 + eps‖ₚ along the last axis; eps keeps the slope finite where x1 = x2.

    >>> import gradling
    >>> pairwise_distance(gradling.tensor([[3.0, 4.0]]), gradling.zeros(1, 2)).item()
    5.000001...
    """
    tensor_operands("pairwise_distance", x1=x1, x2=x2)
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A 1 at each index, in a new last axis of ``num_classes`` (-1: the largest index plus 1).

    >>> import gradling
    >>> one_hot(gradling.tensor([0, 2])).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    tensor_operands("one_hot", tensor=tensor)
    index: Any = tensor._data
    if index.dtype.kind not in "iu":
        raise TypeError(f"one_hot: expected class indices, got {tensor.dtype}; use .long()")
    if num_classes == -1:
        if index.size == 0:
            raise RuntimeError(
                "one_hot: no index says how many classes there are; pass num_classes"
            )
        num_classes = int(index.max()) + 1
    if index.size and (index.min() < 0 or index.max() >= num_classes):
        raise RuntimeError(
            f"one_hot: indices go from {index.min()} to {index.max()}, classes from 0 to "
            f"{num_classes - 1}"
        )
    return Tensor((index[..., None] == np.arange(num_classes)).astype(np.int64))
