"""Layers that read a sequence step by step and remember."""

from __future__ import annotations

import warnings
from math import sqrt
from typing import Any

import numpy as np

from ..tensor import Tensor
from ..tensor.arguments import said
from ..tensor.errors import ShapeError
from ..tensor.joining import cat, stack
from ..tensor.reading import filled_with
from ..tensor.record import apply
from . import init
from .functional.dropout import check_probability, dropout
from .linear import blank
from .module import Module
from .rows import recurrent as rows

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


def sweep(mode: str, x: Tensor, states: list[Tensor], weights: list[Any], back: bool) -> Tensor:
    """One layer in one direction: x (T, N, I) to (T, N, H), of an LSTM with the last cell after it.

    ``weights``: w_ih, w_hh, b_ih, b_hh; biases may be None.
    """
    if weights[2] is None:
        zeros = Tensor(filled_with(np.zeros(len(weights[0]), weights[0].dtype)))
        weights = [*weights[:2], zeros, zeros]
    if mode == "LSTM":
        return apply(rows.lstm_sweep, (x, *states, *weights), (back,))
    if mode == "GRU":
        return apply(rows.gru_sweep, (x, *states, *weights), (back,))
    return apply(rows.rnn_sweep, (x, *states, *weights), (mode[4:].lower(), back))


class RNNBase(Module):
    """What recurrent layers share: parameters, directions, layers, shapes of states."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_probability(name, dropout)
        if hidden_size < 1 or num_layers < 1 or input_size < 0:
            raise ValueError(
                f"{name}: expected hidden_size and num_layers of 1 or more and input_size of 0 or "
                f"more, got {hidden_size}, {num_layers} and {input_size}"
            )
        if proj_size:
            raise NotImplementedError(
                f"{name}: proj_size is not offered; follow the layer with nn.Linear({hidden_size}, "
                f"{proj_size})"
            )
        if dropout and num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} stands between layers, and there is only one: it does "
                "nothing",
                stacklevel=3,
            )
        self.mode = mode
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, proj_size
        self.generator = generator  # what dropout draws from
        self._names: list[list[str]] = []
        rows_ = GATES[mode] * hidden_size
        for layer in range(num_layers):
            features = input_size if layer == 0 else hidden_size * (1 + bidirectional)
            for suffix in ("", "_reverse")[: 1 + bidirectional]:
                end = f"l{layer}{suffix}"
                names = [f"weight_ih_{end}", f"weight_hh_{end}", f"bias_ih_{end}", f"bias_hh_{end}"]
                shapes = [(rows_, features), (rows_, hidden_size), (rows_,), (rows_,)]
                names = names[: 4 if bias else 2]
                for key, shape in zip(names, shapes, strict=False):
                    setattr(self, key, blank(*shape, dtype=dtype))
                self._names.append(names)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw the parameters anew."""
        bound = 1 / sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, generator)

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, key) for key in names] for names in self._names]

    def flatten_parameters(self) -> None:
        """Does nothing here; for programs written for PyTorch."""

    def run(self, input: Tensor, states: list[Tensor] | None) -> tuple[Tensor, list[Tensor]]:
        """The last layer's outputs, and the final states of all layers and directions."""
        x, alone = self._sequence(input)
        firsts = self._states(x, states, alone)
        directions = 1 + self.bidirectional
        last: list[list[Tensor]] = [[] for _ in firsts]
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                place = layer * directions + direction
                weights = [getattr(self, key) for key in self._names[place]]
                begin = [state[place] for state in firsts]
                y = sweep(self.mode, x, begin, [*weights, None, None][:4], direction == 1)
                if self.mode == "LSTM":
                    last[1].append(y[len(x._data)])
                    y = y[: len(x._data)]
                last[0].append(y[0] if direction else y[-1])
                outputs.append(y)
            x = outputs[0] if directions == 1 else cat(outputs, -1)
            if self.dropout and self.training and layer < self.num_layers - 1:
                x = dropout(x, self.dropout, generator=self.generator)
        finals = [stack(states) for states in last]
        if alone:
            return x.squeeze(1), [state.squeeze(1) for state in finals]
        return (x.transpose(0, 1) if self.batch_first else x), finals

    def _sequence(self, input: Any) -> tuple[Tensor, bool]:
        """The input as (T, N, features), and whether it came without a batch."""
        name = type(self).__name__
        if not isinstance(input, Tensor):
            message = f"{name}: expected a tensor, got {said(input)}"
            if hasattr(input, "batch_sizes"):
                message += "; packed sequences are not offered: pad them, and mask the loss"
            raise TypeError(message)
        order = "(batch, time, features)" if self.batch_first else "(time, batch, features)"
        if input.ndim not in (2, 3):
            raise ShapeError(
                f"{name}: expected input {order} or (time, features), got {input.shape}"
            )
        if input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: the last axis of input {input.shape} must be input_size = "
                f"{self.input_size}"
            )
        weight = getattr(self, self._names[0][0])
        if input.dtype is not weight.dtype:
            raise TypeError(
                f"{name}: input is {input.dtype}, the parameters are {weight.dtype}; convert the "
                f"input with .to({weight.dtype})"
            )
        alone = input.ndim == 2
        x = input.unsqueeze(1) if alone else input.transpose(0, 1) if self.batch_first else input
        if not len(x._data):
            raise ShapeError(f"{name}: a sequence needs at least one step, got input {input.shape}")
        return x, alone

    def _states(self, x: Tensor, states: list[Tensor] | None, alone: bool) -> list[Tensor]:
        """First states (layers * directions, N, H), zeros where none are given."""
        count = self.num_layers * (1 + self.bidirectional)
        wanted = (count, x.shape[1], self.hidden_size)
        if states is None:
            zeros = Tensor(filled_with(np.zeros(wanted, x.dtype)))
            return [zeros] * (2 if self.mode == "LSTM" else 1)
        for what, state in zip(("h_0", "c_0"), states, strict=False):
            shape = (wanted[0], wanted[2]) if alone else wanted
            if state.shape != shape:
                raise ShapeError(
                    f"{type(self).__name__}: {what} must be {shape}, (layers * directions, "
                    f"{'' if alone else 'batch, '}hidden_size), got {state.shape}"
                )
        return [state.unsqueeze(1) for state in states] if alone else states

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if not self.bias:
            text += ", bias=False"
        if self.batch_first:
            text += ", batch_first=True"
        if self.dropout:
            text += f", dropout={self.dropout}"
        return text + (", bidirectional=True" if self.bidirectional else "")


