"""Single steps of recurrent layers, for loops of one's own."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tensor.arguments import said
from ..tensor.errors import ShapeError
from ..tensor.reading import filled_with
from . import init
from .linear import blank
from .module import Module
from .parameter import Parameter
from .recurrent import GATES, sweep


class RNNCellBase(Module):
    """What cells share: parameters and shapes."""

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        bias: bool,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        if hidden_size < 1 or input_size < 0:
            raise ValueError(
                f"{type(self).__name__}: expected hidden_size of 1 or more and input_size of 0 or "
                f"more, got {hidden_size} and {input_size}"
            )
        self._mode = mode
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = GATES[mode] * hidden_size
        self.weight_ih = blank(rows, input_size, dtype=dtype)
        self.weight_hh = blank(rows, hidden_size, dtype=dtype)
        self.bias_ih = blank(rows, dtype=dtype) if bias else None
        self.bias_hh = blank(rows, dtype=dtype) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw the parameters anew."""
        bound = 1 / sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, generator)

    def step(self, input: Tensor, states: list[Tensor] | None) -> list[Tensor]:
        """The next states, from inputs (N, features) or (features,)."""
        name = type(self).__name__
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}: expected a tensor, got {said(input)}")
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: expected input (batch, {self.input_size}) or ({self.input_size},), got "
                f"{input.shape}"
            )
        wanted = (*input.shape[:-1], self.hidden_size)
        if states is None:
            zeros = Tensor(filled_with(np.zeros(wanted, input.dtype)))
            states = [zeros] * (2 if self._mode == "LSTM" else 1)
        for state in states:
            if state.shape != wanted:
                raise ShapeError(
                    f"{name}: the state must be {wanted} for input {input.shape}, got {state.shape}"
                )
        alone = input.ndim == 1
        if alone:
            input, states = input.unsqueeze(0), [state.unsqueeze(0) for state in states]
        weights = [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]
        y = sweep(self._mode, input.unsqueeze(0), states, weights, False)
        found = [y[k] for k in range(len(states))]
        return [state.squeeze(0) for state in found] if alone else found

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(RNNCellBase):
    """One step of ``RNN``: the next state from input (N, features) and state (N, H).

    h' = tanh(z) with z = x W_ihᵀ + b_ih + h W_hhᵀ + b_hh.

    Backward: δ = g (1 - h'²), (N, H), is the gradient of z; dx = δ W_ih, dh = δ W_hh, dW_ih = δᵀ x,
    dW_hh = δᵀ h, and both biases get δ summed over the batch. Over many steps the factors (1 - h'²)
    W_hh multiply, so gradients fade or grow: tanh bounds the states but not that product; clip
    (``nn.utils.clip_grad_norm_``), or take a gated cell. Elman, "Finding structure in time" (1990).

    >>> import gradling
    >>> cell, h = RNNCell(3, 8), gradling.zeros(2, 8)
    >>> for x in gradling.zeros(5, 2, 3):
    ...     h = cell(x, h)
    >>> h.shape
    (2, 8)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"RNNCell: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}"
            )
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, bias, dtype, generator
        )
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self.step(input, None if hx is None else [hx])[0]

    def extra_repr(self) -> str:
        tanh = self.nonlinearity == "tanh"
        return super().extra_repr() + ("" if tanh else f", nonlinearity={self.nonlinearity}")


class LSTMCell(RNNCellBase):
    """One step of ``LSTM``: the next (h, c) from input (N, features) and (h, c), each (N, H).

    i, f, o = σ(…) and ĉ = tanh(…) of x W_ihᵀ + b_ih + h W_hhᵀ + b_hh (rows in the order i, f, ĉ,
    o); c' = f c + i ĉ, h' = o tanh(c').

    Backward: what reaches c' is γ = g_c + g_h o (1 - tanh²(c')); it leaves as dc = γ f, towards the
    sums under i, f, ĉ, o as γ ĉ i (1 - i), γ c f (1 - f), γ i (1 - ĉ²) and g_h tanh(c') o (1 - o),
    and from those, side by side as δ (N, 4H), as in ``RNNCell``. The path from c' to c has no
    matrix, only f, so it does not explode, and lasts while f is near 1. σ is computed from
    exp(-|z|), which does not overflow. Hochreiter & Schmidhuber, "Long short-term memory" (1997).

    >>> import gradling
    >>> h, c = LSTMCell(3, 8)(gradling.zeros(2, 3))
    >>> h.shape, c.shape
    ((2, 8), (2, 8))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__("LSTM", input_size, hidden_size, bias, dtype, generator)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        h, c = self.step(input, None if hx is None else list(hx))
        return h, c


class GRUCell(RNNCellBase):
    """One step of ``GRU``: the next state from input (N, features) and state (N, H).

    r, z = σ(…) of x W_ihᵀ + b_ih + h W_hhᵀ + b_hh, n = tanh(x W_inᵀ + b_in + r m) with m = h W_hnᵀ
    + b_hn; h' = (1 - z) n + z h.

    Backward: n gets ν = g (1 - z) (1 - n²) under its tanh, z gets g (h - n) z (1 - z) under its σ,
    r gets ν m r (1 - r), m gets ν r; those go on as in ``RNNCell``, and h gets g z besides. h' is a
    mean of n and h with weights that add up to 1, so that states stay bounded, and the path g z has
    no matrix. σ is computed from exp(-|z|), which does not overflow. Cho et al., "Learning phrase
    representations using RNN encoder-decoder" (2014).

    >>> import gradling
    >>> GRUCell(3, 8)(gradling.zeros(2, 3)).shape
    (2, 8)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__("GRU", input_size, hidden_size, bias, dtype, generator)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self.step(input, None if hx is None else [hx])[0]


__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]
