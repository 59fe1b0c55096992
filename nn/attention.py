"""Attention with several heads."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tensor.errors import ShapeError
from ..tensor.joining import cat
from ..tensor.reading import filled_with
from . import init
from .functional.attention import (
    additive,
    attention_with_weights,
    scaled_dot_product_attention,
    self_attention,
)
from .functional.linear import linear
from .linear import Linear, blank
from .module import Module
from .parameter import Parameter


class MultiheadAttention(Module):
    """Attention in several subspaces at once: y = concat(head₁ … head_h) Wₒᵀ + bₒ, where each head
    is softmax(qᵢ kᵢᵀ / √d) vᵢ on its own slice of the projected query, key and value.

    Args:
        embed_dim: width E of the queries, shared out among the heads.
        num_heads: must divide ``embed_dim``.
        dropout: share of the attention weights dropped while training.
        bias: of the projections in and out.
        add_bias_kv: learn one more key and value.
        add_zero_attn: add a key and value of 0.
        kdim, vdim: widths of keys and values where they differ from E.
        batch_first: (N, L, E) in place of (L, N, E).

    Raises:
        ValueError: heads that do not divide the width.

    Backward: through the output map, then for each head that of scaled_dot_product_attention, then
    through the projections. Vaswani et al., "Attention is all you need" (2017).

    >>> import gradling
    >>> attention = MultiheadAttention(8, 2, batch_first=True)
    >>> x = gradling.randn(3, 5, 8)
    >>> y, weights = attention(x, x, x)
    >>> y.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "MultiheadAttention: embed_dim and num_heads must be above 0, got "
                f"{embed_dim} and {num_heads}"
            )
        if embed_dim % num_heads:
            near = [h for h in range(1, embed_dim + 1) if embed_dim % h == 0]
            raise ValueError(
                f"MultiheadAttention: {num_heads} heads do not divide embed_dim = {embed_dim}; "
                f"{', '.join(map(str, near))} do"
            )
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.head_dim = embed_dim // num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first, self.add_zero_attn = batch_first, add_zero_attn
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        if self._qkv_same_embed_dim:
            self.in_proj_weight = blank(3 * embed_dim, embed_dim, dtype=dtype)
            self.q_proj_weight = self.k_proj_weight = self.v_proj_weight = None
        else:
            self.in_proj_weight = None
            self.q_proj_weight = blank(embed_dim, embed_dim, dtype=dtype)
            self.k_proj_weight = blank(embed_dim, self.kdim, dtype=dtype)
            self.v_proj_weight = blank(embed_dim, self.vdim, dtype=dtype)
        self.in_proj_bias = blank(3 * embed_dim, dtype=dtype) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, dtype=dtype)
        self.bias_k = blank(1, 1, embed_dim, dtype=dtype) if add_bias_kv else None
        self.bias_v = blank(1, 1, embed_dim, dtype=dtype) if add_bias_kv else None
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Xavier-uniform projections, biases 0, the extra key and value Xavier-normal."""
        for weight in (
            self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
        ):  # fmt: skip
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            assert self.out_proj.bias is not None
            init.zeros_(self.out_proj.bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            query: (L, N, E), or (N, L, E) with ``batch_first``, or (L, E) alone.
            key, value: (S, N, kdim) and (S, N, vdim), or as above.
            key_padding_mask: (N, S) or (S,); True (or -inf) leaves a key out.
            need_weights: give the weights too; without them one fused step does it all.
            attn_mask: (L, S) or (N·heads, L, S); True (or -inf) forbids.
            average_attn_weights: weights (N, L, S), the mean over heads, or (N, heads, L, S).
            is_causal: ``attn_mask`` is the causal one (which must be given too).
        """
        if is_causal and attn_mask is None:
            raise ValueError(
                "MultiheadAttention: is_causal is a hint about attn_mask, which must be given: "
                "nn.Transformer.generate_square_subsequent_mask(L) makes it"
            )
        single, of_one = query.ndim == 2, query is key is value
        if single or not self.batch_first:
            turned = query.unsqueeze(0) if single else query.transpose(0, 1)
            rest = (x.unsqueeze(0) if single else x.transpose(0, 1) for x in (key, value))
            query, key, value = (turned,) * 3 if of_one else (turned, *rest)
        if single and key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
        self._check(query, key, value)
        mask = self._mask(attn_mask, key_padding_mask, query, key)
        dropped = self.dropout if self.training else 0.0
        weights = None
        w, more = self.in_proj_weight, self.bias_k is not None or self.add_zero_attn
        if of_one and w is not None and not more and not need_weights:
            packed = linear(query, w, self.in_proj_bias)
            y = self_attention(packed, self.num_heads, mask, dropped)
        else:
            q, k, v = self._projected(query, key, value)
            k, v, mask = self._extended(k, v, mask)
            q, k, v = (self._split(x) for x in (q, k, v))
            if need_weights:
                y, weights = attention_with_weights(q, k, v, mask, dropped)
                weights = weights.mean(1) if average_attn_weights else weights
            else:
                y = scaled_dot_product_attention(q, k, v, mask, dropped)
            y = y.transpose(1, 2).reshape(*query.shape[:2], self.embed_dim)
        y = self.out_proj(y)
        if single:
            return y.squeeze(0), None if weights is None else weights.squeeze(0)
        return y if self.batch_first else y.transpose(0, 1), weights

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        if not query.ndim == key.ndim == value.ndim == 3:
            raise ShapeError(
                "MultiheadAttention: expected query, key and value all (L, E) or all with a batch "
                f"axis, got {query.shape}, {key.shape}, {value.shape}"
            )
        for name, x, width in (
            ("query", query, self.embed_dim), ("key", key, self.kdim), ("value", value, self.vdim),
        ):  # fmt: skip
            if x.shape[-1] != width:
                raise ShapeError(
                    f"MultiheadAttention: the last axis of {name} is {x.shape[-1]}, this layer was "
                    f"made for {width}"
                )
        if key.shape[:2] != value.shape[:2] or key.shape[0] != query.shape[0]:
            order = "(N, L, E)" if self.batch_first else "(L, N, E)"
            raise ShapeError(
                "MultiheadAttention: batch sizes must agree, and keys and values be as many; as "
                f"(N, L, E) they are {query.shape}, {key.shape}, {value.shape} (this layer takes "
                f"{order})"
            )

    def _projected(self, query: Tensor, key: Tensor, value: Tensor) -> list[Tensor]:
        e = self.embed_dim
        w, b = self.in_proj_weight, self.in_proj_bias
        if w is not None and query is key is value:
            return list(linear(query, w, b).split(e, -1))  # one product in place of three
        if w is not None:
            matrices: Any = w.split(e)
        else:
            matrices = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases: Any = (None,) * 3 if b is None else b.split(e)
        return [
            linear(x, m, c) for x, m, c in zip((query, key, value), matrices, biases, strict=True)
        ]

    def _mask(
        self, attn_mask: Tensor | None, padding: Tensor | None, q: Tensor, k: Tensor
    ) -> Tensor | None:
        """Both masks as one to add to scores (N, heads, L, S)."""
        n, size, steps = q.shape[0], q.shape[1], k.shape[1]
        mask = None
        if attn_mask is not None:
            wanted = [(size, steps), (n * self.num_heads, size, steps)]
            if attn_mask.shape not in wanted:
                raise ShapeError(
                    f"MultiheadAttention: attn_mask is {attn_mask.shape}; it must be "
                    f"{wanted[0]}, or {wanted[1]} for one per head"
                )
            mask = additive(attn_mask, q.dtype, allowed=False)
            lead = (-1, self.num_heads) if mask.ndim == 3 else (1, 1)
            mask = mask.reshape(*lead, size, steps)
        if padding is not None:
            if padding.shape != (n, steps):
                raise ShapeError(
                    f"MultiheadAttention: key_padding_mask is {padding.shape}; it must be "
                    f"{(n, steps)}"
                )
            hidden = additive(padding, q.dtype, allowed=False).reshape(n, 1, 1, steps)
            mask = hidden if mask is None else mask + hidden
        return mask

    def _extended(self, k: Tensor, v: Tensor, mask: Tensor | None) -> Any:
        """Keys and values with the learnt and the zero one, which no mask hides."""
        more = 0
        one = (k.shape[0], 1, self.embed_dim)
        if self.bias_k is not None and self.bias_v is not None:
            k, v = cat([k, self.bias_k.expand(one)], 1), cat([v, self.bias_v.expand(one)], 1)
            more = 1
        if self.add_zero_attn:
            zero = Tensor(filled_with(np.zeros(one, k.dtype)))
            k, v, more = cat([k, zero], 1), cat([v, zero], 1), more + 1
        if mask is not None and more:
            mask = cat(
                [mask, Tensor(filled_with(np.zeros((*mask.shape[:-1], more), mask.dtype)))], -1
            )
        return k, v, mask

    def _split(self, x: Tensor) -> Tensor:
        n, steps, _ = x.shape
        return x.reshape(n, steps, self.num_heads, self.head_dim).transpose(1, 2)
