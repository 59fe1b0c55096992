"""Recurrent layers and cells beside PyTorch's: outputs, states, all gradients."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import gradling
from gradling import nn

torch = pytest.importorskip("torch")

KINDS = st.sampled_from(("RNN", "LSTM", "GRU"))
DTYPES = st.sampled_from(("float32", "float64"))
SIZES = st.sampled_from((1, 2, 3, 5, 7))


def normal(rng: Any, shape: Any, dtype: str) -> Any:
    return rng.standard_normal(shape).astype(dtype)


class Paired:
    """A layer whose pair of states is passed as two arguments."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.layer, name)
        if name in ("to", "train"):
            return lambda *arguments: (found(*arguments), self)[1]
        return found

    def __call__(self, x: Any, *states: Any) -> Any:
        return self.layer(x, states) if len(states) == 2 else self.layer(x, *states)


@given(st.data(), KINDS, DTYPES)
def test_layers(twins: Any, data: Any, kind: str, dtype: str) -> None:
    draw = data.draw
    features, hidden, layers = draw(SIZES), draw(SIZES), draw(st.integers(1, 3))
    settings: dict[str, Any] = {
        "num_layers": layers,
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "bidirectional": draw(st.booleans()),
    }
    if kind == "RNN":
        settings["nonlinearity"] = draw(st.sampled_from(("tanh", "relu")))
    batch = draw(st.sampled_from(((), (1,), (3,), (0,))))
    steps = (draw(SIZES),)
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    lead = batch + steps if settings["batch_first"] else steps + batch
    arrays = [normal(rng, (*lead, features), dtype)]
    if draw(st.booleans()):
        shape = (layers * (1 + settings["bidirectional"]), *batch, hidden)
        arrays += [normal(rng, shape, dtype) for _ in range(2 if kind == "LSTM" else 1)]
    ours, theirs = (getattr(m, kind)(features, hidden, **settings) for m in (nn, torch.nn))
    assert repr(ours) == repr(theirs)
    twins(Paired(ours), Paired(theirs), arrays, dtype=dtype)


@given(st.data(), KINDS, DTYPES)
def test_cells(twins: Any, data: Any, kind: str, dtype: str) -> None:
    draw = data.draw
    features, hidden = draw(SIZES), draw(SIZES)
    settings: dict[str, Any] = {"bias": draw(st.booleans())}
    if kind == "RNN":
        settings["nonlinearity"] = draw(st.sampled_from(("tanh", "relu")))
    batch = draw(st.sampled_from(((), (1,), (3,))))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    arrays = [normal(rng, (*batch, features), dtype)]
    if draw(st.booleans()):
        count = 2 if kind == "LSTM" else 1
        arrays += [normal(rng, (*batch, hidden), dtype) for _ in range(count)]
    ours, theirs = (getattr(m, f"{kind}Cell")(features, hidden, **settings) for m in (nn, torch.nn))
    assert repr(ours) == repr(theirs)
    twins(Paired(ours), Paired(theirs), arrays, dtype=dtype)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_long_sequences_and_saturated_gates(twins: Any, kind: str) -> None:
    x = np.random.default_rng(0).standard_normal((60, 2, 3)).astype("float32") * 20
    twins(getattr(nn, kind)(3, 8), getattr(torch.nn, kind)(3, 8), [x], dtype="float32")


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_start_values_and_dropout_in_evaluation(twins: Any, kind: str) -> None:
    settings = {"num_layers": 2, "dropout": 0.5}
    ours, theirs = (getattr(m, kind)(4, 16, **settings) for m in (nn, torch.nn))
    drawn = np.concatenate([p._data.ravel() for p in ours.parameters()])
    known = torch.cat([p.detach().ravel() for p in theirs.parameters()])
    assert np.abs(drawn).max() <= 1 / 4  # 1 / sqrt(hidden)
    assert drawn.std() == pytest.approx(known.std().item(), rel=0.1)  # of 912 numbers or more
    x = np.random.default_rng(0).standard_normal((5, 2, 4))
    twins(ours, theirs, [x], training=False)
    ours.train()
    gradling.manual_seed(0)
    first = ours(gradling.tensor(x))[0].detach().numpy()
    second = ours(gradling.tensor(x))[0].detach().numpy()
    assert not np.array_equal(first, second)