class RNN(RNNBase):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), for every step of a sequence.

    Args:
        input_size: features of a step.
        hidden_size: H, numbers remembered.
        num_layers: layers on top of each other, each reading the outputs of the one below.
        nonlinearity: "tanh" or "relu".
        bias: learn b_ih and b_hh.
        batch_first: sequences come as (N, T, features), not (T, N, features).
        dropout: share of outputs dropped between layers while training.
        bidirectional: read the sequence from the end as well; outputs are put side by side.

    Shapes: input (T, N, features) or (T, features), h_0 (layers * directions, N, H), zeros if left
    out. Gives all outputs of the last layer, (T, N, H * directions), and the last state of every
    layer and direction. Parameters ``weight_ih_l0`` (H, features), ``weight_hh_l0`` (H, H),
    ``bias_ih_l0``, ``bias_hh_l0`` and so on start evenly from ±1/√H.

    Backward through time: with a_t the sum inside tanh, da_t = (g_t + W_hhᵀ da_{t+1}) (1 - h_t²),
    from the last step to the first; dW_hh = Σ da_t h_{t-1}ᵀ, dW_ih = Σ da_t x_tᵀ. Every step back
    multiplies by W_hh and a slope below 1, so what is long ago fades (Elman, "Finding structure in
    time", 1990; Bengio et al., 1994).

    >>> import gradling
    >>> outputs, last = RNN(3, 8)(gradling.zeros(5, 2, 3))
    >>> outputs.shape, last.shape
    ((5, 2, 8), (1, 2, 8))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
        self.nonlinearity = nonlinearity
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first,
            dropout, bidirectional, 0, device, dtype, generator=generator,
        )  # fmt: skip

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        outputs, (last,) = self.run(input, None if hx is None else [hx])
        return outputs, last


class GRU(RNNBase):
    """A recurrent layer that decides how much of its state to keep.

    r = σ(W_ir x + b_ir + W_hr h + b_hr), z = σ(W_iz x + b_iz + W_hz h + b_hz),
    n = tanh(W_in x + b_in + r (W_hn h + b_hn)), and the new state is (1 - z) n + z h.

    Args, shapes: as ``RNN``; parameters have 3 H rows, those of r, z and n.

    Backward through time: of dh_t, the share z goes to h_{t-1} as it is, which lets gradients last;
    the rest goes through dn = dh (1 - z)(1 - n²), dz = dh (h_{t-1} - n) z (1 - z) and dr = dn (W_hn
    h + b_hn) r (1 - r), and from these to inputs, states and weights (Cho et al., "Learning phrase
    representations using RNN encoder-decoder", 2014). The new state is a mean of n and
    h, so that states stay bounded.

    >>> import gradling
    >>> outputs, last = GRU(3, 8, batch_first=True, bidirectional=True)(gradling.zeros(2, 5, 3))
    >>> outputs.shape, last.shape
    ((2, 5, 16), (2, 2, 8))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            0, device, dtype, generator=generator,
        )  # fmt: skip

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        outputs, (last,) = self.run(input, None if hx is None else [hx])
        return outputs, last


class LSTM(RNNBase):
    """A recurrent layer with a cell that is added to, not replaced.

    i, f, o = σ(W x + b + U h + b') and g = tanh(W x + b + U h + b'), each with rows of its own;
    c_t = f c_{t-1} + i g and h_t = o tanh(c_t).

    Args, shapes: as ``RNN``; states are pairs (h_0, c_0), and parameters have 4 H rows, those of i,
    f, g and o.

    Backward through time: dc_t = dh_t o (1 - tanh²c_t) + f_{t+1} dc_{t+1}: from cell to cell a
    gradient is multiplied by f alone, no weight matrix, and lasts as long as f stays near 1. The
    gates get di = dc g, df = dc c_{t-1}, dg = dc i, do = dh tanh(c), times their slopes (Hochreiter
    & Schmidhuber, "Long short-term memory", 1997; Gers et al., 2000).

    >>> import gradling
    >>> outputs, (h, c) = LSTM(3, 8, num_layers=2)(gradling.zeros(5, 2, 3))
    >>> outputs.shape, h.shape, c.shape
    ((5, 2, 8), (2, 2, 8), (2, 2, 8))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Any = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            proj_size, device, dtype, generator=generator,
        )  # fmt: skip

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        if hx is not None and not (isinstance(hx, (tuple, list)) and len(hx) == 2):
            raise TypeError(f"LSTM: expected the states as a pair (h_0, c_0), got {said(hx)}")
        outputs, (h, c) = self.run(input, None if hx is None else list(hx))
        return outputs, (h, c)


__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]
