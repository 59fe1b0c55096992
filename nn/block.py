"""The block that GPTs are stacked from."""

from __future__ import annotations

import numpy as np

from ..tensor import Tensor
from ..tensor.reading import filled_with
from .activation import GELU
from .attention import MultiheadAttention
from .containers import Sequential
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm


class TransformerBlock(Module):
    """The block that GPTs are stacked from: x + attention(norm(x)), then x + MLP(norm(x)).

    Args:
        d_model: width.
        nhead: heads, which divide it.
        mlp_ratio: width of the MLP over ``d_model``.
        dropout: of the weights and of each part.
        causal: no place sees later ones.
        bias: of all maps and norms.

    Shapes: (N, L, E) to the same.

    Backward: for y = x + f(norm(x)), dx = g + normᵀ fᵀ g (ᵀ: the backward of the part): the first
    term passes unchanged however many blocks are stacked, so gradients neither fade nor need a
    warm-up; the parts go back as ``MultiheadAttention`` and ``LayerNorm`` say. Norms before the
    parts keep their inputs at one scale (eps in their roots), and forbidden scores are -inf before
    a softmax that subtracts the largest. Radford et al., "Language models are unsupervised
    multitask learners" (2019).

    >>> import gradling
    >>> TransformerBlock(8, 2)(gradling.randn(3, 5, 8)).shape
    (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        causal: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.causal = causal
        self.ln_1 = LayerNorm(d_model, bias=bias)
        self.attn = MultiheadAttention(d_model, nhead, dropout, bias=bias, batch_first=True)
        self.ln_2 = LayerNorm(d_model, bias=bias)
        hidden = int(mlp_ratio * d_model)
        self.mlp = Sequential(
            Linear(d_model, hidden, bias=bias), GELU(), Linear(hidden, d_model, bias=bias)
        )
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, key_padding_mask: Tensor | None = None) -> Tensor:
        """(N, L, E) to the same."""
        steps = x.shape[1]
        ahead = Tensor(filled_with(~np.tri(steps, dtype=bool))) if self.causal else None
        y = self.ln_1(x)
        y, _ = self.attn(y, y, y, key_padding_mask, False, ahead)
        x = x + self.dropout(y)
        return x + self.dropout(self.mlp(self.ln_2(x)))  # type: ignore[no-any-return]
