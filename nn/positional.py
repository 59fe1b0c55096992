"""Telling attention, which sees a set, where in the sequence each entry stands."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tensor.errors import ShapeError
from . import init
from .dropout import Dropout
from .linear import blank
from .module import Module
from .parameter import Buffer


class _PositionalEncoding(Module):
    def __init__(self, d_model: int, max_len: int, dropout: float, batch_first: bool) -> None:
        super().__init__()
        if d_model < 1 or max_len < 1:
            raise ValueError(
                f"{type(self).__name__}: d_model and max_len must be above 0, got {d_model}, "
                f"{max_len}"
            )
        self.d_model, self.max_len, self.batch_first = d_model, max_len, batch_first
        self.dropout = Dropout(dropout)

    def _places(self) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Add the code of each place to ``x``: (N, L, E), or (L, N, E) without ``batch_first``, or
        (L, E)."""
        if x.ndim not in (2, 3) or x.shape[-1] != self.d_model:
            raise ShapeError(
                f"{type(self).__name__}: expected (N, L, {self.d_model}) or (L, {self.d_model}), "
                f"got {x.shape}"
            )
        steps = x.shape[0 if x.ndim == 2 or not self.batch_first else 1]
        if steps > self.max_len:
            raise ShapeError(
                f"{type(self).__name__}: a sequence of {steps} is longer than max_len = "
                f"{self.max_len}"
            )
        code = self._places()[:steps]
        if x.ndim == 3 and not self.batch_first:
            code = code.unsqueeze(1)
        return self.dropout(x + code)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"{self.d_model}, max_len={self.max_len}"


class SinusoidalPositionalEncoding(_PositionalEncoding):
    """Waves of geometrically falling frequency: sin(t ωᵢ) and cos(t ωᵢ) with ωᵢ = 10000^(-2i/E).

    Nothing is learnt. A shift in time is a rotation of each (sin, cos) pair, which a linear map can
    express. Vaswani et al., "Attention is all you need" (2017).

    Backward: the code is a constant that is added, so dx = g. The frequencies are the exp of a
    logarithm, in float64, rather than a power that could overflow, and the entries stay within ±1
    for sequences of any length.

    Args:
        d_model: width E.
        max_len: longest sequence.
        dropout: of the sum.
        batch_first: sequences (N, L, E) in place of (L, N, E).

    >>> import gradling
    >>> SinusoidalPositionalEncoding(4)(gradling.zeros(1, 2, 4))[0, 0].tolist()
    [0.0, 1.0, 0.0, 1.0]
    """

    def __init__(
        self, d_model: int, max_len: int = 5000, dropout: float = 0.0, batch_first: bool = True
    ) -> None:
        super().__init__(d_model, max_len, dropout, batch_first)
        angle = np.arange(max_len)[:, None] * np.exp(
            np.arange(0, d_model, 2) * (-log(10000.0) / d_model)
        )
        code = np.empty((max_len, d_model), np.float32)
        code[:, 0::2] = np.sin(angle)
        code[:, 1::2] = np.cos(angle[:, : d_model // 2])
        self.pe = Buffer(Tensor(code))

    def _places(self) -> Tensor:
        return self.pe


class LearnedPositionalEncoding(_PositionalEncoding):
    """One learnt vector per place, as in GPT: x + weight[:L].

    Args: as SinusoidalPositionalEncoding's. ``weight`` (max_len, E) starts normal with deviation
        0.02, small beside what it is added to.

    Backward: dx = g; the first L rows of ``weight`` get g summed over the batch, and the rows of
    later places 0. A sum needs no care to stay stable. Radford et al., "Improving language
    understanding by generative pre-training" (2018).

    >>> import gradling
    >>> LearnedPositionalEncoding(4, max_len=8)(gradling.zeros(2, 5, 4)).shape
    (2, 5, 4)
    """

    def __init__(
        self,
        d_model: int,
        max_len: int = 512,
        dropout: float = 0.0,
        batch_first: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__(d_model, max_len, dropout, batch_first)
        self.weight = blank(max_len, d_model, dtype=dtype)
        init.normal_(self.weight, std=0.02)

    def _places(self) -> Tensor:
        return self.weight
