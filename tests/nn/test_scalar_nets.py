"""Nets of Values, and their twins on tensors: equal outputs, equal gradients, there and back."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import gradling
from gradling import Value, nn
from gradling.nn.scalar import ACTIVATIONS
from gradling.testing import check_module

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=3)


def both_ways(net: Any, twin: Any, rows: np.ndarray[Any, Any]) -> None:
    """Outputs and gradients of a net of Values and of its twin, on the same rows."""
    outs = [net(row.tolist()) for row in rows]
    flat = [y for out in outs for y in (out if isinstance(out, list) else [out])]
    share = [0.5 + 0.25 * i for i in range(len(flat))]  # an irregular cotangent
    total = sum((y * c for y, c in zip(flat, share, strict=True)), Value(0.0))
    net.zero_grad()
    total.backward()
    y = twin(gradling.tensor(rows))
    assert np.allclose(y.numpy().reshape(-1), [v.data for v in flat], rtol=1e-12, atol=1e-12)
    twin.zero_grad()
    y.backward(gradling.tensor(np.array(share).reshape(y.shape)))
    wanted = twin.to_scalar()  # a place for each gradient, in the order of the Values
    numbers = [(n, p.grad) for n, p in twin.named_parameters()]
    for _, g in numbers:
        assert g is not None
    holder = type(twin).of(wanted, np.float64)
    for p, (_, g) in zip(holder.parameters(), numbers, strict=True):
        p._data[...] = g.numpy()
    gradients = [p.data for p in holder.to_scalar().parameters()]
    assert np.allclose([p.grad for p in net.parameters()], gradients, rtol=1e-10, atol=1e-12)


@given(st.integers(1, 3), SIZES, st.sampled_from(sorted(ACTIVATIONS)), st.integers(0, 99))
def test_an_mlp_and_its_twin(nin: int, nouts: list[int], activation: str, seed: int) -> None:
    net = nn.MLP(nin, nouts, activation, seed=seed)
    rows = np.random.default_rng(seed).normal(size=(3, nin))
    both_ways(net, net.to_tensor(), rows)
    again = net.to_tensor().to_scalar()
    assert [p.data for p in again.parameters()] == [p.data for p in net.parameters()]
    assert [n for n, _ in again.named_parameters()] == [n for n, _ in net.named_parameters()]
    assert repr(again) == repr(net)


@given(st.integers(1, 4), st.integers(1, 3), st.booleans(), st.integers(0, 99))
def test_a_layer_and_a_neuron_and_their_twins(nin: int, nout: int, bent: bool, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(4, nin))
    layer = nn.Layer(nin, nout, bent, activation="tanh", seed=seed)
    both_ways(layer, layer.to_tensor(), rows)
    neuron = nn.Neuron(nin, bent, activation="tanh", seed=seed)
    both_ways(neuron, neuron.to_tensor(), rows)
    assert neuron.to_tensor()(gradling.tensor(rows)).shape == (4,)


def test_a_function_can_be_the_activation() -> None:
    net = nn.MLP(2, [3, 1], activation=lambda v: v * v, seed=0)
    both_ways(net, net.to_tensor(), np.array([[1.0, -2.0], [0.5, 0.25]]))


def test_the_sizes_and_names_of_parameters() -> None:
    net = nn.MLP(2, [16, 16, 1])
    assert len(net.parameters()) == 2 * 16 + 16 + 16 * 16 + 16 + 16 + 1
    names = [name for name, _ in net.named_parameters()]
    assert names[:3] == ["layers.0.neurons.0.w.0", "layers.0.neurons.0.w.1", "layers.0.neurons.0.b"]
    twin = net.to_tensor()
    assert {n: p.shape for n, p in twin.named_parameters()} == {
        "layers.0.weight": (16, 2), "layers.0.bias": (16,),
        "layers.1.weight": (16, 16), "layers.1.bias": (16,),
        "layers.2.weight": (1, 16), "layers.2.bias": (1,),
    }  # fmt: skip
    assert twin.layers[0].weight.dtype == gradling.float64
    assert net.to_tensor(gradling.float32).layers[0].weight.dtype == gradling.float32


def test_a_neuron_is_one_weighted_sum_and_its_activation() -> None:
    neuron = nn.Neuron(3, activation="tanh", seed=0)
    x = [Value(0.1), 0.2, 0.3]
    y = neuron(x)
    assert [v.op.name for v in gradling.engine.history(y) if v.op] == ["weighted_sum", "tanh"]
    spelt = neuron.b
    for w, xi in zip(neuron.w, x, strict=True):
        spelt = spelt + w * xi
    assert y.inputs[0].data == spelt.data  # to the last bit


def test_a_single_output_is_a_value_and_several_are_a_list() -> None:
    assert isinstance(nn.MLP(2, [3, 1])([1.0, 2.0]), Value)
    assert len(nn.MLP(2, [3, 2])([1.0, 2.0])) == 2
    assert isinstance(nn.MLP(2, [1, 1])([1.0, 2.0]), Value)


def test_weights_are_drawn_from_what_is_given() -> None:
    def numbers(net: Any) -> list[float]:
        return [p.data for p in net.parameters()]

    gradling.manual_seed(3)
    first = numbers(nn.MLP(2, [4, 1]))
    gradling.manual_seed(3)
    assert numbers(nn.MLP(2, [4, 1])) == first
    assert numbers(nn.MLP(2, [4, 1], generator=gradling.Generator(3))) == first
    assert numbers(nn.MLP(2, [4, 1], seed=3)) == first
    assert all(-1 <= x < 1 for x in first) and first[2] == 0.0  # the bias
    state = gradling.get_rng_state().tolist()
    nn.MLP(2, [4, 1], seed=3).to_tensor().to_scalar()  # draws nothing from the process
    assert gradling.get_rng_state().tolist() == state


def test_zero_grad_and_labels() -> None:
    net = nn.MLP(2, [2, 1], seed=0)
    y = net([Value(1.0, label="x1"), 2.0])
    y.backward()
    assert any(p.grad for p in net.parameters())
    net.zero_grad()
    assert not any(p.grad for p in net.parameters())


def test_wrong_inputs_are_named() -> None:
    net = nn.MLP(2, [2, 1])
    with pytest.raises(ValueError, match="expected 2 inputs, got 3"):
        net([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match=r"net.to_tensor\(\)"):
        net(gradling.ones(2))
    with pytest.raises(ValueError, match="there is no 'rleu'; take one of linear, relu"):
        nn.MLP(2, [2], "rleu")
    with pytest.raises(ValueError, match="one layer at least"):
        nn.MLP(2, [])


def test_repr_reads_as_micrograd_has_it() -> None:
    assert repr(nn.MLP(1, [2, 1])) == (
        "MLP of [Layer of [ReLUNeuron(1), ReLUNeuron(1)], Layer of [LinearNeuron(2)]]"
    )
    assert "TensorLayer(1, 2, activation=relu)" in repr(nn.MLP(1, [2, 1]).to_tensor())


def test_gradients_by_name() -> None:
    net = nn.MLP(2, [3, 1], "tanh", seed=1)
    assert check_module(net, [0.5, -1.0]).verdict == "correct"
    twin = net.to_tensor()
    assert check_module(twin, gradling.tensor([[0.5, -1.0]])).verdict == "correct"


def test_it_learns_what_its_twin_learns() -> None:
    net = nn.MLP(2, [4, 1], "tanh", seed=2)
    twin = net.to_tensor()
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = [0.0, 1.0, 1.0, 0.0]
    for _ in range(20):
        loss = sum(((net(x.tolist()) - t) ** 2 for x, t in zip(X, y, strict=True)), Value(0.0)) / 4
        net.zero_grad()
        loss.backward()
        for p in net.parameters():
            p.data -= 0.5 * p.grad
        other = nn.functional.mse_loss(
            twin(gradling.tensor(X)), gradling.tensor(y)[:, None].double()
        )
        twin.zero_grad()
        other.backward()
        with gradling.no_grad():
            for p in twin.parameters():
                p -= 0.5 * p.grad
    assert abs(loss.data - other.item()) < 1e-10
    again = [p.data for p in twin.to_scalar().parameters()]
    assert np.allclose([p.data for p in net.parameters()], again, atol=1e-10)
