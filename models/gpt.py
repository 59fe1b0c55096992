"""GPT: a transformer that says what comes next."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from .. import nn
from ..engine import no_grad
from ..tensor import Tensor
from ..tensor.draws import multinomial
from ..tensor.joining import cat
from ..tensor.sequences import arange
from . import checks


class GPT(nn.Module):
    """Logits of the next token at every place of a sequence, each from the tokens up to there.

        x = tokens[idx] + positions[0 … T-1];   x ← block(x) n_layer times;   logits = norm(x) Wᵀ

    Args:
        vocab_size: number of tokens.
        block_size: most tokens that it can look at.
        n_layer: blocks.
        n_head: heads of each, which divide n_embd.
        n_embd: width.
        dropout: of the attention weights, of each part and of the embeddings.
        bias: of linear layers and norms.
        tied: the table that tokens are looked up in is also W, so a token is said by the vector it
            is read by (Press & Wolf, 2017); its gradient is the sum of both uses.

    Shapes: input (N, T) whole numbers below vocab_size, T up to block_size; output
    (N, T, vocab_size), for ``cross_entropy(logits.flatten(0, 1), targets.flatten())``.

    Weights start normally distributed with deviation 0.02, those that write into the sum of the
    blocks with 0.02/√(2 n_layer), so that its variance does not grow with depth. Radford et al.,
    "Language models are unsupervised multitask learners" (2019).

    >>> import gradling
    >>> from gradling.models import GPT
    >>> model = GPT(vocab_size=27, block_size=8, n_layer=1, n_head=2, n_embd=16)
    >>> start = gradling.tensor([[1, 2, 3]])
    >>> model(start).shape
    (1, 3, 27)
    >>> model.generate(start, 5, generator=gradling.Generator(0)).shape
    (1, 8)
    """

    def __init__(
        self,
        vocab_size: int,
        block_size: int,
        n_layer: int = 4,
        n_head: int = 4,
        n_embd: int = 128,
        *,
        dropout: float = 0.0,
        bias: bool = True,
        tied: bool = True,
    ) -> None:
        super().__init__()
        checks.sizes("GPT", vocab_size=vocab_size, block_size=block_size, n_embd=n_embd)
        self.block_size = block_size
        self.tokens = nn.Embedding(vocab_size, n_embd)
        self.positions = nn.Embedding(block_size, n_embd)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            nn.TransformerBlock(n_embd, n_head, dropout=dropout, bias=bias) for _ in range(n_layer)
        )
        self.norm = nn.LayerNorm(n_embd, bias=bias)
        self.head = nn.Linear(n_embd, vocab_size, bias=False)
        if tied:
            self.head.weight = self.tokens.weight
        for name, p in self.named_parameters():
            into_the_sum = name.endswith(("attn.out_proj.weight", "mlp.2.weight"))
            if p.ndim > 1:
                nn.init.normal_(p, std=0.02 / sqrt(2 * n_layer) if into_the_sum else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def forward(self, idx: Tensor) -> Tensor:
        checks.tokens("GPT", idx, self.block_size, "block_size")
        x = self.dropout(self.tokens(idx) + self.positions(arange(idx.shape[1])))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))  # type: ignore[no-any-return]

    def generate(
        self,
        idx: Tensor,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        *,
        generator: Any = None,
    ) -> Tensor:
        """Go on from ``idx``, drawing one token after another from softmax(logits / temperature).

        Args:
            idx: (N, T) tokens to start from, at least one; the last block_size are looked at.
            max_new_tokens: how many to add.
            temperature: below 1 the likely become likelier; 0 always takes the likeliest.
            top_k: draw from that many of the likeliest only.
            generator: what is drawn from.

        Returns:
            (N, T + max_new_tokens), with ``idx`` in front. No graph is kept, dropout is off
            meanwhile.
        """
        if idx.ndim != 2 or idx.shape[1] < 1:
            raise ValueError(
                f"GPT.generate: expected tokens (N, T) with T at least 1, got {idx.shape}; to "
                "begin from nothing, begin from a token that means the start, such as a line break"
            )
        if max_new_tokens < 0 or temperature < 0 or (top_k is not None and top_k < 1):
            raise ValueError(
                "GPT.generate: expected max_new_tokens and temperature of at least 0 and top_k of "
                f"at least 1, got {max_new_tokens}, {temperature} and {top_k}"
            )
        with no_grad(), self.evaluating():
            for _ in range(max_new_tokens):
                logits = self(idx[:, -self.block_size :])[:, -1]
                idx = cat([idx, _drawn(logits, temperature, top_k, generator)], 1)
        return idx


def _drawn(logits: Tensor, temperature: float, top_k: int | None, generator: Any) -> Tensor:
    """A token for each row of (N, vocab_size): (N, 1)."""
    if temperature == 0:
        return logits.argmax(1, keepdim=True)
    if top_k is not None and top_k < logits.shape[1]:
        least = logits.topk(top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, -inf)
    # the largest logit goes out before the division: a tiny temperature gives -inf, never inf - inf
    shares = ((logits - logits.max(1, keepdim=True).values) / temperature).softmax(1)
    return multinomial(shares, 1, generator=generator)
