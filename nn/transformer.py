"""Transformers: layers of attention and feed-forward nets, stacked."""

from __future__ import annotations

import copy
from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tensor.errors import ShapeError
from ..tensor.reading import filled_with
from . import functional as F
from . import init
from .attention import MultiheadAttention
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

Activation = str | Callable[[Tensor], Tensor]


def activation_of(name: str, activation: Activation) -> Callable[[Tensor], Tensor]:
    if callable(activation):
        return activation
    known: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}
    if activation not in known:
        raise ValueError(
            f"{name}: activation must be 'relu', 'gelu' or a function, got {activation!r}"
        )
    return known[activation]


class TransformerEncoderLayer(Module):
    """Self-attention, then a feed-forward net, each added to what went in and normalised.

        x ← norm₁(x + attention(x)),   x ← norm₂(x + W₂ act(W₁ x))       (after; norm_first=False)
        x ← x + attention(norm₁(x)),   x ← x + W₂ act(W₁ norm₂(x))       (before; norm_first=True)

    Backward: the sums let gradients pass by each part unchanged: dx = g + (g through the part). The
    norms have eps in their roots, and softmax subtracts its largest score. Normalising
    before keeps that path free of norms, so that deep stacks train without a warm-up. Vaswani et
    al. (2017); Xiong et al., "On layer normalization in the transformer architecture" (2020).

    Args:
        d_model: width.
        nhead: heads, which divide it.
        dim_feedforward: width between W₁ and W₂.
        dropout: of the weights and of each part.
        activation: "relu", "gelu" or a function.
        layer_norm_eps, bias: of the norms and maps.
        batch_first: (N, L, E) in place of (L, N, E).

    >>> import gradling
    >>> layer = TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    >>> layer(gradling.randn(3, 5, 8)).shape
    (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias=bias, batch_first=batch_first, dtype=dtype
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, dtype=dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = activation_of("TransformerEncoderLayer", activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            y, _ = self.self_attn(
                x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal
            )
            return self.dropout1(y)  # type: ignore[no-any-return]

        if self.norm_first:
            src = src + attend(self.norm1(src))
            return src + self._feed_forward(self.norm2(src))
        src = self.norm1(src + attend(src))
        return self.norm2(src + self._feed_forward(src))  # type: ignore[no-any-return]

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.dropout2(  # type: ignore[no-any-return]
            self.linear2(self.dropout(self.activation(self.linear1(x))))
        )


class TransformerDecoderLayer(Module):
    """As an encoder layer, with attention to the encoder's output between its two parts.

        x ← norm₁(x + attention(x)),   x ← norm₂(x + attention(x, memory)),
        x ← norm₃(x + W₂ act(W₁ x))        (``norm_first``: norms inside the sums)

    Args: as TransformerEncoderLayer's.

    Backward: each sum passes g on unchanged and through its part, dx = g + (g through the part).
    The middle part sends its gradient two ways: the queries' to x, the keys' and values' to
    ``memory``, which adds up those of all layers that look at it. The norms have eps in their
    roots, and softmax subtracts its largest score. Vaswani et al., "Attention is all you need"
    (2017).

    >>> import gradling
    >>> layer = TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    >>> layer(gradling.randn(3, 5, 8), gradling.randn(3, 4, 8)).shape
    (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        options: dict[str, Any] = {"bias": bias, "batch_first": batch_first, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, **options)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, **options)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, dtype=dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2, self.dropout3 = (Dropout(dropout) for _ in range(3))
        self.activation = activation_of("TransformerDecoderLayer", activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            y, _ = self.self_attn(
                x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal
            )
            return self.dropout1(y)  # type: ignore[no-any-return]

        def look_back(x: Tensor) -> Tensor:
            y, _ = self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask,
                is_causal=memory_is_causal,
            )  # fmt: skip
            return self.dropout2(y)  # type: ignore[no-any-return]

        x = tgt
        if self.norm_first:
            x = x + attend(self.norm1(x))
            x = x + look_back(self.norm2(x))
            return x + self._feed_forward(self.norm3(x))
        x = self.norm1(x + attend(x))
        x = self.norm2(x + look_back(x))
        return self.norm3(x + self._feed_forward(x))  # type: ignore[no-any-return]

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.dropout3(  # type: ignore[no-any-return]
            self.linear2(self.dropout(self.activation(self.linear1(x))))
        )


class TransformerEncoder(Module):
    """``num_layers`` copies of a layer, one after another, and a ``norm`` at the end if given.

    Backward: through the layers from the last to the first, each as ``TransformerEncoderLayer``
    says; the copies start equal but learn apart. With ``norm_first`` layers the sum of all
    parts grows with the depth, and ``norm`` brings it back to one scale.

    >>> import gradling
    >>> layer = TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    >>> TransformerEncoder(layer, num_layers=2)(gradling.randn(3, 5, 8)).shape
    (3, 5, 8)
    """

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, bool(is_causal))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """``num_layers`` copies of a layer, one after another, and a ``norm`` at the end if given.

    Backward: through the layers from the last to the first, each as ``TransformerDecoderLayer``
    says; the copies start equal but learn apart. Every layer is given ``memory``, which gets the
    sum of their gradients. With ``norm_first`` layers the sum of all parts grows with the depth,
    and ``norm`` brings it back to one scale.

    >>> import gradling
    >>> layer = TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    >>> x, memory = gradling.randn(3, 5, 8), gradling.randn(3, 4, 8)
    >>> TransformerDecoder(layer, num_layers=2)(x, memory).shape
    (3, 5, 8)
    """

    def __init__(
        self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        for layer in self.layers:
            tgt = layer(
                tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
                bool(tgt_is_causal), memory_is_causal,
            )  # fmt: skip
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder and a decoder that attends to it: y = decoder(tgt, encoder(src)).

    Backward: through the decoder, each of whose layers hands a gradient to the encoder's output;
    their sum goes through the encoder to ``src``. Both end in a norm with eps in its root, so what
    they give has one scale at any depth. Vaswani et al., "Attention is all you need" (2017).

    Args: as TransformerEncoderLayer's, with the number of layers of each; or ``custom_encoder`` and
        ``custom_decoder``.

    >>> import gradling
    >>> model = Transformer(8, 2, 1, 1, dim_feedforward=16, batch_first=True)
    >>> model(gradling.randn(3, 5, 8), gradling.randn(3, 4, 8)).shape
    (3, 4, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        layer: Any = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, None, dtype,
        )  # fmt: skip

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*layer), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*layer), num_decoder_layers, norm()
        )
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Every matrix Xavier-uniform."""
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        for name, x in (("src", src), ("tgt", tgt)):
            if x.shape[-1:] != (self.d_model,):
                raise ShapeError(
                    f"Transformer: the last axis of {name} is {x.shape[-1:]}; it must be d_model = "
                    f"{self.d_model}"
                )
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(  # type: ignore[no-any-return]
            tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
            tgt_is_causal, memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """(sz, sz): 0 up to the diagonal, -inf beyond it, for attention that cannot look ahead."""
        mask = np.where(np.tri(sz, dtype=bool), 0.0, -inf)
        return Tensor(filled_with(mask.astype("float32" if dtype is None else dtype)))
