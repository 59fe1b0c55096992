"""Numbers to shares that add up to 1, and their logarithms."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor import Tensor, shares
from ...tensor.errors import ShapeError, normal_dim
from ...tensor.generators import drawing


def _dim(name: str, dim: int | None) -> int:
    if dim is None:
        raise TypeError(f"{name}: say along which dim the shares add up to 1; dim=-1 is the last")
    return dim


def softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """exp(x) / Σ exp(x) along ``dim``: positive, adding up to 1.

    >>> import gradling
    >>> softmax(gradling.tensor([0.0, 0.0]), 0).tolist()
    [0.5, 0.5]
    """
    y: Tensor = shares.softmax(input, _dim("softmax", dim), dtype)
    return y


def log_softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """x - log Σ exp(x) along ``dim``: the logarithm of softmax, exact where softmax itself is 0.

    >>> import gradling
    >>> log_softmax(gradling.tensor([0.0, -1000.0]), 0).tolist()
    [0.0, -1000.0]
    """
    y: Tensor = shares.log_softmax(input, _dim("log_softmax", dim), dtype)
    return y


def softmin(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """softmax of -x."""
    return softmax(-input, _dim("softmin", dim), dtype)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a σ(b), with a and b the halves of the input along ``dim``.

    >>> import gradling
    >>> glu(gradling.tensor([4.0, 0.0])).tolist()
    [2.0]
    """
    axis = normal_dim("glu", dim, input.ndim)
    size = input.shape[axis] if input.ndim else 1
    if size % 2:
        raise ShapeError(
            f"glu: axis {dim} of {input.shape} is halved, so its size {size} must be even"
        )
    before = (slice(None),) * axis
    return input[(*before, slice(size // 2))] * input[(*before, slice(size // 2, None))].sigmoid()


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, dim: int = -1, *, generator: Any = None
) -> Tensor:
    """A random choice by softmax, smooth enough to differentiate: softmax((logits + noise) / tau).

    Args:
        tau: the smaller, the nearer to one-hot.
        hard: give the one-hot choice itself, with the smooth one's gradient.

    Jang et al., "Categorical reparameterization with Gumbel-softmax" (2017).

    >>> import gradling
    >>> gumbel_softmax(gradling.zeros(2, 3), hard=True).sum(1).tolist()
    [1.0, 1.0]
    """
    draw = drawing("gumbel_softmax", generator)
    noise = Tensor(draw.gumbel(size=logits.shape).astype(logits.dtype))
    y = softmax((logits + noise) / tau, dim)
    if not hard:
        return y
    choice = np.argmax(y._data, axis=dim, keepdims=True)
    one = np.zeros_like(y._data)
    np.put_along_axis(one, choice, 1, axis=dim)
    return Tensor(one) - y.detach() + y
