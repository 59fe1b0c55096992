"""Recurrent layers: gradients by name, second derivatives, learning, messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradling
from gradling import nn, optim
from gradling.nn import functional as F
from gradling.testing import check_gradients, check_module


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


LAYERS = [
    nn.RNN(2, 3),
    nn.GRU(2, 3, bias=False, batch_first=True),
    nn.LSTM(2, 3, num_layers=2),
    nn.LSTM(2, 2, bidirectional=True),
    nn.GRU(2, 2, bidirectional=True),
    nn.RNNCell(2, 3),
]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_gradients_by_name(layer: Any) -> None:
    x = gradling.tensor(normal(*((4, 3, 2) if isinstance(layer, nn.RNNBase) else (3, 2))))
    x.requires_grad_()

    def everything(outputs: Any) -> Any:
        tensors = [outputs] if not isinstance(outputs, tuple) else list(outputs)
        parts = [p for t in tensors for p in (t if isinstance(t, tuple) else (t,))]
        return sum((p.tanh() * (k + 1)).sum() for k, p in enumerate(parts))

    assert check_module(layer.double(), x, loss=everything).verdict == "correct"


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_second_derivatives(kind: str) -> None:
    layer = getattr(nn, kind)(2, 3).double()
    x = gradling.tensor(normal(4, 2, 2), requires_grad=True)
    report = check_gradients(lambda x: layer(x)[0].square(), x, order=2)
    assert report.verdict == "correct"


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_cells_step_by_step_are_the_layer(kind: str) -> None:
    layer, cell = getattr(nn, kind)(3, 4), getattr(nn, f"{kind}Cell")(3, 4)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = gradling.tensor(normal(6, 2, 3)).float()
    outputs, last = layer(x)
    state: Any = None
    for t in range(6):
        state = cell(x[t], state)
        h = state[0] if kind == "LSTM" else state
        np.testing.assert_allclose(h.detach().numpy(), outputs[t].detach().numpy(), atol=1e-6)
    finals = zip(last, state, strict=True) if kind == "LSTM" else [(last, state)]
    for a, b in finals:
        np.testing.assert_allclose(a[0].detach().numpy(), b.detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_learns_to_remember(kind: str) -> None:
    """Say at the end which of four symbols came first, four steps of noise ago."""
    gradling.manual_seed(0)
    rng = np.random.default_rng(0)
    symbols = rng.integers(0, 4, (5, 256))
    x = gradling.tensor(np.eye(4, dtype=np.float32)[symbols])
    wanted = gradling.tensor(symbols[0])
    layer, head = getattr(nn, kind)(4, 24), nn.Linear(24, 4)
    optimizer = optim.Adam([*layer.parameters(), *head.parameters()], lr=0.02)
    for _ in range(80):
        optimizer.zero_grad()
        loss = F.cross_entropy(head(layer(x)[0][-1]), wanted)
        loss.backward()
        nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
        optimizer.step()
    found = head(layer(x)[0][-1]).detach().numpy().argmax(1)
    assert (found == symbols[0]).mean() > 0.95, loss.item()


class Packed:
    batch_sizes = (1,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.LSTM(3, 4)(gradling.zeros(5, 2, 4)), "must be input_size = 3"),
        (lambda: nn.LSTM(3, 4)(gradling.zeros(5)), "expected input (time, batch, features)"),
        (lambda: nn.GRU(3, 4)(gradling.zeros(5, 2, 3), gradling.zeros(1, 3, 4)), "h_0 must be"),
        (lambda: nn.LSTM(3, 4)(gradling.zeros(5, 2, 3), gradling.zeros(1, 2, 4)), "as a pair"),
        (lambda: nn.RNN(3, 4)(gradling.zeros(0, 2, 3)), "at least one step"),
        (lambda: nn.RNN(3, 4)(Packed()), "packed sequences are not offered"),
        (lambda: nn.RNN(3, 4).double()(gradling.zeros(5, 2, 3)), "convert the input with"),
        (lambda: nn.RNN(3, 4, nonlinearity="elu"), "'tanh' or 'relu'"),
        (lambda: nn.LSTM(3, 4, proj_size=2), "follow the layer with nn.Linear(4, 2)"),
        (lambda: nn.GRU(3, 0), "hidden_size and num_layers of 1 or more"),
        (lambda: nn.LSTMCell(3, 4)(gradling.zeros(2, 2)), "expected input (batch, 3)"),
        (lambda: nn.GRUCell(3, 4)(gradling.zeros(2, 3), gradling.zeros(3, 4)), "state must be"),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with pytest.raises((ValueError, RuntimeError, TypeError, NotImplementedError)) as caught:
        call()
    assert message in str(caught.value)


def test_dropout_with_one_layer_is_said_to_do_nothing() -> None:
    with pytest.warns(UserWarning, match="there is only one"):
        nn.LSTM(3, 4, dropout=0.5)
