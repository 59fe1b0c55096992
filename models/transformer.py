"""A transformer that reads a whole sequence and tells its class."""

from __future__ import annotations

from .. import nn
from ..tensor import Tensor
from . import checks


class TransformerClassifier(nn.Module):
    """Every token looks at every other; the mean of what they have found is classified.

        x = encoder(tokens[idx] + waves);   logits = W mean(x over places that are no padding) + b

    Args:
        vocab_size: number of tokens.
        num_classes: number of logits.
        d_model: width.
        nhead: heads, which divide it.
        num_layers: encoder layers.
        dim_feedforward: width inside the layers; 4·d_model if None.
        max_len: longest sequence.
        dropout: of the layers and of the embedded tokens.
        padding_idx: the token that fills short sequences: nothing looks at it, and any number of
            them gives the same logits. None if there is none.

    Shapes: input (N, T) whole numbers below vocab_size; output (N, num_classes). A sequence of
    nothing but padding gets the logits of the zero vector, b.

    Norms come before each part, which trains without a warm-up (Xiong et al., 2020); places are
    told apart by sine waves. Vaswani et al., "Attention is all you need" (2017).

    >>> import gradling
    >>> from gradling.models import TransformerClassifier
    >>> model = TransformerClassifier(100, 2, d_model=16, nhead=2).eval()
    >>> a = model(gradling.tensor([[5, 7, 9]]))
    >>> b = model(gradling.tensor([[5, 7, 9, 0, 0]]))
    >>> a.shape, gradling.allclose(a, b, atol=1e-6)
    ((1, 2), True)
    """

    def __init__(
        self,
        vocab_size: int,
        num_classes: int,
        d_model: int = 64,
        nhead: int = 4,
        num_layers: int = 2,
        *,
        dim_feedforward: int | None = None,
        max_len: int = 256,
        dropout: float = 0.1,
        padding_idx: int | None = 0,
    ) -> None:
        super().__init__()
        checks.sizes("TransformerClassifier", vocab_size=vocab_size, num_classes=num_classes)
        self.max_len, self.padding_idx = max_len, padding_idx
        self.tokens = nn.Embedding(vocab_size, d_model, padding_idx)
        self.positions = nn.SinusoidalPositionalEncoding(d_model, max_len, dropout)
        layer = nn.TransformerEncoderLayer(
            d_model, nhead, dim_feedforward or 4 * d_model, dropout, "gelu",
            batch_first=True, norm_first=True,
        )  # fmt: skip
        self.encoder = nn.TransformerEncoder(layer, num_layers, nn.LayerNorm(d_model))
        self.head = nn.Linear(d_model, num_classes)
        for p in self.encoder.parameters():
            if p.ndim > 1:  # the layers are copies of one: each draws weights of its own
                nn.init.xavier_uniform_(p)

    def forward(self, idx: Tensor) -> Tensor:
        checks.tokens("TransformerClassifier", idx, self.max_len, "max_len")
        x = self.positions(self.tokens(idx))
        if self.padding_idx is None:
            return self.head(self.encoder(x).mean(1))  # type: ignore[no-any-return]
        padding = idx == self.padding_idx
        x = self.encoder(x, src_key_padding_mask=padding)
        real = (~padding).to(x.dtype).unsqueeze(2)
        return self.head((x * real).sum(1) / real.sum(1).clamp(min=1))  # type: ignore[no-any-return]
