"""Attention: each query mixes the values by how well their keys match it."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

import numpy as np

from ...tensor import Tensor
from ...tensor.errors import ShapeError, broadcast_clash
from ...tensor.node import Array
from ...tensor.reading import filled_with, prepared
from ...tensor.record import apply
from ..rows import attention as rows
from .dropout import _mask, check_probability


def additive(mask: Tensor, dtype: Any, allowed: bool) -> Tensor:
    """A mask to be added to scores: -inf where a truth value forbids; numbers as they are."""
    if mask._data.dtype == np.bool_:
        return Tensor(prepared(_forbidding, mask._data, dtype, allowed))
    return mask if mask.dtype is dtype else mask.to(dtype)


def _forbidding(mask: Array, dtype: Any, allowed: bool) -> Array:
    return np.asarray(np.where(~mask if allowed else mask, dtype.type(-inf), dtype.type(0)))


def _check(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> None:
    q, k, v = query.shape, key.shape, value.shape
    name = "scaled_dot_product_attention"
    if min(len(q), len(k), len(v)) < 2:
        raise ShapeError(
            f"{name}: expected (..., L, E), (..., S, E), (..., S, Ev), got {q}, {k}, {v}"
        )
    if q[-1] != k[-1]:
        raise ShapeError(
            f"{name}: query {q} and key {k} must agree on their last axis, the width that they are "
            "compared by"
        )
    if k[-2] != v[-2]:
        raise ShapeError(f"{name}: key {k} and value {v} must agree on their second to last axis")
    scores = (*np.broadcast_shapes(q[:-2], k[:-2]), q[-2], k[-2])
    if mask is not None and broadcast_clash([mask.shape, scores]):
        raise ShapeError(
            f"{name}: attn_mask {mask.shape} does not broadcast to the scores {scores}"
        )


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    generator: Any = None,
) -> Tensor:
    """softmax(s q kᵀ + mask) v, with s = 1/√E unless given.

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, Ev).
        attn_mask: broadcasts to (..., L, S): truth values, False forbidding, or numbers that are
            added.
        dropout_p: share of the weights that is dropped (always: pass 0 to evaluate).
        is_causal: a query sees keys up to its own place only.

    Returns:
        (..., L, Ev). A query that may look at nothing gets 0.

    Backward: with P the shares, dv = Pᵀ g, dP = g vᵀ, dS = P (dP - Σ dP P), dq = s dS k, dk = s dSᵀ
    q. The largest score of a row is taken out before exp, which so never overflows. Vaswani et al.,
    "Attention is all you need" (2017).

    >>> import gradling
    >>> x = gradling.eye(2)
    >>> scaled_dot_product_attention(x, x, x, is_causal=True)[0]
    tensor([1., 0.])
    """
    _check(query, key, value, attn_mask)
    if is_causal and attn_mask is not None:
        raise ValueError("scaled_dot_product_attention: give is_causal or attn_mask, not both")
    if not query.dtype is key.dtype is value.dtype:
        raise TypeError(
            "scaled_dot_product_attention: expected one dtype, got "
            f"{query.dtype}, {key.dtype} and {value.dtype}"
        )
    factor = 1.0 / sqrt(query.shape[-1] or 1) if scale is None else scale
    none = Tensor(filled_with(np.zeros((), query.dtype)))
    mask = none if attn_mask is None else additive(attn_mask, query.dtype, allowed=True)
    keep = None
    name = "scaled_dot_product_attention"
    check_probability(name, dropout_p)
    if dropout_p:
        lead = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
        shape = (*lead, query.shape[-2], key.shape[-2])
        keep = prepared(_mask, name, shape, dropout_p, query.dtype, generator)
    return apply(rows.attention, (query, key, value, mask), (factor, bool(is_causal), keep))


def self_attention(
    packed: Tensor,
    heads: int,
    mask: Tensor | None,
    dropout_p: float = 0.0,
    *,
    generator: Any = None,
) -> Tensor:
    """(N, L, E) from queries, keys and values (N, L, 3 E) side by side, every head by itself."""
    n, length, width = packed.shape
    keep = None
    if dropout_p:
        shape = (n, heads, length, length)
        keep = prepared(
            _mask, "scaled_dot_product_attention", shape, dropout_p, packed.dtype, generator
        )
    factor = 1.0 / sqrt(width // (3 * heads))
    if mask is None:
        mask = Tensor(filled_with(np.zeros((), packed.dtype)))
    return apply(rows.self_attention, (packed, mask), (heads, factor, keep))


def attention_with_weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    dropout_p: float = 0.0,
    *,
    generator: Any = None,
) -> tuple[Tensor, Tensor]:
    """Attention in single steps: the mixture, and the shares (..., L, S) before any dropout."""
    none = Tensor(filled_with(np.zeros((), query.dtype)))
    factor = 1.0 / sqrt(query.shape[-1] or 1)
    p = rows.weights(query, key, none if mask is None else mask, factor, False)
    if dropout_p:
        p = p * Tensor(prepared(_mask, "attention", p.shape, dropout_p, query.dtype, generator))
    return p @ value, p
